"""Mail goes to a real SMTP server or into files, and nobody writes a header of it but us."""

import email
import email.policy
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from tests.running import ROOT, free_port

from windlass.adapters import mail
from windlass.adapters.mail import FileMailer, Mailer, MailFailed, MailRefused, SmtpMailer
from windlass.core.environment import load
from windlass.core.settings import Mail, Settings
from windlass.web import letters

pytestmark = pytest.mark.anyio
SENDER = "Windlass <windlass@example.com>"
LETTER = {"subject": "Hello", "text": "plain\n", "html": "<p>rich</p>\n"}


class Postbox:
    """What a server was given, and what it says to the next one."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []
        self.logins: list[bytes] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.answers:
            return self.answers.pop()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        self.mails.append(read(envelope.original_content or b""))
        return "250 OK"


def read(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def server(postbox: Postbox) -> Iterator[Controller]:
    def check(*given: Any) -> AuthResult:
        login = given[-1]
        assert isinstance(login, LoginPassword)
        postbox.logins.append(login.password)
        return AuthResult(success=login.password == b"right", handled=False)

    controller = Controller(
        postbox,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=check,
        auth_require_tls=False,
    )
    controller.start()
    yield controller
    controller.stop()


def smtp(server: Controller, **given: Any) -> SmtpMailer:
    settings = Mail(host="127.0.0.1", port=int(server.port), **{"tls": "none", **given})
    return SmtpMailer(settings, SENDER)


class Sent:
    """A mailer and a way to read what it sent."""

    def __init__(self, mailer: Mailer, postbox: Postbox, folder: Path) -> None:
        self.mailer = mailer
        self._postbox = postbox
        self._folder = folder

    @property
    def mails(self) -> list[EmailMessage]:
        return self._postbox.mails or [read(p.read_bytes()) for p in self._folder.glob("*.eml")]


@pytest.fixture(params=["smtp", "files"])
async def sent(
    request: pytest.FixtureRequest, server: Controller, postbox: Postbox, tmp_path: Path
) -> Sent:
    folder = tmp_path / "mail"
    mailer = smtp(server) if request.param == "smtp" else FileMailer(folder, SENDER)
    return Sent(mailer, postbox, folder)


async def test_a_mail_has_both_forms_and_its_headers(sent: Sent) -> None:
    await sent.mailer.send(to="ada@example.com", **LETTER)

    (found,) = sent.mails
    assert (found["from"], found["to"], found["subject"]) == (SENDER, "ada@example.com", "Hello")
    assert found["auto-submitted"] == "auto-generated"
    assert found["message-id"].endswith("@example.com>")
    plain, html = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().strip() == "plain"
    assert html.get_content().strip() == "<p>rich</p>"


@pytest.mark.parametrize(
    "subject", ["Hi\r\nBcc: all@example.com", "Hi\nX: y", "Grüße \u2028 Bcc: x", "x" * 5000]
)
async def test_a_subject_never_becomes_a_header(sent: Sent, subject: str) -> None:
    await sent.mailer.send(to="ada@example.com", **{**LETTER, "subject": subject})

    (found,) = sent.mails
    assert found["bcc"] is None
    assert found["x"] is None
    assert "\n" not in found["subject"]


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "", "nobody", "a b@c.example"],
)
async def test_an_address_that_is_none_is_refused_for_good(sent: Sent, address: str) -> None:
    with pytest.raises(MailRefused):
        await sent.mailer.send(to=address, **LETTER)

    assert sent.mails == []


async def test_only_the_owner_of_the_instance_reads_the_files(tmp_path: Path) -> None:
    await FileMailer(tmp_path / "mail", SENDER).send(to="ada@example.com", **LETTER)

    (path,) = (tmp_path / "mail").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_folder_that_cannot_be_written_can_be_asked_again(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("in the way")

    with pytest.raises(MailFailed):
        await FileMailer(tmp_path / "mail", SENDER).send(to="ada@example.com", **LETTER)


async def test_a_server_that_is_away_can_be_asked_again() -> None:
    away = SmtpMailer(Mail(host="127.0.0.1", port=free_port(), tls="none"), SENDER)

    with pytest.raises(MailFailed):
        await away.send(to="ada@example.com", **LETTER)


async def test_a_server_that_has_no_time_can_be_asked_again_and_one_that_says_no_cannot(
    server: Controller, postbox: Postbox
) -> None:
    postbox.answers = ["550 there is nobody of that name", "451 try again later"]
    mailer = smtp(server)

    with pytest.raises(MailFailed):
        await mailer.send(to="ada@example.com", **LETTER)
    with pytest.raises(MailRefused):
        await mailer.send(to="ada@example.com", **LETTER)


async def test_name_and_password_are_given_to_the_server(
    server: Controller, postbox: Postbox
) -> None:
    await smtp(server, user="me", password="right").send(to="ada@example.com", **LETTER)

    assert postbox.logins == [b"right"]
    with pytest.raises(MailFailed):
        await smtp(server, user="me", password="wrong").send(to="ada@example.com", **LETTER)


async def test_a_server_without_tls_gets_neither_mail_nor_password(
    server: Controller, postbox: Postbox
) -> None:
    with pytest.raises(MailFailed):
        await smtp(server, user="me", password="right", tls="starttls").send(
            to="ada@example.com", **LETTER
        )

    assert postbox.logins == []
    assert postbox.mails == []


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    postbox: Postbox, tmp_path: Path
) -> None:
    controller = Controller(
        postbox,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=self_signed(tmp_path),
        require_starttls=True,
    )
    controller.start()
    try:
        with pytest.raises(MailFailed):
            await smtp(controller, tls="starttls").send(to="ada@example.com", **LETTER)
    finally:
        controller.stop()
    assert postbox.mails == []


def self_signed(folder: Path) -> ssl.SSLContext:
    import datetime as dt

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_the_settings_choose_the_way(settings: Settings) -> None:
    assert isinstance(mail.make(settings), FileMailer)
    given = {"WINDLASS_MAIL__HOST": "mx.example", "WINDLASS_MAIL__SENDER": SENDER}
    assert isinstance(mail.make(load(given)), SmtpMailer)


@pytest.mark.parametrize(
    "template",
    sorted(path.name for path in (ROOT / "src/windlass/auth/templates/mail").glob("*.html")),
)
def test_every_letter_has_a_subject_and_both_forms(template: str) -> None:
    facts = {"host": "panel.example", "user_name": "<b>ada</b>", "email": "new@example.com",
             "inviter": "<b>ada</b>", "hours": 24, "minutes": 15, "days": 7,
             "link": "https://panel.example/x?token=a&b"}  # fmt: skip

    letter = letters.write(f"auth/mail/{template}", **facts)

    assert letter.subject
    assert "\n" not in letter.subject
    assert "https://panel.example/x?token=a&b" in letter.text
    assert "&lt;" not in letter.text
    assert "<b>" not in letter.html
    assert "\n\n\n" not in letter.text
