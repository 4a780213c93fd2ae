"""Pages: whether this machine is fit and everything runs."""

from litestar import Router, get

from windlass.auth.deps import CurrentActor
from windlass.auth.permissions import Permission
from windlass.core.http import Request
from windlass.health import checks
from windlass.web.page import page
from windlass.web.posts import Answer


@get("/status", permission=Permission.admin_read)
async def show_status(request: Request, actor: CurrentActor) -> Answer:
    return page(
        request,
        "status.html",
        user=actor,
        status=await checks.status(request, by=actor),
        findings=await checks.findings(request),
    )


PAGES = [Router("/", route_handlers=[show_status], include_in_schema=False)]
