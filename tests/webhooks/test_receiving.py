"""Signed deliveries of each Git host, and whatever else comes to that door (C-260 to C-265)."""

import time
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy import delete, func, select, update

from tests.conftest import RolledBack
from tests.webhooks import hosts
from tests.webhooks.conftest import Sender, outcomes
from tests.webhooks.hosts import HOSTS, SHA, push
from windlass.auth.models import Actor, User
from windlass.core.events import EventRow
from windlass.projects.models import Project
from windlass.webhooks.models import Delivery, Webhook
from windlass.webhooks.routes import BODY_BYTES

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("host", HOSTS)
async def test_a_push_to_the_branch_of_the_project_deploys_it(git: Sender, host: str) -> None:
    shop = await git.connect(host)

    answer = await git.send(push(host), shop.secret)

    assert outcomes(answer) == [("deployed", None)]
    [made] = await git.deployments()
    assert made["id"] == answer.json()["data"][0]["deploymentId"]
    assert made["projectId"] == shop.id
    assert made["commitSha"] == SHA
    assert made["commitMessage"] == "Mend the shop"
    assert made["branch"] == "main"
    assert made["isPreview"] is False


@pytest.mark.parametrize("host", HOSTS)
async def test_another_branch_becomes_a_preview(git: Sender, host: str) -> None:
    shop = await git.connect(host)

    await git.send(push(host, "refs/heads/feature/cart"), shop.secret)

    [made] = await git.deployments()
    assert made["branch"] == "feature/cart"
    assert made["isPreview"] is True


@pytest.mark.parametrize("host", HOSTS)
async def test_a_wrong_or_missing_signature_starts_nothing(git: Sender, host: str) -> None:
    shop = await git.connect(host)
    delivery = push(host)
    changed = delivery.body.replace(b"Mend", b"Harm")
    told = delivery.headers(shop.secret, delivery.body)

    wrong = [
        await git.send(delivery, "another secret of sixteen"),
        await git.send(delivery, None),
        await git.send(delivery, ""),
    ]
    if host != "gitlab":
        wrong.append(await git.send(delivery, shop.secret, headers=told, body=changed))

    assert {answer.status_code for answer in wrong} == {401}
    assert await git.deployments() == []


async def test_the_signature_of_gitlab_counts_before_its_token(git: Sender) -> None:
    shop = await git.connect("gitlab")
    good, old, changed = push("gitlab"), push("gitlab"), push("gitlab")
    late = hosts.signed_by_gitlab(old, shop.secret, moment=int(time.time()) - 3600)
    forged = hosts.signed_by_gitlab(changed, shop.secret) | {"x-gitlab-token": shop.secret}
    changed.payload["user_username"] = "mallory"

    answers = [
        await git.send(good, None, headers=hosts.signed_by_gitlab(good, shop.secret)),
        await git.send(old, None, headers=late),
        await git.send(changed, None, headers=forged),
    ]

    assert [answer.status_code for answer in answers] == [202, 401, 401]
    assert len(await git.deployments()) == 1


async def test_forgejo_signs_with_headers_of_its_own(git: Sender) -> None:
    shop = await git.connect("gitea")
    delivery = push("gitea")
    sent = delivery.headers(shop.secret)
    own = {name.replace("gitea", "forgejo"): text for name, text in sent.items()}
    bad = sent | {"x-forgejo-signature": "0" * 64}

    assert (await git.send(delivery, None, headers=bad)).status_code == 401
    assert outcomes(await git.send(delivery, None, headers=own)) == [("deployed", None)]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_delivery_that_comes_again_answers_as_before(git: Sender, host: str) -> None:
    shop = await git.connect(host)
    delivery = push(host)

    first = await git.send(delivery, shop.secret)
    again = await git.send(delivery, shop.secret)

    assert again.json()["data"] == first.json()["data"]
    assert len(await git.deployments()) == 1


@pytest.mark.parametrize("host", ["github", "gitea"])
async def test_the_same_body_under_another_id_is_a_replay(git: Sender, host: str) -> None:
    """The id is not signed: whoever caught a delivery can give it any."""
    shop = await git.connect(host)
    delivery = push(host)
    await git.send(delivery, shop.secret)
    delivery.id = "5f0b7a52-0000-0000-0000-000000000000"

    await git.send(delivery, shop.secret)

    assert len(await git.deployments()) == 1


async def test_what_failed_is_not_remembered(
    git: Sender, database: RolledBack, owner: Actor
) -> None:
    """Unsigned calls run into their limit; the host's own retry of a good one counts (C-264)."""
    shop = await git.connect("github")
    delivery = push("github")
    statuses = [
        (await git.send(delivery, "another secret of sixteen")).status_code for _ in range(31)
    ]

    answer = await git.send(delivery, shop.secret)

    assert set(statuses[:30]) == {401}
    assert statuses[30] == 429
    assert outcomes(answer) == [("deployed", None)]


