"""Fails on a skipped test that is not allowed, and on one that is allowed but ran; counts all.

usage: python .ci/skips.py REPORT.xml… ALLOWED.txt

A line of ALLOWED is the name of a test and, after two spaces, why it may be skipped. A line that
begins with `?` may run or be skipped, depending on the machine.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(reports: list[Path], allowed: Path) -> int:
    """Prints the counts; returns the exit code."""
    # The reports were written by our own test runs a moment ago.
    cases = [case for report in reports for case in ElementTree.parse(report).iter("testcase")]
    skipped = {_name(case): _reason(case) for case in cases if case.find("skipped") is not None}
    failed = [
        case for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    must, may = _read(allowed)
    surprising = {name: why for name, why in skipped.items() if name not in must | may}
    for name, reason in surprising.items():
        print(f"skipped, and not in {allowed}: {name}: {reason}")
    stale = must - skipped.keys()
    for name in sorted(stale):
        print(f"in {allowed}, but it was not skipped: {name}")
    passed = len(cases) - len(skipped) - len(failed)
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if surprising or stale or failed or not passed else 0


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def _reason(case: ElementTree.Element) -> str:
    skipped = case.find("skipped")
    return (skipped.get("message") or "") if skipped is not None else ""


def _read(allowed: Path) -> tuple[set[str], set[str]]:
    must: set[str] = set()
    may: set[str] = set()
    for line in allowed.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, reason = line.partition("  ")
        if not reason.strip():
            raise SystemExit(f"{allowed}: {name} has no reason")
        (may if name.startswith("?") else must).add(name.removeprefix("?").strip())
    return must, may


if __name__ == "__main__":
    *found, last = (Path(name) for name in sys.argv[1:])
    sys.exit(main(found, last))
