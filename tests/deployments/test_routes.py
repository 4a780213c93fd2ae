import datetime as dt
from typing import Any

import httpx2
import pytest
from tests import make
from tests.conftest import RolledBack

from windlass.auth.models import Actor
from windlass.builds.models import Source
from windlass.core import ids
from windlass.deployments.phases import Status
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
URL = "/api/deployments"


def body_of(project: Project, source: Source | None = None, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"projectId": ids.public("proj", project.id)}
    if source is not None:
        body["sourceId"] = ids.public("src", source.id)
    return body | more


async def test_a_deployment_is_queued_at_once_in_the_standard_shape(
    client: httpx2.AsyncClient, project: Project, source: Source
) -> None:
    """C-121, C-122, C-164."""
    response = await client.post(URL, json=body_of(project, source, commitMessage="First"))

    body = response.json()["data"]
    assert response.status_code == 201, response.text
    assert (body["status"], body["isPreview"], body["isActive"]) == ("queued", True, False)
    assert body["project"] == {"name": "Shop", "slug": "shop", "ref": "shop"}
    assert body["siteSlug"] == f"shop-{body['id'][-8:]}"
    assert body["url"] == f"http://{body['siteSlug']}.localhost:8000"
    assert (await client.get(f"{URL}/{body['id']}")).json()["data"] == body
    assert (await client.get(URL)).json()["data"] == [body]


async def test_production_has_the_projects_own_address(
    client: httpx2.AsyncClient, project: Project, source: Source
) -> None:
    response = await client.post(URL, json=body_of(project, source, production=True))

    assert response.json()["data"]["url"] == "http://shop.localhost:8000"
    assert response.json()["data"]["isPreview"] is False


async def test_without_source_and_repository_it_is_400(
    client: httpx2.AsyncClient, project: Project
) -> None:
    response = await client.post(URL, json=body_of(project))

    assert response.status_code == 400
    assert "repository" in response.json()["error"]["message"]


