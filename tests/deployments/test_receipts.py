"""What came of a switch: counted by the edge, kept by the row, undone when it was for the worse."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import msgspec
import pytest
from sqlalchemy import select
from tests import make
from tests.conftest import RolledBack

from windlass.adapters.edge import EdgeAway, Traffic
from windlass.adapters.world import World
from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.builds.plan import Plan
from windlass.core import clock, ids, links, site
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.live import Live
from windlass.core.settings import Settings
from windlass.core.tally import BOUNDS, Tally, quantile
from windlass.deployments import counting, receipts
from windlass.deployments import service as deployments
from windlass.deployments.counting import Receipt
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.deployments.promoting import AUTOMATIC
from windlass.deployments.reconcile import look
from windlass.deployments.switches import Outcome, Switch
from windlass.projects.models import Project, Site

pytestmark = pytest.mark.anyio


def tally(requests: int, failed: int = 0, *, seconds: float = 0.004) -> Tally:
    found = Tally()
    for number in range(requests):
        found.add(500 if number < failed else 200, seconds)
    return found


class Edge:
    """An edge whose figures the test says."""

    def __init__(self) -> None:
        self.run = "1"
        self.tallies: dict[str, Tally] = {}
        self.is_away = False

    async def traffic(self, names: list[str]) -> Traffic:
        if self.is_away:
            raise EdgeAway("gone")
        return Traffic(self.run, {name: self.tallies.get(name, Tally()) for name in names})


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def ctx(settings: Settings, database: RolledBack, key_ring: KeyRing, edge: Edge) -> Ctx:
    world = cast(World, SimpleNamespace(edge=edge))
    return Ctx(settings, database, Live(database), key_ring, world)


class Story:
    """A project whose production was switched from `old` to `new`, with the first figures kept."""

    def __init__(self, ctx: Ctx, edge: Edge, old: Deployment, new: Deployment) -> None:
        self.ctx, self.edge, self.old, self.new = ctx, edge, old, new

    def name(self, deployment: Deployment) -> str:
        return ids.public("depl", deployment.id)

    async def site(self) -> Site:
        async with self.ctx.transaction() as db:
            query = select(Site).where(
                Site.project_id == self.new.project_id, Site.is_preview.is_(False)
            )
            return (await db.scalars(query)).one()

    async def switch(self) -> Switch:
        async with self.ctx.transaction() as db:
            return (await db.scalars(select(Switch))).one()

    async def switched(self) -> Switch:
        """As the loop of the site does it."""
        place = await self.site()
        await receipts.begin(self.ctx, place, self.name(self.new))
        links.switch(self.ctx.settings.folder, place.host, self.name(self.new), place.generation)
        async with self.ctx.transaction() as db:
            await receipts.count(self.ctx, db, place, milliseconds=3.2)
            row = await db.get_one(Site, place.id)
            (await db.get_one(Deployment, self.old.id)).is_active = False
            await db.flush()
            (await db.get_one(Deployment, self.new.id)).is_active = True
            row.active_id = self.new.id
            row.settled = row.generation
        return await self.switch()

    async def look(self) -> Switch:
        """One look of the loop, applied."""
        row = await self.switch()
        step = await look(self.ctx, row)
        async with self.ctx.transaction() as db:
            found = await db.get_one(Switch, row.id)
            for name, value in step.values.items():
                setattr(found, name, value)
            await db.flush()
            if step.then is not None:
                await step.then(db)
        return await self.switch()

    async def time_is_over(self) -> None:
        async with self.ctx.transaction() as db:
            found = (await db.scalars(select(Switch))).one()
            found.until = clock.now() - dt.timedelta(seconds=1)


@pytest.fixture
async def story(
    ctx: Ctx, edge: Edge, database: RolledBack, owner: Actor, project: Project, source: Source
) -> Story:
    plan = msgspec.to_builtins(Plan(framework="x", label="X", kind="server"))
    given: dict[str, Any] = {"status": Status.ready, "plan": plan}
    old = await make.deployment(database, project, source, owner, is_active=True, **given)
    new = await make.deployment(database, project, source, owner, **given)
    home = ctx.settings.folder
    for deployment in (old, new):
        write_release(home, ids.public("depl", deployment.id))
    found = Story(ctx, edge, old, new)
    place = await found.site()
    links.switch(home, place.host, found.name(old), place.generation)
    edge.tallies[found.name(old)] = tally(100, 1)
    async with ctx.transaction() as db:
        place = await db.get_one(Site, place.id)
        await deployments.wish(db, place, new.id, by=owner.id, reason="test")
    return found


def write_release(home: Path, name: str) -> None:
    folder = site.folder(home, name)
    folder.mkdir(parents=True)
    site.write(folder, site.Site(deployment=name, kind="server"))


async def test_a_receipt_says_what_each_side_served_until_the_time_is_over(
    client: httpx2.AsyncClient, story: Story
) -> None:
    path = f"/api/deployments/{story.name(story.new)}/receipt"
    assert (await client.get(path)).status_code == 404
    await story.switched()
    story.edge.tallies[story.name(story.old)] = tally(103, 1)
    story.edge.tallies[story.name(story.new)] = tally(40, 2, seconds=0.009)

    counting_now = await story.look()
    assert counting_now.outcome is Outcome.counting
    await story.time_is_over()
    ended = await story.look()

    assert ended.outcome is Outcome.stayed
    found = (await client.get(path)).json()["data"]
    assert (found["outcome"], found["switchMilliseconds"]) == ("stayed", 3.2)
    assert found["previousDeploymentId"] == story.name(story.old)
    assert (found["before"]["requests"], found["before"]["failed"]) == (100, 1)
    assert (found["old"]["requests"], found["old"]["failed"]) == (3, 0)
    assert (found["new"]["requests"], found["new"]["failed"]) == (40, 2)
    assert (found["before"]["p50Milliseconds"], found["new"]["p95Milliseconds"]) == (5.0, 10.0)
    assert found["isPartial"] is False
    page = await client.get(f"/deployments/{story.name(story.new)}")
    assert "Receipt of the switch" in page.text
    story.edge.tallies[story.name(story.new)] = tally(90)
    async with story.ctx.transaction() as db:
        due = select(Switch).where(Switch.outcome == Outcome.counting)
        assert (await db.scalars(due)).all() == []


async def test_what_was_counted_first_is_kept_when_the_switch_is_made_twice(story: Story) -> None:
    """The control plane is killed between the link and the row: the second time begins anew."""
    place = await story.site()
    await receipts.begin(story.ctx, place, story.name(story.new))
    story.edge.tallies[story.name(story.new)] = tally(7)

    await story.switched()
    row = await story.look()

    assert msgspec.convert(row.receipt, Receipt).new.requests == 7


async def test_an_edge_that_was_started_anew_takes_nothing_away(story: Story) -> None:
    await story.switched()
    story.edge.tallies[story.name(story.new)] = tally(10)
    await story.look()
    story.edge.run = "2"
    story.edge.tallies = {story.name(story.new): tally(5)}

    await story.look()
    row = await story.look()

    receipt = msgspec.convert(row.receipt, Receipt)
    assert (receipt.new.requests, receipt.is_partial) == (15, True)
    assert receipt.before.requests == 100


async def test_an_edge_that_is_away_is_waited_for_and_then_it_ends(story: Story) -> None:
    await story.switched()
    story.edge.is_away = True

    assert (await story.look()).outcome is Outcome.counting
    async with story.ctx.transaction() as db:
        found = (await db.scalars(select(Switch))).one()
        found.until = clock.now() - dt.timedelta(hours=1)
    assert (await story.look()).outcome is Outcome.stayed


async def watch(story: Story, minutes: int = 10) -> None:
    async with story.ctx.transaction() as db:
        (await db.get_one(Project, story.new.project_id)).watch_minutes = minutes


async def test_production_goes_back_by_itself_when_errors_rise_and_only_once(
    client: httpx2.AsyncClient, story: Story
) -> None:
    await watch(story)
    assert (await story.switched()).is_watched
    story.edge.tallies[story.name(story.new)] = tally(40, 6)

    row = await story.look()

    place = await story.site()
    assert row.outcome is Outcome.returned
    assert (place.wanted_id, place.wanted_reason) == (story.old.id, AUTOMATIC)
    events = (await client.get("/api/audit?action=deployments.Returned")).json()["data"]
    assert [event["sentence"] for event in events] == [
        "shop.localhost went back by itself: 6 of 40 requests failed, before it 1 of 100"
    ]
    log = await client.get(f"/api/deployments/{story.name(story.new)}/logs")
    assert "6 of 40 requests failed" in log.text
    # The way back is counted, too, and never watched.
    place.active_id = story.new.id
    await receipts.begin(story.ctx, place, story.name(story.old))
    async with story.ctx.transaction() as db:
        await receipts.count(story.ctx, db, place, milliseconds=1)
        rows = (await db.scalars(select(Switch).order_by(Switch.generation))).all()
    assert [each.is_watched for each in rows] == [True, False]


async def test_it_does_not_go_back_unless_asked_to(story: Story) -> None:
    assert not (await story.switched()).is_watched
    story.edge.tallies[story.name(story.new)] = tally(40, 40)

    assert (await story.look()).outcome is Outcome.counting
    assert (await story.site()).wanted_id == story.new.id


async def test_what_somebody_switched_meanwhile_is_not_undone(story: Story, owner: Actor) -> None:
    await watch(story)
    await story.switched()
    story.edge.tallies[story.name(story.new)] = tally(40, 40)
    async with story.ctx.transaction() as db:
        place = await db.get_one(Site, (await story.site()).id)
        await deployments.wish(db, place, story.new.id, by=owner.id, reason="mine")

    assert (await story.look()).outcome is Outcome.replaced
    assert (await story.site()).wanted_reason == "mine"


async def test_it_stays_when_the_release_before_is_gone(story: Story) -> None:
    await watch(story)
    await story.switched()
    (site.folder(story.ctx.settings.folder, story.name(story.old)) / "site.json").unlink()
    story.edge.tallies[story.name(story.new)] = tally(40, 40)

    assert (await story.look()).outcome is Outcome.stayed
    assert (await story.site()).wanted_id == story.new.id


@pytest.mark.parametrize(
    ("new", "before", "is_worse"),
    [
        (tally(19, 19), tally(100), False),
        (tally(20, 1), tally(100), True),
        (tally(100, 4), tally(100), False),
        (tally(100, 10), tally(100, 5), False),
        (tally(100, 11), tally(100, 5), True),
        (tally(20, 20), tally(0), True),
        (tally(0), tally(0), False),
    ],
)
def test_the_rule_of_going_back(new: Tally, before: Tally, is_worse: bool) -> None:
    receipt = Receipt(before=before, old=Tally(), new=new)

    assert counting.is_worse(receipt) is is_worse


def test_quantiles_are_the_upper_ends_of_buckets() -> None:
    assert quantile(Tally(), 0.5) is None
    assert quantile(tally(3, seconds=0.0), 0.95) == BOUNDS[0]
    assert quantile(tally(3, seconds=99.0), 0.5) == BOUNDS[-1]
    mixed = tally(90, seconds=0.002)
    for _ in range(10):
        mixed.add(200, 0.4)
    assert (quantile(mixed, 0.5), quantile(mixed, 0.9), quantile(mixed, 0.95)) == (
        0.002,
        0.002,
        0.5,
    )


@pytest.mark.parametrize("wrong", [-1, 121, "long", 1.5])
async def test_minutes_of_watching_are_0_to_120(
    client: httpx2.AsyncClient, project: Project, wrong: object
) -> None:
    path = f"/api/projects/{ids.public('proj', project.id)}"

    assert (await client.patch(path, json={"watchMinutes": wrong})).status_code == 422
    good = await client.patch(path, json={"watchMinutes": 5})
    assert good.json()["data"]["watchMinutes"] == 5
