"""JUnit's XML, as CI systems show it: a suite for each object, a case for each broken rule."""

from xml.sax.saxutils import escape, quoteattr

from windlass.charts.checks.engine import Finding, Report
from windlass.charts.checks.rule import Severity
from windlass.charts.reports.plain import line


def render(report: Report) -> str:
    suites: dict[tuple[str, str, str, str], list[Finding]] = {
        (one.file, one.kind, one.namespace, one.name): [] for one in report.objects
    }
    for one in report.findings:
        suites.setdefault((one.file, one.kind, one.namespace, one.name), []).append(one)
    parts = [_suite(key, findings) for key, findings in suites.items()]
    total = sum(max(len(findings), 1) for findings in suites.values())
    failed = sum(_is_failure(one) for one in report.findings)
    head = f'<testsuites name="windlass charts check" tests="{total}" failures="{failed}">\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{"".join(parts)}</testsuites>\n'


def _suite(key: tuple[str, str, str, str], findings: list[Finding]) -> str:
    file, kind, namespace, name = key
    title = " ".join(part for part in (kind, f"{namespace}/{name}" if namespace else name) if part)
    failed = sum(_is_failure(one) for one in findings)
    skipped = sum(one.skipped is not None for one in findings)
    cases = [_case(one) for one in findings] or ['    <testcase name="all rules"/>\n']
    return (
        f"  <testsuite name={_attribute(title or file)} file={_attribute(file)}"
        f' tests="{len(cases)}" failures="{failed}" skipped="{skipped}">\n{"".join(cases)}'
        "  </testsuite>\n"
    )


def _case(one: Finding) -> str:
    head = f"    <testcase name={_attribute(one.rule)} file={_attribute(one.file)}"
    head += f' line="{one.line}">\n'
    if one.skipped is not None:
        body = f"      <skipped message={_attribute(one.skipped)}/>\n"
    elif _is_failure(one):
        text = escape(_clean(f"{line(one)}\n{one.hint}"))
        message = _attribute(one.message)
        body = f'      <failure type="{one.severity}" message={message}>{text}</failure>\n'
    else:
        body = f"      <system-out>{escape(_clean(line(one)))}</system-out>\n"
    return f"{head}{body}    </testcase>\n"


def _is_failure(one: Finding) -> bool:
    return one.skipped is None and one.severity is not Severity.info


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff"))
