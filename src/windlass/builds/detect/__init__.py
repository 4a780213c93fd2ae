"""From a tree of files to a plan. Pure: it reads manifests and decides; it runs nothing."""

from windlass.builds.errors import NothingDetected
from windlass.builds.plan import Installed, Overrides, Plan, Tree

__all__ = ["detect"]


def detect(
    tree: Tree,
    overrides: Overrides = Overrides(),  # noqa: B008 - frozen
    *,
    installed: Installed = Installed(),  # noqa: B008 - frozen
) -> Plan:
    """The plan for a source. Raises `AppError` (and nothing else) when there is none."""
    raise NothingDetected(looked_for="-", found="-", hint="")
