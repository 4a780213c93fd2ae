"""Ranges of versions mean what they mean to Helm: proven against Helm itself."""

import json

import pytest

from tests.helm.packing import packed
from windlass.helm import versions
from windlass.helm.errors import HelmFailed
from windlass.helm.versions import Range

RELEASES = ("1.0.0", "1.2.3", "1.2.4", "1.3.0", "2.0.0", "0.2.3", "0.0.3", "0.3.0", "10.0.0")
RANGES = """\
*, 1, 1.2, 1.2.3, =1.2.3, ^1.2, ^1.2.3, ^0.2.3, ^0.0.3, ^0.0, ^0, ~1.2, ~1.2.3, ~1, ~0, >1, >1.2
>1.2.3, <1.2, <2, <=1.2, <=1, 1.x, 1.2.x, x, 1.2.*, !=1.2.3, !=1.2, !=1, >=1.2.3-0, ^1.2.3-rc.0
>0.0.0-0, ~1.2.3-0, =>1.2, ~>1.2, v1.2.3, >=1.25-0, <2.0.0-z, <=1.2.x, >1.x, ^1.x, ~1.x, >=1.2 <2
>=1.2  <2, 1.0 - 1.2, 1.0.0 - 1.2.3, ^1 || ^2, >= 1.2, 1.2 || x""".replace("\n", ", ")


def test_ranges_hold_what_they_hold_for_helm():
    helm = pytest.importorskip("helm_python", reason="helm-python-sdk is not installed")
    from helm_python import _native

    with helm.Config(storage_driver="memory") as config:
        for text in (*RANGES.split(", "), ">=1.2, <2"):
            about = "apiVersion: v2\nname: shop\nversion: 1.0.0\nkubeVersion: "
            chart = packed({"Chart.yaml": about + json.dumps(text)})
            with helm.Chart.load_archive(chart) as loaded:
                for version in RELEASES:
                    given = json.dumps({"dry_run": "client", "kube_version": f"v{version}"})
                    arguments = (config._raw(), _native.HANDLE(0), loaded._raw(), None, "x", "{}")
                    refused = ""
                    try:
                        _native.call_string("helm_install", *arguments, given)
                    except helm.HelmError as error:
                        refused = str(error)
                    assert not refused or "incompatible" in refused
                    found = versions.parse(version)
                    assert found is not None
                    assert Range(text).holds(found) == (not refused), (text, version)


def test_candidates_are_meant_only_where_one_is_written():
    known = ["1.0.0", "1.1.0-rc.2", "1.1.0-rc.10", "1.1.0-rc.10+b", "not-one", "0.9.0"]

    assert Range("").best(known) == "1.0.0"
    assert Range("", devel=True).best(known) == "1.1.0-rc.10"
    assert Range(">=1.1.0-0").best(known) == "1.1.0-rc.10"
    assert Range("^2").best(known) is None


def test_what_is_no_range_says_so():
    for text in ("one", ">", "1.2.3.4", "^x", "1 2 three", "||"):
        with pytest.raises(HelmFailed, match="no range"):
            Range(text)
