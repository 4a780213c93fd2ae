from pathlib import Path

import httpx2
import pytest

from windlass.core import launch
from windlass.core.launch_spec import UNSAFE_WARNING

pytestmark = pytest.mark.anyio


async def test_the_status_page_says_what_is_wrong_first(client: httpx2.AsyncClient) -> None:
    page = await client.get("/status")

    # There is no edge in this test, and that is what matters most.
    assert page.status_code == 200
    assert "The edge is not running: sites do not answer" in page.text
    assert "Checks of this machine" in page.text


async def test_the_status_page_says_when_builds_are_unsafe(
    client: httpx2.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(launch, "_permitted", [True])

    assert UNSAFE_WARNING in (await client.get("/status")).text.replace("&#39;", "'")
