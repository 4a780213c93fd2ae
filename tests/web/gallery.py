"""Every page with sample data, without a server behind it: `tests/web/server.py` serves them."""

from tests.web import (
    gallery_builder,
    gallery_clusters,
    gallery_deployments,
    gallery_people,
    gallery_projects,
    gallery_releases,
    gallery_teams,
)
from tests.web import page_samples as q
from tests.web import samples as s
from tests.web.samples import Pages
from windlass.core.settings import Disk
from windlass.web import page

PAGES: Pages = {
    **gallery_people.PAGES,
    **gallery_projects.PAGES,
    **gallery_deployments.PAGES,
    **gallery_teams.PAGES,
    **gallery_clusters.PAGES,
    **gallery_builder.PAGES,
    **gallery_releases.PAGES,
    "/admin/disk": (
        "admin/disk.html",
        True,
        {"usage": s.USAGE, "budget": Disk()},
    ),
    "/reference": ("reference.html", False, q.REFERENCE),
    "/status": ("status.html", True, {"status": q.STATUS, "findings": q.FINDINGS}),
    "/error-404": (
        "error.html",
        True,
        {
            "status": 404,
            "code": "NOT_FOUND",
            "message": "There is no such project, or you may not see it.",
            "request_id": "req_01kb8f3v4w",
        },
    ),
    "/error-503": (
        "error.html",
        False,
        {
            "status": 503,
            "code": "SERVICE_UNAVAILABLE",
            "message": "The database is starting.",
            "request_id": "req_01kb8f3v4x",
        },
    ),
}


def show(
    path: str, *, theme: str = "system", fragment: bool = False, notice: page.Notice | None = None
) -> str:
    """One page as the browser gets it."""
    template, signed_in, context = PAGES[path]
    return page.render(
        template,
        fragment=fragment,
        path=path,
        theme=theme,
        now=s.NOW,
        user=s.USER if signed_in else None,
        notice=notice,
        **context,
    )
