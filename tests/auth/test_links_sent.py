"""A link is on record, and counts, when its mail went out; and only then."""

from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from tests import make
from tests.conftest import RolledBack
from tests.running import free_port

from windlass.adapters import mail
from windlass.adapters.mail import MailFailed
from windlass.auth import events, jobs
from windlass.auth.models import EmailLink, Purpose
from windlass.core import clock
from windlass.core.context import Ctx
from windlass.core.crypto import KeyRing
from windlass.core.events import EventRow
from windlass.core.live import Live
from windlass.core.settings import Mail, Settings

pytestmark = pytest.mark.anyio


def context(settings: Settings, database: RolledBack, keys: KeyRing, mailer: mail.Mailer) -> Ctx:
    world = SimpleNamespace(mail=mailer)
    return Ctx(settings=settings, database=database, live=Live(database), keys=keys, world=world)


async def sent(database: RolledBack) -> int | None:
    async with database.transaction() as db:
        query = select(func.count()).select_from(EventRow)
        return await db.scalar(query.where(EventRow.name == "auth.LinkSent"))


def asked(email: str) -> events.LinkAsked:
    return events.LinkAsked(email=email, purpose=Purpose.sign_in)


async def test_a_link_whose_mail_went_out_is_on_record(
    settings: Settings, database: RolledBack, key_ring: KeyRing
) -> None:
    ctx = context(settings, database, key_ring, mail.make(settings))
    await make.user(database, email="ada@example.com", email_verified_at=clock.now())

    await jobs.send_link(ctx, asked("ada@example.com"))

    assert await sent(database) == 1


async def test_a_link_whose_address_takes_no_mail_is_not(
    settings: Settings, database: RolledBack, key_ring: KeyRing
) -> None:
    ctx = context(settings, database, key_ring, mail.make(settings))
    await make.user(database, email="nobody", email_verified_at=clock.now())

    await jobs.send_link(ctx, asked("nobody"))

    assert await sent(database) == 0


async def test_while_the_server_is_away_links_neither_count_nor_stay(
    settings: Settings, database: RolledBack, key_ring: KeyRing
) -> None:
    away = mail.SmtpMailer(Mail(host="127.0.0.1", port=free_port(), tls="none"), "w@example.com")
    ctx = context(settings, database, key_ring, away)
    await make.user(database, email="ada@example.com", email_verified_at=clock.now())

    for _ in range(4):
        with pytest.raises(MailFailed):
            await jobs.send_link(ctx, asked("ada@example.com"))

    async with database.transaction() as db:
        assert await db.scalar(select(func.count()).select_from(EmailLink)) == 0
    assert await sent(database) == 0
