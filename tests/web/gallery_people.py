"""Signing in, the account, and the log of what was done."""

from types import SimpleNamespace
from typing import Any

from tests.web import page_samples as q
from tests.web import people_samples as p
from tests.web import samples as s
from tests.web.samples import NONE, Pages
from windlass.audit import titles
from windlass.audit.pages import Choice, Filter

_CHOICES = [Choice("1", "Ada Bell"), Choice("2", "A rather long name that somebody chose")]

_LOG: dict[str, Any] = {
    "entries": q.ENTRIES,
    "more": "/audit?cursor=next",
    "groups": titles.GROUPS,
    "people": _CHOICES,
    "projects": _CHOICES,
    "teams": _CHOICES,
    "is_everything": False,
    "base": "/audit",
}

_WAYS: dict[str, Any] = NONE | {
    "factors": SimpleNamespace(totp=True, passkeys=p.PASSKEYS, recovery_codes_left=9),
    "linked": p.LINKED,
    "ways": [SimpleNamespace(name="github", label="GitHub")],
    "is_fresh": True,
    "has_password": True,
    "is_last_way": False,
}

_DEVICE: dict[str, Any] = {
    "is_elsewhere": True,
    "days": (30, 60, 90, 365),
    "values": {"lasts": "90"},
    "errors": {},
}

_TOKENS: dict[str, Any] = {
    "tokens": p.TOKENS,
    "cursor": "next",
    "scopes": p.SCOPES,
    "days": (30, 60, 90, 365),
    "values": {"lasts": "90"},
    "errors": {},
}

_WAY = {"label": "GitHub", "href": "/sign-in/with/github"}

