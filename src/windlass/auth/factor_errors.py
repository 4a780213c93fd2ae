"""What can go wrong with second factors, passkeys and sign-in providers."""

from windlass.core.errors import (
    Conflict,
    Forbidden,
    Gone,
    IntegrationError,
    NotFound,
    Unauthorized,
)


class ChallengeOver(Gone):
    """This took too long, was tried too often, or is done already. Start again."""


class WrongCode(Unauthorized):
    """That code is not right, or was used before. Wait for the next one and try again."""

    reason = "WRONG_CODE"


class ProveAgain(Forbidden):
    """Enter your password, or sign in again: this needs a sign-in of the last {minutes} minutes."""

    reason = "PROVE_AGAIN"


class FactorThere(Conflict):
    """This account has an authenticator app already. Turn it off first to set up another."""


class FactorMissing(Conflict):
    """This account has no second factor like that. Set one up first."""


class PasskeyRefused(Unauthorized):
    """That passkey was not accepted. {why}"""

    reason = "PASSKEY_REFUSED"


class PasskeyKnown(Conflict):
    """That passkey is registered already."""


class TooManyPasskeys(Conflict):
    """An account has at most {most} passkeys. Remove one first."""


class LastWayIn(Conflict):
    """This is the last way into the account. Set a password or add another way first."""

    reason = "LAST_WAY_IN"


class NoSuchProvider(NotFound):
    """Signing in that way is not set up on this Windlass."""


class ProviderFailed(IntegrationError):
    """{label} did not sign you in: {why}"""


class IdentityRefused(Unauthorized):
    """The answer of {label} was not accepted: {why} Start again."""

    reason = "IDENTITY_REFUSED"


class AddressUnproven(Forbidden):
    """{label} does not say that this e-mail address is yours. Confirm it there, then try again."""

    reason = "ADDRESS_UNPROVEN"


class SignInFirst(Conflict):
    """There is an account with this e-mail address. Sign in to it first, then link {label} under
    Account, Security."""

    reason = "SIGN_IN_FIRST"


class IdentityTaken(Conflict):
    """That identity opens another account already. Unlink it there first."""

    reason = "IDENTITY_TAKEN"
