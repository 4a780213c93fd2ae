"""Clusters in the browser's own way: forms and pages."""

from typing import Any

import pytest
import yaml

from tests.kube.server import TOKEN, FakeCluster
from tests.kube.test_clusters import URL, Ctx, Person, ann, ctx, given, people, tried

pytestmark = pytest.mark.anyio
__all__ = ["ann", "ctx", "people"]


async def sent(person: Person, path: str, **form: Any) -> str:
    """Where a form that works leads to."""
    answer = await person.call("POST", path, data=form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def text(person: Person, path: str) -> str:
    answer = await person.call("GET", path)
    assert answer.status_code == 200
    return answer.text


async def test_a_cluster_is_added_looked_at_changed_and_forgotten(
    ann: Person, kube: FakeCluster, ctx: Ctx
) -> None:
    """E-24, K-008."""
    kube.install("cert-manager.io")
    assert "Bring a Kubernetes cluster along" in await text(ann, "/clusters")
    assert "Kubeconfig" in await text(ann, "/clusters/new")
    config = yaml.safe_dump(kube.kubeconfig())
    where = await sent(
        ann, "/clusters/new", way="kubeconfig", name="home", kubeconfig=config, namespaces="shop-*"
    )
    path = where.partition("?")[0]
    assert "Being tried" in await text(ann, path)
    await tried(ctx, ann, {"id": path.rpartition("/")[2]})
    shown = await text(ann, path)
    for words in ("Reachable", "v1.33.2", "cert-manager", "shop-*", f"…{TOKEN[-4:]}"):
        assert words in shown
    assert TOKEN not in shown
    await sent(ann, f"{path}/settings", name="work", namespaces="", team="")
    kube.expire_tokens()
    await sent(ann, f"{path}/test")
    await tried(ctx, ann, {"id": path.rpartition("/")[2]})
    assert "does not know this credential" in await text(ann, path)
    kube.accept("a-newer-token-of-ann")
    await sent(ann, f"{path}/credential", way="token", token="a-newer-token-of-ann")
    await tried(ctx, ann, {"id": path.rpartition("/")[2]})
    assert "Reachable" in await text(ann, "/clusters")
    assert await sent(ann, f"{path}/delete", confirm="work") == "/clusters?notice=cluster-removed"
    assert await ann.get(URL) == []


async def test_a_wrong_form_comes_back_without_its_secrets(ann: Person, kube: FakeCluster) -> None:
    for form, words in (
        ({"way": "server", "server": "http://k.example", "token": TOKEN}, "begins with https://"),
        ({"way": "kubeconfig", "kubeconfig": f"- {TOKEN}"}, "cannot be used"),
        ({"way": "rancher", "rancher_url": "https://r.example", "token": TOKEN}, "cluster_id"),
        ({"way": "nonsense"}, "need a correction"),
    ):
        answer = await ann.call("POST", "/clusters/new", data={"name": "home", **form})
        assert answer.status_code == 422
        assert words in answer.text, form
        assert TOKEN not in answer.text
    made = await ann.post(URL, **given(kube))
    answer = await ann.call("POST", f"/clusters/{made['id']}/delete", data={"confirm": "other"})
    assert answer.status_code == 422
    assert "Type home to forget it" in answer.text
