"""Which deployment a command means when the user names none."""

from collections.abc import Sequence
from datetime import UTC, datetime

from windlass.cli.api import Api
from windlass.cli.client import ApiError
from windlass.cli.errors import NoDeployment
from windlass.cli.schemas import Deployment, Project

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def previous(api: Api, project: Project) -> Deployment:
    """The READY deployment that was in production before the live one. Raises NoDeployment."""
    ready = api.deployments(project_id=project.id, status="ready", limit=100)
    found = before_the_live_one(ready, project.active_deployment_id)
    if found is None:
        raise NoDeployment(project=project.slug, kind="to go back to")
    return found


def before_the_live_one(ready: Sequence[Deployment], live_id: str | None) -> Deployment | None:
    """The newest production deployment older than the live one.

    Going back twice goes back two steps: a rollback does not change when a deployment came.
    """
    produced = [one for one in ready if not one.is_preview or one.promoted_at]
    live = next((one for one in ready if one.id == live_id or one.is_active), None)
    older = [one for one in produced if live is None or _came_at(one) < _came_at(live)]
    return max(older, key=_came_at, default=None)


def newest_preview(api: Api, project: Project) -> Deployment:
    """The newest READY preview. Raises NoDeployment."""
    found = api.deployments(project_id=project.id, status="ready", preview=True, limit=1)
    if not found:
        raise NoDeployment(project=project.slug, kind="that is a finished preview")
    return found[0]


def newest(api: Api, project: Project) -> Deployment:
    """The newest deployment, however it ended. Raises NoDeployment."""
    found = api.deployments(project_id=project.id, limit=1)
    if not found:
        raise NoDeployment(project=project.slug, kind="to build again")
    return found[0]


def newest_ready(api: Api, project: Project) -> Deployment:
    """The newest READY deployment. Raises NoDeployment."""
    found = api.deployments(project_id=project.id, status="ready", limit=1)
    if not found:
        raise NoDeployment(project=project.slug, kind="that is ready")
    return found[0]


def running(api: Api, project: Project) -> Deployment:
    """The newest deployment that has not ended. Raises NoDeployment."""
    states = "queued,building,deploying"
    found = api.deployments(project_id=project.id, status=states, limit=1)
    if not found:
        raise NoDeployment(project=project.slug, kind="that is still running")
    return found[0]


def live(api: Api, project: Project) -> Deployment | None:
    """What is in production, if anything."""
    if project.active_deployment_id is None:
        return None
    try:
        return api.deployment(project.active_deployment_id)
    except ApiError as error:
        if error.status != 404:
            raise
        return None


def _came_at(deployment: Deployment) -> datetime:
    """When it became production: a promoted preview at its promotion, others when made."""
    at = deployment.promoted_at if deployment.is_preview else None
    return at or deployment.created_at or _LONG_AGO
