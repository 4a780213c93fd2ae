"""Mail: over SMTP where a server is set up, into files below `<home>/mail` where none is.

What is sent was composed from templates and from what people call themselves. The headers are made
by the standard library, which refuses a line break in any of them.
"""

import asyncio
import datetime as dt
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path
from typing import Protocol

import aiosmtplib

from windlass.core import clock, crypto, ids, log
from windlass.core.settings import Mail, Settings

_TIMEOUT_SECONDS = 20.0
_LETTERS_OF_LINE = 900


class MailFailed(Exception):
    """The server did not take the mail; the same may work later. The text says why."""


class MailRefused(Exception):
    """It will never be taken: no such address, or one that cannot be written into a header."""


class Mailer(Protocol):
    """Sends one mail to one person."""

    async def send(self, *, to: str, subject: str, text: str, html: str) -> None:
        """Returns when it is out of our hands; raises MailFailed or MailRefused."""
        ...


def make(settings: Settings) -> Mailer:
    """The mailer that the settings ask for."""
    sender = settings.mail.sender or f"Windlass <windlass@{_host_of(settings)}>"
    if settings.mail.host:
        return SmtpMailer(settings.mail, sender)
    return FileMailer(settings.folder / "mail", sender)


class SmtpMailer:
    """A connection for each mail: they are few, and a server forgets idle ones."""

    def __init__(self, settings: Mail, sender: str) -> None:
        self._settings = settings
        self._sender = sender

    async def send(self, *, to: str, subject: str, text: str, html: str) -> None:
        message = compose(self._sender, to=to, subject=subject, text=text, html=html)
        mail = self._settings
        try:
            await aiosmtplib.send(
                message,
                sender=parseaddr(self._sender)[1],
                recipients=[to],
                hostname=mail.host,
                port=mail.port,
                username=mail.user or None,
                password=mail.password or None,
                use_tls=mail.tls == "tls",
                # True, not None: a server that offers no TLS gets no mail and no password.
                start_tls=mail.tls == "starttls",
                timeout=_TIMEOUT_SECONDS,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [refused.code for refused in error.recipients]
            if all(code >= 500 for code in codes):
                raise MailRefused(f"{mail.host} refused the address: {codes}") from error
            raise MailFailed(f"{mail.host} did not take the address yet: {codes}") from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise MailFailed(f"{mail.host}:{mail.port}: {error}") from error


class FileMailer:
    """Mails as files that only the owner of the instance reads; the log names each."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, *, to: str, subject: str, text: str, html: str) -> None:
        message = compose(self._sender, to=to, subject=subject, text=text, html=html)
        path = self._folder / f"{clock.now():%Y-%m-%d-%H%M%S}-{ids.short(ids.uuid7())}.eml"
        try:
            await asyncio.to_thread(self._write, path, message)
        except OSError as error:
            raise MailFailed(f"{path}: {error.strerror}") from error
        log.get().warning("mail.written", file=str(path), fix="WINDLASS_MAIL__HOST sends them")

    def _write(self, path: Path, message: EmailMessage) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        crypto.write_secret(path, message.as_string())


def compose(sender: str, *, to: str, subject: str, text: str, html: str) -> EmailMessage:
    """The mail with its headers. Raises MailRefused for an address that is none."""
    message = EmailMessage()
    try:
        message["From"] = sender
        message["To"] = Address(addr_spec=to)
        message["Subject"] = " ".join(subject.split())[:_LETTERS_OF_LINE]
    except (MessageError, ValueError, IndexError) as error:
        raise MailRefused("this is not an address that mail can be sent to") from error
    now = clock.now()
    message["Date"] = format_datetime(now.replace(microsecond=0).astimezone(dt.UTC))
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or None)
    # Nobody's out-of-office reply is wanted (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def _host_of(settings: Settings) -> str:
    return settings.panel_url.split("//", 1)[-1].partition("/")[0].partition(":")[0]
