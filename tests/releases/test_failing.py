"""What goes wrong with a cluster: each ends with a clear status, and the next attempt works."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import update

from tests.kube.server import TOKEN, FakeCluster
from tests.releases.conftest import Deck
from tests.releases.samples import config, together, web
from windlass.core import clock, loop
from windlass.releases.models import Release, Revision

pytestmark = pytest.mark.anyio


async def late(deck: Deck) -> None:
    """Its time is over."""
    long_ago = clock.now() - dt.timedelta(hours=1)
    async with deck.database.transaction() as db:
        await db.execute(update(Revision).values(started_at=long_ago))
        await db.execute(update(Release).values(deleting_since=long_ago))


async def works_again(deck: Deck, kube: FakeCluster) -> None:
    kube.allow_all()
    kube.accept(TOKEN)
    assert (await deck.deploy(config("a", x="9")))["status"] == "DEPLOYED"


REFUSALS = [
    ("unauthorized", "FAILED", "credential"),
    ("forbidden", "FAILED", "may not do that"),
    ("denied", "FAILED", "not on Sundays"),
    ("quota", "FAILED", "quota"),
]


@pytest.mark.parametrize(("what", "status", "part"), REFUSALS)
async def test_a_refusal_ends_it_at_once_and_says_what_to_do(
    deck: Deck, kube: FakeCluster, what: str, status: str, part: str
) -> None:
    made = await deck.ask(config("a"))
    match what:
        case "unauthorized":
            kube.expire_tokens()
        case "forbidden":
            kube.forbid("patch", "configmaps")
        case "denied":
            kube.deny("ConfigMap", "not on Sundays")
        case _:
            kube.make(_quota())

    done = await deck.until(made["id"], *("FAILED", "PARTIAL", "DEPLOYED"))

    assert done["status"] == status
    assert part in done["reason"]
    assert kube.names("ConfigMap", "shop") == []
    if what == "quota":
        kube.remove("ResourceQuota", "few", "shop")
    await works_again(deck, kube)


def _quota() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few", "namespace": "shop"},
        "spec": {"hard": {"count/configmaps": "0", "configmaps": "0"}},
    }


PASSING = [(500, "its own"), (503, "its own"), (429, "too much")]


@pytest.mark.parametrize(("status", "part"), PASSING)
async def test_what_may_pass_is_tried_again_until_the_time_is_over(
    deck: Deck, kube: FakeCluster, status: int, part: str
) -> None:
    made = await deck.ask(config("a"))
    kube.fail(status, method="PATCH", times=1000)
    await deck.turn()
    await deck.turn()
    waiting = await deck.get(f"/{made['id']}")
    assert waiting["status"] == "APPLYING"
    assert part in waiting["reason"]

    await late(deck)
    done = await deck.until(made["id"], "FAILED")

    assert part in done["reason"]
    await works_again(deck, kube)


async def test_half_an_answer_is_tried_again_and_nothing_is_made_twice(
    deck: Deck, kube: FakeCluster
) -> None:
    kube.cut(method="PATCH", times=1)

    done = await deck.deploy(together(config("a"), config("b")))

    assert done["status"] == "DEPLOYED"
    assert kube.names("ConfigMap", "shop") == ["a", "b"]


async def test_a_token_that_ends_in_the_middle_leaves_a_part_and_says_so(
    deck: Deck, kube: FakeCluster
) -> None:
    made = await deck.ask(together(config("a"), config("b")))
    await deck.turn()
    kube.fail(401, path="configmaps/b", method="PATCH", times=1, message="token expired")

    done = await deck.until(made["id"], "PARTIAL", "DEPLOYED")

    assert done["status"] == "PARTIAL"
    assert "token expired" in done["reason"]
    assert "Give the cluster a new one" in done["reason"]
    await works_again(deck, kube)
    assert kube.names("ConfigMap", "shop") == ["a"]


async def test_a_namespace_that_is_not_there_is_said_or_made(deck: Deck, kube: FakeCluster) -> None:
    body = {"namespace": "new"}
    plan = await deck.plan(config("a"), **body)
    assert plan["needsNamespace"] is True
    done = await deck.deploy(config("a"), **body)
    assert done["status"] == "FAILED"
    assert "Make the namespace first" in done["newest"]["results"][0]["hint"]

    done = await deck.deploy(config("a"), **body, createNamespace=True)

    assert done["status"] == "DEPLOYED"
    assert kube.names("ConfigMap", "new") == ["a"]


async def test_a_namespace_that_is_being_deleted_is_waited_for_until_the_time_is_over(
    deck: Deck, kube: FakeCluster
) -> None:
    kube.make(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "shop"}}
    )
    kube.end_slowly("shop")
    kube.remove("Namespace", "shop")
    made = await deck.ask(config("a"))
    await deck.turn()
    await deck.turn()
    await late(deck)

    done = await deck.until(made["id"], "FAILED")

    assert "being deleted" in done["reason"]


def pod(kube: FakeCluster, name: str, labels: dict[str, str], status: dict[str, Any]) -> None:
    container = {"name": "web", "image": "ghcr.io/acme/web:1"}
    about = {"name": name, "namespace": "shop", "labels": labels}
    kube.make(
        {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {"containers": [container]}}
    )
    kube.set_status("Pod", name, "shop", status)


async def test_a_crash_is_told_with_the_last_lines_of_its_log(
    deck: Deck, kube: FakeCluster
) -> None:
    """K-038: the real reason, not only that it took too long."""
    made = await deck.ask(web())
    await deck.until(made["id"], "ROLLING_OUT")
    live = deck.live("Deployment", "web")
    ended = {"terminated": {"exitCode": 3, "reason": "Error"}}
    crashed = {
        "name": "web",
        "ready": False,
        "restartCount": 4,
        "image": "ghcr.io/acme/web:1",
        "imageID": "",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": ended,
    }
    labels = live["spec"]["selector"]["matchLabels"]
    pod(kube, "web-1", labels, {"phase": "Running", "containerStatuses": [crashed]})
    kube.say("shop", "web-1", "web/previous", "no database at db:5432\n")
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "it took too long",
    }
    kube.set_status("Deployment", "web", "shop", {"conditions": [condition]})

    done = await deck.until(made["id"], "FAILED")

    assert "exit code 3, 4 times" in done["reason"]
    assert "no database at db:5432" in done["reason"]
    pods = await deck.get(f"/{made['id']}/pods")
    assert [(one["name"], one["owner"], one["restarts"]) for one in pods] == [
        ("web-1", "Deployment/web", 4)
    ]
    logs = await deck.get(f"/{made['id']}/logs?previous=true")
    assert logs[0]["lines"] == ["no database at db:5432"]
    await deck.get(f"/{made['id']}/logs?pod=somebody-elses", 404)


async def test_a_rollout_that_lasts_too_long_fails_with_the_reason_of_the_quota(
    deck: Deck, kube: FakeCluster
) -> None:
    made = await deck.ask(web(), timeoutSeconds=60)
    await deck.until(made["id"], "ROLLING_OUT")
    kube.make(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e1", "namespace": "shop"},
            "type": "Warning",
            "reason": "FailedCreate",
            "message": "pods is forbidden: exceeded quota: few",
            "involvedObject": {"kind": "ReplicaSet", "name": "web-5d9", "namespace": "shop"},
        }
    )
    await late(deck)

    done = await deck.until(made["id"], "FAILED")

    assert "exceeded quota: few" in done["reason"]
    assert "after 60 s" in done["reason"]
    events = await deck.get(f"/{made['id']}/events")
    assert [one["object"] for one in events] == ["ReplicaSet/web-5d9"]


async def test_a_worker_that_is_gone_is_followed_by_another_that_goes_on(
    deck: Deck, kube: FakeCluster
) -> None:
    """What is killed between sending and writing is sent once more, and known to be ours."""
    made = await deck.ask(together(config("a"), config("b")))
    await deck.turn()
    step = await LOOP.step(deck.ctx, await _row(deck, made["id"]))
    assert kube.names("ConfigMap", "shop") == ["a", "b"]
    assert step.values["status"] == "ROLLING_OUT"

    done = await deck.until(made["id"], "DEPLOYED")

    assert {one["outcome"] for one in done["newest"]["results"]} == {"unchanged"}


async def _row(deck: Deck, id: str) -> Release:
    from sqlalchemy import select

    async with deck.database.transaction() as db:
        return (await db.scalars(select(Release))).one()


async def test_what_a_killed_worker_sent_is_taken_away_by_the_next_revision(
    deck: Deck, kube: FakeCluster
) -> None:
    made = await deck.ask(together(config("a"), config("b")))
    await deck.turn()
    await LOOP.step(deck.ctx, await _row(deck, made["id"]))
    await deck.post(f"/{made['id']}/cancel", status=200)

    await deck.deploy(config("b"))

    assert kube.names("ConfigMap", "shop") == ["b"]


async def test_a_cancelled_release_can_be_deployed_at_once(deck: Deck, kube: FakeCluster) -> None:
    made = await deck.ask(web())
    await deck.until(made["id"], "ROLLING_OUT")

    done = await deck.post(f"/{made['id']}/cancel", status=200)

    assert (done["status"], done["reason"]) == ("FAILED", "Cancelled")
    assert done["newest"]["status"] == "FAILED"
    await deck.post(f"/{made['id']}/cancel", status=409)
    await works_again(deck, kube)


LOOP = next(one for one in loop.LOOPS if one.model is Release)
