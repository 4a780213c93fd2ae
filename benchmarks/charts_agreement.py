"""How often our rules say the same as the test suites of other checkers, for the rules we share.

FOLDER holds checkouts of the peers, or the parts of them that are read, under these names:

    kube-linter/            tests/checks/*.yml: objects called dont-fire* are good, others are bad
    polaris/                test/checks/CHECK/{success,failure}*.yaml
    kube-score/             score/testdata/*.yaml with the grades that score/*_test.go expect
    checkov/                tests/kubernetes/checks/example_CHECK/*{PASSED,FAILED}*.yaml
    trivy-checks/           checks/kubernetes/**/*_test.rego: `deny with input as {…}` and its count
    pod-security-admission/ test/testdata/LEVEL/VERSION/{pass,fail}/*.yaml

Nothing of them is part of this repository. A case agrees when our rule finds something where the
peer's does, and nothing where it does not.

    .venv/bin/python -m benchmarks.charts_agreement FOLDER [--all]
"""

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import yaml

from benchmarks.charts_peers import PEERS
from windlass.charts import schemas
from windlass.charts.checks import engine
from windlass.charts.checks import pod_security as pss
from windlass.charts.checks.engine import Options
from windlass.charts.checks.world import World
from windlass.charts.documents import read, resources

ON_PURPOSE = Path(__file__).with_name("charts_differences.txt")


