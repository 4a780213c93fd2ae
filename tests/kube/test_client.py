"""What can go wrong between us and a cluster: each ends with an error of its own."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.kube import server
from tests.kube.server import FakeCluster
from tests.kube.test_contract import SETTINGS, SPACE, config, deployment
from windlass.adapters.kube import Change, Client, Discovery, Ref, errors
from windlass.core.addresses import AddressPolicy
from windlass.core.clusters import Access

pytestmark = pytest.mark.anyio


def client(kube: FakeCluster, seconds: float = 30.0, **changed: Any) -> Client:
    access = msgspec.structs.replace(kube.access, **changed)
    return Client(access, allow=kube.allow, seconds=seconds)


async def refused(kube: FakeCluster, seconds: float = 30.0, **changed: Any) -> errors.KubeError:
    async with client(kube, seconds, **changed) as found:
        with pytest.raises(errors.KubeError) as raised:
            await found.list("v1", "ConfigMap", "default")
    assert server.TOKEN not in f"{raised.value}{raised.value!r}"
    return raised.value


async def test_a_client_certificate_is_as_good_as_a_token(kube: FakeCluster) -> None:
    proof = server.issued("somebody")
    async with client(kube, token=None, certificate=proof.certificate, key=proof.key) as found:
        assert await found.whoami() == "somebody"


async def test_a_name_may_stand_for_the_address_in_its_certificate(kube: FakeCluster) -> None:
    async with client(kube, tls_name="kubernetes") as found:
        assert (await found.version()).minor == "1.33"
    assert isinstance(await refused(kube, tls_name="other.example.com"), errors.Untrusted)


async def test_a_server_that_cannot_prove_itself_gets_no_token(kube: FakeCluster) -> None:
    stranger = server._issued("stranger", None, None).certificate  # pyright: ignore
    for ca in (stranger, None):
        assert isinstance(await refused(kube, ca=ca), errors.Untrusted)
    assert kube.asked == []
    async with client(kube, ca=None, insecure=True) as found:
        assert await found.whoami()


async def test_what_cannot_be_read_is_said(kube: FakeCluster) -> None:
    good = server.issued("somebody")
    for changed in (
        {"server": "http://127.0.0.1:1"},
        {"server": "ftp://127.0.0.1"},
        {"server": "nonsense"},
        {"server": "https://[::1"},
        {"ca": "nonsense"},
        {"certificate": "nonsense", "key": "nonsense"},
        {"certificate": good.certificate, "key": server.issued("other").key},
    ):
        assert isinstance(await refused(kube, **changed), errors.BadAccess), changed


async def test_addresses_that_nobody_may_be_led_to_are_refused(kube: FakeCluster) -> None:
    private = AddressPolicy(networks=("10.0.0.0/8", "192.168.0.0/16"))
    for address in ("169.254.169.254", "127.0.0.1", "[fe80::1]", "0.0.0.0"):
        async with Client(Access(f"https://{address}", token="x"), allow=private) as found:
            with pytest.raises(errors.AddressNotAllowed):
                await found.version()


async def test_nobody_there(kube: FakeCluster) -> None:
    found = await refused(kube, server="https://127.0.0.1:1")
    assert isinstance(found, errors.Away)
    assert found.may_pass


_KINDS: dict[int, type[errors.KubeError]] = {
    302: errors.Broken,
    400: errors.Invalid,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: errors.Expired,
    429: errors.TooMany,
    500: errors.Broken,
    503: errors.Broken,
}


async def test_each_refusal_is_an_error_of_its_own(kube: FakeCluster) -> None:
    for status, kind in _KINDS.items():
        headers = {"Retry_After": "7", "Location": "https://elsewhere.example"}
        kube.fail(status, path="configmaps", **headers)
        found = await refused(kube)

        assert type(found) is kind, status
        assert found.may_pass == (status not in (400, 401, 403, 404))
        if isinstance(found, errors.TooMany):
            assert found.retry_after == 7


async def test_slow_half_and_strange_answers(kube: FakeCluster) -> None:
    kube.hang(path="configmaps")
    assert isinstance(await refused(kube, seconds=0.3), errors.Away)
    kube.cut(path="configmaps")
    assert isinstance(await refused(kube), errors.Broken)
    kube.api.logs["default", "web", "web"] = "not JSON"
    async with client(kube, server=f"{kube.server}/healthz?") as found:
        with pytest.raises(errors.KubeError):
            await found.version()


async def test_a_token_that_expires_in_the_middle(kube: FakeCluster) -> None:
    async with client(kube) as found:
        kube.namespace(SPACE)
        await found.apply(config(a="1"))
        kube.expire_tokens()
        with pytest.raises(errors.Unauthorized):
            await found.apply(config(a="1"))


async def test_a_namespace_that_is_being_deleted(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    kube.end_slowly(SPACE)
    async with client(kube) as found:
        assert await found.delete(Ref("v1", "Namespace", SPACE))
        with pytest.raises(errors.Terminating, match="being terminated") as raised:
            await found.apply(config(a="1"))
        assert raised.value.may_pass
        kube.store.end_namespace(SPACE)
        with pytest.raises(errors.NotFound):
            await found.apply(config(a="1"))


async def test_a_webhook_that_refuses_is_named(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    kube.deny("ConfigMap", "no settings on Sundays", webhook="calendar.example.com")
    async with client(kube) as found:
        with pytest.raises(errors.Denied, match="no settings on Sundays") as raised:
            await found.apply(config(a="1"))
        assert raised.value.by == "calendar.example.com"


async def test_what_one_may_not_is_forbidden_and_can_be_asked_before(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    kube.forbid("patch", "configmaps", SPACE)
    async with client(kube) as found:
        assert not await found.may("patch", "configmaps", namespace=SPACE)
        assert await found.may("patch", "secrets", namespace=SPACE)
        with pytest.raises(errors.Forbidden, match="cannot patch resource"):
            await found.apply(config(a="1"))


async def test_warnings_of_the_server_are_handed_on(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    kube.warn("ConfigMap", "this is old")
    async with client(kube) as found:
        assert (await found.apply(config(a="1"))).warnings == ("this is old",)


async def test_conflicts_with_those_who_edit_name_each_field(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    async with client(kube) as found:
        await found.apply(deployment())
        kube.change("Deployment", "web", SPACE, spec={"replicas": 5, "minReadySeconds": 3})
        wanted = deployment()
        wanted["spec"]["minReadySeconds"] = 1
        with pytest.raises(errors.Conflict) as raised:
            await found.apply(wanted)
        owners = {(one.manager, one.field) for one in raised.value.owners}
        assert owners == {
            ("kubectl-edit", ".spec.replicas"),
            ("kubectl-edit", ".spec.minReadySeconds"),
        }
        # A field that is left to another is no conflict.
        del wanted["spec"]["replicas"], wanted["spec"]["minReadySeconds"]
        assert (await found.apply(wanted)).object["spec"]["replicas"] == 5


async def test_a_watch_that_is_too_old_says_so_and_one_that_is_cut_off_too(
    kube: FakeCluster,
) -> None:
    kube.namespace(SPACE)
    async with client(kube) as found:
        listed = await found.list("v1", "ConfigMap", SPACE)
        kube.forget_history()
        with pytest.raises(errors.Expired):
            async for _ in found.watch("v1", "ConfigMap", SPACE, version=listed.version):
                pass
        listed = await found.list("v1", "ConfigMap", SPACE)
        await found.apply(config(a="1"))
        changes = found.watch("v1", "ConfigMap", SPACE, version=listed.version)
        assert (await anext(changes)).object["metadata"]["name"] == "settings"
        # The bookmark that follows may come before the end.
        with pytest.raises(errors.Broken):
            await _cut_off(kube, changes)


async def _cut_off(kube: FakeCluster, changes: AsyncIterator[Change]) -> None:
    kube.drop_all()
    async for change in changes:
        assert change.kind == "BOOKMARK"


async def test_bookmarks_move_a_watch_on(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    async with client(kube) as found:
        listed = await found.list("v1", "ConfigMap", SPACE)
        kube.namespace("another")
        watched = found.watch("v1", "ConfigMap", SPACE, version=listed.version)
        async with contextlib.aclosing(watched) as changes:
            change = await anext(changes)
        assert change.kind == "BOOKMARK"
        assert int(change.version) > int(listed.version)


async def test_a_watch_ends_when_its_time_is_over(kube: FakeCluster) -> None:
    async with client(kube) as found:
        listed = await found.list("v1", "ConfigMap", "default")
        watched = found.watch("v1", "ConfigMap", "default", version=listed.version, seconds=0)
        assert [change async for change in watched] == []


async def test_logs_come_whole_by_their_end_and_as_they_are_said(kube: FakeCluster) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    }
    kube.make(pod)
    kube.say("default", "web", "web", "one\ntwo\nthree\n")
    kube.say("default", "web", "web/previous", "it crashed\n")
    async with client(kube) as found:

        async def text(**how: Any) -> str:
            return b"".join([part async for part in found.logs("default", "web", **how)]).decode()

        assert await text() == "one\ntwo\nthree\n"
        assert await text(tail=1) == "three\n"
        assert await text(most_bytes=5) == "one\nt"
        assert await text(previous=True) == "it crashed\n"
        followed = found.logs("default", "web", follow=True, tail=1)
        async with contextlib.aclosing(followed) as parts:
            assert await anext(parts) == b"three\n"
            kube.say("default", "web", "web", "four\n")
            assert await anext(parts) == b"four\n"
        with pytest.raises(errors.NotFound):
            await anext(found.logs("default", "nobody"))


async def test_what_belongs_to_something_goes_with_it(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    async with client(kube) as found:
        owner = (await found.apply(config(a="1"))).object
        child = config(b="2")
        child["metadata"] |= {"name": "child", "labels": {}}
        child["metadata"]["ownerReferences"] = [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "name": "settings",
                "uid": owner["metadata"]["uid"],
            }
        ]
        await found.apply(child)
        await found.delete(SETTINGS)
        assert kube.names("ConfigMap", SPACE) == []


async def test_a_server_that_does_not_aggregate_is_asked_group_by_group(kube: FakeCluster) -> None:
    async with client(kube) as found:
        together = await found.discover()
    assert len(kube.asked) == 2
    kube.api.aggregates = False
    async with client(kube) as found:
        apart = await found.discover()
    assert together.resources.keys() == apart.resources.keys()
    for name in (("apps/v1", "Deployment"), ("v1", "Pod"), ("v1", "Namespace")):
        one, other = together.find(*name), apart.find(*name)
        assert one is not None
        assert other is not None
        assert (one.plural, one.namespaced, set(one.subresources)) == (
            other.plural,
            other.namespaced,
            set(other.subresources),
        )


async def test_what_was_discovered_before_costs_no_request(kube: FakeCluster) -> None:
    kube.namespace(SPACE)
    async with client(kube) as found:
        known: Discovery = await found.discover()
    before = len(kube.asked)
    async with Client(kube.access, allow=kube.allow, discovered=known) as found:
        await found.apply(config(a="1"))
    assert len(kube.asked) == before + 1


async def test_long_lists_come_in_pages(kube: FakeCluster) -> None:
    for number in range(501):
        item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{number}"}}
        item["metadata"]["namespace"] = "default"
        kube.store.put(kube.store.kind("v1", "ConfigMap"), item)
    async with client(kube) as found:
        assert len((await found.list("v1", "ConfigMap", "default")).items) == 501
    assert sum(path.endswith("/configmaps") for _, path in kube.asked) == 2


async def test_schemas_of_a_cluster_can_be_read(kube: FakeCluster) -> None:
    async with client(kube) as found:
        assert b"fieldValidation" in await found.openapi("apps/v1")
        with pytest.raises(errors.NotFound):
            await found.openapi("example.com/v1")


def test_a_credential_is_not_in_what_is_printed(kube: FakeCluster) -> None:
    assert server.TOKEN not in repr(kube.access)
    assert server.TOKEN not in f"{kube.access}"
