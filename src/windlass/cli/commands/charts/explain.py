"""`windlass charts explain`: a rule in full, or all of them in a line each."""

import json
from typing import TYPE_CHECKING

import click

from windlass.cli.errors import CliError
from windlass.cli.session import Session, standard

if TYPE_CHECKING:
    from windlass.charts.checks.rule import Rule

EPILOG = """\b
Examples:
  windlass charts explain
  windlass charts explain image-tag"""


class NoSuchRule(CliError):
    """There is no rule {name}.{hint}"""

    fix = "All of them: windlass charts explain"
    exit_code = 2


@click.command("explain", epilog=EPILOG, help="Show a rule, or all of them.")
@click.argument("rule", required=False)
@standard
@click.pass_obj
def command(session: Session, rule: str | None) -> None:
    from windlass.charts.checks import engine

    every = engine.rules()
    if rule is None:
        rows = [(one.id, one.severity.value, one.title) for one in every.values()]
        session.table(["RULE", "SEVERITY", "WHAT IT FINDS"], rows)
        session.result(json.dumps([_as_table(one) for one in every.values()]).encode())
        return
    if rule not in every:
        import difflib

        near = difflib.get_close_matches(rule, every, n=1)
        raise NoSuchRule(name=rule, hint=f" Did you mean {near[0]}?" if near else "")
    for line in _page(every[rule]):
        session.say(line)
    session.result(json.dumps(_as_table(every[rule])).encode())


def _page(rule: "Rule") -> list[str]:
    severities = ", ".join(f"{name} {severity}" for name, severity in _severities(rule).items())
    return [
        f"{rule.id}: {rule.title}",
        "",
        f"Why: {rule.why}",
        f"What to do: {rule.how}",
        f"Severity: {severities}",
        *(["It runs only when asked for (--rule or --all)."] if rule.is_optional else []),
        "",
        "It finds:",
        *(f"  {line}" for line in rule.bad.splitlines()),
        "",
        "It is content with:",
        *(f"  {line}" for line in rule.good.splitlines()),
        "",
        f"To let it pass: metadata.annotations: checks.windlass.dev/skip-{rule.id}: the reason",
        *(f"More: {link}" for link in rule.references),
    ]


def _severities(rule: "Rule") -> dict[str, str]:
    from windlass.charts.checks.rule import Profile

    found = {profile.value: rule.in_profile(profile) for profile in Profile}
    return {name: severity.value if severity else "off" for name, severity in found.items()}


def _as_table(rule: "Rule") -> dict[str, object]:
    return {
        "id": rule.id,
        "title": rule.title,
        "why": rule.why,
        "how": rule.how,
        "group": rule.group,
        "severities": _severities(rule),
        "optional": rule.is_optional,
        "references": list(rule.references),
    }
