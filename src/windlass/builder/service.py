"""What the builder does, all of it by `windlass.charts`: no database, nothing is stored.

The library is imported when it is needed, and its work is done in a thread.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from windlass.builder import schemas
from windlass.builder.errors import AlreadyMended, NoSuchField, NoSuchRule, NotInForm, NoWorkload
from windlass.core.errors import ValidationFailed

if TYPE_CHECKING:
    from windlass.charts.checks.engine import Finding, Options, Report
    from windlass.charts.checks.rule import Rule
    from windlass.charts.documents import Problem
    from windlass.charts.form.flaws import Flaw
    from windlass.charts.model import Application

T = TypeVar("T")
Data = dict[str, Any]
_MOST = 200
_LONGEST = 400


async def in_thread(work: Callable[..., T], *args: object) -> T:
    """Reading and checking takes the processor for a while; others are answered meanwhile."""
    return await asyncio.to_thread(work, *args)


def generate(wanted: schemas.GenerateIn) -> schemas.GenerateOut:
    """The manifests of a form, checked."""
    return _generated(_application(wanted.form)[1], options_of(wanted))


def check(wanted: schemas.CheckIn) -> schemas.CheckOut:
    """Everything that is wrong with manifests, unreadable ones included."""
    return _checked(wanted.yaml, options_of(wanted, namespace=wanted.namespace))


def fix(wanted: schemas.FixIn) -> schemas.FixOut:
    """One finding mended, or all that have one answer."""
    if wanted.form is not None:
        return _in_form(wanted, wanted.form)
    from windlass.charts import fixes
    from windlass.charts.documents import NotEditable, edit

    options = options_of(wanted)
    if not wanted.rule:
        done = fixes.mend({"": wanted.yaml}, options)
        found = _checked(done.texts[""], options)
        return _fixed(found, done.texts[""], None, len(done.mended))
    finding = _finding(_report(wanted.yaml, options), wanted)
    try:
        text = edit(wanted.yaml, finding.fix, document=finding.document)
    except NotEditable as error:
        raise AlreadyMended() from error
    return _fixed(_checked(text, options), text, None, 1)


def _in_form(wanted: schemas.FixIn, form: Data) -> schemas.FixOut:
    from windlass.charts.documents import dump
    from windlass.charts.form import mending, texts
    from windlass.charts.generate import manifests

    options = options_of(wanted)
    data, app = _application(form)
    mended = 0
    for _ in range(_MOST):
        report = _report(dump(*manifests(app)), options)
        found = [_finding(report, wanted)] if wanted.rule else [f for f in report.counted if f.fix]
        for one in found:
            try:
                data = mending.mended(data, app, one, options)
            except mending.Unfixable:
                if wanted.rule:
                    raise NotInForm() from None
                continue
            mended += 1
            break
        else:
            break
        app = _application(data)[1]
        if wanted.rule:
            break
    made = _generated(app, options)
    return _fixed(made, made.yaml, texts.shown(data), mended)


def recover(wanted: schemas.RecoverIn) -> schemas.RecoverOut:
    """A form that makes exactly these manifests again."""
    import msgspec

    from windlass.charts.documents import read, resources
    from windlass.charts.form import recover as recovering
    from windlass.charts.form import texts
    from windlass.charts.model import Manifest

    listed = resources(read(wanted.yaml))
    if listed.problems or not listed.resources:
        raise _unreadable("yaml", listed.problems or [])
    app = recovering.form(one.data for one in listed.resources)
    kept = sum(isinstance(one, Manifest) for one in app.resources)
    return schemas.RecoverOut(form=texts.shown(msgspec.to_builtins(app)), kept=kept)


def compose(wanted: schemas.ComposeIn) -> schemas.ComposeOut:
    """The form of a compose file, and what became of each line."""
    from windlass.charts import compose as composing
    from windlass.charts.documents import Unreadable
    from windlass.charts.form import texts

    try:
        made = composing.convert(wanted.compose)
    except Unreadable as error:
        raise _unreadable("compose", error.problems) from error
    notes = [
        schemas.NoteOut(
            path=one.path,
            line=one.line,
            verdict=one.verdict.value,
            message=one.message,
            hint=one.hint,
        )
        for one in made.notes
    ]
    return schemas.ComposeOut(form=texts.shown(made.form), notes=notes)


def model() -> Data:
    """The form as pages draw it, with its titles in the language of who reads."""
    import msgspec

    from windlass.charts.form import fields

    return msgspec.to_builtins(fields.model())


def versions() -> list[str]:
    """The versions of Kubernetes that manifests can be checked against, oldest first."""
    from windlass.charts import schemas as known

    return known.versions()


def field(api_version: str, kind: str, path: str) -> schemas.FieldOut:
    """What Kubernetes says about a field, its path with dots."""
    from windlass.charts.describe import brief, describe

    found = describe(api_version, kind, tuple(part for part in path.split(".") if part))
    if found is None:
        raise NoSuchField(kind=kind[:100], path=path[:200])
    return schemas.FieldOut(
        name=found.name,
        type=found.type,
        description=brief(found.description, _LONGEST),
        options=found.options,
        fields=found.fields,
        required=found.required,
    )


def rules() -> list[schemas.RuleOut]:
    """Every rule of the catalogue."""
    from windlass.charts.checks import engine

    return [_rule(one) for one in engine.rules().values()]


def rule(name: str) -> schemas.RuleOut:
    from windlass.charts.checks import engine

    if name not in engine.rules():
        raise NoSuchRule(name=name[:100])
    return _rule(engine.rules()[name])


def _rule(one: "Rule") -> schemas.RuleOut:
    from windlass.charts.checks.rule import Profile

    found = {profile.value: one.in_profile(profile) for profile in Profile}
    return schemas.RuleOut(
        id=one.id,
        title=one.title,
        why=one.why,
        how=one.how,
        group=one.group,
        severities={name: found.value if found else "off" for name, found in found.items()},
        optional=one.is_optional,
        bad=one.bad,
        good=one.good,
        references=list(one.references),
    )


def options_of(wanted: schemas.ChecksIn, *, namespace: str = "") -> "Options":
    from windlass.charts import schemas as known
    from windlass.charts.checks.engine import Options
    from windlass.charts.checks.rule import Profile

    if wanted.kubernetes:
        try:
            known.of(wanted.kubernetes)
        except known.UnknownVersion as error:
            raise ValidationFailed(
                fields=[{"field": "kubernetes", "message": str(error)}]
            ) from error
    return Options(
        profile=Profile(wanted.profile), kubernetes=wanted.kubernetes, namespace=namespace
    )


def _application(form: Data) -> "tuple[Data, Application]":
    """The form's data with its texts read, and the application; raises with every flaw."""
    from windlass.charts import form as forms
    from windlass.charts.form import texts

    data, flaws = texts.opened(form)
    app, found = forms.parse(data)
    if flaws or found or app is None:
        if not flaws and all(one.code == "no-workload" for one in found):
            raise NoWorkload()
        raise ValidationFailed(fields=[_field(one) for one in [*flaws, *found][:_MOST]])
    return data, app


