"""Clusters over the API: brought along, tried, shared, opened anew, taken away."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml
from litestar import Litestar
from sqlalchemy import select

from tests.conftest import RolledBack
from tests.kube import server
from tests.kube.server import TOKEN, FakeCluster
from tests.people import People, Person, data, gathered, message
from windlass.auth.permissions import Role
from windlass.clusters import reconcile, service
from windlass.clusters.models import Cluster
from windlass.core import caller, ids, loop
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.events import EventRow
from windlass.core.live import Live
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio
Body = dict[str, Any]
URL = "/api/clusters"


@pytest.fixture
async def people(app: Litestar, database: RolledBack) -> AsyncIterator[People]:
    async for found in gathered(app, database):
        yield found


@pytest.fixture
async def ann(people: People) -> Person:
    return await people.make("ann")


@pytest.fixture
def ctx(settings: Settings, database: RolledBack, key_ring: KeyRing) -> Ctx:
    return Ctx(settings=settings, database=database, live=Live(database), keys=key_ring, world=None)


def given(kube: FakeCluster, **more: Any) -> Body:
    return {"name": "home", "server": kube.server, "token": TOKEN, "ca": kube.ca, **more}


async def tried(ctx: Ctx, person: Person, cluster: Body) -> Body:
    """Let the loop turn once, and look again."""
    found = next(one for one in loop.LOOPS if one.step is reconcile.test)
    await loop.tick(ctx, found)
    return await person.get(f"{URL}/{cluster['id']}")


async def refused(person: Person, body: Body) -> dict[str, str]:
    """The wrong fields and what is said of them."""
    answer = await person.call("POST", URL, json=body)
    assert answer.status_code == 422, answer.text
    return {one["field"]: one["message"] for one in answer.json()["error"]["details"]["fields"]}


async def test_a_cluster_is_brought_along_tried_and_described(
    ann: Person, kube: FakeCluster, ctx: Ctx
) -> None:
    """K-095, K-097, E-24."""
    kube.install("gateway.networking.k8s.io", "cert-manager.io")
    kube.forbid("create", "namespaces")
    kube.make(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "nginx"},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        }
    )
    made = await ann.post(URL, **given(kube))
    assert made["test"]["state"] == "testing"
    assert made["facts"] is None

    found = await tried(ctx, ann, made)
    assert found["test"]["state"] == "working", found["test"]
    facts = found["facts"]
    assert (facts["version"], facts["minor"]) == ("v1.33.2", "1.33")
    assert facts["user"] == "system:serviceaccount:kube-system:windlass"
    assert [one["name"] for one in facts["installed"]] == ["Gateway API", "cert-manager"]
    lacking = [one["resource"] for one in facts["powers"] if not one["allowed"]]
    assert lacking == ["namespaces"]
    assert facts["ingressClasses"] == ["nginx"]
    assert await ann.get(URL) == [found]


async def test_a_credential_is_in_no_answer_and_sealed_where_it_lies(
    ann: Person, kube: FakeCluster, database: RolledBack
) -> None:
    """K-008."""
    answer = await ann.call("POST", URL, json=given(kube))
    listed = await ann.call("GET", URL)

    assert answer.status_code == 201
    assert TOKEN not in answer.text + listed.text
    shown = {"kind": "token", "hint": TOKEN[-4:], "expiresAt": None}
    assert answer.json()["data"]["credential"] == shown
    [row] = await database.fetch("select clusters::text as text, credential_sealed from clusters")
    assert TOKEN not in row["text"]
    assert TOKEN.encode() not in row["credential_sealed"]
    facts = await database.fetch("select events::text as text from events")
    assert all(TOKEN not in one["text"] for one in facts)


async def test_three_ways_lead_to_a_cluster(
    ann: Person, kube: FakeCluster, ctx: Ctx, key_ring: KeyRing, database: RolledBack
) -> None:
    config = await ann.post(URL, name="config", kubeconfig=yaml.safe_dump(kube.kubeconfig()))
    assert (await tried(ctx, ann, config))["test"]["state"] == "working"
    rancher = {"url": "https://rancher.example.com/", "token": "token-abc:xyz", "clusterId": "c-1"}
    made = await ann.post(URL, name="rancher", rancher=rancher)
    assert made["server"] == "https://rancher.example.com/k8s/clusters/c-1"
    proof = server.issued("ada")
    user = {"client-certificate-data": _base64(proof.certificate)}
    user |= {"client-key-data": _base64(proof.key)}
    config = kube.kubeconfig(**user)
    made = await ann.post(URL, name="certificate", kubeconfig=yaml.safe_dump(config))
    assert made["credential"]["kind"] == "certificate"
    assert made["credential"]["hint"] == "ada"
    assert made["credential"]["expiresAt"] is not None
    assert (await tried(ctx, ann, made))["facts"]["user"] == "ada"
    async with database.transaction() as db:
        row = await db.get_one(Cluster, ids.private("cls", made["id"]))
        assert service.access(row, key_ring).key == proof.key


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


async def test_what_is_wrong_is_said_at_its_field(ann: Person, kube: FakeCluster) -> None:
    config = kube.kubeconfig()
    config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    runs = kube.kubeconfig(exec={"command": "touch"})
    rancher = {"url": "https://rancher.example.com", "token": "a b", "clusterId": "c-1"}
    for body, field, words in (
        ({"name": "x"}, "server", "Give a kubeconfig"),
        ({"name": "x", "server": "https://k.example"}, "token", "Give a token"),
        (given(kube, kubeconfig="x"), "server", "one of the three"),
        (given(kube, server="http://k.example"), "server", "https://"),
        (given(kube, server="https://a:b@k.example"), "server", "without a name"),
        (given(kube, server="https://"), "server", "https://"),
        (given(kube, server="https://[::1"), "server", "https://"),
        (given(kube, token="a\nb"), "token", "not a token"),
        (given(kube, ca="nonsense"), "ca", "PEM"),
        (given(kube, name="\x07"), "name", "Control"),
        (given(kube, namespaces=["A b"]), "namespaces.0", "small letters"),
        ({"name": "x", "rancher": rancher}, "rancher.token", "not a token"),
        ({"name": "x", "rancher": {**rancher, "clusterId": "../x"}}, "rancher.clusterId", "id"),
        ({"name": "x", "kubeconfig": "- a"}, "kubeconfig", "cannot be used"),
        ({"name": "x", "kubeconfig": yaml.safe_dump(runs)}, "kubeconfig", "`exec`"),
        ({"name": "x", "kubeconfig": yaml.safe_dump(config)}, "insecure", "skip-tls"),
    ):
        found = await refused(ann, body)
        assert words in found.get(field, ""), (body, found)
    assert await ann.get(URL) == []


async def test_each_way_of_failing_has_a_name(ann: Person, kube: FakeCluster, ctx: Ctx) -> None:
    """A cluster that is away, strange, or knows nobody: said, and tried again when asked."""
    kube.accept("another-token-of-ann")
    made = await ann.post(URL, **given(kube))
    other = server._issued("other", None, None).certificate  # pyright: ignore
    for body, reason in (
        (given(kube, server="https://127.0.0.1:1"), "AWAY"),
        (given(kube, server="https://169.254.169.254"), "ADDRESS_REFUSED"),
        (given(kube, ca=other), "UNTRUSTED"),
        (given(kube, token="wrong-token-of-somebody"), "UNAUTHORIZED"),
    ):
        del body["name"]
        answer = await ann.call("PUT", f"{URL}/{made['id']}/credential", json=body)
        assert answer.status_code == 200, answer.text
        found = await tried(ctx, ann, made)
        assert (found["test"]["state"], found["test"]["reason"]) == ("failing", reason)
        assert str(body["token"]) not in found["test"]["detail"]
    body = given(kube)
    del body["name"]
    await ann.call("PUT", f"{URL}/{made['id']}/credential", json=body)
    for status, reason in ((403, "FORBIDDEN"), (500, "BROKEN"), (404, "NOT_KUBERNETES")):
        kube.fail(status, path="^/version")
        await ann.call("POST", f"{URL}/{made['id']}/test")
        assert (await tried(ctx, ann, made))["test"]["reason"] == reason
    answer = await ann.call("POST", f"{URL}/{made['id']}/test")
    assert answer.status_code == 202
    assert (await tried(ctx, ann, made))["test"]["state"] == "working"


async def test_a_token_is_replaced_alone_and_nothing_else_changes(
    ann: Person, kube: FakeCluster, ctx: Ctx
) -> None:
    """K-008."""
    made = await ann.post(URL, **given(kube, namespaces=["shop-*"]))
    kube.accept("a-newer-token-of-ann", "ann")
    answer = await ann.call(
        "PUT", f"{URL}/{made['id']}/credential", json={"token": "a-newer-token-of-ann"}
    )
    found = await tried(ctx, ann, data(answer))

    assert found["facts"]["user"] == "ann"
    same = ("name", "server", "hasCa", "namespaces", "createdAt", "id")
    assert {key: made[key] for key in same} == {key: found[key] for key in same}
    assert found["credential"]["hint"] == "-ann"


async def test_what_somebody_is_in_the_team_decides(
    ann: Person, people: People, kube: FakeCluster
) -> None:
    """K-015, K-102: strangers see nothing, a viewer looks, a developer tries, an admin changes."""
    team = await ann.post("/api/teams", name="Blue Whales")
    alone = await ann.post(URL, **given(kube, name="alone"))
    shared = await ann.post(URL, **given(kube, name="shared", team=team["id"]))
    stranger = await people.make("stranger")
    viewer = await people.member(team, Role.viewer)
    developer = await people.member(team, Role.developer)
    admin = await people.member(team, Role.admin)
    path = f"{URL}/{shared['id']}"

    async def codes(person: Person, cluster: str) -> list[int]:
        calls: list[tuple[str, str, Body | None]] = [
            ("GET", cluster, None),
            ("POST", f"{cluster}/test", None),
            ("PATCH", cluster, {"namespaces": ["x"]}),
            ("PUT", f"{cluster}/credential", {"token": TOKEN}),
        ]
        return [(await person.call(m, p, json=b)).status_code for m, p, b in calls]

    assert await codes(stranger, path) == [404, 404, 404, 404]
    assert await codes(viewer, path) == [200, 403, 403, 403]
    assert await codes(developer, path) == [200, 202, 403, 403]
    assert await codes(admin, path) == [200, 202, 200, 200]
    assert await codes(admin, f"{URL}/{alone['id']}") == [404, 404, 404, 404]
    assert [one["name"] for one in await viewer.get(URL)] == ["shared"]
    assert [one["role"] for one in await admin.get(URL)] == ["admin"]
    # Where it belongs is the owner's to say.
    moved = await admin.call("PATCH", path, json={"team": None})
    assert moved.status_code == 403
    assert (await ann.call("PATCH", path, json={"team": None})).status_code == 200
    assert await codes(admin, path) == [404, 404, 404, 404]
    foreign = await stranger.call("POST", URL, json=given(kube, team=team["id"]))
    assert foreign.status_code == 404


async def test_names_are_ones_own_and_removing_forgets(
    ann: Person, people: People, kube: FakeCluster, database: RolledBack
) -> None:
    made = await ann.post(URL, **given(kube))
    again = await ann.call("POST", URL, json=given(kube))
    assert again.status_code == 409
    assert "home" in message(again)
    bob = await people.make("bob")
    await bob.post(URL, **given(kube))
    changed = await ann.call("PATCH", f"{URL}/{made['id']}", json={"name": "work"})
    assert data(changed)["name"] == "work"
    assert (await ann.call("DELETE", f"{URL}/{made['id']}")).status_code == 204
    assert (await ann.call("GET", f"{URL}/{made['id']}")).status_code == 404
    async with database.transaction() as db:
        told = list(await db.scalars(select(EventRow.name).order_by(EventRow.id)))
    assert [name for name in told if name.startswith("clusters.")] == [
        "clusters.Added",
        "clusters.Added",
        "clusters.Changed",
        "clusters.Removed",
    ]


async def test_the_database_shows_clusters_to_their_people_alone(
    ann: Person, people: People, kube: FakeCluster, database: RolledBack
) -> None:
    """B-014: with a forgotten WHERE, too."""
    team = await ann.post("/api/teams", name="Blue Whales")
    await ann.post(URL, **given(kube, name="alone"))
    await ann.post(URL, **given(kube, name="shared", team=team["id"]))
    member = await people.member(team, Role.viewer)
    stranger = await people.make("stranger")
    for person, count in ((ann, 2), (member, 1), (stranger, 0)):
        caller.enter(caller.Caller(user_id=person.id))
        found = await database.fetch_as("windlass_web", "select name from clusters")
        assert len(found) == count
        gone = await database.fetch_as(
            "windlass_web", "update clusters set name = name where name = 'alone' returning id"
        )
        assert len(gone) == (1 if person is ann else 0)


async def test_nobody_is_given_the_same_namespace_twice(ann: Person, database: RolledBack) -> None:
    """K-006."""
    async with database.transaction() as db:
        found = [await service.next_namespace(db, by=ann.actor) for _ in range(3)]
    assert found == ["ann-0", "ann-1", "ann-2"]


async def test_who_leaves_a_team_takes_their_clusters_along(
    ann: Person, people: People, kube: FakeCluster, database: RolledBack, ctx: Ctx
) -> None:
    from windlass.clusters import jobs
    from windlass.teams import events as teams

    team = await ann.post("/api/teams", name="Blue Whales")
    bob = await people.member(team, Role.developer, "bob")
    made = await bob.post(URL, **given(kube, team=team["id"]))
    team_id = ids.private("team", team["id"])
    assert len(await ann.get(URL)) == 1
    await jobs.take_clusters_along(
        ctx, teams.MemberRemoved(team_id=team_id, user_id=bob.id, role=Role.developer)
    )
    assert await ann.get(URL) == []
    assert (await bob.get(f"{URL}/{made['id']}"))["team"] is None
