"""Releases of Helm on a cluster, by the real SDK in its child (K-037 to K-041)."""

import asyncio
import base64
import gzip
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helm.packing import ABOUT, CHART, packed
from tests.kube.server import FakeCluster
from windlass.adapters.helm import Helm, Wish
from windlass.adapters.kube import Client
from windlass.core.addresses import AddressPolicy
from windlass.core.clusters import Access
from windlass.helm import archive, stored
from windlass.helm.errors import HelmFailed

pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
pytestmark = pytest.mark.anyio

SHOP = archive.clean(packed(CHART)).data


@pytest.fixture(scope="module")
def _cluster() -> Iterator[FakeCluster]:
    made = FakeCluster()
    yield made
    made.stop()


@pytest.fixture
def kube(_cluster: FakeCluster) -> FakeCluster:
    _cluster.reset()
    _cluster.namespace("shops")
    return _cluster


def helm(
    kube: FakeCluster, *, allow: AddressPolicy | None = None, access: Access | None = None
) -> Helm:
    policy = kube.allow if allow is None else allow
    return Helm(access or kube.access, allow=policy, namespace="shops", release="shop")


def replicas(kube: FakeCluster) -> int | None:
    found = kube.get("Deployment", "shop", "shops")
    return found["spec"]["replicas"] if found else None


async def test_a_release_is_installed_upgraded_rolled_back_and_uninstalled(kube: FakeCluster):
    one = helm(kube)
    assert await one.history() == []

    first = await one.deploy(SHOP, {"replicas": 1}, Wish(description="first", labels={"a": "b"}))
    assert [(each.revision, each.status) for each in first] == [(1, "deployed")]
    assert (first[0].chart_name, first[0].chart_version) == ("shop", "1.2.3")
    assert replicas(kube) == 1

    second = await one.deploy(SHOP, {"replicas": 3}, Wish(keep_values="reset"))
    assert [each.status for each in second] == ["superseded", "deployed"]
    assert replicas(kube) == 3

    third = await one.rollback(1)
    assert [each.status for each in third] == ["superseded", "superseded", "deployed"]
    assert replicas(kube) == 1
    with pytest.raises(HelmFailed) as caught:
        await one.rollback(9)
    assert caught.value.code in ("not-found", "helm")

    async with Client(kube.access, allow=kube.allow) as client:
        secrets = await client.list("v1", "Secret", "shops", labels=stored.labels("shop"))
    told = stored.revisions(secrets.items)
    assert [each.version for each in told] == [1, 2, 3]
    assert told[1].config == {"replicas": 3}
    assert "replicas: 3" in told[1].manifest
    assert told[0].info.description == "first"
    assert told[0].chart.metadata.appVersion == "4.5"

    assert await one.uninstall() == []
    assert replicas(kube) is None
    assert await one.uninstall() == []


async def test_an_operation_that_was_killed_is_recovered_by_the_next(kube: FakeCluster):
    one = helm(kube)
    await one.deploy(SHOP, {"replicas": 1}, Wish())
    kube.change(
        *("Secret", "sh.helm.release.v1.shop.v1", "shops"),
        data=await _half_done(kube, "pending-upgrade"),
        metadata={"labels": {"status": "pending-upgrade"}},
    )

    revisions = await one.deploy(SHOP, {"replicas": 4}, Wish())

    assert revisions[-1].status == "deployed"
    assert not [each for each in revisions if each.status.startswith("pending")]
    assert replicas(kube) == 4


async def _half_done(kube: FakeCluster, status: str) -> dict[str, str]:
    """What Helm keeps of a revision, as it is while it is going on."""
    found = kube.get("Secret", "sh.helm.release.v1.shop.v1", "shops")
    assert found is not None
    packed = base64.b64decode(base64.b64decode(found["data"]["release"]))
    release = json.loads(gzip.decompress(packed))
    release["info"]["status"] = status
    again = gzip.compress(json.dumps(release).encode())
    return {"release": base64.b64encode(base64.b64encode(again)).decode()}


async def test_what_cannot_be_done_says_why(kube: FakeCluster):
    broken = archive.clean(
        packed({"Chart.yaml": ABOUT, "templates/a.yaml": "a: {{ .Values.x.y }}"})
    )
    with pytest.raises(HelmFailed) as caught:
        await helm(kube).deploy(broken.data, {}, Wish())
    assert "nil pointer" in caught.value.message

    with pytest.raises(HelmFailed) as caught:
        await helm(kube, allow=AddressPolicy()).history()
    assert caught.value.code == "unreachable"
    assert "127.0.0.1" in caught.value.message

    wrong = Access(kube.server, ca=kube.ca, token="wrong")
    with pytest.raises(HelmFailed) as caught:
        await helm(kube, access=wrong).deploy(SHOP, {}, Wish())
    assert "wrong" not in caught.value.message


async def test_nothing_of_an_operation_is_left_behind(
    kube: FakeCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ended in the middle: the child is gone, and so is the folder with its credentials."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    task = asyncio.create_task(helm(kube).deploy(SHOP, {"replicas": 1}, Wish()))
    while not list(tmp_path.glob("windlass-helm-*")):  # noqa: ASYNC110 - a folder tells nobody
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []

    assert (await helm(kube).deploy(SHOP, {"replicas": 2}, Wish()))[-1].status == "deployed"
    assert replicas(kube) == 2
