"""`vercel.json`: each key does here what it does there, or says why not."""

import json
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.detect.hostfiles import Reader, patterns, together
from windlass.builds.detect.hostfiles.report import Refused
from windlass.builds.detect.hostfiles.vercel import vercel
from windlass.builds.detect.source import table as as_table
from windlass.builds.errors import ManifestBroken
from windlass.core.rules import Matcher, Rules, expand

PAGE = {"index.html": "<h1>"}


def read(content: object) -> Reader:
    reader = Reader("vercel.json")
    vercel(as_table(content), reader)
    return reader


def match(source: str, address: str, destination: str = "/x") -> str | None:
    path = patterns.vercel(source)
    reader = read({"redirects": [{"source": source, "destination": destination}]})
    found = Matcher(Rules(rules=tuple(reader.rules)))
    assert path.place == reader.rules[0].place
    for rule, values in found.before.find(address, None):
        return expand(rule.target, values)
    return None


@pytest.mark.parametrize(
    ("source", "address", "destination", "result"),
    [
        ("/about", "/about", "/b", "/b"),
        ("/about", "/about/", "/b", None),
        ("/blog/:slug", "/blog/a", "/news/:slug", "/news/a"),
        ("/blog/:slug", "/blog/a/b", "/news/:slug", None),
        ("/blog/:path*", "/blog", "/news/:path*", "/news"),
        ("/blog/:path*", "/blog/a/b", "/news/:path*", "/news/a/b"),
        ("/blog/:path+", "/blog", "/news/:path+", None),
        ("/:lang?/docs", "/docs", "/d", "/d"),
        ("/:lang?/docs", "/de/docs", "/d/:lang", "/d/de"),
        ("/post/:id(\\d{1,})", "/post/12", "/p?id=:id", "/p?id=12"),
        ("/post/:id(\\d{1,})", "/post/ab", "/p", None),
        ("/(.*)", "/", "/b", "/b"),
        ("/old/(.*)", "/old/a/b", "/new/$1", "/new/a/b"),
        ("/(a|b)/(.*)", "/b/c", "/$2/$1", "/c/b"),
        ("/((?!api/|_next/).*)", "/api/x", "/b", None),
        ("/((?!api/|_next/).*)", "/apix", "/$1", "/apix"),
        ("/:path((?!uk/).*)", "/uk/a", "/us/:path", None),
        ("/:path((?!uk/).*)", "/de/a", "/us/:path", "/us/de/a"),
        ("/((?!.*\\.).*)", "/a.js", "/b", None),
        ("/:file.:ext", "/a.png", "/i/:ext/:file", "/i/png/a"),
        ("/a{-:b}?", "/a", "/c", "/c"),
        ("/a{-:b}?", "/a-7", "/c/:b", "/c/7"),
        ("/english\\(default\\)/:s", "/english(default)/x", "/:s", "/x"),
        ("/a/:b", "/a/x", "https://h.example.com:3000/:b?q=:b", "https://h.example.com:3000/x?q=x"),
        ("/x", "/x?y", "/z", None),
        ("/caf\u00e9", "/caf\u00e9", "/th\u00e9", "/th%C3%A9"),
    ],
)
def test_a_source_means_what_it_means_at_home(
    source: str, address: str, destination: str, result: str | None
):
    # A rule to where the visitor is already is matched all the same; the edge passes it over.
    assert match(source, address, destination) == result


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("about", "start with a slash"),
        ("/a(?=b)", "cannot begin with"),
        ("/a((?=b).*)", "unbounded time"),
        ("/(a)(c(?!b))", "unbounded time"),
        ("/(.*)-((?!x).*)", "after plain text only"),
        ("/(a(b))", "capturing group"),
        ("/(a", "not closed"),
        ("/{a", "not closed"),
        ("/()", "empty brackets"),
        ("/*", "nothing can be repeated"),
        ("/:a/:a", "twice"),
        ("/((?:a{1000}){1000})", "repetition"),
        ("/(\\1)", "unbounded time"),
        ("/(" + "a" * 3000 + ")", "too long"),
    ],
)
def test_a_source_that_cannot_be_done_says_why(source: str, reason: str):
    reader = read({"redirects": [{"source": source, "destination": "/"}]})

    assert reader.rules == []
    assert reader.rows[0].verdict == "impossible"
    assert reason in reader.rows[0].detail


def test_what_all_patterns_cost_together_is_bounded():
    source = "/(" + "(?:a|b)?" * 200 + ")"
    given = [{"source": f"{source}{number}", "destination": "/"} for number in range(60)]

    served = together([read({"redirects": given})])

    assert served.rules is None
    assert "would cost too much" in served.rows[-1].detail


def test_nested_quantifiers_are_matched_in_linear_time():
    assert match("/((?:a+)+)b", "/" + "a" * 1000) is None
    assert match("/((?:a|a)*)", "/" + "a" * 1000) == "/x"


