"""Names in a Helm command: releases, namespaces, repositories, charts. None of them is a path."""

import re
from urllib.parse import urlsplit

import msgspec

from windlass.charts.helm.words import Refused

MOST_REPOSITORY = 500
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_RELEASE = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_NAMESPACE = re.compile(_LABEL)
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]+")
_CHART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OCI = re.compile(
    r"oci://(?P<path>[^@:/]+(:[0-9]+)?(/[a-z0-9._-]+)+)(:(?P<tag>[\w.+-]+))?(?P<digest>@.*)?"
)
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}")
_HOST = re.compile(r"(?!-)[A-Za-z0-9.-]{1,253}|\[[0-9a-fA-F:.]+\]")
_VERSION = re.compile(r"[0-9A-Za-z.+~^<>=!|, *_-]{1,100}")
_PLACEHOLDER = re.compile(r"\[[^\]]*\]|\{\{.*|\{[A-Za-z_ -]+\}|YOUR[-_ ].*|\.\.\.|…", re.IGNORECASE)


class Repository(msgspec.Struct, frozen=True):
    """Where charts come from, under the name that a command uses."""

    name: str
    url: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Which chart: of a repository, of a registry, or one file of the web."""

    name: str
    repository: str = ""
    """The repository's name in the command; empty with --repo."""
    url: str = ""
    """The repository's address, `oci://…` without tag and digest, or `https://….tgz`."""
    digest: str = ""
    """`sha256:…` that it must have."""

    @property
    def is_oci(self) -> bool:
        return self.url.startswith("oci://")

    @property
    def is_file(self) -> bool:
        return not self.is_oci and urlsplit(self.url).path.endswith(".tgz")


def repository(text: str) -> Repository:
    """`name https://address`, as one field of a form (K-030). Raises Refused."""
    words = text.split()
    if len(text) > MOST_REPOSITORY:
        raise Refused("too-long", f"Input too long: at most {MOST_REPOSITORY} characters")
    if len(words) != 2 or not _REPOSITORY.fullmatch(words[0]):
        raise Refused("repository", "Format: 'name https://url'")
    return Repository(words[0], address(words[1], "repository"))


def address(text: str, code: str, *, at: int = 0) -> str:
    """An https address without credentials. Where it leads is looked at when it is asked."""
    try:
        parts = urlsplit(text)
        fits = bool(parts.hostname) and _HOST.fullmatch(
            parts.netloc.rpartition(":")[0] or parts.netloc
        )
        _ = parts.port
    except ValueError:
        raise Refused(
            code, f"`{text}` is no address", "Format: 'name https://url'", at=at
        ) from None
    if parts.username is not None or parts.password is not None:
        raise Refused(code, "An address holds no password", "Credentials are kept apart", at=at)
    if parts.scheme == "http":
        hint = "Use https: what is fetched without encryption can be replaced on its way"
        raise Refused(code, f"`{text}` is not encrypted", hint, at=at)
    if parts.scheme != "https" or not (fits or _HOST.fullmatch(parts.netloc)):
        raise Refused(code, f"`{text}` is no https address", "Format: 'name https://url'", at=at)
    return text


def release(text: str, *, at: int = 0) -> str:
    if len(text) <= 53 and _RELEASE.fullmatch(text):
        return text
    _refuse_placeholder(text, at)
    hint = "Lower-case letters, digits and - only, at most 53 of them, such as my-app"
    raise Refused("release", f"`{text}` cannot be the name of a release", hint, at=at)


def namespace(text: str, *, at: int = 0) -> str:
    if len(text) <= 63 and _NAMESPACE.fullmatch(text):
        return text
    _refuse_placeholder(text, at)
    hint = "Lower-case letters, digits and - only, at most 63 of them"
    raise Refused("namespace", f"`{text}` cannot be a namespace", hint, at=at)


def version(text: str, *, at: int = 0) -> str:
    """A version or a range of versions, as Helm takes it."""
    text = text.strip()
    if _VERSION.fullmatch(text) and not text.startswith("-"):
        return text
    _refuse_placeholder(text, at)
    raise Refused("version", f"`{text}` is no version", "Such as 1.2.3 or ^1.2", at=at)


def chart(text: str, *, repo: str = "", at: int = 0) -> tuple[Chart, str]:
    """What the chart's word means, and the version within it. Raises Refused."""
    if text.startswith("oci://"):
        return _oci(text, at)
    if text.startswith(("https://", "http://")):
        url = address(text, "chart", at=at)
        path = urlsplit(url).path
        if not path.endswith(".tgz"):
            hint = "Write name/chart for a chart of a repository, or the address of a .tgz file"
            raise Refused("chart", f"`{text}` is no packed chart", hint, at=at)
        return Chart(name=path.rpartition("/")[2].removesuffix(".tgz"), url=url), ""
    _refuse_placeholder(text, at)
    if "://" in text:
        hint = "Charts come from name/chart, oci://… or https://….tgz"
        raise Refused("chart", f"`{text}` is nothing that charts are fetched from", hint, at=at)
    before, slash, name = text.partition("/")
    if repo and not slash and _CHART.fullmatch(text) and not text.endswith(".tgz"):
        return Chart(name=text, url=address(repo, "repository", at=at)), ""
    fits = _REPOSITORY.fullmatch(before) and _CHART.fullmatch(name) and not name.endswith(".tgz")
    if not slash or not fits or repo:
        raise _path(text, at)
    return Chart(name=name, repository=before), ""


def _oci(text: str, at: int) -> tuple[Chart, str]:
    _refuse_placeholder(text.removeprefix("oci://").partition("/")[0], at)
    found = _OCI.fullmatch(text)
    if found is None or not _HOST.fullmatch(found["path"].partition("/")[0].partition(":")[0]):
        hint = "Such as oci://ghcr.io/acme/charts/web"
        raise Refused("chart", f"`{text}` is no chart in a registry", hint, at=at)
    digest = found["digest"] or ""
    if digest and not _DIGEST.fullmatch(digest):
        hint = "It is @sha256: and 64 digits"
        raise Refused("chart", f"`{digest}` is no digest", hint, at=at)
    path = found["path"]
    name = path.rpartition("/")[2]
    return Chart(name=name, url=f"oci://{path}", digest=digest[1:]), found["tag"] or ""


def _path(text: str, at: int) -> Refused:
    looks_local = text.startswith((".", "/", "~")) or text.endswith((".tgz", "/")) or "/" in text
    if looks_local:
        return Refused(
            "chart-path",
            f"`{text}` is a path of your own machine, which is not readable here",
            "Pack the chart with `helm package` and upload the .tgz file",
            at=at,
        )
    return Refused(
        "chart",
        f"`{text}` does not say where the chart comes from",
        "Write name/chart, oci://…, https://….tgz, or add --repo https://…",
        at=at,
    )


def _refuse_placeholder(text: str, at: int) -> None:
    if _PLACEHOLDER.search(text) or (text.isupper() and len(text) > 2):
        hint = f"Write your own value instead of {text}"
        raise Refused("placeholder", f"`{text}` is a placeholder", hint, at=at)
