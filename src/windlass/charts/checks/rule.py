"""A rule: what it looks at, why it matters, how to mend it, with examples that are its test."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import msgspec

from windlass.charts.documents import Change, Delete, Insert, Path, Rename, Set


class Severity(StrEnum):
    """An error blocks, a warning asks for confirmation, information is only said."""

    error = "error"
    warning = "warning"
    info = "info"


class Profile(StrEnum):
    """Whose rules: for every application, hardened, made to last, or a place to try things."""

    baseline = "baseline"
    restricted = "restricted"
    production = "production"
    lab = "lab"


class Scope(StrEnum):
    """What a rule's function is called with."""

    resource = "resource"
    pod = "pod"
    container = "container"


class Found(msgspec.Struct):
    """One place that breaks a rule, within its object. Without a severity the rule's counts."""

    message: str
    path: Path
    fix: tuple[Change, ...] = ()
    severity: Severity | None = None


Function = Callable[..., Iterable[Found]]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the catalogue."""

    id: str
    title: str
    why: str
    how: str
    group: str
    severity: Severity
    scope: Scope
    kinds: frozenset[str]
    check: Function
    bad: str
    good: str
    references: tuple[str, ...] = ()
    profiles: dict[Profile, Severity | None] = {}
    """Where the severity differs; None switches the rule off."""
    is_optional: bool = False
    """Runs only when asked for by name or with all rules: a matter of taste or of other rules."""

    def in_profile(self, profile: Profile) -> Severity | None:
        if profile in self.profiles:
            return self.profiles[profile]
        return self.severity


RULES: dict[str, Rule] = {}

E, W, I = Severity.error, Severity.warning, Severity.info  # noqa: E741 - the catalogue's letters
# How a rule's severity changes with the profile, by kind of rule.
HARDENING = {Profile.restricted: E, Profile.lab: I}
COMFORT = {Profile.lab: I}
LASTING = {Profile.production: W, Profile.lab: None}
ISOLATION = {Profile.lab: W}


def rule(
    id: str,
    title: str,
    *,
    group: str,
    severity: Severity,
    why: str,
    how: str,
    bad: str,
    good: str,
    scope: Scope = Scope.resource,
    kinds: str = "",
    references: tuple[str, ...] = (),
    profiles: dict[Profile, Severity | None] | None = None,
    optional: bool = False,
) -> Callable[[Function], Function]:
    """Declares a rule. `kinds` names those whose objects it looks at; none means all."""

    def declare(function: Function) -> Function:
        assert id not in RULES, id  # noqa: S101 - a mistake of ours, found by every test
        RULES[id] = Rule(
            id=id,
            title=title,
            why=why,
            how=how,
            group=group,
            severity=severity,
            scope=scope,
            kinds=frozenset(kinds.split()),
            check=function,
            bad=bad,
            good=good,
            references=references,
            profiles=profiles or {},
            is_optional=optional,
        )
        return function

    return declare


def settings(**given: Any) -> Callable[..., Callable[[Function], Function]]:
    """`rule` with some keywords filled in, for a module of rules of one kind."""

    def declared(id: str, title: str, **more: Any) -> Callable[[Function], Function]:
        return rule(id, title, **{**given, **more})

    return declared


__all__ = [
    "COMFORT",
    "HARDENING",
    "ISOLATION",
    "LASTING",
    "RULES",
    "Change",
    "Delete",
    "E",
    "Found",
    "I",
    "Insert",
    "Path",
    "Profile",
    "Rename",
    "Rule",
    "Scope",
    "Set",
    "Severity",
    "W",
    "rule",
    "settings",
]
