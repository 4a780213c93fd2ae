"""Revisions: kept whole, compared, gone back to, deployed again; drift; what is deleted and how."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import text as sql

from tests import make
from tests.conftest import RolledBack, client_of
from tests.kube.server import FakeCluster
from tests.releases.conftest import Deck
from tests.releases.samples import config, together
from windlass.auth.permissions import Role
from windlass.core.ids import uuid7
from windlass.releases.phases import ENDS, MOVING, NEXT, Status
from windlass.teams.models import Team, TeamMember

pytestmark = pytest.mark.anyio
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: "


def confirmed(name: str = "web", **more: Any) -> str:
    return "?" + "&".join(f"{key}={value}" for key, value in {"confirm": name, **more}.items())


async def remove(deck: Deck, id: str, query: str, status: int = 202) -> Any:
    answer = await deck.client.delete(f"/api/releases/{id}{query}")
    assert answer.status_code == status, answer.text
    return answer.json().get("data") or answer.json()["error"]


async def test_going_back_deploys_an_earlier_revision_byte_for_byte(
    deck: Deck, kube: FakeCluster
) -> None:
    """K-004, K-113."""
    odd = "# one  \r\n" + config("a", x="1") + "\n\n# end"
    made = await deck.deploy(odd, note="first")
    await deck.deploy(together(config("a", x="2"), config("b")))

    back = await deck.post(f"/{made['id']}/rollback", {}, 202)
    done = await deck.until(made["id"], "DEPLOYED")

    newest = done["newest"]
    assert (back["revision"], newest["why"], newest["of"]) == (3, "rollback", 1)
    assert kube.names("ConfigMap", "shop") == ["a"]
    assert deck.live("ConfigMap", "a")["data"] == {"x": "1"}
    yaml = await deck.client.get(f"/api/releases/{made['id']}/yaml")
    assert yaml.text == odd
    history = await deck.get(f"/{made['id']}/revisions")
    assert [one["number"] for one in history] == [3, 2, 1]
    assert history[2]["note"] == "first"
    await deck.get(f"/{made['id']}/revisions/9", 404)


async def test_two_revisions_are_compared_field_by_field_without_secrets(deck: Deck) -> None:
    first = together(config("a", x="1"), config("gone"), SECRET + "hunter2-hunter2\n")
    second = together(config("a", x="2"), config("new"), SECRET + "correct-horse\n")
    made = await deck.deploy(first)
    await deck.deploy(second)

    found = await deck.get(f"/{made['id']}/diff")

    told = {one["name"]: one for one in found["documents"]}
    assert {name: one["change"] for name, one in told.items()} == {
        "a": "changed",
        "gone": "removed",
        "new": "added",
        "db": "changed",
    }
    assert told["a"]["changes"] == [{"path": "data.x", "before": "1", "after": "2"}]
    assert "hunter2" not in str(found)
    assert "correct-horse" not in str(found)


async def test_manifests_are_sealed_at_rest(deck: Deck, database: RolledBack) -> None:
    await deck.deploy(SECRET + "hunter2-hunter2\n")

    for table in ("releases", "revisions", "events"):
        rows = await database.fetch(f"select * from {table}")
        assert "hunter2" not in str([dict(row) for row in rows])
        assert b"hunter2" not in b"".join(
            value for row in rows for value in row.values() if isinstance(value, bytes)
        )


async def test_the_next_revision_is_made_of_the_form_and_stays_in_its_place(deck: Deck) -> None:
    """K-005, K-114."""
    from tests.releases.samples import web

    form = {"namespace": "shop", "workloads": [{"name": "web"}]}
    made = await deck.ask(web(), form=form)
    await deck.until(made["id"], "ROLLING_OUT")
    deck.ready("web")
    await deck.until(made["id"], "DEPLOYED")
    path = f"/{made['id']}"

    assert (await deck.get(f"{path}/source"))["form"] == form
    refused = await deck.post(f"{path}/revisions", {"namespace": "other"}, 400)
    assert refused["details"]["reason"] == "NAMESPACE_IMMUTABLE"
    await deck.post(f"{path}/revisions", {"environment": "staging"}, 201)
    deck.ready("web")
    done = await deck.until(made["id"], "DEPLOYED")
    assert (done["environment"], done["revision"]) == ("staging", 2)
    assert (await deck.get(f"{path}/source"))["form"] == form
    # K-093
    error = await deck.post("", deck.body(config("a"), "none", form={"workloads": []}), 400)
    assert error["details"]["reason"] == "FORM_WITHOUT_WORKLOAD"
    await deck.post(f"{path}/revisions", {"manifest": config("a")}, 201)
    assert (await deck.get(f"{path}/source"))["form"] is None


async def test_deleting_takes_it_out_backwards_and_it_can_be_brought_back(
    deck: Deck, kube: FakeCluster
) -> None:
    """K-112, K-113."""
    from tests.releases.samples import web

    made = await deck.ask(web())
    await deck.until(made["id"], "ROLLING_OUT")
    deck.ready("web")
    await deck.until(made["id"], "DEPLOYED")
    asked = await remove(deck, made["id"], "", 409)
    assert "web" in asked["message"]

    deleting = await remove(deck, made["id"], confirmed())
    done = await deck.until(made["id"], "DELETED")

    assert (deleting["status"], done["reason"]) == ("DELETING", None)
    assert kube.names("Deployment", "shop") == []
    gone = [path for method, path in kube.asked if method == "DELETE"]
    assert "deployments" in gone[_first(gone, "deployments")]
    assert _first(gone, "deployments") < _first(gone, "serviceaccounts")
    assert await deck.get("") == []
    assert [one["id"] for one in await deck.get("?status=deleted")] == [made["id"]]
    await remove(deck, made["id"], confirmed(), 409)

    await deck.post(f"/{made['id']}/redeploy", {}, 202)
    await deck.until(made["id"], "ROLLING_OUT")
    deck.ready("web")
    back = await deck.until(made["id"], "DEPLOYED")
    assert (back["newest"]["why"], back["newest"]["of"], back["revision"]) == ("redeploy", 1, 2)


def _first(paths: list[str], part: str) -> int:
    return next(at for at, path in enumerate(paths) if part in path)


async def test_what_does_not_go_is_named_and_deleting_can_be_tried_again(
    deck: Deck, kube: FakeCluster
) -> None:
    from tests.releases.test_failing import late

    made = await deck.deploy(config("a"))
    kube.change("ConfigMap", "a", "shop", metadata={"finalizers": ["acme.dev/hold"]})
    await remove(deck, made["id"], confirmed())
    await deck.turn()
    await late(deck)

    done = await deck.until(made["id"], "FAILED")

    assert "acme.dev/hold" in done["reason"]
    kube.change("ConfigMap", "a", "shop", metadata={"finalizers": []})
    await remove(deck, made["id"], confirmed())
    assert (await deck.until(made["id"], "DELETED"))["status"] == "DELETED"


async def test_a_release_can_be_forgotten_and_its_objects_stay(
    deck: Deck, kube: FakeCluster
) -> None:
    made = await deck.deploy(config("a"))

    done = await remove(deck, made["id"], confirmed(resources="false"))

    assert done["status"] == "DELETED"
    assert kube.names("ConfigMap", "shop") == ["a"]


async def test_what_somebody_changed_in_the_cluster_is_found(deck: Deck, kube: FakeCluster) -> None:
    made = await deck.deploy(together(config("a", x="1"), config("b", x="1"), config("c")))
    await deck.turn()
    assert (await deck.get(f"/{made['id']}"))["hasDrift"] is False
    kube.change("ConfigMap", "a", "shop", data={"x": "9"})
    kube.remove("ConfigMap", "b", "shop")

    await deck.turn()

    found = await deck.get(f"/{made['id']}")
    assert (found["status"], found["hasDrift"]) == ("DEPLOYED", True)
    drift = {one["name"]: one for one in found["drift"]}
    assert drift["a"]["changes"] == [{"path": "data.x", "before": "1", "after": "9"}]
    assert "kubectl-edit" in drift["a"]["message"]
    assert drift["b"]["isMissing"] is True
    assert set(drift) == {"a", "b"}
    plan = await deck.post(f"/{made['id']}/plan", {}, 200)
    actions = {one["name"]: one["action"] for one in plan["documents"]}
    assert actions == {"a": "conflict", "b": "create", "c": "unchanged"}
    await deck.post(f"/{made['id']}/redeploy", {"force": ["ConfigMap/a"]}, 202)
    done = await deck.until(made["id"], "DEPLOYED")
    assert done["hasDrift"] is False
    assert deck.live("ConfigMap", "a")["data"] == {"x": "1"}


async def test_a_cluster_that_is_away_is_no_drift(deck: Deck, kube: FakeCluster) -> None:
    made = await deck.deploy(config("a"))
    kube.fail(500, times=1000)

    await deck.turn()

    kube.allow_all()
    found = await deck.get(f"/{made['id']}")
    assert (found["status"], found["hasDrift"]) == ("DEPLOYED", False)


async def test_one_object_can_be_deleted_but_not_what_was_made_for_the_others(
    deck: Deck, kube: FakeCluster
) -> None:
    """K-115."""
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n"
    account += "automountServiceAccountToken: false\n"
    made = await deck.deploy(together(config("a"), account))
    path = f"/api/releases/{made['id']}/resources"

    found = await deck.get(f"/{made['id']}/resources")
    assert {one["kind"]: one["isDeletable"] for one in found} == {
        "ConfigMap": True,
        "ServiceAccount": False,
    }
    assert (await deck.client.delete(f"{path}/ServiceAccount/web")).status_code == 409
    assert (await deck.client.delete(f"{path}/ConfigMap/other")).status_code == 404
    assert (await deck.client.delete(f"{path}/ConfigMap/a")).status_code == 204
    assert kube.names("ConfigMap", "shop") == []


async def test_releases_of_another_are_not_there(
    deck: Deck, stranger: httpx2.AsyncClient, database: RolledBack
) -> None:
    made = await deck.deploy(config("a"))

    assert (await stranger.get("/api/releases")).json()["data"] == []
    assert (await stranger.get(f"/api/releases/{made['id']}")).status_code == 404
    assert (await stranger.post("/api/releases", json=deck.body(config("b")))).status_code == 404


async def test_a_viewer_of_the_team_sees_all_but_secrets_and_changes_nothing(
    deck: Deck, database: RolledBack, app: Any
) -> None:
    made = await deck.deploy(together(config("a", x="1"), SECRET + "hunter2-hunter2 # ours\n"))
    viewer = await make.user(database, email="viewer@example.com")
    team = Team(id=uuid7(), name="Shop", slug="shop")
    async with database.transaction() as db:
        db.add(TeamMember(team_id=team.id, user_id=viewer.id, role=Role.viewer))
        db.add(team)
        await db.flush()
        await db.execute(sql("update clusters set team_id = :team"), {"team": team.id})

    async with client_of(app, await make.token(database, viewer)) as client:
        seen = await client.get(f"/api/releases/{made['id']}/yaml")
        listed = await client.get("/api/releases")
        refused = await client.post("/api/releases", json=deck.body(config("b")))
        source = await client.get(f"/api/releases/{made['id']}/source")

    assert [one["id"] for one in listed.json()["data"]] == [made["id"]]
    assert "hunter2" not in seen.text
    assert "# ours" in seen.text
    assert (refused.status_code, source.status_code) == (403, 403)


async def test_the_database_itself_keeps_strangers_out(deck: Deck, database: RolledBack) -> None:
    await deck.deploy(config("a"))
    other = await make.user(database, email="other@example.com")
    async with database.transaction() as db:
        await db.execute(sql("set local role windlass_web"))
        await db.execute(
            sql("select set_config('windlass.user_id', :id, true)"), {"id": str(other.id)}
        )
        counts = [
            await db.scalar(sql(f"select count(*) from {table}"))
            for table in ("releases", "revisions")
        ]

    assert counts == [0, 0]


async def test_a_cluster_is_forgotten_when_nothing_of_a_release_is_left_in_it(deck: Deck) -> None:
    made = await deck.deploy(config("a"))
    path = f"/api/clusters/{deck.cluster_id}"
    assert (await deck.client.delete(path)).status_code == 409
    await remove(deck, made["id"], confirmed())
    await deck.until(made["id"], "DELETED")

    assert (await deck.client.delete(path)).status_code == 204
    await deck.get(f"/{made['id']}", 404)


async def test_lists_are_filtered_and_go_on(deck: Deck) -> None:
    """K-110, C-076."""
    for name in ("one", "two", "three"):
        await deck.deploy(config(name), name=name, environment="staging")

    first = (await deck.client.get("/api/releases?limit=2&environment=staging")).json()
    assert first["ok"], first
    cursor = first["meta"]["pagination"]["cursor"]
    rest = await deck.get(f"?limit=2&environment=staging&cursor={cursor}")

    assert [one["name"] for one in (*first["data"], *rest)] == ["three", "two", "one"]
    assert await deck.get("?environment=production") == []
    assert await deck.get("?status=failed,partial") == []
    assert "Use one or several" in str(await deck.get("?status=nonsense", 422))
    assert len(await deck.get(f"?clusterId={deck.cluster_id}&namespace=shop")) == 3


async def test_a_name_is_made_where_no_namespace_is_given_and_systems_are_refused(
    deck: Deck, kube: FakeCluster
) -> None:
    """K-006, K-102."""
    body = deck.body(config("a"))
    del body["namespace"]
    first = await deck.post("", {**body, "createNamespace": True}, 201)
    second = await deck.post("", {**body, "createNamespace": True}, 201)

    assert (first["namespace"], second["namespace"]) == ("owner-0", "owner-1")
    assert (await deck.until(first["id"], "DEPLOYED"))["status"] == "DEPLOYED"
    assert "owner-0" in kube.names("Namespace")
    for namespace in ("kube-system", "default"):
        await deck.post("", {**body, "namespace": namespace}, 422)
    await deck.client.patch(f"/api/clusters/{deck.cluster_id}", json={"namespaces": ["team-*"]})
    refused = await deck.post(f"/{first['id']}/redeploy", {}, 422)
    assert "do not list it" in refused["message"]


def test_every_state_has_a_way_out() -> None:
    assert set(NEXT) == set(Status)
    assert set(MOVING) | set(ENDS) == set(Status)
    for status in MOVING:
        reached, look = {status}, [status]
        while look:
            look = [to for one in look for to in NEXT[one] if to not in reached]
            reached |= set(look)
        assert reached & set(ENDS)
