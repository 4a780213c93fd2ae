"""What the client and an API server do together: the same with ours and with a real one."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.kube.real import RealCluster
from tests.kube.server import FakeCluster
from windlass.adapters.kube import Client, Ref, errors

pytestmark = pytest.mark.anyio
SPACE = "shop"


@pytest.fixture(params=["fake", "real"])
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of a cluster that has an empty namespace `shop`."""
    server: FakeCluster | RealCluster = request.getfixturevalue(
        "kube" if request.param == "fake" else "real_kube"
    )
    async with Client(server.access, allow=server.allow) as client:
        await _empty(client)
        await client.apply(namespace())
        yield client


async def _empty(client: Client) -> None:
    """A real server without controllers never ends a namespace: what is in it goes one by one."""
    for api_version, kind in (
        ("apps/v1", "Deployment"),
        ("v1", "ConfigMap"),
        ("v1", "Service"),
        ("v1", "ResourceQuota"),
    ):
        for one in (await client.list(api_version, kind, SPACE)).items:
            await client.delete(Ref.of(one))


def namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}


def config(**data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": SPACE, "labels": {"app": "web"}},
        "data": data,
    }


def deployment(**container: Any) -> dict[str, Any]:
    labels = {"app": "web"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": SPACE},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [{"name": "web", "image": "example.com/web:1", **container}]
                },
            },
        },
    }


WEB = Ref("apps/v1", "Deployment", "web", SPACE)
SETTINGS = Ref("v1", "ConfigMap", "settings", SPACE)


async def test_a_server_says_what_it_is_and_what_it_has(cluster: Client) -> None:
    version = await cluster.version()
    found = await cluster.discover()

    assert version.text.startswith("v1.")
    assert version.minor.startswith("1.")
    deployments = found.find("apps/v1", "Deployment")
    assert deployments is not None
    assert (deployments.plural, deployments.namespaced) == ("deployments", True)
    assert "status" in deployments.subresources
    space = found.find("v1", "Namespace")
    assert space is not None
    assert not space.namespaced
    assert found.has_group("networking.k8s.io")


async def test_what_is_applied_is_there_and_applying_it_again_changes_nothing(
    cluster: Client,
) -> None:
    first = await cluster.apply(deployment())
    again = await cluster.apply(deployment())

    assert first.object["spec"]["strategy"]["type"] == "RollingUpdate"
    assert (
        again.object["metadata"]["resourceVersion"] == first.object["metadata"]["resourceVersion"]
    )
    assert (await cluster.get(WEB))["metadata"]["uid"] == first.object["metadata"]["uid"]
    listed = await cluster.list("apps/v1", "Deployment", SPACE)
    assert [(one["kind"], one["metadata"]["name"]) for one in listed.items] == [
        ("Deployment", "web")
    ]


async def test_a_generation_rises_with_the_specification_alone(cluster: Client) -> None:
    first = await cluster.apply(deployment())
    relabelled = deployment()
    relabelled["metadata"]["labels"] = {"team": "shop"}
    second = await cluster.apply(relabelled)
    third = await cluster.apply(deployment(image="example.com/web:2"))

    generations = [one.object["metadata"]["generation"] for one in (first, second, third)]
    assert generations == [1, 1, 2]


async def test_what_is_not_said_any_more_is_taken_away_and_lists_are_merged_by_key(
    cluster: Client,
) -> None:
    await cluster.apply(deployment(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]))
    found = await cluster.apply(deployment(env=[{"name": "B", "value": "3"}]))

    container = found.object["spec"]["template"]["spec"]["containers"][0]
    assert container["env"] == [{"name": "B", "value": "3"}]


