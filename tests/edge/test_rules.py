"""Redirects, rewrites and headers of a site, as visitors meet them."""

import pytest
from tests.edge.client import fetch
from tests.edge.running import Edge, put_app, put_release

from windlass.core.rules import Condition, HeaderRule, Place, Rule, Rules

pytestmark = pytest.mark.anyio

FILES = {
    "index.html": b"home",
    "about.html": b"about",
    "blog/index.html": b"blog",
    "blog/one.html": b"one",
    "gone.html": b"it is gone",
    "app.js": b"let a",
}
EVERYTHING = Place("/", pattern="/(?P<splat>.*)")


def rules(*given: Rule, **more: object) -> Rules:
    return Rules(rules=given, **more)  # pyright: ignore[reportArgumentType]


def serve(edge: Edge, given: Rules, **options: str) -> None:
    put_release(edge.home, "depl_1", FILES, rules=given, **options)  # pyright: ignore[reportArgumentType]
    edge.switch("depl_1")


async def test_a_rule_sends_elsewhere_with_what_it_captured_and_the_query(edge: Edge):
    docs = Place("/docs/", pattern="/docs/(?P<splat>.*)")
    x = Place("/x", pattern="/x(?P<splat>.*)")
    serve(
        edge,
        rules(
            Rule(Place("/old", either_slash=True), "redirect", "/new", 301),
            Rule(docs, "redirect", "https://docs.example.com/${splat}", 302),
            Rule(x, "redirect", "/${splat}", 307),
            Rule(Place("/own"), "redirect", "/new?q=1", 308),
        ),
    )

    for path in ("/old?a=1", "/old/?a=1"):
        answer = await fetch(edge.port, path)
        assert (answer.status, answer.headers["location"]) == (301, "/new?a=1")
    docs_answer = await fetch(edge.port, "/docs/a%20b/c%0d%0aX")
    assert docs_answer.status == 400
    docs_answer = await fetch(edge.port, "/docs/a%20b/%3Fc")
    assert docs_answer.headers["location"] == "https://docs.example.com/a%20b/%3Fc"
    # The rest must not become another server's name.
    assert (await fetch(edge.port, "/x//evil.example.com")).headers[
        "location"
    ] == "/evil.example.com"
    assert (await fetch(edge.port, "/own?a=1")).headers["location"] == "/new?q=1"


async def test_files_come_before_rules_unless_they_are_forced(edge: Edge):
    serve(
        edge,
        rules(
            Rule(Place("/about"), "redirect", "/elsewhere", 301),
            Rule(Place("/app.js"), "redirect", "/elsewhere", 302, before_files=True),
            Rule(EVERYTHING, "rewrite", "/index.html", 200),
        ),
    )

    assert (await fetch(edge.port, "/about")).body == b"about"
    assert (await fetch(edge.port, "/app.js")).status == 302
    deep = await fetch(edge.port, "/some/where.js")
    assert (deep.status, deep.body) == (200, b"home")
    assert (await fetch(edge.port, "/blog")).headers["location"] == "/blog/"


async def test_a_rewrite_answers_with_another_file_and_its_own_status(edge: Edge):
    posts = Place("/p/", pattern="/p/(?P<g1>[^/]+)")
    serve(
        edge,
        rules(
            Rule(posts, "rewrite", "/blog/${g1}", 200),
            Rule(posts, "rewrite", "/about", 200),
            Rule(Place("/secret.html"), "rewrite", "/gone.html", 410, before_files=True),
        ),
    )

    assert (await fetch(edge.port, "/p/one")).body == b"one"
    # The first names no file, so the second has its turn.
    assert (await fetch(edge.port, "/p/two")).body == b"about"
    assert (await fetch(edge.port, "/p/..%2f..%2fetc%2fpasswd")).status == 400
    secret = await fetch(edge.port, "/secret.html")
    assert (secret.status, secret.body) == (410, b"it is gone")
    assert "etag" not in secret.headers
    assert (await fetch(edge.port, "/nothing")).status == 404


async def test_what_a_pattern_excludes_is_left_alone(edge: Edge):
    place = Place("/", pattern="/(?P<g1>.*)", excluded="/(?:api/|app)")
    serve(edge, rules(Rule(place, "redirect", "/x/${g1}", 302, before_files=True)))

    assert (await fetch(edge.port, "/app.js")).body == b"let a"
    assert (await fetch(edge.port, "/api/users")).status == 404
    assert (await fetch(edge.port, "/about")).headers["location"] == "/x/about"


