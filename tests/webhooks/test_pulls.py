"""Pull requests of each Git host, and what becomes of their previews (C-165, C-166)."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from tests.conftest import RolledBack
from tests.webhooks.conftest import Sender, outcomes
from tests.webhooks.hosts import HOSTS, NOTHING, OLD, SHA, push
from tests.webhooks.pull_hosts import pull
from windlass.builds.models import Source
from windlass.core import ids
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.previews.models import Preview

pytestmark = pytest.mark.anyio
WAITS = "It comes from a fork and waits for approval"


async def rows(database: RolledBack) -> list[Preview]:
    async with database.transaction() as db:
        return list(await db.scalars(select(Preview).order_by(Preview.id)))


async def statuses(git: Sender) -> dict[str, str]:
    return {made["commitSha"]: made["status"] for made in await git.deployments()}


async def source_of(database: RolledBack, deployment: dict[str, Any]) -> Source:
    async with database.transaction() as db:
        query = select(Source).join(Deployment, Deployment.source_id == Source.id)
        id = ids.private("depl", deployment["id"])
        return (await db.scalars(query.where(Deployment.id == id))).one()


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("what", ["opened", "moved", "reopened"])
async def test_a_pull_request_has_a_preview_of_its_commit(
    git: Sender, database: RolledBack, host: str, what: str
) -> None:
    shop = await git.connect(host)

    answer = await git.send(pull(host, what), shop.secret)

    assert outcomes(answer) == [("deployed", None)]
    [made] = await git.deployments()
    sha = SHA[:12] if host == "bitbucket" else SHA
    assert (made["branch"], made["prNumber"], made["commitSha"]) == ("fix", 7, sha)
    assert made["isPreview"] is True
    source = await source_of(database, made)
    assert (source.commit_sha, source.ref, source.branch) == (sha, None, "fix")
    [row] = await rows(database)
    assert (row.title, row.pull_number, row.is_fork) == ("Mend the shop", 7, False)


@pytest.mark.parametrize("host", HOSTS)
async def test_the_push_and_the_pull_request_of_one_commit_build_it_once(
    git: Sender, host: str
) -> None:
    first, second = await git.connect(host, "One"), await git.connect(host, "Two")

    await git.send(push(host, "refs/heads/fix"), first.secret)
    after_push = await git.send(pull(host), first.secret)
    await git.send(pull(host), second.secret)
    after_pull = await git.send(push(host, "refs/heads/fix"), second.secret)

    found = await git.deployments()
    assert len(found) == 2
    assert {made["prNumber"] for made in found} == {7}
    for answer in (after_push, after_pull):
        assert outcomes(answer) == [("deployed", None)]
        assert answer.json()["data"][0]["deploymentId"] in {made["id"] for made in found}


@pytest.mark.parametrize("host", HOSTS)
async def test_a_newer_commit_ends_the_build_of_the_older(
    git: Sender, database: RolledBack, host: str
) -> None:
    shop = await git.connect(host)
    await git.send(pull(host, sha=OLD), shop.secret)
    async with database.transaction() as db:
        await db.execute(update(Deployment).values(status=Status.building))

    await git.send(pull(host, "moved"), shop.secret)

    letters = 12 if host == "bitbucket" else 40
    assert await statuses(git) == {OLD[:letters]: "cancelled", SHA[:letters]: "queued"}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("what", ["closed", "merged"])
async def test_closing_ends_it_and_a_second_time_does_nothing(
    git: Sender, database: RolledBack, host: str, what: str
) -> None:
    shop = await git.connect(host)
    await git.send(pull(host), shop.secret)
    gone = pull(host, what)

    first = await git.send(gone, shop.secret)
    again = await git.send(gone, shop.secret)
    other = await git.send(pull(host, what), shop.secret)

    assert outcomes(first) == [("removed", "The pull request was closed")]
    assert again.json()["data"] == first.json()["data"]
    assert outcomes(other) == [("ignored", "There is no preview of this pull request")]
    [made] = await git.deployments()
    assert (made["status"], made["errorMessage"]) == ("cancelled", "Its pull request was closed")
    [row] = await rows(database)
    assert row.ended_at is not None
    await git.send(pull(host, "reopened"), shop.secret)
    assert len(await git.deployments()) == 2
    assert [row.ended_at for row in await rows(database)] == [None]


@pytest.mark.parametrize("host", HOSTS)
async def test_a_fork_waits_until_somebody_looked_at_its_commit(
    git: Sender, database: RolledBack, client: httpx2.AsyncClient, host: str
) -> None:
    shop = await git.connect(host)

    answer = await git.send(pull(host, is_fork=True, sha=OLD), shop.secret)

    assert outcomes(answer) == [("waiting", WAITS)]
    assert await git.deployments() == []
    path = f"/api/projects/{shop.id}/previews"
    [waiting] = (await client.get(path)).json()["data"]
    assert (waiting["needsApproval"], waiting["branch"]) == (True, "ada:fix")
    assert waiting["deployment"] is None

    done = await client.post(f"{path}/{waiting['id']}/approve", json={"commitSha": OLD[:12]})

    assert done.status_code == 201, done.text
    [made] = await git.deployments()
    assert made["id"] == done.json()["data"]["id"]
    source = await source_of(database, made)
    ref = {
        "github": "refs/pull/7/head",
        "gitea": "refs/pull/7/head",
        "gitlab": "refs/merge-requests/7/head",
        "bitbucket": "refs/heads/fix",
    }[host]
    assert (source.ref, source.branch) == (ref, "ada:fix")
    ours = host != "bitbucket"
    assert (source.repository_url == shop.project.repository_url) is ours
    async with database.transaction() as db:
        assert (await db.scalars(select(Deployment.is_fork))).one() is True

    # What was approved was that commit, not the next one.
    later = await git.send(pull(host, "moved", is_fork=True), shop.secret)
    assert outcomes(later) == [("waiting", WAITS)]
    [made] = await git.deployments()
    assert made["status"] == "cancelled"
    old = await client.post(f"{path}/{waiting['id']}/approve", json={"commitSha": OLD[:12]})
    assert old.status_code == 409
    assert "moved on" in old.json()["error"]["message"]
    assert len(await git.deployments()) == 1


async def test_the_branch_of_a_fork_is_not_the_branch_of_that_name_here(
    git: Sender, client: httpx2.AsyncClient
) -> None:
    shop = await git.connect("github")
    await git.send(push("github", "refs/heads/fix", after=OLD), shop.secret)

    await git.send(pull("github", is_fork=True), shop.secret)
    await git.send(pull("github", "closed", is_fork=True), shop.secret)

    assert await statuses(git) == {OLD: "queued"}


@pytest.mark.parametrize("host", HOSTS)
async def test_a_deleted_branch_ends_its_previews(git: Sender, host: str) -> None:
    shop = await git.connect(host)
    await git.send(push(host, "refs/heads/fix"), shop.secret)
    await git.send(push(host, "refs/heads/other", after=OLD), shop.secret)

    answer = await git.send(push(host, "refs/heads/fix", after=NOTHING), shop.secret)

    assert outcomes(answer) == [("removed", "It was deleted")]
    assert await statuses(git) == {SHA: "cancelled", OLD: "queued"}


@pytest.mark.parametrize("host", HOSTS)
async def test_what_changes_no_commit_starts_nothing(git: Sender, host: str) -> None:
    shop = await git.connect(host)
    await git.send(pull(host), shop.secret)

    answer = await git.send(pull(host, "titled"), shop.secret)

    [(outcome, _)] = outcomes(answer)
    assert outcome == ("deployed" if host == "bitbucket" else "ignored")
    assert len(await git.deployments()) == 1


async def test_a_commit_that_says_to_skip_it_has_no_preview_either_way(git: Sender) -> None:
    """The pull request does not tell the message; the push of the same commit did."""
    github, gitlab = await git.connect("github"), await git.connect("gitlab", "Lab")
    said = "Words only [skip ci]"

    await git.send(push("github", "refs/heads/fix", message=said), github.secret)
    answers = [
        await git.send(pull("github"), github.secret),
        await git.send(pull("gitlab", title=said), gitlab.secret),
    ]

    for answer in answers:
        assert outcomes(answer) == [("ignored", "The commit says [skip ci]")]
    assert await git.deployments() == []


async def test_two_pull_requests_of_one_branch_share_its_previews(
    git: Sender, database: RolledBack
) -> None:
    shop = await git.connect("github")
    await git.send(pull("github", number=7), shop.secret)
    await git.send(pull("github", number=8), shop.secret)

    await git.send(pull("github", "closed", number=7), shop.secret)

    assert await statuses(git) == {SHA: "queued"}
    await git.send(pull("github", "closed", number=8), shop.secret)
    assert await statuses(git) == {SHA: "cancelled"}


async def test_a_branch_and_its_pull_request_are_one_preview(
    git: Sender, database: RolledBack
) -> None:
    shop = await git.connect("github")
    await git.send(push("github", "refs/heads/fix", after=OLD), shop.secret)
    await git.send(pull("github"), shop.secret)
    await git.send(pull("github", "closed"), shop.secret)
    await git.send(push("github", "refs/heads/fix", message="Again", after=OLD), shop.secret)
    assert [row.pull_number for row in await rows(database) if not row.ended_at] == [None]

    await git.send(pull("github", "reopened"), shop.secret)

    assert [(row.pull_number, row.ended_at) for row in await rows(database)] == [(7, None)]


async def test_pull_requests_can_be_left_out_and_each_project_decides(
    git: Sender, client: httpx2.AsyncClient
) -> None:
    first = await git.connect("github", "One", secret="shared-between-the-two")
    second = await git.connect("github", "Two", secret=first.secret)
    changed = await client.patch(first.path, json={"pullRequests": False})
    assert changed.json()["data"]["pullRequests"] is False

    answer = await git.send(pull("github"), first.secret)

    found = {row["projectId"]: (row["outcome"], row["reason"]) for row in answer.json()["data"]}
    why = "This project makes no previews of pull requests"
    assert found == {first.id: ("ignored", why), second.id: ("deployed", None)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ref", "--upload-pack=x"),
        ("ref", "a..b"),
        ("ref", "x" * 5000),
        ("sha", "HEAD"),
        ("sha", ""),
        ("repo", None),
        ("repo", {"full_name": "acme/shop"}),
    ],
)
async def test_strange_values_of_a_genuine_pull_request_do_no_harm(
    git: Sender, field: str, value: object
) -> None:
    shop = await git.connect("github")
    delivery = pull("github")
    delivery.payload["pull_request"]["head"][field] = value

    [(outcome, _)] = outcomes(await git.send(delivery, shop.secret))

    # A repository that is gone was a fork.
    assert outcome in ({"waiting"} if field == "repo" else {"refused", "ignored"})
    assert await git.deployments() == []
