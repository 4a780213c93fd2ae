"""Build the web process: the only place where the routes and pages are put together."""

import time
from typing import Any

from litestar import Litestar
from litestar.di import Provide
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.static_files import create_static_files_router

from windlass.admin import pages as admin_pages
from windlass.admin import routes as admin_routes
from windlass.audit import pages as audit_pages
from windlass.audit import retention_pages
from windlass.audit import routes as audit_routes
from windlass.auth import deps as auth
from windlass.auth import device_routes, factor_routes, limiting, provider_routes, token_routes
from windlass.auth import pages as auth_pages
from windlass.auth import routes as auth_routes
from windlass.auth.front import Identities, front
from windlass.auth.signing import SigningKeys
from windlass.builder import pages as builder_pages
from windlass.builder import routes as builder_routes
from windlass.builds import login_routes
from windlass.builds import routes as builds_routes
from windlass.clusters import departing as clusters_departing
from windlass.clusters import deps as clusters
from windlass.clusters import pages as clusters_pages
from windlass.clusters import routes as clusters_routes
from windlass.core import headers, http, intake, openapi
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing
from windlass.core.db import Database
from windlass.core.limit import Limiter, Memory
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.deployments import cache_routes, queue_routes, runtime_routes
from windlass.deployments import deps as deployments
from windlass.deployments import pages as deployments_pages
from windlass.deployments import routes as deployments_routes
from windlass.health import pages as health_pages
from windlass.health import routes as health_routes
from windlass.previews import pages as previews_pages
from windlass.previews import routes as previews_routes
from windlass.projects import departing as projects_departing
from windlass.projects import deps as projects
from windlass.projects import routes as projects_routes
from windlass.releases import deps as releases
from windlass.releases import pages as releases_pages
from windlass.releases import routes as releases_routes
from windlass.teams import departing as teams_departing
from windlass.teams import deps as teams
from windlass.teams import pages as teams_pages
from windlass.teams import routes as teams_routes
from windlass.web import examples, reference, static_files
from windlass.web.errors import render_error
from windlass.web.speaking import public_pages, speaking
from windlass.webhooks import pages as webhooks_pages
from windlass.webhooks import push_routes
from windlass.webhooks import routes as webhooks_routes

# What of an area goes with an account, and what keeps it: they register themselves.
DEPARTING = (clusters_departing, projects_departing, teams_departing)


class _Site(Litestar):
    """Without what Litestar adds for libraries that happen to be installed: no route speaks
    pydantic or attrs, and asking them about each parameter costs time and 3 MB."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def build(
    settings: Settings,
    database: Database,
    system: Database,
    live: Live,
    key_ring: KeyRing,
    blobs: BlobStore,
) -> Litestar:
    """The application. Nothing in it reads the environment or opens a connection by itself.

    `database` shows each caller what is theirs; `system` sees all, and only what happens before
    anybody is known may use it.
    """
    assets = create_static_files_router(
        static_files.URL,
        [static_files.FOLDER],
        cache_control=None,
        opt={"public": True, "rate": "asset"},
    )
    app = _Site(
        [
            auth_routes.router,
            factor_routes.router,
            token_routes.router,
            device_routes.router,
            *provider_routes.ROUTES,
            teams_routes.router,
            teams_routes.invited_router,
            builds_routes.router,
            login_routes.router,
            builder_routes.router,
            projects_routes.router,
            clusters_routes.router,
            deployments_routes.router,
            cache_routes.router,
            previews_routes.router,
            runtime_routes.router,
            releases_routes.router,
            *webhooks_routes.ROUTES,
            *push_routes.ROUTES,
            queue_routes.show_queue,
            deployments_routes.stream_changes,
            deployments_routes.old_stream,
            deployments_routes.old_deploy,
            admin_routes.router,
            *audit_routes.ROUTES,
            *health_routes.ROUTES,
            openapi.serve,
            reference.reference,
            *auth_pages.PAGES,
            *clusters_pages.PAGES,
            *releases_pages.PAGES,
            *teams_pages.PAGES,
            *deployments_pages.PAGES,
            *builder_pages.PAGES,
            *previews_pages.PAGES,
            *webhooks_pages.PAGES,
            *audit_pages.PAGES,
            *retention_pages.PAGES,
            *admin_pages.PAGES,
            *health_pages.PAGES,
            assets,
        ],
        before_request=intake.check,
        middleware=[limiting.limited, auth.guarded, http.close_session],
        dependencies={
            "db": Provide(http.provide_db),
            "system_db": Provide(http.provide_system_db),
            "actor": Provide(auth.provide_actor),
            "team": Provide(teams.provide_team),
            "project": Provide(projects.provide_project),
            "cluster": Provide(clusters.provide_cluster),
            "deployment": Provide(deployments.provide_deployment),
            "release": Provide(releases.provide_release),
            "latest": Provide(deployments.provide_latest),
        },
        exception_handlers={Exception: render_error},
        response_class=http.Envelope,
        request_max_body_size=http.BODY_LIMIT_BYTES,
        # structlog writes the log; the framework would start a thread for its own.
        logging_config=None,
        # core.openapi makes the document, of the types themselves.
        openapi_config=None,
    )
    parts: dict[str, Any] = {
        "settings": settings,
        "database": database,
        "system": system,
        "identities": Identities(
            system, SigningKeys(settings.folder / "keys", settings.secrets.session_keys), live
        ),
        "live": live,
        "key_ring": key_ring,
        "blobs": blobs,
        "started_at": time.monotonic(),
        "limiter": _limiter(settings),
        "examples": examples.WORDS,
    }
    app.state.update(parts)
    # Around everything, so that an answer without a route has its id and headers too.
    answering = speaking(
        limiting.announced(app.asgi_handler),
        public_pages(app),
        has_tls=settings.panel_url.startswith("https:"),
    )
    app.asgi_handler = http.track(headers.shared(front(answering, app.state), settings), settings)
    auth.refuse_open_routes(app)
    intake.note_parameters(app)
    limiting.refuse_unknown_rates(app)
    return app


def _limiter(settings: Settings) -> Limiter:
    if not settings.redis_url:
        return Memory()
    # Its client is 22 MB, for those who have a Redis.
    from windlass.adapters.redis import RedisLimiter

    return RedisLimiter(settings.redis_url)
