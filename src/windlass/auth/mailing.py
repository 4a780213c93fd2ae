"""A letter goes out, in the language of who reads it."""

from windlass.adapters.mail import MailRefused
from windlass.adapters.world import world
from windlass.core import log
from windlass.core.context import Ctx
from windlass.web import letters


async def send(ctx: Ctx, to: str, template: str, language: str | None, **facts: object) -> bool:
    """Write `auth/mail/verify.html` and so on and send it. False for an address that takes no
    mail: trying again would not help. Raises MailFailed, for the job to be tried again."""
    host = ctx.settings.panel_url.split("//", 1)[-1]
    found = letters.write(template, language, host=host, **facts)
    try:
        await world(ctx).mail.send(to=to, subject=found.subject, text=found.text, html=found.html)
    except MailRefused as error:
        # People are told that nothing came, and what to check.
        log.get().warning("mail.refused", letter=template, why=str(error))
        return False
    return True