async def test_a_rule_that_leads_to_itself_is_not_followed(edge: Edge):
    serve(edge, rules(Rule(EVERYTHING, "redirect", "/about", 301, before_files=True)))

    assert (await fetch(edge.port, "/x")).headers["location"] == "/about"
    assert (await fetch(edge.port, "/about")).body == b"about"


async def test_conditions_look_at_the_request(edge: Edge):
    serve(
        edge,
        rules(
            Rule(
                Place("/store"),
                "redirect",
                "/item/${h_id}",
                301,
                before_files=True,
                keep_query=False,
                conditions=(Condition("query", "id", pattern="(?P<h_id>.+)"),),
            ),
            Rule(
                Place("/about"),
                "rewrite",
                "/gone.html",
                403,
                before_files=True,
                conditions=(
                    Condition("cookie", "member", is_absent=True),
                    Condition("header", "X-Team", pattern="red|blue"),
                    Condition("host", pattern="a\\.localhost"),
                ),
            ),
        ),
    )

    assert (await fetch(edge.port, "/store?id=7%2F8")).headers["location"] == "/item/7/8"
    assert (await fetch(edge.port, "/store")).status == 404
    assert (await fetch(edge.port, "/about")).status == 200
    assert (await fetch(edge.port, "/about", x_team="green")).status == 200
    assert (await fetch(edge.port, "/about", x_team="red")).status == 403
    assert (await fetch(edge.port, "/about", x_team="red", cookie="member=1")).status == 200


async def test_headers_reach_files_missing_pages_and_rewrites(edge: Edge):
    serve(
        edge,
        Rules(
            rules=(Rule(Place("/p"), "rewrite", "/about", 200),),
            headers=(
                HeaderRule(EVERYTHING, "X-Frame-Options", "DENY"),
                HeaderRule(Place("/app.js"), "cache-control", "no-cache"),
                HeaderRule(EVERYTHING, "Content-Length", "7"),
                HeaderRule(Place("/p"), "X-Frame-Options", "SAMEORIGIN"),
            ),
        ),
        fallback="index.html",
    )

    script = await fetch(edge.port, "/app.js")
    assert script.headers["x-frame-options"] == "DENY"
    assert script.headers["cache-control"] == "no-cache"
    assert script.body == b"let a"
    assert (await fetch(edge.port, "/p")).headers["x-frame-options"] == "SAMEORIGIN"
    assert (await fetch(edge.port, "/deep")).headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("wanted", "path", "result"),
    [
        (True, "/about", "/about/"),
        (True, "/about/", b"about"),
        (True, "/about.html", "/about/"),
        (True, "/blog", "/blog/"),
        (True, "/blog/index.html", "/blog/"),
        (True, "/app.js", b"let a"),
        (True, "/", b"home"),
        (False, "/about/", "/about"),
        (False, "/about", b"about"),
        (False, "/about.html", "/about"),
        (False, "/blog/", "/blog"),
        (False, "/blog", b"blog"),
        (False, "/blog/index.html", "/blog"),
        (False, "/index.html", "/"),
        (False, "/app.js", b"let a"),
    ],
)
async def test_pages_end_with_a_slash_or_without_as_the_site_says(
    edge: Edge, wanted: bool, path: str, result: str | bytes
):
    serve(edge, rules(trailing_slash=wanted))

    answer = await fetch(edge.port, path)

    assert (answer.headers.get("location") or answer.body) == result


async def test_an_app_is_redirected_and_gets_headers_and_keeps_its_own_addresses(edge: Edge):
    put_app(
        edge.home,
        "depl_2",
        rules=Rules(
            rules=(
                Rule(Place("/old"), "redirect", "/new", 301),
                Rule(EVERYTHING, "rewrite", "/index.html", 200),
            ),
            headers=(HeaderRule(EVERYTHING, "Content-Type", "text/x-mine"),),
        ),
    )
    edge.switch("depl_2")

    assert (await fetch(edge.port, "/old?a=1")).headers["location"] == "/new?a=1"
    answer = await fetch(edge.port, "/echo")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/x-mine"


async def test_patterns_that_walk_back_cost_no_more_than_their_text(edge: Edge):
    evil = Place("/", pattern="/(?P<g1>(a+)+)b")
    serve(edge, rules(Rule(evil, "redirect", "/x", 302, before_files=True)))

    assert (await fetch(edge.port, "/" + "a" * 1000)).status == 404


async def test_a_release_whose_rules_cannot_be_matched_says_so(edge: Edge):
    serve(edge, rules(Rule(Place("/", pattern="(?!a)b"), "redirect", "/x", 302)))

    assert (await fetch(edge.port, "/")).status == 500
