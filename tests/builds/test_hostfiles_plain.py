"""`_redirects` and `_headers`, as their authors mean them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.builds.detect import hostfiles
from windlass.builds.detect.hostfiles import Reader, plain, together
from windlass.core.rules import Matcher, Rules, expand


def read(text: str, parse: object = plain.redirects) -> Reader:
    reader = Reader("_redirects")
    parse(text, reader)  # pyright: ignore
    return reader


def where(text: str, address: str) -> tuple[int, str] | None:
    """Where a visitor of an address is sent or what they get."""
    matcher = Matcher(Rules(rules=tuple(read(text).rules)))
    for ordered in (matcher.before, matcher.after):
        for rule, values in ordered.find(address, None):
            return rule.status, expand(rule.target, values)
    return None


@pytest.mark.parametrize(
    ("line", "address", "result"),
    [
        ("/a /b", "/a", (301, "/b")),
        ("/a /b", "/a/", (301, "/b")),
        ("/a/ /b", "/a", (301, "/b")),
        ("/a /b", "/a/c", None),
        ("/a /b 302 # later", "/a", (302, "/b")),
        ("/blog/* /news/:splat", "/blog/2026/x", (301, "/news/2026/x")),
        ("/blog/* /news/:splat", "/blog", (301, "/news/")),
        ("/blog/* /news/:splat", "/blogs", None),
        ("/* /index.html 200", "/", (200, "/index.html")),
        ("/* /index.html 200", "/deep/er", (200, "/index.html")),
        ("/n/:m/:y /a/:y-:m 308", "/n/5/2026", (308, "/a/2026-5")),
        ("/n/:m/:y /a/:y-:m", "/n/5/2026/", (301, "/a/2026-5")),
        ("/n/:m /a/:m", "/n/5/6", None),
        (
            "/x https://example.com:8443/y?z=1#top",
            "/x",
            (301, "https://example.com:8443/y?z=1#top"),
        ),
        ("/x /%C3%A9", "/x", (301, "/%C3%A9")),
        ("/é /é 302", "/é", (302, "/%C3%A9")),
        ("/x/* /gone.html 410!", "/x/y", (410, "/gone.html")),
        ("/x?y=1 /z", "/x", None),
    ],
)
def test_a_line_means_what_it_means_at_home(
    line: str, address: str, result: tuple[int, str] | None
):
    assert where(line, address) == result


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/a", "names no destination"),
        ("a /b", "start with a slash"),
        ("/a/*/b/* /c", "more than one"),
        ("/a /b 500", "status 500"),
        ("/a /b/:c", "nothing captures `:c`"),
        ("/a/* https://:splat.example.com/", "host name"),
        ("/a/* https://api.example.com/:splat 200", "does not fetch from other hosts"),
        ("/a /.netlify/functions/a 200", "functions"),
        ("/a /b 302 Country=au,nz", "country"),
        ("/a /b 302 Nonsense=1", "not understood"),
        ("/a //evil.example.com", "neither a path nor a URL"),
        ("/a javascript:alert(1)", "nothing captures"),
        ("/a /b\\c", "backslash"),
        ("/:a/:a /b", "twice"),
        ("/" + "a" * 3000 + " /b", "too long"),
    ],
)
def test_a_line_that_cannot_be_done_says_why_and_others_are_kept(line: str, reason: str):
    reader = read(f"{line}\n/ok /fine")

    assert len(reader.rules) == 1
    assert [row.verdict for row in reader.rows] == ["impossible", "exact"]
    assert reader.rows[0].key == "line 1"
    assert reason in reader.rows[0].detail


def test_query_parameters_and_cookies_become_conditions():
    rule = read("/store id=:id v=2 /item/:id 302! Cookie=member").rules[0]

    assert (rule.target, rule.keep_query, rule.before_files) == ("/item/${h_id}", False, True)
    assert [(each.kind, each.key) for each in rule.conditions] == [
        ("cookie", "member"),
        ("query", "id"),
        ("query", "v"),
    ]


def test_headers_belong_to_the_path_above_them():
    reader = read(
        "# all\n/*\n  X-Frame-Options: DENY\n  Link: </a>; rel=preload\n  Link: </b>\n"
        "/a/:id\n\tX-A: 1\n  Content-Length: 7\n  nonsense\nhttps://x.example.com/*\n  X-B: 1\n",
        plain.headers,
    )

    found = Matcher(Rules(headers=tuple(reader.headers)))
    assert dict(found.headers("/a/5")) == {
        "X-Frame-Options": "DENY",
        "Link": "</a>; rel=preload, </b>",
        "X-A": "1",
    }
    reasons = [row.detail for row in reader.rows if row.verdict == "impossible"]
    endings = ["belongs to the server", "it is not `Name: value`", "for one host name alone"]
    assert len(reasons) == len(endings)
    assert all(reason.endswith(end) for reason, end in zip(reasons, endings, strict=True))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/a /b\n/b /a", 0),
        ("/a /b\n/b /c\n/c /a\n/z /a", 1),
        ("/* /x/:splat", 0),
        ("/a /b\n/b /c", 2),
        # It says where visitors are already: the edge passes it over.
        ("/:lang/* /en/:splat", 1),
        ("/x/* /:splat", 1),
        ("/* /there 302", 1),
        ("/* /page 302!\n/page /there2 302!", 0),
        ("/old https://example.com/old", 1),
        # The edge itself sends visitors of a page to the page's one address.
        ("/there /there/ 301!", 0),
        ("/there/ /there 301", 1),
        ("/blog/ /blog 301!", 0),
        ("/blog /blog/ 301!", 1),
    ],
)
def test_rules_that_go_round_in_circles_are_left_out_and_named(text: str, kept: int):
    reader = read(text)
    served = together([reader], ["there.html", "blog/index.html"])

    rules = served.rules.rules if served.rules else ()
    assert len(rules) == kept
    loops = [row for row in served.rows if row.key == "redirect loop"]
    assert len(loops) == len(reader.rules) - kept
    assert all("leads back to itself" in row.detail for row in loops)


def test_a_huge_file_costs_little_and_says_so():
    content = b"/a /b\n" * 300_000
    found = hostfiles.of_output(lambda path, limit: content[:limit] if path == "_headers" else None)
    assert [row.detail for row in found[0].rows] == ["it is larger than 1024 KiB"]

    reader = read("".join(f"/a{number} /b{number}\n" for number in range(6_000)))
    served = together([reader])
    assert served.rules is None
    assert served.rows[-1].detail == "there are more than 5000 rules"
    reader = read("".join(f"/a{number}/* /b/:splat\n" for number in range(300)))
    assert "would cost too much" in together([reader]).rows[-1].detail


def test_a_file_that_is_no_text_is_refused():
    found = hostfiles.of_output(lambda path, limit: b"/a \xff" if path == "_redirects" else None)

    assert "is not UTF-8" in found[0].rows[0].detail


@given(st.text(max_size=200))
def test_no_text_makes_a_reader_fall_over(text: str):
    for parse in (plain.redirects, plain.headers):
        reader = read(text, parse)
        together([reader])