def _field(flaw: "Flaw") -> dict[str, str]:
    message = f"{flaw.message[:1].upper()}{flaw.message[1:]}. {flaw.hint}"
    return {"field": ".".join(map(str, flaw.path)) or "form", "message": message}


def _unreadable(field: str, problems: "list[Problem]") -> ValidationFailed:
    fields = [
        {
            "field": field,
            "message": f"Line {one.line}: {one.message}. {one.hint}",
            "line": str(one.line),
        }
        for one in problems[:_MOST]
    ]
    empty = [{"field": field, "message": "There is no Kubernetes object in it", "line": "1"}]
    return ValidationFailed(fields=fields or empty)


def _report(text: str, options: "Options") -> "Report":
    from windlass.charts.checks import engine
    from windlass.charts.documents import read

    return engine.check([read(text)], options)


def _finding(report: "Report", wanted: schemas.FixIn) -> "Finding":
    path = tuple(wanted.path)
    for one in report.counted:
        if (one.rule, one.document, one.path) == (wanted.rule, wanted.document, path) and one.fix:
            return one
    raise AlreadyMended()


def _generated(app: "Application", options: "Options") -> schemas.GenerateOut:
    from windlass.charts.documents import dump
    from windlass.charts.form import places
    from windlass.charts.generate import manifests

    made = manifests(app)
    text = dump(*made)
    found = _checked(text, options)
    for document, origin in zip(found.documents, places.origins(app, made), strict=True):
        document.form_path = list(origin.path)
        document.is_generated = origin.is_generated
    origins = places.origins(app, made)
    for one in found.findings:
        if one.document < len(origins):
            one.form_path = list(places.place(app, origins[one.document], tuple(one.path)))
    return schemas.GenerateOut(
        yaml=text,
        documents=found.documents,
        findings=found.findings,
        counts=found.counts,
        complete=found.complete,
    )


def _fixed(found: schemas.CheckOut, text: str, form: Data | None, mended: int) -> schemas.FixOut:
    return schemas.FixOut(
        yaml=text,
        form=form,
        mended=mended,
        documents=found.documents,
        findings=found.findings,
        counts=found.counts,
        complete=found.complete,
    )


def _checked(text: str, options: "Options") -> schemas.CheckOut:
    from windlass.charts.checks import engine
    from windlass.charts.checks.rule import Severity
    from windlass.charts.documents import read, resources

    reading = read(text)
    report = engine.check([reading], options)
    documents = [
        schemas.DocumentOut(
            kind=one.kind, name=one.name, namespace=one.namespace, line=one.where(()).line
        )
        for one in resources(reading).resources
    ]
    counts = {severity.value: report.count(severity) for severity in Severity}
    skipped = len(report.findings) - len(report.counted)
    return schemas.CheckOut(
        documents=documents,
        findings=[_told(one) for one in report.findings],
        counts=schemas.CountsOut(**counts, skipped=skipped),
        complete=report.is_complete,
    )


def _told(one: "Finding") -> schemas.FindingOut:
    return schemas.FindingOut(
        rule=one.rule,
        severity=one.severity.value,
        message=one.message,
        how=one.hint,
        kind=one.kind,
        name=one.name,
        namespace=one.namespace,
        document=one.document,
        path=list(one.path),
        form_path=[],
        line=one.line,
        column=one.column,
        fixable=bool(one.fix),
        skipped=one.skipped,
    )
