"""Which API a token is for: from the repository of a project, or as somebody says."""

from sqlalchemy.ext.asyncio import AsyncSession

from windlass.adapters import git_hosts
from windlass.auth.models import Actor
from windlass.core.crypto import KeyRing
from windlass.projects.models import Project
from windlass.webhooks import reporting
from windlass.webhooks.errors import HostNotNamed, NoRepository
from windlass.webhooks.models import Host, Webhook
from windlass.webhooks.schemas import TokenSet


async def set_token(
    db: AsyncSession, project: Project, wanted: TokenSet, keys: KeyRing, *, by: Actor
) -> Webhook:
    """As `reporting.set_token`, for the host that the repository is at now."""
    if (key := project.repository_key) is None:
        raise NoRepository()
    name = key.partition("/")[0]
    # A known name decides, whatever is said.
    if (kind := is_known(project) or wanted.host) is None:
        raise HostNotNamed(name=name)
    api = git_hosts.api_of(kind, key, project.repository_url or "")
    return await reporting.set_token(
        db, project, wanted.token, keys, host=Host(kind), api_url=api, by=by
    )


def is_known(project: Project) -> git_hosts.Kind | None:
    """What the project's host runs, where its name tells."""
    return git_hosts.kind_of((project.repository_key or "").partition("/")[0])
