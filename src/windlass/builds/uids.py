"""Who builds and apps run as when Windlass runs as root: a user id for each project."""

import os

from windlass.core.settings import Settings

_FETCH = 1
_FIRST_PROJECT = 10


def of_postgres(settings: Settings) -> int:
    """The embedded database."""
    return settings.builds.uid_base


def of_fetch(settings: Settings) -> int | None:
    """Fetching a repository that belongs to no project yet."""
    return settings.builds.uid_base + _FETCH if os.geteuid() == 0 else None


def of_project(settings: Settings, number: int) -> int | None:
    """Builds and apps of one project; None when we are not root and stay who we are."""
    return settings.builds.uid_base + _FIRST_PROJECT + number if os.geteuid() == 0 else None
