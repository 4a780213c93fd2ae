"""Signing up and in: two at once, guessing who is here, links that are over."""

import email
import email.policy
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import event, text

from tests import make
from tests.conftest import RolledBack
from tests.running import PATIENCE_SECONDS, Instance, request, until
from windlass.auth import links, passwords
from windlass.auth.models import Actor, Purpose

pytestmark = pytest.mark.anyio
API = "/api/auth"


@pytest.mark.parametrize("same", ["email", "username"])
def test_of_twenty_sign_ups_at_once_with_one_address_or_name_one_succeeds(
    open_to_all: Instance, same: str
) -> None:
    start = threading.Barrier(20)

    def sign_up(number: int) -> httpx2.Response:
        wanted = {"email": f"{same}{number}@example.com", "username": f"{same}_{number}"}
        one = {"email": "one@Example.com", "username": "The_One"}[same]
        body = wanted | {same: one, "password": make.PASSWORD}
        start.wait(timeout=PATIENCE_SECONDS)
        return request("POST", f"{open_to_all.url}{API}/sign-up", json=body)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(sign_up, range(20)))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["error"]["details"]["fields"][0]["field"] == same


def test_a_link_that_many_open_at_once_counts_for_one(open_to_all: Instance) -> None:
    address, token = _link_in_the_mail(open_to_all)
    me = {"login": address, "password": make.PASSWORD, "token": True}
    entered = request("POST", f"{open_to_all.url}{API}/sign-in", json=me).json()["data"]
    headers = {"authorization": f"Bearer {entered['token']}"}
    start = threading.Barrier(10)

    def confirm(_: int) -> int:
        start.wait(timeout=PATIENCE_SECONDS)
        path = f"{open_to_all.url}{API}/verify-email"
        body = {"token": token}
        return request("POST", path, json=body, headers=headers).status_code

    with ThreadPoolExecutor(10) as pool:
        assert Counter(pool.map(confirm, range(10))) == {200: 1, 410: 9}


def _link_in_the_mail(instance: Instance) -> tuple[str, str]:
    """Whom it was sent to, and its secret."""

    def look() -> tuple[str, str] | None:
        for path in (instance.home / "mail").glob("*.eml"):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = message.get_body(("plain",))  # type: ignore[attr-defined]
            if found := re.search(r"/verify-email\?token=([\w-]+)", body.get_content()):
                return str(message["to"]), found[1]
        return None

    found = until(look, what="the mail with the link")
    assert found is not None
    return found


