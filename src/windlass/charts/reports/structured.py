"""JSON for programs: counts, and every finding with its place."""

import msgspec

from windlass.charts.checks.engine import Finding, Report, dotted
from windlass.charts.checks.rule import Severity


def render(report: Report) -> str:
    whole = {
        "objects": len(report.objects),
        "counts": {
            **{word.value: report.count(word) for word in Severity},
            "skipped": len(report.findings) - len(report.counted),
        },
        "complete": report.is_complete,
        "findings": [as_table(one) for one in report.findings],
    }
    return msgspec.json.encode(whole).decode() + "\n"


def as_table(one: Finding) -> dict[str, object]:
    return {
        "rule": one.rule,
        "severity": one.severity.value,
        "message": one.message,
        "how": one.hint,
        "kind": one.kind,
        "name": one.name,
        "namespace": one.namespace,
        "path": dotted(one.path),
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "fixable": bool(one.fix),
        "skipped": one.skipped,
        "values": list(one.values),
    }