class Case(msgspec.Struct, frozen=True):
    """One expectation of a peer: `check` finds something in these objects, or it does not."""

    peer: str
    check: str
    name: str
    text: str
    is_bad: bool
    only: str = ""
    """Names of the objects that are asked about begin with this; or, with `!`, do not."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="list what agrees as well")
    given = parser.parse_args()
    known = known_differences()
    tables: dict[str, list[tuple[Case, bool]]] = {}
    for case in cases(given.folder):
        tables.setdefault(case.peer, []).append((case, found(case) == case.is_bad))
    total = agreed = excused = 0
    for peer, table in tables.items():
        right = sum(one for _, one in table)
        print(f"{peer:<24} {right:4} of {len(table):4} agree: {right / len(table):.1%}")
        for case, agrees in table:
            label = f"{peer} {case.check} {case.name}"
            why = next((why for start, why in known if label.startswith(start)), "")
            excused += bool(why) and not agrees
            if given.all or not agrees:
                wanted = "bad" if case.is_bad else "good"
                print(f"    {'ok ' if agrees else 'NOT'} {label} ({wanted}) {why and '— ' + why}")
        total, agreed = total + len(table), agreed + right
    if total:
        print(f"{'all':<24} {agreed:4} of {total:4} agree: {agreed / total:.1%} (goal: 95 %)")
        print(f"of {total - agreed} disagreements, {excused} are on purpose ({ON_PURPOSE.name})")


def known_differences() -> list[tuple[str, str]]:
    """(beginning of `peer check case`, why we decide otherwise)."""
    lines = ON_PURPOSE.read_text().splitlines()
    pairs = [line.split(" — ", 1) for line in lines if " — " in line and line[0] != "#"]
    return [(start.strip(), why.strip()) for start, why in pairs]


def found(case: Case) -> bool:
    """Whether ours find something."""
    if case.peer == "pod-security-admission":
        return _refused(case)
    rules = frozenset(PEERS[case.peer][case.check])
    report = engine.check([read(case.text)], Options(only=rules, namespace="default"))
    asked = [one for one in report.counted if _is_asked(case.only, one.name)]
    return any(one.rule in rules for one in asked)


def _is_asked(only: str, name: str) -> bool:
    if only.startswith("!"):
        return not name.startswith(only[1:])
    return name.startswith(only)


def _refused(case: Case) -> bool:
    level, version = case.check.split("/")
    known = schemas.of(schemas.newest())
    number = tuple(int(part) for part in version.removeprefix("v").split("."))
    world = World(resources(read(case.text)).resources, known)
    return any(pss.violations(pod, pss.Level(level), number) for pod in world.pods)


# -- the peers' layouts ----------------------------------------------------------------------------


def cases(folder: Path) -> Iterator[Case]:
    yield from kube_linter(folder / "kube-linter")
    yield from polaris(folder / "polaris")
    yield from kube_score(folder / "kube-score")
    yield from checkov(folder / "checkov")
    yield from trivy(folder / "trivy-checks")
    yield from admission(folder / "pod-security-admission")


def kube_linter(folder: Path) -> Iterator[Case]:
    for file in _files(folder / "tests" / "checks"):
        check, text = file.stem, file.read_text()
        if check not in PEERS["kube-linter"]:
            continue
        if "dont-fire" in text:
            yield Case("kube-linter", check, f"{file.name} dont-fire", text, False, "dont-fire")
        yield Case("kube-linter", check, file.name, text, True, "!dont-fire")


def polaris(folder: Path) -> Iterator[Case]:
    for file in _files(folder / "test" / "checks", deep=True):
        check = file.parent.name
        if check in PEERS["polaris"] and file.name.startswith(("success", "failure")):
            is_bad = file.name.startswith("failure")
            yield Case("polaris", check, file.name, file.read_text(), is_bad)


SCORE = re.compile(
    r'testExpectedScore\w*\(\s*\w+,\s*(?:\[\]ks\.NamedReader\{testFile\()?"([\w.-]+)"\)?\}?,'
    r'[^"()]*(?:nil,[^"]*)?"([^"]+)",\s*(?:scorecard\.Grade(\w+)|(\d+))'
)


def kube_score(folder: Path) -> Iterator[Case]:
    for test in sorted((folder / "score").glob("*_test.go")):
        for name, check, grade, number in SCORE.findall(test.read_text()):
            file = folder / "score" / "testdata" / name
            if check in PEERS["kube-score"] and file.is_file():
                is_bad = grade not in ("AllOK", "AlmostOK") and number not in ("7", "10")
                yield Case("kube-score", check, name, file.read_text(), is_bad)


def checkov(folder: Path) -> Iterator[Case]:
    for file in _files(folder / "tests" / "kubernetes" / "checks", deep=True):
        check = file.parent.name.removeprefix("example_")
        verdict = re.search(r"PASS|FAIL", file.name.upper())
        if check in PEERS["checkov"] and verdict:
            yield Case("checkov", check, file.name, file.read_text(), verdict[0] == "FAIL")


REGO = re.compile(r"^(test_\w+)[^\n]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
INPUT = re.compile(r"with input as (\{.*\})\s*\n\s*count\(\w+\) (==|>) (\d+)", re.DOTALL)


def trivy(folder: Path) -> Iterator[Case]:
    for file in sorted((folder / "checks" / "kubernetes").rglob("*_test.rego")):
        check = file.name.removesuffix("_test.rego")
        if check not in PEERS["trivy-checks"]:
            continue
        for name, body in REGO.findall(file.read_text()):
            if given := INPUT.search(body):
                is_bad = given[2] == ">" or given[3] != "0"
                data = yaml.safe_load(given[1].replace("\t", " "))
                yield Case("trivy-checks", check, name, yaml.safe_dump(data), is_bad)


def admission(folder: Path) -> Iterator[Case]:
    for file in _files(folder / "test" / "testdata", deep=True):
        level, version, verdict = file.parts[-4:-1]
        if level in tuple(pss.Level) and verdict in ("pass", "fail"):
            check = f"{level}/{version}"
            name = f"{verdict}/{file.name}"
            yield Case("pod-security-admission", check, name, file.read_text(), verdict == "fail")


def _files(folder: Path, *, deep: bool = False) -> Iterable[Path]:
    found = folder.rglob("*.y*ml") if deep else folder.glob("*.y*ml")
    return sorted(found)


if __name__ == "__main__":
    main()
