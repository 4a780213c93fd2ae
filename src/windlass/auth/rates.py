"""How often who may do what: which limits a request counts in (C-080, C-081, B-065, B-073).

All of them are asked at once and the strictest answers (D-19); the numbers are settings. A route
says `rate="…"`; without it the method decides, and pages count apart from the API.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from windlass.core.addresses import network_of
from windlass.core.limit import Rule
from windlass.core.settings import Limits

Counted = Literal["sign_in", "second_factor", "forgot_password", "deploy", "webhook", "ingest"]
"""What a handler may count for something that only it knows: an account, a source, a project."""

_SAFE = {"GET", "HEAD", "OPTIONS"}
_PLANS = {"FREE": "free", "PRO": "pro", "TEAM": "team", "ENTERPRISE": "enterprise"}
_TIER = "tier"
# Styles and scripts are not counted, only told how much is left of the pages.
_ASSET = "asset"
# What counts instead of the usual, and what counts besides it.
_INSTEAD: Mapping[str, tuple[str, ...]] = {
    "read": (_TIER, "read"),
    "write": (_TIER, "write"),
    "stripe": (_TIER, "stripe"),
    "upload": ("upload",),
    "page": ("page",),
    _ASSET: ("page",),
    "health": ("health",),
    "webhook": ("machine",),
    "ingest": ("machine",),
}
_BESIDES: Mapping[str, tuple[str, ...]] = {
    "sign_in": ("sign_in",),
    "second_factor": ("second_factor",),
    "forgot_password": ("forgot_password",),
    "deploy": ("deploy", "deploy_hourly"),
}
_GROWING = {"read", "write", "stripe", "deploy_hourly"}
# A person who is signed in tries passwords from the same place as everybody else.
_BY_ADDRESS = {"sign_in", "second_factor", "forgot_password"}
TRIED = frozenset({"sign_in", "second_factor"})
"""Of these a browser that is known has a limit of its own, wherever it is."""
NAMES = frozenset({*_INSTEAD, *_BESIDES})
"""Every `rate` that a route may name."""


def rules(
    limits: Limits, rate: str | None, *, method: str, path: str, asking: "Asking"
) -> tuple[Rule, ...]:
    """What this request counts in; a name that does not exist is a KeyError."""
    usual = ("read" if method in _SAFE else "write") if path.startswith("/api/") else "page"
    name = rate or usual
    names = _INSTEAD[usual] + _BESIDES[name] if name in _BESIDES else _INSTEAD[name]
    return tuple(_rule(limits, name, asking) for name in names)


def cost(rate: str | None) -> int:
    """What a request with this `rate` counts for."""
    return 0 if rate == _ASSET else 1


class Asking:
    """Who is counted: a person on a plan, or an address (B-068)."""

    def __init__(
        self,
        address: str,
        *,
        user_id: object = None,
        plan: str | None = None,
        device: str | None = None,
    ) -> None:
        self.address = f"ip:{network_of(address)}"
        self.place = device or self.address
        self.key = f"user:{user_id}" if user_id is not None else self.address
        self.tier = _PLANS[plan or "FREE"] if user_id is not None else "anonymous"


def rule_for(limits: Limits, name: Counted, of: str) -> Rule:
    """The limit of one account, source or project; `of` itself is kept nowhere."""
    digest = hashlib.sha256(of.encode()).hexdigest()[:32]
    return Rule(f"{name}:of:{digest}", *_numbers(getattr(limits, name)))


def _rule(limits: Limits, name: str, asking: Asking) -> Rule:
    key = _place(name, asking) if name in _BY_ADDRESS else asking.key
    if name == _TIER:
        return Rule(f"{name}:{key}", *_numbers(getattr(limits, asking.tier)))
    limit, window = _numbers(getattr(limits, name))
    if name in _GROWING:
        limit = _in_proportion(limits, limit, asking.tier)
    return Rule(f"{name}:{key}", limit, window)


def _place(name: str, asking: Asking) -> str:
    return asking.place if name in TRIED else asking.address


def _in_proportion(limits: Limits, base: int, tier: str) -> int:
    """The base is for FREE; others get as much more, or less, as of requests in all (B-073)."""
    theirs, their_window = _numbers(getattr(limits, tier))
    free, free_window = _numbers(limits.free)
    return max(base * theirs * free_window // (free * their_window), 1)


@lru_cache(maxsize=256)
def _numbers(rate: str) -> tuple[int, int]:
    limit, _, window = rate.partition("/")
    return int(limit), int(window)
