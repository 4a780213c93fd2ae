"""What this machine builds with, and whether it can."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from windlass.adapters import sandbox, sandbox_languages
from windlass.builds import uids
from windlass.builds.plan import Installed
from windlass.builds.steps import BuildFailed
from windlass.core import launch
from windlass.core.settings import Settings

_VERSION = re.compile(r"\d+(\.\d+)+")
_can_build: set[bool] = set()


class Tools(Mapping[str, str]):
    """The further toolchains by the name of their program. Each is asked for its version by who
    wants it: to ask all of them takes a second, and most builds need none."""

    def __init__(self, languages: tuple[sandbox_languages.Seen, ...]) -> None:
        self._seen = {seen.program: seen for seen in languages}

    def __getitem__(self, program: str) -> str:
        if (version := self._seen[program].version) is None:
            raise KeyError(program)
        return version

    def __iter__(self) -> Iterator[str]:
        return (program for program, seen in self._seen.items() if seen.version is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def installed() -> Installed:
    """The versions that builds run on. Python and Node are looked at once per process; a further
    toolchain is seen as soon as it is on PATH. Blocks."""
    return _installed(sandbox_languages.languages())


@cache
def _installed(languages: tuple[sandbox_languages.Seen, ...]) -> Installed:
    return Installed(
        python=_own_version("python3"), node=_own_version("node"), tools=Tools(languages)
    )


@cache
def _own_version(name: str) -> str | None:
    finding = sandbox.tool(name)
    found = _VERSION.search(finding.detail) if finding.ok else None
    return found and found[0]


def refuse_without_sandbox(settings: Settings) -> None:
    """Raise BuildFailed with what installs it. Blocks. A machine that can is not asked again."""
    if _can_build or launch.is_unsafe():
        return
    found = sandbox.bubblewrap(uids.of_fetch(settings))
    if not found.ok:
        raise BuildFailed("NO_SANDBOX", f"{found.detail}. {found.fix or ''}".strip())
    _can_build.add(True)