async def test_without_source_the_repository_is_fetched_by_the_build(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    git = await make.project(
        database, owner, "From Git", repository_url="https://git.example/x.git"
    )

    response = await client.post(URL, json=body_of(git, branch="next"))

    assert response.status_code == 201
    rows = await database.fetch("select kind, status, is_deferred, branch from sources")
    assert [tuple(row) for row in rows] == [("git", "PENDING", True, "next")]


@pytest.mark.parametrize("clean", ["yes!", "2", ""])
async def test_clean_is_true_or_false_and_nothing_else(
    client: httpx2.AsyncClient, project: Project, source: Source, clean: str
) -> None:
    """C-152."""
    response = await client.post(f"{URL}?clean={clean}", json=body_of(project, source))

    assert response.status_code in {400, 422}, response.text


async def test_strangers_see_nothing_and_can_do_nothing(
    client: httpx2.AsyncClient,
    stranger: httpx2.AsyncClient,
    project: Project,
    source: Source,
) -> None:
    """C-060, D-23."""
    id = (await client.post(URL, json=body_of(project, source))).json()["data"]["id"]

    assert (await stranger.get(URL)).json()["data"] == []
    assert (await stranger.post(URL, json=body_of(project, source))).status_code == 404
    here = f"{URL}/{id}"
    for method, path in (
        ("GET", here),
        ("PATCH", here),
        ("DELETE", here),
        ("POST", f"{here}/cancel"),
        ("POST", f"{here}/rollback"),
        ("POST", f"{here}/promote"),
        ("POST", f"{here}/trigger"),
        ("GET", f"{here}/can-rollback"),
        ("GET", f"{here}/files"),
        ("GET", f"{here}/diff"),
        ("GET", f"{here}/logs"),
        ("GET", f"{here}/logs/stream"),
        ("GET", f"{here}/logs/runtime"),
        ("GET", f"{here}/logs/runtime/stream"),
        ("GET", f"{here}/logs/runtime/download"),
    ):
        json = {"note": "x"} if method == "PATCH" else None
        response = await stranger.request(method, path, json=json)
        assert response.status_code == 404, (method, path, response.text)


async def test_a_waiting_deployment_is_cancelled_once(
    client: httpx2.AsyncClient, project: Project, source: Source
) -> None:
    """C-124."""
    id = (await client.post(URL, json=body_of(project, source))).json()["data"]["id"]

    first = await client.post(f"{URL}/{id}/cancel")
    second = await client.post(f"{URL}/{id}/cancel")

    body = first.json()["data"]
    assert (first.status_code, body["status"]) == (200, "cancelled")
    assert body["finishedAt"] is not None
    assert second.status_code == 409
    assert "cancelled" in second.json()["error"]["message"]


async def test_one_whose_app_is_waited_for_is_cancelled_at_once(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """C-124: the host's own loop is interrupted, too; it waited until the app had its minute."""
    row = await make.deployment(database, project, source, owner, status=Status.deploying)
    await database.fetch("update deployments set started_at = now() where id = $1", row.id)
    await database.fetch(
        "update sites set wanted_id = $1, generation = nextval('site_generations'),"
        " lease_token = gen_random_uuid(), lease_until = now() + interval '1 h'",
        row.id,
    )

    answer = await client.post(f"{URL}/{ids.public('depl', row.id)}/cancel")

    assert answer.status_code == 200
    [site] = await database.fetch(
        "select wanted_id, lease_token, lease_until, generation <> settled as moves from sites"
    )
    assert tuple(site) == (None, None, None, True)


async def test_deleting_cancels_what_runs_and_refuses_what_is_live(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """D-26."""
    running = await make.deployment(database, project, source, owner, is_preview=True)
    live = await make.deployment(
        database, project, source, owner, status=Status.ready, is_active=True
    )
    here = f"{URL}/{ids.public('depl', running.id)}"

    assert (await client.delete(here)).status_code == 204
    assert (await client.get(here)).json()["data"]["status"] == "cancelled"
    assert (await client.delete(here)).status_code == 204
    assert (await client.get(here)).status_code == 404
    refused = await client.delete(f"{URL}/{ids.public('depl', live.id)}")
    assert refused.status_code == 409


async def test_only_the_note_can_be_changed(
    client: httpx2.AsyncClient, project: Project, source: Source
) -> None:
    """E-04."""
    id = (await client.post(URL, json=body_of(project, source))).json()["data"]["id"]

    changed = await client.patch(f"{URL}/{id}", json={"note": "before the sale"})
    refused = await client.patch(f"{URL}/{id}", json={"status": "ready"})

    assert changed.json()["data"]["note"] == "before the sale"
    assert refused.status_code == 422


async def test_a_rollback_is_a_wish_that_names_both_releases(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """C-160, C-163."""
    old = await make.deployment(database, project, source, owner, status=Status.ready)
    new = await make.deployment(
        database, project, source, owner, status=Status.ready, is_active=True
    )
    here = f"{URL}/{ids.public('depl', old.id)}"
    assert (await client.get(f"{here}/can-rollback")).json()["data"] == {
        "canRollback": True,
        "reason": None,
        "variables": None,
    }

    response = await client.post(f"{here}/rollback", json={"reason": "prices are wrong"})

    assert response.status_code == 202, response.text
    (site,) = await database.fetch("select * from sites where not is_preview")
    assert (site["wanted_id"], site["active_id"]) == (old.id, new.id)
    assert site["generation"] > site["settled"]
    (event,) = await database.fetch(
        "select payload from events where name = 'deployments.SwitchAsked'"
    )
    assert event["payload"]["previous_id"] == str(new.id)
    assert event["payload"]["reason"] == "prices are wrong"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"status": Status.error}, "not ready"),
        ({"status": Status.ready, "is_active": True}, "already live"),
        ({"status": Status.ready, "pruned_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "removed"),
    ],
)
async def test_what_cannot_be_made_live_says_why(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
    given: dict[str, Any],
    reason: str,
) -> None:
    """C-161, C-162."""
    row = await make.deployment(database, project, source, owner, **given)
    here = f"{URL}/{ids.public('depl', row.id)}"

    response = await client.post(f"{here}/promote")
    asked = (await client.get(f"{here}/can-rollback")).json()["data"]

    assert response.status_code == 409
    assert reason in response.json()["error"]["message"]
    assert asked["canRollback"] is False
    assert reason in asked["reason"]


async def test_a_second_active_deployment_is_refused_by_the_database(
    database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    """C-021, with direct SQL."""
    await make.deployment(database, project, source, owner, status=Status.ready, is_active=True)
    other = await make.deployment(database, project, source, owner, status=Status.ready)

    with pytest.raises(Exception, match="uq_deployments_active"):
        await database.fetch("update deployments set is_active = true where id = $1", other.id)


async def test_an_unknown_status_is_refused_by_the_database(
    database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    """C-019."""
    row = await make.deployment(database, project, source, owner)

    with pytest.raises(Exception, match="ck_deployments_status"):
        await database.fetch("update deployments set status = 'DONE' where id = $1", row.id)


async def test_a_trigger_builds_the_same_source_anew_but_not_while_it_runs(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """C-125, E-03."""
    failed = await make.deployment(database, project, source, owner, status=Status.error)
    here = f"{URL}/{ids.public('depl', failed.id)}"

    response = await client.post(f"{here}/trigger?clean=true")

    fresh = response.json()["data"]
    assert response.status_code == 201, response.text
    assert (fresh["status"], fresh["id"]) != ("error", ids.public("depl", failed.id))
    again = await client.post(f"{URL}/{fresh['id']}/trigger")
    assert again.status_code == 409


async def test_log_lines_are_paged_in_order_and_filtered_by_level(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    """C-126."""
    row = await make.deployment(database, project, source, owner)
    for seq in range(1, 6):
        await database.fetch(
            "insert into deployment_logs (deployment_id, seq, level, step, message)"
            " values ($1, $2, $3, 'build', $4)",
            row.id,
            seq,
            "error" if seq == 4 else "info",
            f"line {seq}",
        )
    here = f"{URL}/{ids.public('depl', row.id)}/logs"

    first = (await client.get(f"{here}?limit=2")).json()
    rest = (await client.get(f"{here}?after=2")).json()
    errors = (await client.get(f"{here}?level=error")).json()

    assert [line["seq"] for line in first["data"]] == [1, 2]
    assert first["meta"]["pagination"]["hasMore"] is True
    assert [line["message"] for line in rest["data"]] == ["line 3", "line 4", "line 5"]
    assert [line["seq"] for line in errors["data"]] == [4]
    assert (await client.get(f"{here}?level=loud")).status_code == 400


async def test_the_first_deployment_has_nothing_to_differ_from(
    client: httpx2.AsyncClient, project: Project, source: Source
) -> None:
    id = (await client.post(URL, json=body_of(project, source))).json()["data"]["id"]

    assert (await client.get(f"{URL}/{id}/diff")).json()["data"]["kind"] == "initial"
