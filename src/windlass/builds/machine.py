"""What this machine builds with, and whether it can."""

import re
from functools import cache

from windlass.adapters import sandbox, sandbox_languages
from windlass.builds import uids
from windlass.builds.plan import Installed
from windlass.builds.steps import BuildFailed
from windlass.core import launch
from windlass.core.settings import Settings

_VERSION = re.compile(r"\d+(\.\d+)+")
_can_build: set[bool] = set()


def installed() -> Installed:
    """The versions that builds run on. Python and Node are looked at once per process; a further
    toolchain is seen as soon as it is on PATH. Blocks."""
    return _installed(sandbox_languages.languages())


@cache
def _installed(languages: tuple[sandbox_languages.Seen, ...]) -> Installed:
    versions = _own_versions()
    return Installed(
        python=versions.get("python3"),
        node=versions.get("node"),
        tools={seen.program: seen.version for seen in languages},
    )


@cache
def _own_versions() -> dict[str, str]:
    return {
        finding.name: found[0]
        for finding in sandbox.tools()
        if finding.ok and (found := _VERSION.search(finding.detail))
    }


def refuse_without_sandbox(settings: Settings) -> None:
    """Raise BuildFailed with what installs it. Blocks. A machine that can is not asked again."""
    if _can_build or launch.is_unsafe():
        return
    found = sandbox.bubblewrap(uids.of_fetch(settings))
    if not found.ok:
        raise BuildFailed("NO_SANDBOX", f"{found.detail}. {found.fix or ''}".strip())
    _can_build.add(True)
