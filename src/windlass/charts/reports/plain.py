"""One line for each finding, as compilers and editors have it: file:line:column: what."""

from windlass.charts.checks.engine import Finding, Report
from windlass.charts.checks.rule import Severity


def render(report: Report) -> str:
    lines: list[str] = []
    for one in report.findings:
        lines.append(line(one))
        if one.severity is not Severity.info and one.skipped is None:
            lines.append(f"    {one.hint}")
            if one.values:
                lines.append(f"    Set it in the chart's values: {', '.join(one.values)}")
    return "".join(f"{each}\n" for each in [*lines, summary(report)])


def line(one: Finding) -> str:
    place = f"{one.file or '-'}:{one.line}:{one.column}"
    about = f"{one.kind} {one.name}: " if one.kind else ""
    if one.skipped is not None:
        return f"{place}: skipped: {about}{one.message} [{one.rule}] ({one.skipped})"
    return f"{place}: {one.severity}: {about}{one.message} [{one.rule}]"


def summary(report: Report) -> str:
    """How much was looked at and found, on one line."""
    counts = ", ".join(
        f"{number} {word}{'' if number == 1 or word == 'info' else 's'}"
        for word in Severity
        if (number := report.count(word)) or word is Severity.error
    )
    skipped = len(report.findings) - len(report.counted)
    parts = [f"{len(report.objects)} object{'' if len(report.objects) == 1 else 's'}: {counts}"]
    if skipped:
        parts.append(f"{skipped} skipped")
    fixable = sum(bool(one.fix) for one in report.counted)
    mend = f" {fixable} can be mended: windlass charts fix." if fixable else ""
    return f"{', '.join(parts)}.{mend}"
