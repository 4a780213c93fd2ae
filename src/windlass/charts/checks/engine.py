"""Runs the rules over a set of objects: every violation becomes a finding with its place."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

import msgspec

from windlass.charts import schemas as known
from windlass.charts.checks.rule import RULES, Found, Profile, Rule, Scope, Severity
from windlass.charts.checks.views import Object, text
from windlass.charts.checks.world import World
from windlass.charts.documents import Change, Document, Path, Reading, Resource, resources
from windlass.charts.schemas import Schemas

SKIP = "checks.windlass.dev/skip-"
SKIP_ALL = "checks.windlass.dev/skip"
UNREADABLE = "yaml"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to check."""

    profile: Profile = Profile.baseline
    kubernetes: str = ""
    """The version that the objects are meant for; empty is the newest."""
    only: frozenset[str] = frozenset()
    """Rules to run, and no others."""
    without: frozenset[str] = frozenset()
    with_optional: bool = False
    namespace: str = ""
    """Where objects go that name no namespace."""
    registries: tuple[str, ...] = ()
    """Trusted registries, such as `registry.example.com` or `ghcr.io/acme`; none trusts all."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One violation, or one thing that cannot be read, and where it stands."""

    rule: str
    severity: Severity
    message: str
    kind: str = ""
    name: str = ""
    namespace: str = ""
    path: Path = ()
    """From the top of the object."""
    file: str = ""
    line: int = 1
    column: int = 1
    document: int = 0
    fix: tuple[Change, ...] = ()
    """Changes of the document, with paths from its top, that make the finding go away."""
    skipped: str | None = None
    """The reason why somebody suppressed it; it counts for nothing then."""
    hint: str = ""
    values: tuple[str, ...] = ()
    """For what a Helm chart made: the keys of its values that decide it, where that is known."""


class Checked(msgspec.Struct, frozen=True):
    """One object that was looked at."""

    kind: str
    name: str
    namespace: str
    file: str


class Report(msgspec.Struct, frozen=True):
    """What a check found, in the order of files and lines."""

    findings: list[Finding]
    objects: list[Checked]

    @property
    def counted(self) -> list[Finding]:
        return [one for one in self.findings if one.skipped is None]

    def count(self, severity: Severity) -> int:
        return sum(one.severity is severity for one in self.counted)

    @property
    def has_errors(self) -> bool:
        return self.count(Severity.error) > 0

    @property
    def is_complete(self) -> bool:
        """Everything could be read."""
        return all(one.rule != UNREADABLE for one in self.findings)


class UnknownRule(ValueError):
    """No rule has that name."""


DEFAULT = Options()


@lru_cache(1)
def rules() -> dict[str, Rule]:
    """Every rule of the catalogue, by its id."""
    from windlass.charts import rules as modules

    modules.load()
    return RULES


def check(
    readings: Iterable[Reading], options: Options = DEFAULT, *, extra: Schemas | None = None
) -> Report:
    """Checks what was read, all of it as one application. Raises UnknownRule and UnknownVersion."""
    found: list[Finding] = []
    objects: list[Resource] = []
    for reading in readings:
        listed = resources(reading)
        objects += listed.resources
        found += [
            Finding(
                rule=UNREADABLE,
                severity=Severity.error,
                message=problem.message,
                hint=problem.hint,
                file=problem.file,
                line=problem.line,
                column=problem.column,
                document=problem.document,
            )
            for problem in listed.problems
        ]
    found += check_resources(objects, options, extra=extra)
    found.sort(key=lambda one: (one.file, one.line, one.column, one.rule))
    looked_at = [Checked(one.kind, one.name, one.namespace, one.document.file) for one in objects]
    return Report(found, looked_at)


def check_resources(
    objects: list[Resource], options: Options, *, extra: Schemas | None = None
) -> list[Finding]:
    """The findings for objects that were read."""
    chosen = extra or known.of(options.kubernetes or known.newest())
    defined = [one.data for one in objects if one.kind == "CustomResourceDefinition"]
    if defined:
        chosen = chosen.with_added(known.from_definitions(defined))
    world = World(objects, chosen, namespace=options.namespace, registries=options.registries)
    selected = _selected(options)
    found: list[Finding] = []
    document: Document | None = None
    for owner in world.objects:
        if document is not None and document is not owner.resource.document:
            document.release()
        document = owner.resource.document
        found += _of_object(owner, selected, options.profile)
    return found


