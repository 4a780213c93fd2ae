import httpx2
import pytest

pytestmark = pytest.mark.anyio


async def test_the_status_page_says_what_is_wrong_first(client: httpx2.AsyncClient) -> None:
    page = await client.get("/status")

    # There is no edge in this test, and that is what matters most.
    assert page.status_code == 200
    assert "The edge is not running: sites do not answer" in page.text
    assert "Checks of this machine" in page.text
