"""Why Git failed, in one line that says what to do: read from its messages and the egress."""

import re
from collections.abc import Sequence

from windlass.adapters.git_names import GitAddressRefused, Remote
from windlass.core.errors import (
    AppError,
    BadRequest,
    IntegrationError,
    NotFound,
    TimeoutFailed,
    TooLarge,
    Unavailable,
)
from windlass.core.launch import Exit
from windlass.core.manifest import DiskFull, Reasoned, shown


class GitHostNotFound(Reasoned, IntegrationError):
    """There is no host {host}. Check the spelling of the URL."""


class GitConnectionFailed(Reasoned, IntegrationError):
    """{host} does not accept connections: {detail}. Check the URL, or try again later."""


class GitTlsFailed(Reasoned, IntegrationError):
    """{host} did not prove its identity: {detail}. Its certificate has to be put right."""


class GitHostKeyChanged(Reasoned, IntegrationError):
    """{host} shows another SSH host key than before. If that is expected, remove its line from
    keys/known_hosts below WINDLASS_HOME."""


class RepositoryLocked(Reasoned, BadRequest):
    """{url} needs a password or does not exist. Check the URL; for a private repository use its SSH
    URL and add this machine's deploy key to it."""


class RepositoryNotFound(Reasoned, BadRequest):
    """{url} answers, but is no Git repository. Check the URL."""


class RepositoryEmpty(Reasoned, BadRequest):
    """{url} has no commits yet. Push one, then deploy again."""


class BranchNotFound(Reasoned, NotFound):
    """There is no branch {branch}. {existing}"""


class CommitGone(Reasoned, NotFound):
    """The repository does not have the commit {commit} any more: its branch was deleted, or a
    forced push replaced it."""


class RepositoryTooLarge(Reasoned, TooLarge):
    """The repository is larger than {limit} ({found} so far). Keep large files out of it."""


class GitTimeout(Reasoned, TimeoutFailed):
    """The repository was not fetched within {seconds} seconds. Try again, or make it smaller."""


class GitOutOfMemory(Reasoned, IntegrationError):
    """Git needed more memory than {limit} to fetch the repository."""


class GitMissing(Reasoned, Unavailable):
    """Git is not installed. Try: apt-get install git"""


class GitFailed(Reasoned, IntegrationError):
    """Git could not fetch the repository: {detail}"""


_NO_BRANCH = re.compile(r"Remote branch .* not found|couldn't find remote ref")
_NO_COMMIT = re.compile(
    r"not our ref|unadvertised object|unable to read tree|reference is not a tree|"
    r"pathspec '.*' did not match|bad object|unknown revision|ambiguous|needed a single revision|"
    r"invalid reference|does not take a path argument",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"cloned an empty repository")
_LOCKED = re.compile(
    r"could not read (Username|Password)|Authentication failed|Permission denied|"
    r"repository '.*' not found|Repository not found|returned error: 40[134]|"
    r"does not exist|access denied",
    re.IGNORECASE,
)
_NOT_GIT = re.compile(
    r"is this a git repository|does not appear to be a git repository|"
    r"invalid server response|bad line length character|expected (flush|service)|dumb http"
)
_TLS = re.compile(r"(SSL|TLS|certificate|gnutls)[^\n]*", re.IGNORECASE)
_UNREACHED = re.compile(r"cannot be reached: .*|no answer in time")
_CUT_OFF = re.compile(
    r"Connection (refused|reset|closed|timed out)|Empty reply from server|"
    r"Could not connect|Recv failure|kex_exchange_identification"
)
_RIGHTS = "correct access rights"
"""ssh's last words whatever happened, so they count only when nothing better was said."""
_NO_NAME = re.compile(r"has no address|was not found in time|Could not resolve host(?!name: proxy)")
_PROXY_ANSWER = re.compile(r"<= Recv header: HTTP/1\.[01] (\d{3}) ([^\r\n]*)")
_TRACE = re.compile(r"^\d\d:\d\d:\d\d\.\d+ .*\n?", re.MULTILINE)


def is_missing_branch(said: str) -> bool:
    """Whether the branch is what is missing; the rest was in order."""
    return bool(_NO_BRANCH.search(_TRACE.sub("", said)))


def is_missing_commit(said: str) -> bool:
    """Whether the repository has no such commit, or does not give it alone."""
    return bool(_NO_COMMIT.search(_TRACE.sub("", said)))


def is_empty(said: str) -> bool:
    """Whether a clone that ended well got nothing."""
    return bool(_EMPTY.search(_TRACE.sub("", said)))


def explain(remote: Remote, said: str, refusals: Sequence[str], ended: Exit) -> AppError:
    """The error for a failed Git command.

    `said`: its output, with curl's trace of headers, where the proxy's answers stand. `refusals`:
    what the egress refused. The order matters: the first cause is the one to name.
    """
    messages = _TRACE.sub("", said)
    answers = " ".join(f"{code} {line}" for code, line in _PROXY_ANSWER.findall(said))
    network = "\n".join([*refusals, answers, messages])
    if ended.reason == "disk-full" or "No space left on device" in messages:
        return DiskFull(folder="the work folder")
    if _NO_NAME.search(network):
        return GitHostNotFound(host=remote.host)
    if found := _UNREACHED.search(network):
        return _unreachable(remote, found[0])
    if refusals:
        return GitAddressRefused(detail=shown(refusals[0]))
    if "Host key verification failed" in messages or "HOST IDENTIFICATION HAS CHANGED" in messages:
        return GitHostKeyChanged(host=remote.host)
    if _LOCKED.search(messages):
        return RepositoryLocked(url=remote.url)
    if _NOT_GIT.search(messages):
        return RepositoryNotFound(url=remote.url)
    if found := _TLS.search(messages):
        return GitTlsFailed(host=remote.host, detail=shown(found[0].strip().rstrip(".")))
    if found := _CUT_OFF.search(messages):
        return _unreachable(remote, found[0])
    if _RIGHTS in messages:
        return RepositoryLocked(url=remote.url)
    return GitFailed(detail=_last_line(messages) or _how(ended))


def _unreachable(remote: Remote, said: str) -> GitConnectionFailed:
    late = "in time" in said or "timed out" in said
    detail = "no answer in time" if late else f"port {remote.port} refused or was cut off"
    return GitConnectionFailed(host=remote.host, detail=detail)


def _last_line(messages: str) -> str:
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return shown((fatal or lines or [""])[-1].removeprefix("fatal: ").removeprefix("error: "))


def _how(ended: Exit) -> str:
    if ended.signal is not None:
        return f"it was ended by signal {ended.signal}"
    return f"it ended with status {ended.code} and said nothing"
