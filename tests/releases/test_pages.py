"""Releases in the browser's own way: pages and forms (K-110 to K-115)."""

import pytest

from tests.kube.server import FakeCluster
from tests.releases.conftest import Deck
from tests.releases.samples import config, together

pytestmark = pytest.mark.anyio


async def text(deck: Deck, path: str, status: int = 200) -> str:
    answer = await deck.client.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


async def test_a_release_is_listed_looked_into_gone_back_with_and_deleted(
    deck: Deck, kube: FakeCluster
) -> None:
    assert "Nothing is released yet" in await text(deck, "/releases")
    made = await deck.deploy(config("a", x="1"))
    await deck.deploy(together(config("a", x="2"), config("b")))
    path = f"/releases/{made['id']}"

    assert "Deployed" in await text(deck, "/releases")
    shown = await text(deck, path)
    assert "ConfigMap" in shown
    assert "Deploy again" in shown
    assert "Revision 2" in await text(deck, f"{path}/yaml")
    history = await text(deck, f"{path}/history?revision=2")
    for words in ("Revision 2 against 1", "Go back to 1", "data.x"):
        assert words in history
    assert "ConfigMap" in await text(deck, f"{path}/logs")

    back = await deck.client.post(f"{path}/rollback", data={"revision": "1"})
    assert back.status_code == 303, back.text
    await deck.until(made["id"], "DEPLOYED")
    live = kube.get("ConfigMap", "a", "shop")
    assert live is not None
    assert live["data"] == {"x": "1"}
    wrong = await deck.client.post(f"{path}/delete", data={"confirm": "other"})
    assert wrong.status_code == 409
    assert "name of the release" in wrong.text
    gone = await deck.client.post(f"{path}/delete", data={"confirm": "web"})
    assert gone.status_code == 303
    await deck.until(made["id"], "DELETED")
    assert kube.names("ConfigMap", "shop") == []
    assert made["id"] in await text(deck, "/releases?status=deleted")


async def test_a_cluster_that_is_away_is_said_on_the_page(deck: Deck, kube: FakeCluster) -> None:
    made = await deck.deploy(config("a"))
    kube.fail(500, path="configmaps|pods", times=5)
    found = await text(deck, f"/releases/{made['id']}/logs")
    assert "failed with 500" in found or "unknown" in found
