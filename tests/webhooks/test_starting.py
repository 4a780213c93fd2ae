"""What a push starts: the rules of branches, tags and paths, and of several projects (C-262)."""

import httpx2
import pytest
from sqlalchemy import select

from tests import make
from tests.conftest import RolledBack
from tests.webhooks import hosts
from tests.webhooks.conftest import TOKEN, Sender, outcomes
from tests.webhooks.hosts import HOSTS, NOTHING, OLD, push
from tests.webhooks.pull_hosts import pull
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.webhooks.models import Webhook
from windlass.webhooks.receiving import MOST_PROJECTS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("host", HOSTS)
async def test_a_deleted_branch_starts_nothing(git: Sender, host: str) -> None:
    shop = await git.connect(host)

    answer = await git.send(push(host, "refs/heads/old", after=NOTHING), shop.secret)

    assert outcomes(answer) == [("ignored", "It was deleted")]
    assert await git.deployments() == []


@pytest.mark.parametrize("host", HOSTS)
async def test_tags_deploy_where_the_project_says_so(
    git: Sender, client: httpx2.AsyncClient, host: str
) -> None:
    shop = await git.connect(host)
    before = await git.send(push(host, "refs/tags/v1.0"), shop.secret)
    await client.patch(shop.path, json={"tags": ["v*"]})

    after = await git.send(push(host, "refs/tags/v1.1"), shop.secret)

    assert outcomes(before) == [("ignored", "No rule deploys this tag")]
    assert outcomes(after) == [("deployed", None)]
    [made] = await git.deployments()
    assert (made["branch"], made["isPreview"]) == ("v1.1", False)


async def test_the_rules_of_branches_and_paths_are_obeyed(
    git: Sender, client: httpx2.AsyncClient
) -> None:
    shop = await git.connect("github")
    rules = {"previewBranches": ["release/*"], "paths": ["web/**", "!**/*.md"]}
    assert (await client.patch(shop.path, json=rules)).status_code == 200

    said = [
        outcomes(await git.send(delivery, shop.secret))[0]
        for delivery in (
            push("github", "refs/heads/feature"),
            push("github", paths=("docs/a.txt",)),
            push("github", paths=("web/README.md",)),
            push("github", message="Words only [skip ci]", paths=("web/a.ts",)),
            push("github", "refs/heads/release/2", paths=("web/a.ts", "docs/a.txt")),
        )
    ]

    below = "It changes nothing below the paths of this project"
    assert said == [
        ("ignored", "No rule deploys this branch"),
        ("ignored", below),
        ("ignored", below),
        ("ignored", "The commit says [skip ci]"),
        ("deployed", None),
    ]


async def test_an_application_of_a_workspace_is_deployed_by_what_concerns_it(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack
) -> None:
    shop = await git.connect("github")
    plan = {"watchPaths": ["apps/shop/**", "packages/ui/**", "package.json", "*lock*"]}

    async def sent(path: str) -> tuple[str, str | None]:
        return outcomes(await git.send(push("github", paths=(path,)), shop.secret))[0]

    assert await sent("apps/blog/a.ts") == ("deployed", None)
    async with database.transaction() as db:
        row = (await db.scalars(select(Deployment))).one()
        row.status, row.is_active, row.plan = Status.ready, True, plan
    below = "It changes nothing below the paths of this project"
    assert await sent("apps/blog/b.ts") == ("ignored", below)
    assert await sent("packages/ui/button.ts") == ("deployed", None)
    assert await sent("pnpm-lock.yaml") == ("deployed", None)
    await client.patch(shop.path, json={"paths": ["**"]})
    assert await sent("apps/blog/c.ts") == ("deployed", None)


async def test_a_forced_push_deploys_whatever_its_paths(
    git: Sender, client: httpx2.AsyncClient
) -> None:
    """What came before it is gone, so the list of commits does not say what changed."""
    shop = await git.connect("github")
    await client.patch(shop.path, json={"paths": ["web/**"]})
    delivery = push("github", paths=("docs/a.txt",))
    delivery.payload["forced"] = True

    assert outcomes(await git.send(delivery, shop.secret)) == [("deployed", None)]


