"""A release from the request to the cluster: gate, plan, apply, rollout, prune, history."""

import pytest

from tests.kube.server import FakeCluster
from tests.releases.conftest import Deck
from tests.releases.samples import config, together, web

pytestmark = pytest.mark.anyio


async def test_an_application_is_applied_rolls_out_and_is_deployed(
    deck: Deck, kube: FakeCluster
) -> None:
    """K-098 to K-100, K-111."""
    text = "# ours\n" + web()

    made = await deck.ask(text)
    assert (made["status"], made["revision"]) == ("QUEUED", 1)
    rolling = await deck.until(made["id"], "ROLLING_OUT")
    await deck.turn()
    rolling = await deck.get(f"/{made['id']}")
    deck.ready("web")
    done = await deck.until(made["id"], "DEPLOYED")

    assert "Deployment/web: 0 of 2 replicas are updated" in rolling["reason"]
    assert (done["reason"], done["deployedRevision"], done["workloadsCount"]) == (None, 1, 1)
    results = done["newest"]["results"]
    assert {one["outcome"] for one in results} == {"created"}
    assert {one["state"] for one in results} == {"current"}
    assert done["resourcesCount"] == len(results) > 3
    live = deck.live("Deployment", "web")
    assert live["metadata"]["labels"]["windlass.dev/release"] == made["id"]
    yaml = await deck.client.get(f"/api/releases/{made['id']}/yaml")
    assert yaml.text == text
    assert "shop-web-1.yaml" in yaml.headers["content-disposition"]


async def test_the_next_revision_changes_what_differs_and_takes_away_what_is_gone(
    deck: Deck, kube: FakeCluster
) -> None:
    first = await deck.deploy(together(config("one", a="1"), config("two", a="1")))
    kube.make({**_raw("other"), "data": {"x": "1"}})

    second = await deck.deploy(together(config("one", a="2"), config("three", a="1")))

    assert (first["id"], second["revision"]) == (second["id"], 2)
    outcomes = {one["name"]: one["outcome"] for one in second["newest"]["results"]}
    assert outcomes == {"one": "changed", "three": "created"}
    assert [one["name"] for one in second["newest"]["pruned"]] == ["two"]
    assert sorted(kube.names("ConfigMap", "shop")) == ["one", "other", "three"]
    third = await deck.deploy(together(config("one", a="2"), config("three", a="1")))
    assert {one["outcome"] for one in third["newest"]["results"]} == {"unchanged"}


def _raw(name: str) -> dict[str, object]:
    about = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about}


async def test_what_is_not_ours_any_more_and_what_holds_data_is_not_pruned(
    deck: Deck, kube: FakeCluster
) -> None:
    claim = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n"
        "  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n"
    )
    made = await deck.ask(together(config("one"), config("two"), claim))
    await deck.until(made["id"], "ROLLING_OUT")
    kube.set_status("PersistentVolumeClaim", "data", "shop", {"phase": "Bound"})
    await deck.until(made["id"], "DEPLOYED")
    kube.change("ConfigMap", "two", "shop", metadata={"labels": {"windlass.dev/release": "x"}})

    done = await deck.deploy(config("one"))

    stays = {one["name"]: one["message"] for one in done["newest"]["pruned"]}
    assert "does not belong" in stays["two"]
    assert "holds data" in stays["data"]
    assert "two" in kube.names("ConfigMap", "shop")
    assert await deck.deploy(config("one"), withData=True)
    assert kube.names("PersistentVolumeClaim", "shop") == []


async def test_errors_refuse_and_warnings_need_exactly_their_digest(deck: Deck) -> None:
    """K-036: the server looks again, whatever the browser showed."""
    bad = web().replace("runAsNonRoot: true", "runAsNonRoot: 'yes'")
    refused = await deck.post("", deck.body(bad), 422)
    assert refused["details"]["reason"] == "FINDINGS"
    assert refused["details"]["findings"][0]["severity"] == "error"

    warned = web().replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
    asked = await deck.post("", deck.body(warned), 409)
    digest = asked["details"]["digest"]
    assert asked["details"]["reason"] == "CONFIRMATION_NEEDED"
    assert {one["severity"] for one in asked["details"]["findings"]} == {"warning"}
    others = warned.replace("name: web", "name: site")
    assert (await deck.post("", deck.body(others, confirm=digest), 409))["details"]["digest"]
    made = await deck.post("", deck.body(warned, confirm=digest), 201)
    assert made["newest"]["warningsCount"] == 1
    assert (await deck.get(f"/{made['id']}"))["newest"]["suppressedCount"] == 0


