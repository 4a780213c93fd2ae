"""What goes wrong on the way of a command line into an account; the reasons are RFC 8628's."""

from windlass.core.errors import BadRequest, Forbidden, NotFound


class AuthorizationPending(BadRequest):
    """Nobody has answered yet. Ask again after the interval."""

    reason = "AUTHORIZATION_PENDING"


class SlowDown(BadRequest):
    """This was asked too soon. Wait five seconds longer from now on."""

    reason = "SLOW_DOWN"


class AccessDenied(BadRequest):
    """The sign-in was refused in the browser."""

    reason = "ACCESS_DENIED"


class ExpiredToken(BadRequest):
    """This code is unknown, was used, or is too old. Begin again."""

    reason = "EXPIRED_TOKEN"


class NoSuchCode(NotFound):
    """No program waits with this code. Codes work for ten minutes and once; compare it letter by
    letter, or begin again in the terminal."""

    reason = "NO_SUCH_CODE"


class OnlyFromBrowser(Forbidden):
    """Only somebody who is signed in with a browser can allow this, not an API token."""

    reason = "ONLY_FROM_BROWSER"
