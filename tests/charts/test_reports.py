"""Reports as programs read them, and fixes over whole files."""

import json
from xml.etree import ElementTree

import msgspec
import pytest

from windlass.charts import fixes, reports
from windlass.charts.checks import engine
from windlass.charts.checks.engine import Options, Report
from windlass.charts.documents import read

WEB = """\
# my app
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # its name
  annotations:
    checks.windlass.dev/skip-cpu-limit: it <may> use what is "idle" & free
spec:
  replicas: "2"
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      hostPID: true   # debugging
      containers:
        - name: web
          image: nginx
          env:
            - {name: A, value: "1"}
            - {name: B, value: "1"}
            - {name: A, value: "2"}
            - {name: B, value: "2"}
"""


def check(*texts: str) -> Report:
    return engine.check([read(text, f"k8s/{i}.yaml") for i, text in enumerate(texts)])


def test_text_has_one_line_for_each_finding_as_compilers_do() -> None:
    lines = reports.render(check(WEB), "text").splitlines()

    about = "Deployment web: container web: the image nginx has no tag"
    assert f"k8s/0.yaml:18:11: error: {about} [image-tag]" in lines
    assert any("skipped: " in line and "[cpu-limit]" in line for line in lines)
    assert lines[-1].startswith("1 object: 3 errors, ")
    assert "can be mended" in lines[-1]


def test_json_holds_counts_and_places() -> None:
    told = json.loads(reports.render(check(WEB), "json"))

    assert told["objects"] == 1
    assert told["complete"] is True
    assert told["counts"]["error"] == 3
    assert told["counts"]["skipped"] == 1
    tag = next(one for one in told["findings"] if one["rule"] == "image-tag")
    assert (tag["line"], tag["path"]) == (18, "spec.template.spec.containers[0].image")


def test_sarif_is_what_the_standard_asks_for() -> None:
    told = json.loads(reports.render(check(WEB, "a: [\n"), "sarif"))
    run = told["runs"][0]
    rules = run["tool"]["driver"]["rules"]

    assert told["version"] == "2.1.0"
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        assert result["message"]["text"]
    skipped = next(one for one in run["results"] if one["ruleId"] == "cpu-limit")
    assert skipped["suppressions"][0]["justification"].startswith("it <may>")


def test_the_same_finding_keeps_its_fingerprint_when_lines_move() -> None:
    def prints(text: str) -> set[str]:
        told = json.loads(reports.render(check(text), "sarif"))
        return {one["partialFingerprints"]["windlass/v1"] for one in told["runs"][0]["results"]}

    assert prints(WEB) == prints(f"# one more line\n{WEB}")


def test_junit_is_xml_with_a_suite_for_each_object() -> None:
    service = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: calm\n"
    root = ElementTree.fromstring(reports.render(check(WEB, service), "junit"))
    web, calm = root

    assert root.attrib["tests"] == str(sum(len(suite) for suite in root))
    assert web.attrib["name"] == "Deployment web"
    assert int(web.attrib["failures"]) == len(web.findall("testcase/failure"))
    assert web.find("testcase/skipped").attrib["message"].endswith('"idle" & free')  # type: ignore[union-attr]
    assert [case.attrib["name"] for case in calm] == ["all rules"]


@pytest.mark.parametrize("form", list(reports.FORMATS))
def test_a_report_of_nothing_is_one_too(form: str) -> None:
    assert reports.render(check(), form)


def test_everything_with_one_answer_is_mended_and_the_rest_of_the_text_stays() -> None:
    done = fixes.mend({"web.yaml": WEB}, Options())
    text = done.texts["web.yaml"]

    assert not any(one.fix for one in done.report.counted)
    assert {"host-pid", "env-duplicate", "schema", "seccomp"} <= {one.rule for one in done.mended}
    assert "# my app\n" in text
    assert "name: web   # its name\n" in text
    assert "hostPID" not in text
    assert "replicas: 2\n" in text
    assert '- {name: A, value: "2"}\n            - {name: B, value: "2"}\n' in text
    assert 'value: "1"' not in text


def test_mending_twice_is_mending_once() -> None:
    once = fixes.mend({"web.yaml": WEB}, Options()).texts
    again = fixes.mend(once, Options())

    assert again.texts == once
    assert again.mended == []


def test_what_is_suppressed_is_not_mended() -> None:
    text = WEB.replace("skip-cpu-limit", "skip-host-pid")

    assert "hostPID: true" in fixes.mend({"a": text}, Options()).texts["a"]


def test_a_file_that_cannot_be_read_is_left_alone() -> None:
    done = fixes.mend({"a": "a: [\n", "b": WEB}, Options())

    assert done.texts["a"] == "a: [\n"
    assert done.mended


def test_findings_can_be_sent_as_they_are() -> None:
    assert msgspec.json.encode(check(WEB).findings)
