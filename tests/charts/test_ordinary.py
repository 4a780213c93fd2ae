"""Ordinary applications as people write them: nothing blocks, and mending makes nothing worse."""

from pathlib import Path

from windlass.charts.checks import engine
from windlass.charts.checks.engine import Options
from windlass.charts.checks.rule import Profile, Severity
from windlass.charts.documents import edit, read
from windlass.charts.fixes import mend

FILES = sorted((Path(__file__).parent / "ordinary").glob("*.yaml"))
# Where in a mapping a new key stands is a matter of taste, and the pages ask for sorted keys alone.
EVERYTHING = Options(
    with_optional=True, profile=Profile.restricted, without=frozenset(["sorted-keys"])
)


def test_nothing_blocks_an_ordinary_application() -> None:
    assert len(FILES) == 20
    for file in FILES:
        for profile in (Profile.baseline, Profile.production, Profile.lab):
            report = engine.check([read(file.read_text(), file.name)], Options(profile=profile))
            errors = [one for one in report.counted if one.severity is Severity.error]
            assert not errors, (file.name, profile, errors)
            assert report.is_complete


def test_each_change_ends_its_finding_and_begins_no_other() -> None:
    for file in FILES:
        text = file.read_text()
        before = engine.check([read(text)], EVERYTHING).findings
        seen = {(one.rule, one.document, one.path) for one in before}
        # The same rule changes every place in the same way: one of each is enough.
        for one in {each.rule: each for each in before if each.fix}.values():
            changed = edit(text, one.fix, document=one.document)
            after = engine.check([read(changed)], EVERYTHING).findings
            now = {(each.rule, each.document, each.path) for each in after}
            assert (one.rule, one.document, one.path) not in now, (file.name, one.rule)
            assert now <= seen, (file.name, one.rule, now - seen)


def test_mending_everything_leaves_nothing_to_mend() -> None:
    for file in FILES:
        done = mend({"": file.read_text()}, EVERYTHING)
        assert not [one.rule for one in done.report.counted if one.fix], file.name
        assert mend(done.texts, EVERYTHING).texts == done.texts, file.name