async def test_several_projects_of_one_repository(git: Sender) -> None:
    """Each by its own secret; one that they share serves them all (F-11)."""
    first = await git.connect("github", "One", secret="shared between the two".replace(" ", "-"))
    second = await git.connect(
        "github",
        "Two",
        secret=first.secret,
        repository_url="ssh://git@ssh.github.com:443/Acme/Shop",
    )
    alone = await git.connect("github", "Alone", repository_url="git@github.com:acme/shop.git")

    both = await git.send(push("github"), first.secret)
    one = await git.send(push("github"), alone.secret)

    assert {row["projectId"] for row in both.json()["data"]} == {first.id, second.id}
    assert {row["projectId"] for row in one.json()["data"]} == {alone.id}


async def test_the_address_may_name_the_project(git: Sender) -> None:
    first = await git.connect("github", "One", secret="shared-between-the-two")
    await git.connect("github", "Two", secret="shared-between-the-two")

    answer = await git.send(push("github"), first.secret, query=f"?projectId={first.id}")

    assert [row["projectId"] for row in answer.json()["data"]] == [first.id]


@pytest.mark.parametrize("name", ["acme/shop-2", "acme/sho", "evil/acme/shop", "acme/shop/x"])
async def test_only_the_very_repository_matches(git: Sender, name: str) -> None:
    shop = await git.connect("github")
    delivery = push("github", name=name)
    delivery.payload["repository"]["id"] = 1

    assert (await git.send(delivery, shop.secret)).status_code == 401


async def test_a_renamed_repository_is_refused_and_the_project_hears_why(
    git: Sender, client: httpx2.AsyncClient
) -> None:
    shop = await git.connect("github")
    await git.send(push("github", message="First"), shop.secret)

    answer = await git.send(push("github", name="acme/store", message="Second"), shop.secret)

    why = "The repository is called acme/store now. Change it in the settings of the project"
    assert outcomes(answer) == [("refused", why)]
    assert len(await git.deployments()) == 1
    change = {"repositoryUrl": "https://github.com/acme/store"}
    await client.patch(f"/api/projects/{shop.id}", json=change)
    third = await git.send(push("github", name="acme/store", message="Third"), shop.secret)
    assert outcomes(third) == [("deployed", None)]


async def test_one_delivery_of_bitbucket_may_hold_several_branches(git: Sender) -> None:
    shop = await git.connect("bitbucket")
    delivery, other = push("bitbucket"), push("bitbucket", "refs/heads/next")
    delivery.payload["push"]["changes"] += other.payload["push"]["changes"]

    answer = await git.send(delivery, shop.secret)

    assert outcomes(answer) == [("deployed", None), ("deployed", None)]
    assert {made["branch"] for made in await git.deployments()} == {"main", "next"}


async def test_a_newer_push_takes_the_place_of_a_waiting_one(git: Sender) -> None:
    shop = await git.connect("github")
    await git.send(push("github", message="First"), shop.secret)
    await git.send(push("github", message="Second"), shop.secret)

    found = {made["commitMessage"]: made["status"] for made in await git.deployments()}

    assert found == {"First": "cancelled", "Second": "queued"}


async def test_projects_of_somebody_else_do_not_stand_in_front(
    git: Sender, database: RolledBack
) -> None:
    """Whoever names a repository of others in many projects of their own changes nothing."""
    mallory = await make.user(database, email="mallory@example.com")
    url = hosts.url_of("github")
    many = [
        await make.project(database, mallory, f"Mine {number}", repository_url=url)
        for number in range(MOST_PROJECTS + 1)
    ]
    async with database.transaction() as db:
        db.add_all(Webhook(project_id=project.id) for project in many)
    shop = await git.connect("github")

    assert outcomes(await git.send(push("github"), shop.secret)) == [("deployed", None)]


async def test_what_concerns_nobody_makes_no_job(
    git: Sender, client: httpx2.AsyncClient, database: RolledBack
) -> None:
    """Without a token nobody is told of a commit, without a pull request no comment is written."""
    shop = await git.connect("github")

    async def jobs_after(delivery: hosts.Delivery) -> set[str]:
        await database.fetch("delete from pgqueuer")
        assert outcomes(await git.send(delivery, shop.secret)) == [("deployed", None)]
        return {row[0] for row in await database.fetch("select entrypoint from pgqueuer")}

    assert await jobs_after(push("github", message="One")) == set()
    # The waiting one is cancelled by it.
    assert await jobs_after(push("github", message="Two")) == set()
    assert await jobs_after(push("github", "refs/heads/fix", after=OLD)) == {"previews.track"}
    assert await jobs_after(pull("github")) == {"previews.track", "previews.tell"}
    await client.put(f"{shop.path}/token", json={"token": TOKEN})
    assert await jobs_after(push("github", message="Three")) == {"webhooks.tell_host"}