async def test_who_asks_for_a_link_learns_nothing_and_causes_the_same_work(
    browser_of: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    """B-044, C-033: only the mailbox knows."""
    statements: list[str] = []
    engine = database.engine.sync_engine
    event.listen(
        engine, "before_cursor_execute", lambda _c, _k, said, *_: statements.append(_said(said))
    )
    answers: list[tuple[object, ...]] = []
    for path in ("forgot-password", "magic-link"):
        for address in ("owner@example.com", "nobody@example.com"):
            statements.clear()
            answer = await browser_of.post(f"{API}/{path}", json={"email": address})
            page = await browser_of.post(f"/{path}", data={"email": address})
            said = page.text.replace(address, "…")
            answers.append((answer.status_code, page.status_code, said, list(statements)))
        assert answers[-1] == answers[-2], path


def _said(statement: str) -> str:
    return re.sub("[0-9]+", "", statement)


async def test_a_wrong_password_costs_the_same_work_whoever_it_is_for(
    browser_of: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    """Processor time of the threads that hash, so a busy machine changes nothing."""
    await make.user(database, email="linked@example.com", password_hash=None)

    async def work(login: str) -> tuple[float, int, str]:
        before = _hashing_seconds()
        body = {"login": login, "password": "Wrong horse battery 1"}
        answer = await browser_of.post(f"{API}/sign-in", json=body)
        error = answer.json()["error"]
        return _hashing_seconds() - before, answer.status_code, error["message"]

    await work("owner@example.com")  # the threads exist from here on
    known = await work("owner@example.com")
    for login in ("nobody@example.com", "nobody", "linked@example.com"):
        found = await work(login)
        assert found[1:] == known[1:]
        assert found[0] > known[0] / 2, login


def _hashing_seconds() -> float:
    threads = [t for t in threading.enumerate() if t.name.startswith("password")]
    clocks = [time.pthread_getcpuclockid(t.ident) for t in threads if t.ident is not None]
    return sum(time.clock_gettime(clock) for clock in clocks)


@pytest.mark.parametrize(
    ("purpose", "path", "body"),
    [
        (Purpose.sign_in, "/magic-link/sign-in", {}),
        (Purpose.reset_password, "/reset-password", {"password": "Another horse battery 2"}),
        (Purpose.verify_email, "/verify-email", {}),
    ],
)
async def test_a_link_works_once_soon_and_for_one_thing(
    browser_of: httpx2.AsyncClient,
    database: RolledBack,
    owner: Actor,
    purpose: Purpose,
    path: str,
    body: dict[str, str],
) -> None:
    name = "link" if purpose is Purpose.sign_in else "token"
    if purpose is Purpose.verify_email:
        await _sign_in(browser_of, "owner@example.com")

    async def link(kind: Purpose = purpose) -> str:
        async with database.transaction() as db:
            await db.execute(text("delete from email_links"))
            secret = await links.make(db, owner.id, "owner@example.com", kind)
        assert secret is not None
        return secret

    async def use(secret: str) -> int:
        answer = await browser_of.post(API + path, json={**body, name: secret})
        return answer.status_code

    secret = await link()
    assert [await use(secret) for _ in range(2)] == [200, 410]
    late = await link()
    async with database.transaction() as db:
        await db.execute(text("update email_links set expires_at = now() - interval '1 s'"))
    assert await use(late) == 410
    for other in set(Purpose) - {purpose}:
        assert await use(await link(other)) == 410, other
    secret = await link()
    assert await use(secret[:-1] + ("a" if secret[-1] != "a" else "b")) == 410
    assert await use("") in {410, 422}
    page = {"sign_in": "/sign-in/link"}.get(purpose.name, path)
    assert (await browser_of.get(f"{page}?token={late}")).status_code == 410


async def _sign_in(browser: httpx2.AsyncClient, address: str) -> None:
    body = {"login": address, "password": make.PASSWORD}
    assert (await browser.post(f"{API}/sign-in", json=body)).status_code == 200


async def test_nobody_confirms_an_address_for_somebody_elses_account(
    browser_of: httpx2.AsyncClient, database: RolledBack, owner: Actor
) -> None:
    """Who signs up with a stranger's address waits for the stranger to click: that must not do."""
    thief = await make.user(database, email="stranger@example.com", is_admin=False)
    async with database.transaction() as db:
        link = await links.make(db, thief.id, "stranger@example.com", Purpose.verify_email)
    address = f"/verify-email?token={link}"

    nobody = await browser_of.get(address)
    api = await browser_of.post(f"{API}/verify-email", json={"token": link})
    await _sign_in(browser_of, "owner@example.com")
    shown = await browser_of.get(address)
    page = await browser_of.post("/verify-email", data={"token": link})
    other = await browser_of.post(f"{API}/verify-email", json={"token": link})

    assert (nobody.status_code, api.status_code) == (303, 401)
    assert nobody.headers["location"].startswith("/sign-in?next=")
    assert (shown.status_code, page.status_code, other.status_code) == (410, 410, 410)
    assert "belongs to another account" in shown.text
    rows = await database.fetch("select email_verified_at from users where id = $1", thief.id)
    assert rows[0]["email_verified_at"] is None


async def test_a_new_password_voids_every_link_and_session_of_before(
    browser_of: httpx2.AsyncClient, database: RolledBack, owner: Actor, client: httpx2.AsyncClient
) -> None:
    async with database.transaction() as db:
        reset = await links.make(db, owner.id, "owner@example.com", Purpose.reset_password)
        old = await links.make(db, owner.id, "owner@example.com", Purpose.sign_in)
    body = {"login": "owner@example.com", "password": make.PASSWORD}
    assert (await browser_of.post(f"{API}/sign-in", json=body)).status_code == 200

    new: dict[str, Any] = {"token": reset, "password": "Another horse battery 2"}
    assert (await browser_of.post(f"{API}/reset-password", json=new)).status_code == 200

    assert (await browser_of.get(f"{API}/me")).status_code == 401
    assert (await browser_of.post(f"{API}/sign-in", json=body)).status_code == 401
    answer = await browser_of.post(f"{API}/magic-link/sign-in", json={"link": old})
    assert answer.status_code == 410


def test_the_dummy_is_hashed_like_every_password() -> None:
    dummy = passwords._DUMMY  # pyright: ignore[reportPrivateUsage]

    assert not passwords.is_outdated(dummy)
    with pytest.raises(VerifyMismatchError):  # and not that it is no hash at all
        PasswordHasher().verify(dummy, "a password")