async def test_two_who_own_different_fields_do_not_touch_each_other(cluster: Client) -> None:
    await cluster.apply(config(ours="1"))
    await cluster.apply(config(theirs="2"), manager="somebody")
    ours = config(ours="3")
    del ours["metadata"]["labels"]
    found = (await cluster.apply(ours)).object

    assert found["data"] == {"ours": "3", "theirs": "2"}
    # The label is still wanted by the other.
    assert found["metadata"]["labels"] == {"app": "web"}
    managers = {one["manager"]: one["fieldsV1"] for one in found["metadata"]["managedFields"]}
    assert managers["windlass"] == {"f:data": {"f:ours": {}}}
    assert managers["somebody"]["f:data"] == {"f:theirs": {}}


async def test_a_field_of_somebody_else_is_a_conflict_that_names_them(cluster: Client) -> None:
    await cluster.apply(deployment(), manager="somebody")
    wanted = deployment(image="example.com/web:2")
    with pytest.raises(errors.Conflict) as raised:
        await cluster.apply(wanted)

    (owner,) = raised.value.owners
    assert owner.manager == "somebody"
    assert owner.field == '.spec.template.spec.containers[name="web"].image'
    assert not raised.value.may_pass
    forced = (await cluster.apply(wanted, force=True)).object
    assert forced["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/web:2"
    with pytest.raises(errors.Conflict):
        await cluster.apply(deployment(), manager="somebody")


async def test_a_dry_run_says_what_would_be_and_leaves_everything(cluster: Client) -> None:
    await cluster.apply(config(a="1"))
    found = await cluster.apply(config(a="2"), dry_run=True)

    assert found.object["data"] == {"a": "2"}
    assert (await cluster.get(SETTINGS))["data"] == {"a": "1"}
    with pytest.raises(errors.Invalid):
        await cluster.apply(deployment(nonsense=1), dry_run=True)


async def test_unknown_fields_are_refused_and_named(cluster: Client) -> None:
    with pytest.raises(errors.Invalid) as raised:
        await cluster.apply(deployment(imagePullPolice="Always"))

    assert "imagePullPolice" in raised.value.causes[0].field
    with pytest.raises(errors.NotFound):
        await cluster.get(WEB)


async def test_what_lacks_or_is_wrong_is_refused_with_its_field(cluster: Client) -> None:
    lacking = deployment()
    del lacking["spec"]["selector"]
    with pytest.raises(errors.Invalid) as raised:
        await cluster.apply(lacking)

    assert "spec.selector" in [cause.field for cause in raised.value.causes]
    assert not raised.value.is_immutable


async def test_what_cannot_be_changed_is_said(cluster: Client) -> None:
    await cluster.apply(deployment())
    wanted = deployment()
    wanted["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    wanted["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    with pytest.raises(errors.Invalid) as raised:
        await cluster.apply(wanted)

    assert raised.value.is_immutable
    assert raised.value.causes[0].field == "spec.selector"


async def test_an_object_that_was_read_can_be_applied(cluster: Client) -> None:
    await cluster.apply(config(a="1"))
    live = await cluster.get(SETTINGS)
    live["data"]["b"] = "2"

    assert (await cluster.apply(live)).object["data"] == {"a": "1", "b": "2"}


async def test_a_namespace_that_is_not_there_and_a_kind_that_nobody_knows(cluster: Client) -> None:
    stray = config(a="1")
    stray["metadata"]["namespace"] = "nowhere"
    with pytest.raises(errors.NotFound, match="nowhere"):
        await cluster.apply(stray)
    with pytest.raises(errors.NoSuchKind, match="Widget"):
        await cluster.apply({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {}})


async def test_deleting_is_done_once_and_only_to_the_object_that_is_meant(cluster: Client) -> None:
    uid = (await cluster.apply(config(a="1"))).object["metadata"]["uid"]
    with pytest.raises(errors.Conflict) as raised:
        await cluster.delete(SETTINGS, uid="5f1f0f8e-0000-4000-8000-000000000000")

    assert raised.value.owners == ()
    assert await cluster.delete(SETTINGS, uid=uid, dry_run=True)
    assert await cluster.delete(SETTINGS, uid=uid)
    assert not await cluster.delete(SETTINGS)
    assert not await cluster.delete(Ref("example.com/v1", "Widget", "one", SPACE))


async def test_a_name_cannot_lead_to_another_object(cluster: Client) -> None:
    await cluster.apply(config(a="1"))
    for name in ("", ".", ".."):
        with pytest.raises(errors.Invalid):
            await cluster.delete(Ref("v1", "ConfigMap", name, SPACE))
    # One segment of the path, which no object can be called.
    assert not await cluster.delete(Ref("v1", "ConfigMap", "../configmaps/settings", SPACE))
    assert (await cluster.get(SETTINGS))["data"] == {"a": "1"}


async def test_what_happens_is_watched_from_a_list_on(cluster: Client) -> None:
    await cluster.apply(config(a="1"))
    listed = await cluster.list("v1", "ConfigMap", SPACE, fields="metadata.name=settings")
    await cluster.apply(config(a="2"))
    await cluster.delete(SETTINGS)
    seen: list[tuple[str, Any]] = []
    watched = cluster.watch(
        "v1", "ConfigMap", SPACE, version=listed.version, fields="metadata.name=settings"
    )
    async with contextlib.aclosing(watched) as changes:
        async for change in changes:
            if change.kind != "BOOKMARK":
                seen.append((change.kind, change.object.get("data")))
            if change.kind == "DELETED":
                break

    assert seen == [("MODIFIED", {"a": "2"}), ("DELETED", {"a": "2"})]


async def test_lists_are_chosen_by_labels(cluster: Client) -> None:
    await cluster.apply(config(a="1"))
    for labels, count in (("app=web", 1), ("app!=web,app", 0), ("app in (web, x)", 1), ("!app", 0)):
        found = await cluster.list("v1", "ConfigMap", SPACE, labels=labels)
        named = [one for one in found.items if one["metadata"]["name"] == "settings"]
        assert len(named) == count, labels


async def test_a_quota_refuses(cluster: Client) -> None:
    await cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "small", "namespace": SPACE},
            "spec": {"hard": {"count/services": "0"}},
        }
    )
    with pytest.raises(errors.QuotaExceeded, match="exceeded quota: small"):
        await cluster.apply(
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "web", "namespace": SPACE},
                "spec": {"ports": [{"port": 80}]},
            }
        )


