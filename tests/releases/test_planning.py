"""The plan: what would become of each document, asked of the cluster without changing anything."""

from typing import Any

import pytest

from tests.kube.server import FakeCluster
from tests.releases.conftest import Deck
from tests.releases.samples import config, together

pytestmark = pytest.mark.anyio
JOB = """apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  suspend: true
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: migrate
          image: ghcr.io/acme/migrate:1
"""


def actions(plan: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["action"] for one in (*plan["documents"], *plan["prunes"])}


async def test_a_plan_names_what_would_be_and_changes_nothing(
    deck: Deck, kube: FakeCluster
) -> None:
    await deck.deploy(together(config("same", x="1"), config("other", x="1"), config("gone")))

    plan = await deck.plan(together(config("same", x="1"), config("other", x="2"), config("new")))

    assert actions(plan) == {
        "same": "unchanged",
        "other": "change",
        "new": "create",
        "gone": "prune",
    }
    changed = next(one for one in plan["documents"] if one["name"] == "other")
    assert changed["changes"] == [{"path": "data.x", "before": "1", "after": "2"}]
    assert kube.names("ConfigMap", "shop") == ["gone", "other", "same"]


async def test_who_owns_a_field_is_named_and_it_is_taken_only_when_that_is_said(
    deck: Deck, kube: FakeCluster
) -> None:
    about = {"name": "a", "namespace": "shop"}
    kube.make(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"x": "theirs"}},
        manager="argocd",
    )

    (planned,) = (await deck.plan(config("a", x="ours")))["documents"]
    refused = await deck.deploy(config("a", x="ours"))
    taken = await deck.deploy(config("a", x="ours"), force=["ConfigMap/a"])

    assert (planned["action"], planned["isAdopted"]) == ("conflict", True)
    assert planned["conflicts"] == [".data.x (argocd)"]
    assert planned["changes"][0]["before"] == "theirs"
    assert refused["status"] == "FAILED"
    assert "argocd" in refused["reason"]
    assert taken["status"] == "DEPLOYED"
    assert deck.live("ConfigMap", "a")["data"] == {"x": "ours"}


async def test_what_cannot_be_changed_is_made_anew_only_when_that_is_said(
    deck: Deck, kube: FakeCluster
) -> None:
    confirm = {"profile": "baseline"}
    await deck.deploy(JOB, **confirm)
    other = JOB.replace("migrate:1", "migrate:2")

    (planned,) = (await deck.plan(other))["documents"]
    refused = await deck.deploy(other)
    (said,) = (await deck.plan(other, recreate=["Job/migrate"]))["documents"]
    uid = deck.live("Job", "migrate")["metadata"]["uid"]
    done = await deck.deploy(other, recreate=["Job/migrate"])

    assert (planned["action"], planned["immutable"]) == ("immutable", ["spec.template"])
    assert [one["path"] for one in planned["changes"]] == [
        "spec.template.spec.containers[name=migrate].image"
    ]
    assert refused["status"] == "FAILED"
    assert "cannot be changed: spec.template" in refused["reason"]
    assert (said["action"], done["status"]) == ("recreate", "DEPLOYED")
    assert done["newest"]["results"][0]["outcome"] == "recreated"
    assert deck.live("Job", "migrate")["metadata"]["uid"] != uid


async def test_an_object_of_another_release_is_left_to_it(deck: Deck, kube: FakeCluster) -> None:
    first = await deck.deploy(config("a", x="1"), name="one")

    (planned,) = (await deck.plan(config("a", x="2"), name="two"))["documents"]
    done = await deck.deploy(config("a", x="2"), name="two", force=["ConfigMap/a"])

    assert planned["action"] == "refused"
    assert first["id"] in planned["message"]
    assert done["status"] == "FAILED"
    assert deck.live("ConfigMap", "a")["data"] == {"x": "1"}


async def test_a_plan_of_what_is_refused_says_why_and_asks_no_cluster(
    deck: Deck, kube: FakeCluster
) -> None:
    asked = len(kube.asked)

    plan = await deck.plan("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A_}\n")

    assert (plan["isRefused"], plan["documents"]) == (True, [])
    assert plan["findings"]
    assert len(kube.asked) == asked


async def test_what_the_cluster_refuses_is_in_the_plan(deck: Deck, kube: FakeCluster) -> None:
    kube.deny("ConfigMap", "not here")
    widget = "apiVersion: nobody.dev/v1\nkind: Widget\nmetadata: {name: w}\n"

    plan = await deck.plan(together(config("a"), widget))

    assert actions(plan) == {"a": "refused", "w": "refused"}
    said = {one["name"]: one["message"] for one in plan["documents"]}
    assert "not here" in said["a"]
    assert "no kind Widget" in said["w"]


@pytest.mark.parametrize("fault", ["away", "token"])
async def test_a_cluster_that_cannot_be_asked_is_an_error_of_the_plan(
    deck: Deck, kube: FakeCluster, fault: str
) -> None:
    if fault == "away":
        kube.fail(500, times=100)
    else:
        kube.expire_tokens()

    error = await deck.post("/plan", deck.body(config("a")), 502)

    assert error["code"] == "INTEGRATION_ERROR"
    assert "cluster" in error["message"]
