"""Pages, errors and mails in Chinese, through HTTP."""

import httpx2
import pytest
from tests import make
from tests.conftest import PANEL, RolledBack

from windlass.auth import devices
from windlass.auth.models import Actor
from windlass.core import languages
from windlass.web import letters

pytestmark = pytest.mark.anyio
HERE = {"origin": PANEL}
ZH = {"accept-language": "zh"}


async def test_a_visitor_signs_in_in_chinese(anonymous: httpx2.AsyncClient, owner: Actor) -> None:
    form = {"login": "owner@example.com", "password": "not this one"}

    shown = await anonymous.get("/sign-in", headers=ZH)
    refused = await anonymous.post("/sign-in", data=form, headers=HERE | ZH)

    assert "<h1>登录 Windlass</h1>" in shown.text
    assert "忘记密码？" in shown.text
    assert "用户名或电子邮件与密码不匹配。" in refused.text


async def test_every_wrong_field_is_said_in_chinese(
    anonymous: httpx2.AsyncClient, owner: Actor
) -> None:
    answer = await anonymous.post("/sign-in", data={}, headers=HERE | ZH)

    assert "请填写用户名或电子邮件" in answer.text
    assert "以下各项需要更正：" in answer.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/projects", "部署你的第一个项目"),
        ("/projects/new", "将文件夹或压缩包拖到这里"),
        ("/deployments", "还没有部署"),
        ("/account", "外观与键盘"),
        ("/account/security", "你已登录的地方"),
        ("/account/tokens", "API 令牌"),
        ("/account/delete", "删除此账号"),
        ("/status", "本机检查"),
        ("/nothing", "此地址没有内容"),
    ],
)
async def test_pages_are_in_chinese(client: httpx2.AsyncClient, path: str, words: str) -> None:
    answer = await client.get(path, headers=ZH)

    assert words in answer.text
    assert answer.headers["content-language"] == "zh"


async def test_a_device_and_what_a_token_may_do_are_said_in_german(
    client: httpx2.AsyncClient,
) -> None:
    browser = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
    with languages.speaking("de"):
        assert languages.retold(devices.describe(browser)) == "Firefox unter Linux"

    tokens = await client.get("/account/tokens", headers={"accept-language": "de"})

    assert "Deployments und ihre Logs sehen" in tokens.text
    assert "API-Tokens" in tokens.text
    assert "API tokens" not in tokens.text


async def test_what_a_form_did_is_said_in_chinese(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/account?notice=saved", headers=ZH)

    assert "已保存。" in answer.text


async def test_names_that_people_give_are_escaped_in_translations_too(
    client: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    project = await make.project(database, owner, "<b>Shop</b>")

    answer = await client.get(f"/projects/{project.slug}/settings", headers=ZH)

    assert "&lt;b&gt;Shop&lt;/b&gt; 的设置" in answer.text
    assert "<b>Shop" not in answer.text


async def test_wrong_fields_of_the_api_are_told_in_the_language_that_is_accepted(
    client: httpx2.AsyncClient,
) -> None:
    english = await client.post("/api/projects", json={})
    chinese = await client.post("/api/projects", json={}, headers=ZH)

    assert english.json()["error"]["details"]["fields"][0]["message"] == "Name is required"
    assert chinese.json()["error"]["details"]["fields"][0]["message"] == "名称为必填项"


def test_a_mail_is_in_the_language_of_the_account() -> None:
    facts = {"link": "https://x/y", "host": "x", "user_name": "li", "hours": 24}

    chinese = letters.write("auth/mail/verify.html", "zh", **facts)
    english = letters.write("auth/mail/verify.html", None, **facts)

    assert chinese.subject == "确认 Windlass 的电子邮件地址"
    assert "24 小时内有效" in chinese.text
    assert '<html lang="zh">' in chinese.html
    assert english.subject == "Confirm your e-mail address for Windlass"
