"""Every rule of the catalogue, by the examples that stand beside it (K-050 to K-067)."""

import re
from pathlib import Path

import pytest

from windlass.charts.checks import engine
from windlass.charts.checks.engine import Finding, Options
from windlass.charts.checks.rule import Profile, Rule
from windlass.charts.documents import edit, load, read

RULES = list(engine.rules().values())
TRUSTED = ("registry.example.com",)
DATA = Path(__file__).parent / "data"


def found(text: str, *only: str, profile: Profile = Profile.restricted) -> list[Finding]:
    options = Options(
        profile=profile, only=frozenset(only), with_optional=not only, registries=TRUSTED
    )
    return engine.check([read(text)], options).findings


def mended(text: str, rule: str) -> str:
    for _ in range(20):
        fixable = [one for one in found(text, rule) if one.fix]
        if not fixable:
            return text
        text = edit(text, fixable[0].fix, document=fixable[0].document)
    raise AssertionError(f"the fix of {rule} never ends")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_its_failing_example_is_found_and_its_passing_one_is_not(rule: Rule) -> None:
    bad = found(rule.bad, rule.id)

    assert {one.rule for one in bad} == {rule.id}
    assert all(one.line >= 1 and one.message for one in bad)
    assert found(rule.good, rule.id) == []


@pytest.mark.parametrize(
    "rule", [one for one in RULES if any(f.fix for f in found(one.bad, one.id))], ids=lambda r: r.id
)
def test_its_fix_makes_the_finding_go_away_and_no_other_come(rule: Rule) -> None:
    before = {one.rule for one in found(rule.bad)}
    text = mended(f"# who reads this\n{rule.bad}", rule.id)

    assert [one for one in found(text, rule.id) if one.fix] == []
    assert {one.rule for one in found(text)} <= before
    assert text.startswith("# who reads this\n")
    assert load(text)


def test_the_catalogue_says_of_every_rule_what_a_reader_needs() -> None:
    assert len(RULES) >= 122
    for rule in RULES:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id), rule.id
        for text in (rule.title, rule.why, rule.how, rule.group):
            assert text, rule.id
        assert rule.why.endswith("."), rule.id
        assert rule.how.endswith("."), rule.id
        assert all(link.startswith("https://") for link in rule.references), rule.id
        assert rule.references, rule.id


def test_a_good_application_has_no_error_and_no_warning_in_any_profile() -> None:
    text = (DATA / "good.yaml").read_text()

    for profile in Profile:
        report = engine.check([read(text)], Options(profile=profile, namespace="shop"))
        left = [f"{one.rule}: {one.message}" for one in report.findings if one.severity != "info"]
        assert left == [], profile


@pytest.mark.parametrize("profile", list(Profile))
def test_what_is_generated_from_a_minimal_form_has_no_finding_to_confirm(profile: Profile) -> None:
    golden = (DATA.parent / "golden" / "minimal.yaml").read_text()
    report = engine.check([read(golden)], Options(profile=profile))

    assert report.objects
    assert [f"{one.rule}: {one.message}" for one in report.findings if one.severity != "info"] == []


def test_everything_that_is_generated_fits_its_schema() -> None:
    for file in sorted((DATA.parent / "golden").glob("[A-Z]*.yaml")):
        found = engine.check(
            [read(file.read_text(), file.name)], Options(only=frozenset(["schema"]))
        )
        assert [f"{one.file}: {one.message}" for one in found.findings] == []
