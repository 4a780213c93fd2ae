"""What a suspended person has built, builds, and has online."""

from typing import Any

import pytest
from sqlalchemy import select
from tests import make
from tests.conftest import RolledBack
from tests.people import People, Person, data, message

from windlass.auth.permissions import Role
from windlass.builds.models import Source
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.events import EventRow
from windlass.core.settings import Settings
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects.models import Project, Site

pytestmark = pytest.mark.anyio
WHY = "The account that started it or owns the project was suspended"
REFUSED = (
    "The account that owns this project is suspended: what is live stays live, and nothing new is"
    " deployed until an administrator of the platform lifts the suspension."
)


@pytest.fixture
async def carl(people: People, bob: Person) -> Person:
    """An admin in the team that sees bob's shop."""
    carl = await people.make("carl")
    team = await bob.post("/api/teams", name="Whales")
    await people.join(team, carl, Role.admin)
    return carl


@pytest.fixture
async def shop(bob: Person, carl: Person, database: RolledBack) -> Project:
    """Bob's, shared with a team that carl is in."""
    project = await make.project(database, bob.actor)
    (team,) = await carl.get("/api/teams")
    await bob.post(f"/api/projects/{ids.public('proj', project.id)}/teams", teamId=team["id"])
    return project


@pytest.fixture
async def source(settings: Settings, bob: Person, database: RolledBack) -> Source:
    return await make.source(database, BlobStore(settings.folder / "blobs"), bob.actor)


async def suspend(ada: Person, person: Person) -> None:
    await ada.post(f"/api/admin/users/{person.public}/suspension")


async def shown(person: Person, deployment: Deployment) -> dict[str, Any]:
    return await person.get(f"/api/deployments/{ids.public('depl', deployment.id)}")


async def test_what_they_build_ends_and_says_why(
    ada: Person, bob: Person, carl: Person, shop: Project, source: Source, database: RolledBack
) -> None:
    """By whomever it was started; and what is over stays as it was."""
    live = await make.deployment(
        database, shop, source, bob.actor, status=Status.ready, is_active=True
    )
    moving = [
        await make.deployment(database, shop, source, by.actor, status=status)
        for by, status in ((bob, Status.queued), (carl, Status.building))
    ]

    await suspend(ada, bob)

    for deployment in moving:
        found = await shown(carl, deployment)
        assert (found["status"], found["errorMessage"]) == ("cancelled", WHY)
    found = await shown(carl, live)
    assert (found["status"], found["isActive"]) == ("ready", True)
    async with database.transaction() as db:
        assert await db.scalar(select(Site.wanted_id).where(Site.active_id == live.id)) == live.id
        names = EventRow.name == "admin.Suspended"
        (event,) = await db.scalars(select(EventRow.payload).where(names))
    assert event["deployments"] == 2


async def test_what_they_started_for_others_ends_and_nothing_else_of_those(
    ada: Person, bob: Person, carl: Person, shop: Project, source: Source, database: RolledBack
) -> None:
    theirs = await make.deployment(database, shop, source, carl.actor, status=Status.building)
    own = await make.deployment(database, shop, source, bob.actor, status=Status.building)

    await suspend(ada, carl)

    assert (await shown(bob, theirs))["errorMessage"] == WHY
    assert (await shown(bob, own))["status"] == "building"
    again = await bob.call("POST", f"/api/deployments/{ids.public('depl', theirs.id)}/trigger")
    assert again.status_code < 300


async def test_nobody_deploys_in_their_projects_until_it_is_lifted(
    ada: Person, bob: Person, carl: Person, shop: Project, source: Source, database: RolledBack
) -> None:
    old = await make.deployment(database, shop, source, bob.actor, status=Status.ready)
    path = f"/api/deployments/{ids.public('depl', old.id)}"
    await suspend(ada, bob)

    refused = await carl.call("POST", f"{path}/trigger")

    assert (refused.status_code, message(refused)) == (409, REFUSED)
    assert len(await carl.get("/api/deployments")) == 1
    page = await carl.call("GET", f"/deployments/{ids.public('depl', old.id)}")
    assert "The account that owns the project is suspended" in page.text
    # What is there may be made live.
    data(await carl.call("POST", f"{path}/promote"))

    await ada.call("DELETE", f"/api/admin/users/{bob.public}/suspension")
    assert (await carl.call("POST", f"{path}/trigger")).status_code < 300