async def test_what_is_suppressed_with_a_reason_passes_and_is_recorded(deck: Deck) -> None:
    text = web().replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false")
    plan = await deck.plan(text)
    rule = plan["findings"][0]["rule"]
    text = text.replace(
        "kind: Deployment\nmetadata:\n",
        "kind: Deployment\nmetadata:\n  annotations:\n"
        f"    checks.windlass.dev/skip-{rule}: it writes its cache\n",
    )

    made = await deck.post("", deck.body(text), 201)

    assert made["newest"]["suppressedCount"] == 1
    assert made["newest"]["findings"][0]["skipped"] == "it writes its cache"


BAD = {
    "no YAML": "a: [",
    "a list": "- a\n- b\n",
    "a tab": "a:\n\tb: 1\n",
    "twice a key": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1', x: '2'}\n",
    "a bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n"
        for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    ),
    "no name": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
    "another namespace": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: x}\n",
    "for the whole cluster": "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n",
    "nothing": "# nothing\n---\n",
    "twice an object": together(config("a"), config("a")),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_manifests_are_refused_and_nothing_is_kept(deck: Deck, what: str) -> None:
    error = await deck.post("", deck.body(BAD[what]), 422)

    assert error["message"]
    assert await deck.get("") == []


async def test_a_text_may_hold_what_looks_like_a_separator(deck: Deck, kube: FakeCluster) -> None:
    text = config("a") + "data:\n  x: |\n    1\n    ---\n    2\n"

    await deck.deploy(text)

    assert deck.live("ConfigMap", "a")["data"] == {"x": "1\n---\n2\n"}


async def test_two_deploys_at_once_are_one_and_a_refusal(deck: Deck) -> None:
    """K-041, and C-011 of the second name."""
    made = await deck.ask(config("a"))

    busy = await deck.post("", deck.body(config("a")), 409)

    assert busy["details"]["reason"] == "RELEASE_BUSY"
    assert "queued" in busy["message"]
    await deck.until(made["id"], "DEPLOYED")
    assert (await deck.deploy(config("a")))["revision"] == 2


async def test_a_document_that_is_refused_leaves_the_others_and_says_so(
    deck: Deck, kube: FakeCluster
) -> None:
    """K-099."""
    kube.deny("Service", "no services today")

    done = await deck.deploy(web())

    assert done["status"] == "PARTIAL"
    assert "Service/web" in done["reason"]
    assert "no services today" in done["reason"]
    outcomes = {one["kind"]: one["outcome"] for one in done["newest"]["results"]}
    assert (outcomes["Service"], outcomes["Deployment"]) == ("failed", "created")
    kube.allow_all()
    again = await deck.ask(web())
    await deck.until(again["id"], "ROLLING_OUT")
    deck.ready("web")
    assert (await deck.until(again["id"], "DEPLOYED"))["revision"] == 2


CRD = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.acme.dev}
spec:
  group: acme.dev
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties: {spec: {type: object, properties: {size: {type: integer}}}}
"""
WIDGET = "apiVersion: acme.dev/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: 3}\n"


async def test_a_definition_and_its_object_come_one_after_the_other(
    deck: Deck, kube: FakeCluster
) -> None:
    refused = await deck.post("", deck.body(together(WIDGET, CRD)), 422)
    assert "whole cluster" in refused["details"]["findings"][0]["message"]
    plan = await deck.plan(together(WIDGET, CRD), clusterWide=True)
    done = await deck.deploy(together(WIDGET, CRD), clusterWide=True)

    actions = {one["kind"]: one["action"] for one in plan["documents"]}
    assert actions == {"CustomResourceDefinition": "create", "Widget": "later"}
    assert done["status"] == "DEPLOYED", done["reason"]
    assert kube.names("Widget", "shop") == ["one"]
