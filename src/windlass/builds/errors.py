"""What can be wrong with a source before anything is built."""

from windlass.core.errors import BadRequest, Conflict, NotFound, ValidationFailed


class EmptySource(ValidationFailed):
    """There is nothing to deploy: the source holds no files (ignored files do not count)."""


class NothingDetected(ValidationFailed):
    """Windlass could not tell how to build this. Looked for: {looked_for}. Found: {found}.
    {hint}"""


class UnsupportedPlan(ValidationFailed):
    """This looks like {what} ({evidence}), which Windlass does not build yet. {hint}"""


class ToolchainMissing(ValidationFailed):
    """This looks like {what} ({evidence}). It needs {tool}, not installed here. Install it: {hint}.
    The next deployment finds it."""


class ManifestBroken(ValidationFailed):
    """{file} cannot be read: {reason}."""


class OutputOutside(ValidationFailed):
    """{file} writes its output to {folder}, which lies outside the root directory {root}. Choose a
    root directory that contains it, or another output folder."""


class SourceNotFound(NotFound):
    """There is no such source, or you may not see it."""


class SourceNotReady(Conflict):
    """The files of this source are not here yet. Wait a moment, then try again."""


class FilesOrRepository(BadRequest):
    """Give the files of an upload, or a repositoryUrl, or an image: one of the three."""


class BlobsAbsent(Conflict):
    """{count} contents are not on the server yet. Send them, then try again."""


class BatchBroken(BadRequest):
    """The batch is broken at byte {position}: a content does not match its hash or length."""


class SettingWrong(ValidationFailed):
    """{file}, line {line}: `{key}` {problem}."""


class TooManyRules(BadRequest):
    """The ignore files are too long for so many files. Use “windlass deploy” for this folder."""


class DockerfileBroken(ValidationFailed):
    """{file}, line {line}: {problem}."""

    reason = "DOCKERFILE_BROKEN"


class DockerfileRefused(ValidationFailed):
    """{file}, line {line}: {what}, which is not allowed here. {hint}"""

    reason = "DOCKERFILE_REFUSED"


class ImageMissing(ValidationFailed):
    """Name an image: ghcr.io/team/app:1.2"""


class ReferenceWrong(ValidationFailed):
    """{reference} is no name of an image: {problem}."""

    reason = "IMAGE_NAME_WRONG"


class LoginNotFound(NotFound):
    """The project has no such login at a registry."""


class TooManyLogins(Conflict):
    """A project has at most {most} logins at registries. Remove one first."""
