"""JSON: what Git hosts send, and how a project is connected to one (C-260 to C-265)."""

from urllib.parse import parse_qs

from litestar import Router, delete, get, patch, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from windlass.auth import limiting
from windlass.auth.deps import CurrentActor, SystemDB
from windlass.auth.permissions import Permission
from windlass.core import addresses, clock, ids, intake
from windlass.core.errors import AppError
from windlass.core.http import DB, Request
from windlass.core.schemas import CursorText, Limit, Page
from windlass.projects.deps import InProject
from windlass.projects.models import Project
from windlass.webhooks import hosting, payloads, receiving, reporting, service
from windlass.webhooks.errors import HostUnknown, PayloadRefused
from windlass.webhooks.models import Host, Webhook
from windlass.webhooks.receiving import Arrived
from windlass.webhooks.schemas import (
    DeliveryOut,
    TokenSet,
    WebhookChange,
    WebhookCreate,
    WebhookOut,
)

# A push of 2,000 commits with their files; hosts send what is larger nowhere near as often.
BODY_BYTES = 4 << 20
_FORM = "application/x-www-form-urlencoded"


@post(
    "/{host:str}",
    public=True,
    rate="webhook",
    request_max_body_size=BODY_BYTES,
    status_code=202,
    raw_body="What the Git host sends, as JSON or as a form with `payload`. 4 MiB at the most.",
)
async def receive_webhook(
    request: Request,
    system_db: SystemDB,
    host: FromPath[str],
    projectId: FromQuery[str | None] = None,
) -> list[DeliveryOut]:
    """Take a webhook of github, gitlab, gitea (also Forgejo) or bitbucket: proven by the secret of
    each project of the repository, not by a session. A delivery that was seen before answers as it
    did and starts nothing; an event that means nothing here is answered the same way, ignored."""
    state = request.app.state
    try:
        arrived = await _arrived(request, host, projectId)
        found = await receiving.receive(
            system_db,
            arrived,
            state.key_ring,
            base_domain=state.settings.base_domain,
            now=clock.now(),
        )
    except AppError as error:
        if error.status < 500:
            # Only what proves nothing is counted strictly; a signed one is never lost to it (D-22).
            peer = addresses.client_address(request.scope, state.settings.edge.trusted_proxies)
            await limiting.count(request, "webhook", of=addresses.network_of(peer))
        raise
    return [DeliveryOut.of(row) for row in found]


async def _arrived(request: Request, host: str, project: str | None) -> Arrived:
    try:
        kind = Host(host)
    except ValueError as error:
        raise HostUnknown() from error
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    labels = payloads.labels(kind, headers, body)
    notice = payloads.read(kind, labels.event, intake.decoded(_json_of(headers, body)))
    id = ids.private("proj", project) if project is not None else None
    return Arrived(headers=headers, body=body, labels=labels, notice=notice, project_id=id)


def _json_of(headers: dict[str, str], body: bytes) -> bytes:
    """Some hosts can send a form with the JSON in it; what is signed is the form."""
    if not headers.get("content-type", "").lower().startswith(_FORM):
        return body
    try:
        found = parse_qs(body.decode(), max_num_fields=10)
    except ValueError as error:
        raise PayloadRefused(why="the form cannot be read") from error
    return found.get("payload", [""])[0].encode()


@get("/{project_id:str}/webhook", permission=Permission.project_settings)
async def show_webhook(request: Request, db: DB, project: InProject) -> WebhookOut:
    """How the project is connected to its Git host: addresses and rules."""
    return _shown(request, project, await service.get(db, project))


@post("/{project_id:str}/webhook", permission=Permission.project_settings)
async def connect_webhook(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    data: JSONBody[WebhookCreate | None] = None,
) -> WebhookOut:
    """Connect the project to its Git host. The secret is in this answer and in no other."""
    wanted = data.secret if data else None
    row, secret = await service.connect(db, project, wanted, request.app.state.key_ring, by=actor)
    return _shown(request, project, row, secret)


@patch("/{project_id:str}/webhook", permission=Permission.project_settings)
async def change_webhook(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    data: JSONBody[WebhookChange],
) -> WebhookOut:
    """Change which branches, tags and paths deploy. The production branch is a setting of the
    project."""
    return _shown(request, project, await service.change(db, project, data, by=actor))


@post("/{project_id:str}/webhook/secret", permission=Permission.project_settings)
async def replace_webhook_secret(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    data: JSONBody[WebhookCreate | None] = None,
) -> WebhookOut:
    """Replace the secret; the old one proves nothing from now on."""
    wanted = data.secret if data else None
    row, secret = await service.replace_secret(
        db, project, wanted, request.app.state.key_ring, by=actor
    )
    return _shown(request, project, row, secret)


@put("/{project_id:str}/webhook/token", permission=Permission.project_settings)
async def set_webhook_token(
    request: Request,
    db: DB,
    actor: CurrentActor,
    project: InProject,
    data: JSONBody[TokenSet],
) -> WebhookOut:
    """Give an access token of the Git host: it is told what becomes of each commit. Stored sealed,
    never shown, and sent to no other host than that of the repository as it is now (C-247)."""
    row = await hosting.set_token(db, project, data, request.app.state.key_ring, by=actor)
    return _shown(request, project, row)


@delete("/{project_id:str}/webhook/token", permission=Permission.project_settings, status_code=200)
async def forget_webhook_token(
    request: Request, db: DB, actor: CurrentActor, project: InProject
) -> WebhookOut:
    """Forget the token; the Git host is told nothing any more."""
    return _shown(request, project, await reporting.forget_token(db, project, by=actor))


@delete("/{project_id:str}/webhook", permission=Permission.project_settings)
async def disconnect_webhook(db: DB, actor: CurrentActor, project: InProject) -> None:
    """Disconnect the project from its Git host: pushes start nothing any more."""
    await service.disconnect(db, project, by=actor)


@get("/{project_id:str}/webhook/deliveries", permission=Permission.project_settings)
async def list_webhook_deliveries(
    db: DB,
    project: InProject,
    limit: FromQuery[Limit] = 20,
    cursor: FromQuery[CursorText | None] = None,
) -> Page[DeliveryOut]:
    """What the Git host sent in the last 30 days and what became of it, newest first."""
    return await service.deliveries(db, project, limit=limit, cursor=cursor)


def _shown(
    request: Request, project: Project, row: Webhook, secret: str | None = None
) -> WebhookOut:
    return WebhookOut.of(
        row,
        repository=project.repository_url,
        branch=project.repository_branch,
        panel=request.app.state.settings.panel_url,
        secret=secret,
    )


ROUTES = [
    Router("/api/webhooks", route_handlers=[receive_webhook]),
    Router(
        "/api/projects",
        route_handlers=[
            show_webhook,
            connect_webhook,
            change_webhook,
            replace_webhook_secret,
            set_webhook_token,
            forget_webhook_token,
            disconnect_webhook,
            list_webhook_deliveries,
        ],
    ),
]