async def test_a_ping_and_unknown_events_are_answered_and_ignored(git: Sender) -> None:
    shop = await git.connect("github")
    repository = push("github").payload["repository"]
    ping = hosts.Delivery("github", "ping", {"zen": "Keep it simple.", "repository": repository})
    star = hosts.Delivery("github", "star", {"action": "created", "repository": repository})

    assert outcomes(await git.send(ping, shop.secret)) == [
        ("ignored", "The Git host tried the webhook: it works")
    ]
    assert outcomes(await git.send(star, shop.secret)) == [
        ("ignored", "Events of this kind start nothing")
    ]


async def test_a_form_holds_the_payload_too(git: Sender) -> None:
    shop = await git.connect("github")
    delivery = push("github")
    body = urlencode({"payload": delivery.body.decode()}).encode()
    headers = delivery.headers(shop.secret, body)
    headers["content-type"] = "application/x-www-form-urlencoded"

    answer = await git.send(delivery, None, headers=headers, body=body)

    assert outcomes(answer) == [("deployed", None)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b"{}", 400),
        (b'{"repository": {"full_name": 7}}', 400),
        (b'{"repository": {"full_name": "acme/shop"}}', 400),
        (b"[" * 100_000, 400),
        (b'{"x": "' + b"y" * BODY_BYTES + b'"}', 413),
    ],
    ids=["empty", "cut", "list", "no text", "nothing", "number", "no address", "deep", "large"],
)
async def test_what_is_no_delivery_is_refused(git: Sender, body: bytes, status: int) -> None:
    shop = await git.connect("github")
    delivery = push("github")

    answer = await git.send(delivery, None, headers=delivery.headers(shop.secret, body), body=body)

    assert answer.status_code == status
    assert await git.deployments() == []


@pytest.mark.parametrize("event", ["repo:refs_changed", "pr:opened", "diagnostics:ping"])
async def test_bitbucket_data_center_is_refused_by_its_name(git: Sender, event: str) -> None:
    """Not with a complaint about the form of a delivery that its own documentation describes."""
    shop = await git.connect("bitbucket")
    delivery = push("bitbucket")
    body = b'{"test": true}'
    headers = delivery.headers(shop.secret, body) | {"x-event-key": event}

    answer = await git.send(delivery, None, headers=headers, body=body)

    assert answer.status_code == 400
    assert "Bitbucket Data Center" in answer.json()["error"]["message"]
    assert "git push windlass main" in answer.json()["error"]["message"]
    assert await git.deployments() == []


async def test_strange_values_of_a_genuine_delivery_do_no_harm(git: Sender) -> None:
    shop = await git.connect("github")
    odd: list[tuple[str, Any]] = [
        ("ref", "refs/heads/" + "x" * 5000),
        ("ref", "refs/heads/a..b"),
        ("ref", "refs/heads/--upload-pack=x"),
        ("ref", "refs/notes/commits"),
        ("after", "not a commit"),
    ]
    for field, value in odd:
        delivery = push("github")
        delivery.payload["head_commit"] = None
        delivery.payload[field] = value
        [(outcome, _)] = outcomes(await git.send(delivery, shop.secret))
        assert outcome in ("refused", "ignored") or field == "after"

    [made] = await git.deployments()
    assert made["commitSha"] is None


async def test_without_any_webhook_it_is_unavailable(
    anonymous: httpx2.AsyncClient, git: Sender, database: RolledBack
) -> None:
    async with database.transaction() as db:
        await db.execute(delete(Webhook))

    answer = await git.send(push("github"), "whatever it may be")

    assert answer.status_code == 503
    assert (await anonymous.post("/api/webhooks/sourceforge", json={})).status_code == 404


async def test_a_project_that_is_gone_takes_nothing(git: Sender, database: RolledBack) -> None:
    shop = await git.connect("github")
    async with database.transaction() as db:
        gone = update(Project).where(Project.id == shop.project.id)
        await db.execute(gone.values(deleted_at=func.now()))

    assert (await git.send(push("github"), shop.secret)).status_code == 401


async def test_the_owner_s_suspension_is_the_reason(
    git: Sender, database: RolledBack, owner: Actor
) -> None:
    shop = await git.connect("github")
    async with database.transaction() as db:
        await db.execute(update(User).where(User.id == owner.id).values(suspended_at=func.now()))

    [(outcome, reason)] = outcomes(await git.send(push("github"), shop.secret))

    assert outcome == "refused"
    assert reason is not None
    assert "suspended" in reason


async def test_it_is_done_in_the_owner_s_name_and_on_record(
    git: Sender, database: RolledBack, owner: Actor
) -> None:
    shop = await git.connect("github")
    await git.send(push("github"), shop.secret)

    async with database.transaction() as db:
        query = select(EventRow).where(EventRow.name == "webhooks.Pushed")
        event = (await db.scalars(query)).one()
        kept = (await db.scalars(select(Delivery))).one()

    assert (event.actor_id, event.project_id) == (owner.id, shop.project.id)
    assert event.payload["ref"] == "refs/heads/main"
    assert kept.deployment_id is not None