def _selected(options: Options) -> "Selection":
    every = rules()
    for name in (*options.only, *options.without):
        if name not in every:
            raise UnknownRule(
                f"There is no rule `{name}`. `windlass charts explain` lists them all."
            )
    return Selection(
        rule
        for rule in every.values()
        if rule.id not in options.without
        and (
            rule.id in options.only
            if options.only
            else options.with_optional or not rule.is_optional
        )
        and (rule.in_profile(options.profile) is not None or rule.id in options.only)
    )


class Selection:
    """The rules of a check, ready by kind: most kinds interest only few of them."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = list(rules)
        self._by_kind: dict[str, tuple[list[Rule], list[Rule], list[Rule]]] = {}

    def of(self, kind: str) -> tuple[list[Rule], list[Rule], list[Rule]]:
        """Rules for the object, for its pod, for each of its containers."""
        if kind not in self._by_kind:
            fitting = [rule for rule in self._rules if not rule.kinds or kind in rule.kinds]
            self._by_kind[kind] = (
                [rule for rule in fitting if rule.scope is Scope.resource],
                [rule for rule in fitting if rule.scope is Scope.pod],
                [rule for rule in fitting if rule.scope is Scope.container],
            )
        return self._by_kind[kind]


def _of_object(owner: Object, selected: Selection, profile: Profile) -> Iterator[Finding]:
    for_object, for_pod, for_container = selected.of(owner.kind)
    for rule in for_object:
        for found in rule.check(owner):
            yield _finding(owner, rule, found, profile)
    pod = owner.pod
    if pod is None:
        return
    for rule in for_pod:
        for found in rule.check(pod):
            yield _finding(owner, rule, found, profile)
    for container in pod.containers:
        for rule in for_container:
            for found in rule.check(container):
                yield _finding(owner, rule, found, profile)


def _finding(owner: Object, rule: Rule, found: Found, profile: Profile) -> Finding:
    resource = owner.resource
    place = resource.where(found.path)
    return Finding(
        rule=rule.id,
        severity=_severity(rule, found, profile),
        message=found.message,
        kind=owner.kind,
        name=owner.name,
        namespace=owner.namespace,
        path=found.path,
        file=resource.document.file,
        line=place.line,
        column=place.column,
        document=resource.document.index,
        fix=_moved(found.fix, resource.path),
        skipped=_skipped(owner, rule.id),
        hint=rule.how,
    )


def _severity(rule: Rule, found: Found, profile: Profile) -> Severity:
    """The rule's severity in this profile; a place may be milder than that, never worse."""
    severity = rule.in_profile(profile) or rule.severity
    if found.severity is not None and ORDER.index(found.severity) < ORDER.index(severity):
        return found.severity
    return severity


ORDER = (Severity.info, Severity.warning, Severity.error)


def _moved(changes: tuple[Change, ...], top: Path) -> tuple[Change, ...]:
    """Changes of an object as changes of the document that it stands in."""
    if not top or not changes:
        return changes
    return tuple(msgspec.structs.replace(one, path=(*top, *one.path)) for one in changes)


def _skipped(owner: Object, rule: str) -> str | None:
    """The reason in an annotation of the object or of its pod template. No reason, no exception."""
    pod = owner.pod
    for annotations in (owner.annotations, pod.annotations if pod is not None else {}):
        if not annotations:
            continue
        if reason := text(annotations.get(f"{SKIP}{rule}")).strip():
            return reason
        if reason := text(annotations.get(SKIP_ALL)).strip():
            return reason
    return None


def is_suppression(key: str) -> bool:
    return key == SKIP_ALL or key.startswith(SKIP)


_INDEX = re.compile(r"[.\s'\"]")


def dotted(path: Path) -> str:
    """A path as people write it: `spec.containers[0].image`."""
    parts = [
        f"[{part}]" if isinstance(part, int) or _INDEX.search(part) else f".{part}" for part in path
    ]
    return "".join(parts).removeprefix(".")
