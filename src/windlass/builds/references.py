"""Names of images: `nginx`, `registry.example.com:5000/team/app:1.2`, `name@sha256:…`."""

import re
from fnmatch import fnmatchcase

import msgspec

from windlass.builds.errors import ReferenceWrong

HUB = "docker.io"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::\d{1,5})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 255


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One image of one registry."""

    registry: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @property
    def repository(self) -> str:
        """As engines call it: the Hub's images without their registry."""
        if self.registry != HUB:
            return f"{self.registry}/{self.path}"
        return self.path.removeprefix("library/")

    @property
    def whole(self) -> str:
        """With a tag, or with its digest."""
        if self.digest:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag or 'latest'}"

    @property
    def named(self) -> str:
        """As it was asked for, in one form."""
        return self.whole if self.tag or self.digest else self.repository

    @property
    def place(self) -> tuple[str, int]:
        """The host and port that the engine will ask."""
        host, _, port = self.registry.rpartition(":")
        return (host.strip("[]"), int(port)) if host and port.isdigit() else (self.registry, 443)


def parse(text: str) -> Reference:
    """Raises ReferenceWrong."""
    name, _, digest = text.strip().partition("@")
    first, slash, rest = name.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, path = (first, rest) if is_host else (HUB, name)
    path, colon, tag = path.partition(":")
    if registry in (HUB, "index.docker.io", "registry-1.docker.io"):
        registry, path = HUB, path if "/" in path else f"library/{path}"
    problem = None
    if not _PATH.fullmatch(path) or len(path) > _LONGEST:
        problem = "its name holds small letters, digits, and . _ - / between them"
    elif not _HOST.fullmatch(registry):
        problem = "its registry is no host name"
    elif colon and not _TAG.fullmatch(tag):
        problem = "its tag is not one"
    elif "@" in text and not _DIGEST.fullmatch(digest):
        problem = "its digest is sha256: and 64 digits"
    if problem:
        raise ReferenceWrong(reference=text[:200], problem=problem)
    return Reference(registry=registry, path=path, tag=tag or None, digest=digest or None)


def registry(text: str) -> str:
    """The name of a registry as people write it: with a scheme, with a path, by an older name.
    Raises ReferenceWrong."""
    name = text.strip().lower().partition("://")[2] or text.strip().lower()
    name = name.partition("/")[0]
    if name in ("docker.io", "index.docker.io", "registry-1.docker.io", "hub.docker.com"):
        return HUB
    if not _HOST.fullmatch(name) or ("." not in name and ":" not in name and name != "localhost"):
        raise ReferenceWrong(reference=text[:200], problem="it is no host name of a registry")
    return name


def is_listed(reference: Reference, names: tuple[str, ...]) -> bool:
    """Whether an operator's list of local images names it; `team/*` covers several."""
    known = {reference.whole, reference.repository}
    return any(fnmatchcase(name, each) for name in known for each in names)
