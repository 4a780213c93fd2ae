"""SARIF 2.1.0, as code hosts and editors show it beside the lines.

Standard: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import hashlib

import msgspec

from windlass import __version__
from windlass.charts.checks.engine import Finding, Report, dotted, rules
from windlass.charts.checks.rule import Rule, Severity

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.error: "error", Severity.warning: "warning", Severity.info: "note"}


def render(report: Report) -> str:
    broken = sorted({one.rule for one in report.findings})
    known = rules()
    driver = {
        "name": "windlass",
        "version": __version__,
        "rules": [_rule(name, known.get(name)) for name in broken],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": report.is_complete}],
        "results": [_result(one, broken.index(one.rule)) for one in report.findings],
    }
    whole = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"


def _rule(name: str, rule: Rule | None) -> dict[str, object]:
    if rule is None:
        said = {"text": "A document that cannot be read"}
        return {"id": name, "shortDescription": said, "defaultConfiguration": {"level": "error"}}
    shown: dict[str, object] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": rule.how, "markdown": f"{rule.why}\n\n**What to do:** {rule.how}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": ["kubernetes", rule.group]},
    }
    if rule.references:
        shown["helpUri"] = rule.references[0]
    return shown


def _result(one: Finding, index: int) -> dict[str, object]:
    named = f"{one.kind}/{one.namespace}/{one.name}"
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": one.file.replace("\\", "/") or "stdin"},
            "region": {"startLine": one.line, "startColumn": one.column},
        },
        "logicalLocations": [
            {
                "name": one.name,
                "kind": "resource",
                "fullyQualifiedName": f"{named}:{dotted(one.path)}",
            }
        ],
    }
    mark = f"{one.rule} {named} {dotted(one.path)}".encode()
    shown: dict[str, object] = {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": LEVELS[one.severity],
        "message": {"text": f"{one.kind} {one.name}: {one.message}" if one.kind else one.message},
        "locations": [place],
        "partialFingerprints": {"windlass/v1": hashlib.sha256(mark).hexdigest()[:32]},
    }
    if one.skipped is not None:
        shown["suppressions"] = [{"kind": "inSource", "justification": one.skipped}]
    return shown