async def test_a_definition_brings_a_kind_with_its_schema(cluster: Client) -> None:
    schema = {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer"},
                    "parts": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {
                            "type": "object",
                            "required": ["name"],
                            "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
                        },
                    },
                },
            }
        },
    }
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }

    def widget(**spec: Any) -> dict[str, Any]:
        metadata = {"name": "one", "namespace": SPACE}
        return {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": metadata,
            "spec": spec,
        }

    await cluster.discover()
    await cluster.apply(definition)
    await _established(cluster)
    await cluster.apply(widget(parts=[{"name": "a", "n": 1}]))
    found = await cluster.apply(widget(parts=[{"name": "b", "n": 2}]), manager="somebody")
    assert [part["name"] for part in found.object["spec"]["parts"]] == ["a", "b"]
    with pytest.raises(errors.Invalid) as raised:
        await cluster.apply(widget(sise=1))
    assert "sise" in raised.value.causes[0].field
    await cluster.delete(Ref.of(widget()))
    assert await cluster.delete(Ref.of(definition))


async def _established(cluster: Client) -> None:
    """A definition is served a moment after it is accepted."""
    listed = await cluster.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    conditions = [
        condition
        for one in listed.items
        for condition in one.get("status", {}).get("conditions", [])
    ]
    if {"Established"} <= {one["type"] for one in conditions if one["status"] == "True"}:
        return
    watched = cluster.watch(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", version=listed.version
    )
    async with contextlib.aclosing(watched) as changes:
        async for change in changes:
            for one in change.object.get("status", {}).get("conditions", []):
                if one["type"] == "Established" and one["status"] == "True":
                    return


async def test_one_can_ask_what_one_may_and_who_one_is(cluster: Client) -> None:
    assert await cluster.may("create", "deployments", group="apps", namespace=SPACE)
    assert await cluster.whoami()
