"""Pages: an invitation as the invited see it, signed in or not, and their answer."""

from litestar import get, post
from litestar.params import FromPath

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.core.http import DB, Request
from windlass.teams import invitations, listing
from windlass.web.page import page
from windlass.web.posts import Answer, see


@get("/invitations/{token:str}", public=True)
async def show_invitation(request: Request, db: DB, token: FromPath[str]) -> Answer:
    """Opening it answers nothing: programs that scan mail open every link in it."""
    actor: Actor | None = request.scope["state"].get("actor")
    found = await listing.by_link(db, token)
    problem = invitations.problem(found, by=actor)
    return page(
        request,
        "teams/invitation.html",
        http_status=problem.status if problem else 200,
        user=actor,
        token=token,
        invitation=found,
        problem=problem.message if problem else None,
        is_over=found.status != "pending",
    )


@post("/invitations/{invitation:str}/accept", permission=Permission.account)
async def accept(db: DB, actor: CurrentActor, invitation: FromPath[str]) -> Answer:
    team_id = await invitations.accept(db, invitation, by=actor)
    joined = await listing.team(db, team_id, by=actor)
    return see(f"/teams/{joined.slug}", "joined")


@post("/invitations/{invitation:str}/decline", permission=Permission.account)
async def decline(db: DB, actor: CurrentActor, invitation: FromPath[str]) -> Answer:
    await invitations.decline(db, invitation, by=actor)
    return see("/teams", "declined")


HANDLERS = [show_invitation, accept, decline]