def test_every_key_has_a_row():
    reader = read(
        {
            "$schema": "https://openapi.vercel.sh/vercel.json",
            "cleanUrls": True,
            "trailingSlash": False,
            "buildCommand": "npm install && npm run build",
            "installCommand": "npm ci --ignore-scripts",
            "outputDirectory": "dist",
            "framework": "vite",
            "crons": [{"path": "/api", "schedule": "0 0 * * *"}],
            "functions": {},
            "env": {"A": "1", "SECRET": "@secret", "PORT": "80"},
            "build": {"env": {"B": "2"}},
            "somethingNew": 1,
            "redirects": [
                {"source": "/a", "destination": "/b", "permanent": False},
                {"source": "/c", "destination": "/d", "statusCode": 301},
                {"source": "/e", "destination": "/f", "statusCode": 200},
            ],
            "rewrites": [
                {"source": "/(.*)", "destination": "/index.html"},
                {"source": "/api/(.*)", "destination": "https://api.example.com/$1"},
            ],
            "headers": [{"source": "/(.*)", "headers": [{"key": "X-A", "value": "1"}]}],
        }
    )

    assert {row.key: row.verdict for row in reader.rows} == {
        "cleanUrls": "exact",
        "trailingSlash": "exact",
        "buildCommand": "adapted",
        "installCommand": "exact",
        "outputDirectory": "exact",
        "framework": "adapted",
        "crons": "impossible",
        "functions": "impossible",
        "env.A": "exact",
        "env.SECRET": "impossible",
        "env.PORT": "adapted",
        "build.env.B": "exact",
        "somethingNew": "impossible",
        "redirects[2]": "impossible",
        "redirects": "exact",
        "rewrites[1]": "impossible",
        "rewrites": "exact",
        "headers": "exact",
    }
    assert [rule.status for rule in reader.rules] == [307, 301, 200]
    assert reader.wishes.build_command == "npm run build"
    assert reader.wishes.env == {"A": "1", "B": "2"}
    assert all(row.detail for row in reader.rows if row.verdict != "exact")


def test_conditions_capture():
    rules = read(
        {
            "redirects": [
                {
                    "source": "/",
                    "destination": "/:id/:team",
                    "has": [
                        {"type": "query", "key": "id", "value": "(?<id>\\d+)"},
                        {"type": "cookie", "key": "team"},
                        {"type": "host", "value": "old\\.example\\.com"},
                    ],
                    "missing": [{"type": "header", "key": "x-a", "value": "1"}],
                }
            ]
        }
    ).rules

    assert rules[0].target == "/${h_id}/${h_team}"
    assert [(each.kind, each.is_absent) for each in rules[0].conditions] == [
        ("query", False),
        ("cookie", False),
        ("host", False),
        ("header", True),
    ]


def test_the_plan_hears_it_below_windlass_toml():
    said = {"buildCommand": "make site", "outputDirectory": "/out/", "env": {"A": "1", "B": "1"}}
    tree = {**PAGE, "vercel.json": said}
    plan = detect(Files(tree))
    assert (plan.build_command, plan.output_directory) == ("make site", "out")
    assert "vercel.json: sets build_command, output_directory" in plan.evidence
    assert plan.env == {"A": "1", "B": "1"}

    own = 'build_command = "make all"\noutput_directory = "o"\n[env]\nB = "2"\n'
    plan = detect(Files({**tree, "windlass.toml": own}))
    assert (plan.build_command, plan.output_directory) == ("make all", "o")
    assert plan.env == {"A": "1", "B": "2"}


def test_a_server_stays_one_whatever_the_output_directory_is():
    package = {"dependencies": {"express": "5"}, "scripts": {"start": "node a.js"}}
    tree = {"package.json": package, "a.js": "", "vercel.json": {"outputDirectory": "public"}}

    assert detect(Files(tree)).kind == "server"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "line 1"),
        ("// no\n{}", "line 1"),
        ("[]", "holds a list"),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        ("[" * 5000, "nested too deeply"),
        ('{"a": "' + "x" * (1 << 20) + '"}', "larger than 1024 KiB"),
    ],
)
def test_a_vercel_json_that_is_none_is_named(content: str | bytes, reason: str):
    with pytest.raises(ManifestBroken, match=re.escape(reason)):
        detect(Files({**PAGE, "vercel.json": content}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("redirects", "rewrites", "headers", "source", "destination", "has", "type"),
                    *("key", "value", "env", "build", "statusCode", "cleanUrls", "x"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_makes_the_reader_fall_over(content: object):
    reader = read(content)
    together([reader])
    json.dumps([row.key for row in reader.rows])


@given(st.text(alphabet="/:ab(){}*+?\\|[]^$.!<>=1", max_size=30))
def test_no_pattern_makes_the_reader_fall_over(source: str):
    with suppress(Refused):
        patterns.vercel(f"/{source}")