PAGES: Pages = {
    "/sign-in": (
        "auth/sign_in.html",
        False,
        NONE | {"next": "/projects", "may_sign_up": True, "ways": [_WAY]},
    ),
    "/sign-in-wrong": (
        "auth/sign_in.html",
        False,
        {
            "values": {"login": "ada@example.com"},
            "errors": {"form": "User name or e-mail, and password, do not match."},
            "next": "/projects",
            "may_sign_up": False,
            "ways": [],
        },
    ),
    "/setup": ("auth/setup.html", False, NONE | {"token": "t", "spent": False}),
    "/setup-wrong": (
        "auth/setup.html",
        False,
        {
            "token": "t",
            "spent": False,
            "values": {"email": "ada"},
            "errors": {
                "email": "This is not an e-mail address",
                "password": "Use 8 characters or more",
            },
        },
    ),
    "/setup-spent": ("auth/setup.html", False, NONE | {"token": "t", "spent": True}),
    "/sign-up": (
        "auth/sign_up.html",
        False,
        NONE | {"next": "/projects", "refused": None, "is_invited": False, "invitation": ""},
    ),
    "/sign-up-refused": (
        "auth/sign_up.html",
        False,
        NONE
        | {
            "next": "/projects",
            "refused": "Only who was invited can sign up here. Ask for an invitation.",
            "is_invited": False,
            "invitation": "",
        },
    ),
    "/forgot-password": ("auth/ask_link.html", False, NONE | {"is_reset": True, "sent": False}),
    "/magic-link": (
        "auth/ask_link.html",
        False,
        {"values": {"email": "ada@example.com"}, "errors": {}, "is_reset": False, "sent": True},
    ),
    "/reset-password": (
        "auth/reset.html",
        False,
        {"token": "t", "email": "ada@example.com", "errors": {"password": "Use 8 characters"}},
    ),
    "/sign-in/link": (
        "auth/link.html",
        False,
        {
            "action": "/sign-in/link",
            "is_sign_in": True,
            "token": "t",
            "email": "ada@example.com",
        },
    ),
    "/link-spent": (
        "auth/link_spent.html",
        False,
        {"purpose": "RESET_PASSWORD", "problem": None},
    ),
    "/account": (
        "auth/account/profile.html",
        True,
        {
            "account": p.ACCOUNT,
            "values": {
                "name": "Ada Bell",
                "email": "ada@example.com",
                "username": "ada",
                "language": "de",
            },
            "errors": {},
        },
    ),
    "/account/security": (
        "auth/account/security.html",
        True,
        {"account": p.ACCOUNT, "sessions": p.SESSIONS, "cursor": None, "errors": {}},
    ),
    "/audit": (
        "audit/log.html",
        True,
        _LOG | {"filter": Filter(event="teams", since="2026-11-01"), "problem": None},
    ),
    "/audit-wrong": (
        "audit/log.html",
        True,
        _LOG
        | {
            "entries": [],
            "more": None,
            "filter": Filter(since="2026-99-99"),
            "problem": "from: “2026-99-99” is not a day or a time like 2026-02-12.",
        },
    ),
    "/account/activity": ("audit/own.html", True, _LOG | {"type": "auth", "errors": {}}),
    "/projects/harbour-shop/activity": (
        "audit/project.html",
        True,
        _LOG | {"project": s.PROJECT, "type": ""},
    ),
    "/account/factors": ("auth/account/ways.html", True, _WAYS),
    "/account-factors-none": (
        "auth/account/ways.html",
        True,
        _WAYS
        | {
            "factors": SimpleNamespace(totp=False, passkeys=[], recovery_codes_left=0),
            "linked": [],
            "ways": [],
            "is_fresh": False,
        },
    ),
    "/account-factors-last": (
        "auth/account/ways.html",
        True,
        _WAYS
        | {
            "factors": SimpleNamespace(totp=True, passkeys=[], recovery_codes_left=2),
            "has_password": False,
            "is_last_way": True,
            "errors": {"form": "This is the last way into the account. Set a password first."},
        },
    ),
    "/account/factors/totp": (
        "auth/account/totp.html",
        True,
        {
            "secret": p.TOTP.secret,
            "uri": p.TOTP.uri,
            "qr": p.TOTP.qr,
            "errors": {"code": "That code is not right, or was used before."},
        },
    ),
    "/account-recovery-codes": (
        "auth/account/recovery_codes.html",
        True,
        {"codes": p.CODES, "errors": {}},
    ),
    "/account/prove": (
        "auth/account/prove.html",
        True,
        {"next": "/account/factors", "has_password": True, "has_passkey": True, "errors": {}},
    ),
    "/account-prove-neither": (
        "auth/account/prove.html",
        True,
        {"next": "/account/factors", "has_password": False, "has_passkey": False, "errors": {}},
    ),
    "/sign-in/second": (
        "auth/second.html",
        False,
        {
            "methods": ["totp", "passkey", "recoveryCode"],
            "passkey_options": "{}",
            "next": "/projects",
            "errors": {"code": "That code is not right, or was used before."},
        },
    ),
    "/sign-in-second-passkey": (
        "auth/second.html",
        False,
        {
            "methods": ["passkey", "recoveryCode"],
            "passkey_options": "{}",
            "next": "/projects",
            "errors": {},
        },
    ),
    "/account/tokens": (
        "auth/account/tokens.html",
        True,
        _TOKENS | {"new_token": None, "new_token_name": None},
    ),
    "/account-narrow-token": (
        "auth/account/tokens.html",
        True,
        _TOKENS
        | {
            "new_token": None,
            "new_token_name": None,
            "values": {"lasts": "other", "days": "x", "scope.deploy:read": True},
            "errors": {"days": "Use a number of days from 1 to 3650"},
        },
    ),
    "/account-new-token": (
        "auth/account/tokens.html",
        True,
        _TOKENS
        | {
            "new_token": "wl_7Jm2vQfF0c9S1pXk3TnB8dZr5YhLwA6e",
            "new_token_name": "laptop",
        },
    ),
    "/device": (
        "auth/device.html",
        True,
        _DEVICE | {"asking": None, "code": "", "values": {"code": ""}},
    ),
    "/device-asks": ("auth/device.html", True, _DEVICE | {"asking": p.DEVICE, "code": "WDJB-MJHT"}),
    "/account/delete": (
        "auth/account/delete.html",
        True,
        NONE | {"account": p.ACCOUNT, "losses": p.LOSSES, "reasons": []},
    ),
    "/account-delete-refused": (
        "auth/account/delete.html",
        True,
        NONE
        | {
            "account": p.ACCOUNT,
            "losses": p.LOSSES,
            "reasons": ["It is the last owner of Harbour. Make somebody else an owner."],
        },
    ),
}
