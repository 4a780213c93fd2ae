"""Which language an answer has: the address, the account, the cookie, `Accept-Language` (B-159)."""

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar
from tests import make
from tests.conftest import PANEL, RolledBack

from windlass.auth.models import Actor
from windlass.core import languages
from windlass.core.errors import Unauthorized

HERE = {"origin": PANEL}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("de", "de"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr, ja;q=0.5", "ja"),
        ("en;q=0.5, ko;q=0.7", "ko"),
        ("de;q=0, en", "en"),
        ("fr, *;q=0.1", "en"),
        ("de;q=much", None),
    ],
)
def test_the_best_language_of_those_accepted(header: str, language: str | None) -> None:
    assert languages.accepted(header) == language


@given(st.text())
def test_any_header_gives_a_language_or_none(header: str) -> None:
    assert languages.accepted(header) in {None, *languages.LANGUAGES}


@pytest.mark.anyio
class TestPages:
    async def test_a_visitor_reads_what_the_browser_accepts(
        self, anonymous: httpx2.AsyncClient
    ) -> None:
        answer = await anonymous.get("/sign-in", headers={"accept-language": "zh-CN,en;q=0.5"})

        assert answer.headers["content-language"] == "zh"
        assert "Accept-Language" in answer.headers["vary"]
        assert '<html lang="zh"' in answer.text
        assert "语言" in answer.text

    async def test_an_unknown_language_is_english(self, anonymous: httpx2.AsyncClient) -> None:
        answer = await anonymous.get("/sign-in", headers={"accept-language": "fr"})

        assert '<html lang="en"' in answer.text

    async def test_a_choice_of_this_browser_counts_more_than_what_it_accepts(
        self, anonymous: httpx2.AsyncClient
    ) -> None:
        form = {"language": "ja", "next": "/sign-in?next=/account"}

        chosen = await anonymous.post("/language", data=form, headers=HERE)

        assert chosen.headers["location"] == "/sign-in?next=/account"
        answer = await anonymous.get("/sign-in", headers={"accept-language": "zh"})
        assert '<html lang="ja"' in answer.text

    async def test_the_account_counts_more_than_the_browser(
        self, client: httpx2.AsyncClient
    ) -> None:
        await client.patch("/api/auth/account", json={"language": "de"})
        client.cookies.set("windlass_language", "ja")

        answer = await client.get("/projects", headers={"accept-language": "zh"})

        assert '<html lang="de"' in answer.text

    async def test_the_address_counts_most_and_is_remembered(
        self, anonymous: httpx2.AsyncClient
    ) -> None:
        answer = await anonymous.get("/zh/sign-in?next=/account", headers={"accept-language": "ja"})

        assert answer.status_code == 200
        assert '<html lang="zh"' in answer.text
        assert 'value="/account"' in answer.text
        assert '<html lang="zh"' in (await anonymous.get("/sign-up")).text

    async def test_choosing_keeps_the_path_and_its_prefix(
        self, anonymous: httpx2.AsyncClient
    ) -> None:
        form = {"language": "ko", "next": "/sign-up", "prefixed": "true"}

        chosen = await anonymous.post("/language", data=form, headers=HERE)

        assert chosen.headers["location"] == "/ko/sign-up"

    @pytest.mark.parametrize(
        ("asked", "led"),
        [
            ("/fr/sign-in?next=/a", "/sign-in?next=/a"),
            ("/zh-CN/sign-in", "/zh/sign-in"),
            ("/zh/projects?cursor=x", "/projects?cursor=x"),
            ("/zh//evil.example", "/evil.example"),
        ],
    )
    async def test_other_addresses_lead_to_the_page_that_there_is(
        self, anonymous: httpx2.AsyncClient, asked: str, led: str
    ) -> None:
        answer = await anonymous.get(asked)

        assert answer.status_code == 303
        assert answer.headers["location"] == led

    async def test_what_is_no_page_is_not_found_under_an_unknown_language(
        self, anonymous: httpx2.AsyncClient
    ) -> None:
        assert (await anonymous.get("/fr/nothing")).status_code == 404

    async def test_nobody_is_led_away_by_choosing(self, anonymous: httpx2.AsyncClient) -> None:
        form = {"language": "zh", "next": "//evil.example", "prefixed": "true"}

        chosen = await anonymous.post("/language", data=form, headers=HERE)

        assert chosen.headers["location"] == "/zh/sign-in"

    async def test_who_signs_up_gets_mail_in_the_language_of_the_page(
        self, app: Litestar, anonymous: httpx2.AsyncClient, database: RolledBack, owner: Actor
    ) -> None:
        given = app.state.settings
        app.state.settings = msgspec.structs.replace(
            given, auth=msgspec.structs.replace(given.auth, sign_up="open")
        )
        form = {"email": "li@example.com", "username": "li_wei", "password": make.PASSWORD}

        answer = await anonymous.post("/zh/sign-up", data=form, headers=HERE)

        assert answer.status_code == 303, answer.text
        rows = await database.fetch("select language from users where username = 'li_wei'")
        assert [row["language"] for row in rows] == ["zh"]


@pytest.mark.anyio
class TestApi:
    async def test_it_speaks_english_unless_asked_otherwise(
        self, anonymous: httpx2.AsyncClient
    ) -> None:
        anonymous.cookies.set("windlass_language", "zh")

        answer = await anonymous.get("/api/projects")

        assert answer.json()["error"]["message"] == "Sign in first."

    async def test_it_answers_in_the_language_that_is_accepted(
        self, anonymous: httpx2.AsyncClient
    ) -> None:
        answer = await anonymous.get("/api/projects", headers={"accept-language": "zh"})

        assert answer.json()["error"]["message"] == "请先登录。"
        assert answer.headers["content-language"] == "zh"


def test_the_text_of_an_error_in_the_log_is_english() -> None:
    with languages.speaking("zh"):
        assert str(Unauthorized()) == "Sign in first."
        assert Unauthorized().message == "请先登录。"
