"""What a release says about itself, as it is written and read."""

from pathlib import Path

import msgspec
import pytest

from windlass.core import process
from windlass.core import site as sites
from windlass.core.crypto import SealBroken
from windlass.core.launch import Launch
from windlass.core.process import Process
from windlass.core.rules import HeaderRule, Place, Rule, Rules
from windlass.core.site import File, Site

RULES = Rules(
    rules=(Rule(Place("/a"), "redirect", "/b", 301),),
    headers=(HeaderRule(Place("/", pattern="/(?P<g1>.*)"), "X-A", "1"),),
    trailing_slash=False,
)


def test_a_site_is_read_as_it_was_written(tmp_path: Path):
    site = Site(
        deployment="depl_1",
        kind="static",
        files={"index.html": File("0" * 64, 10, 5, 4)},
        fallback="index.html",
        rules=RULES,
    )

    sites.write(tmp_path, site)

    assert sites.read(tmp_path) == site


@pytest.mark.parametrize(
    ("options", "is_public"),
    [
        ({"kind": "static"}, True),
        ({"kind": "server"}, False),
        ({"kind": "static", "preview": True}, False),
        ({"kind": "static", "rules": RULES}, False),
    ],
)
def test_only_what_nginx_can_serve_alike_is_public(
    tmp_path: Path, options: dict[str, object], is_public: bool
):
    for _ in range(2):  # writing again is writing once
        sites.write(tmp_path, Site(deployment="depl_1", **options))  # pyright: ignore

    assert (tmp_path / "public").is_symlink() is is_public


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\0b"])
def test_a_header_that_would_forge_an_answer_is_refused(tmp_path: Path, value: str):
    with pytest.raises(ValueError, match="cannot be sent"):
        HeaderRule(Place("/"), "X-A", value)
    rules = {"headers": [{"place": {"literal": "/"}, "name": "X-A", "value": value}]}
    text = msgspec.json.encode({"deployment": "d", "kind": "static", "rules": rules})
    (tmp_path / "site.json").write_bytes(text)
    with pytest.raises(msgspec.ValidationError):
        sites.read(tmp_path)


@pytest.mark.parametrize(
    "target",
    [
        *("/a\r\nSet-Cookie: b=c", "/a b", "", "//evil.example.com", "/\\evil.example.com"),
        *("https://${g1}.example.com/", "https://a@${g1}", "javascript:alert(1)", "https:///x"),
    ],
)
def test_a_redirect_that_would_forge_an_answer_is_refused(target: str):
    with pytest.raises(ValueError, match="neither a path nor a URL"):
        Rule(Place("/"), "redirect", target, 301)


@pytest.mark.parametrize("path", ["", "health", "/a b", "/a\r\nX: y"])
def test_a_health_path_that_is_none_is_refused(path: str):
    with pytest.raises(ValueError, match="health path"):
        Site(deployment="depl_1", kind="server", health_path=path)


def test_a_process_is_sealed_for_its_own_release_alone(tmp_path: Path):
    for deployment in ("depl_1", "depl_2"):
        sites.folder(tmp_path, deployment).mkdir(parents=True)
    launch = Launch(name="app-depl_1", argv=("/bin/true",), env={"TOKEN": "hunter2"})
    process.write(tmp_path, "depl_1", Process(launch=launch, mask=("hunter2",)))

    sealed = (sites.folder(tmp_path, "depl_1") / process.FILE).read_bytes()
    assert b"hunter2" not in sealed
    assert process.read(tmp_path, "depl_1").launch == launch
    (sites.folder(tmp_path, "depl_2") / process.FILE).write_bytes(sealed)
    with pytest.raises(SealBroken):
        process.read(tmp_path, "depl_2")
