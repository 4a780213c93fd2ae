"""What a visitor of a static site gets (C-304, C-305)."""

import gzip
import os
from pathlib import Path

import brotli
import pytest
from tests.edge.client import Client, fetch, head, raw
from tests.edge.running import Edge, put_release

pytestmark = pytest.mark.anyio

PAGE = b"<h1>home</h1>" * 20
FILES = {
    "index.html": PAGE,
    "about.html": b"about",
    "404.html": b"nothing here",
    "blog/index.html": b"blog",
    "blog/post.html": b"post",
    "app.js": b"let a = 1;" * 100,
    "assets/app-BkqR3xw0.js": b"hashed",
    "data.bin": bytes(range(256)) * 4,
    "empty.txt": b"",
    "with space é.txt": b"named",
    "large.bin": os.urandom(5_000_000),
}
SCRIPT = FILES["app.js"]
VARIANTS = {"app.js": (gzip.compress(SCRIPT), brotli.compress(SCRIPT))}


@pytest.fixture
async def site(edge: Edge) -> Edge:
    put_release(edge.home, "depl_1", FILES, variants=VARIANTS)
    edge.switch("depl_1")
    return edge


async def test_a_file_comes_with_its_type_tag_and_release(site: Edge):
    answer = await fetch(site.port, "/app.js")

    assert answer.status == 200
    assert answer.body == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-windlass-deployment"] == "depl_1"
    assert answer.headers["cache-control"] == "public, max-age=0, must-revalidate"
    assert answer.headers["etag"].startswith('"')
    assert "last-modified" not in answer.headers
    assert "date" in answer.headers


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/data.bin", "application/octet-stream"),
        ("/empty.txt", "text/plain; charset=utf-8"),
    ],
)
async def test_types_are_known_without_the_system(site: Edge, path: str, type: str):
    assert (await fetch(site.port, path)).headers["content-type"] == type


@pytest.mark.parametrize(
    ("path", "body"),
    [("/", PAGE), ("/about", b"about"), ("/blog/", b"blog"), ("/blog/post", b"post")],
)
async def test_pages_have_clean_addresses(site: Edge, path: str, body: bytes):
    assert (await fetch(site.port, path)).body == body


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/about.html", "/about"),
        ("/index.html", "/"),
        ("/blog", "/blog/"),
        ("/blog/index.html", "/blog/"),
        ("/blog/post/", "/blog/post"),
        ("/about.html?a=1&b=2", "/about?a=1&b=2"),
    ],
)
async def test_other_spellings_are_redirected_once(site: Edge, path: str, location: str):
    answer = await fetch(site.port, path)

    assert (answer.status, answer.headers["location"]) == (308, location)
    assert (await fetch(site.port, location)).status == 200


async def test_without_clean_addresses_names_are_taken_literally(edge: Edge):
    put_release(edge.home, "depl_1", FILES, clean_urls=False)
    edge.switch("depl_1")

    assert (await fetch(edge.port, "/about.html")).body == b"about"
    assert (await fetch(edge.port, "/index.html")).body == PAGE
    assert (await fetch(edge.port, "/about")).status == 404


async def test_escaped_names_are_decoded_once(site: Edge):
    assert (await fetch(site.port, "/with%20space%20%C3%A9.txt")).body == b"named"
    # The decomposed form of the same letter, as some systems send it.
    assert (await fetch(site.port, "/with%20space%20e%CC%81.txt")).body == b"named"
    assert (await fetch(site.port, "/with%2520space.txt")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../site.json",
        "/..%2fsite.json",
        "/%2e%2e/site.json",
        "/a/../../site.json",
        "/./about",
        "/a%00b",
        "/a%5cb",
        "/a\\b",
        "/a%2Fb",
        "/%c0%ae%c0%ae/site.json",
        "/%ff",
        "/%",
        "/%zz",
        "/a%0d%0ab",
    ],
)
async def test_a_path_that_no_honest_client_sends_is_refused(site: Edge, path: str):
    assert (await fetch(site.port, path)).status == 400


@pytest.mark.parametrize(
    "path", ["//", "//about", "/blog//post", "/site.json", "/files/index.html"]
)
async def test_nothing_beside_the_files_is_there(site: Edge, path: str):
    assert (await fetch(site.port, path)).status == 404


async def test_a_missing_page_shows_the_sites_own_404(site: Edge):
    answer = await fetch(site.port, "/missing")

    assert (answer.status, answer.body) == (404, b"nothing here")
    assert "etag" not in answer.headers


async def test_a_site_without_404_page_gets_plain_words(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": PAGE})
    edge.switch("depl_1")

    plain = await fetch(edge.port, "/missing")
    page = await fetch(edge.port, "/missing", accept="text/html")

    assert (plain.status, plain.body) == (404, b"There is no page at this address.\n")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-windlass-deployment"] == "depl_1"


async def test_a_single_page_app_answers_navigation_and_not_missing_scripts(edge: Edge):
    put_release(edge.home, "depl_1", FILES, fallback="index.html")
    edge.switch("depl_1")

    assert (await fetch(edge.port, "/users/7")).body == PAGE
    assert (await fetch(edge.port, "/v1.2/users", accept="text/html,*/*")).body == PAGE
    assert (await fetch(edge.port, "/missing.js", accept="*/*")).status == 404


async def test_head_has_the_headers_of_get_and_no_body(site: Edge):
    get = await fetch(site.port, "/app.js")
    head = await fetch(site.port, "/app.js", method="HEAD")

    get.headers.pop("date"), head.headers.pop("date")
    assert (head.status, head.headers, head.body) == (200, get.headers, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "BREW"])
async def test_files_cannot_be_changed(site: Edge, method: str):
    answer = await fetch(site.port, "/", method=method)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_options_says_what_is_allowed(site: Edge):
    for path in ("/", "*"):
        answer = await fetch(site.port, path, method="OPTIONS")
        assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT"])
async def test_trace_and_connect_are_refused(site: Edge, method: str):
    assert (await fetch(site.port, "/", method=method)).status == 405


# Conditional requests


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*", 'W/"y" , W/{} , "z"'])
async def test_an_unchanged_file_is_not_sent_again(site: Edge, form: str):
    etag = (await fetch(site.port, "/app.js")).headers["etag"]
    answer = await fetch(site.port, "/app.js", if_none_match=form.format(etag))

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == etag
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "content-length" not in answer.headers


async def test_a_date_never_makes_a_file_unchanged(site: Edge):
    answer = await fetch(site.port, "/app.js", if_modified_since="Fri, 01 Jan 2100 00:00:00 GMT")

    assert answer.status == 200


async def test_a_switch_never_yields_a_stale_304(edge: Edge):
    put_release(edge.home, "depl_1", {"index.html": b"one!"})
    put_release(edge.home, "depl_2", {"index.html": b"two!"})
    for name in ("depl_1", "depl_2"):
        # The same size and the same time: what tags made of those would confuse.
        os.utime(edge.home / "releases" / name / "files" / "index.html", (1, 1))
    edge.switch("depl_1")
    async with await Client.connect(edge.port) as client:
        etag = (await client.ask("/")).headers["etag"]
        edge.switch("depl_2")
        answer = await client.ask("/", if_none_match=etag)
        assert (answer.status, answer.body) == (200, b"two!")
        edge.switch("depl_1")
        assert (await client.ask("/", if_none_match=etag)).status == 304


# Encodings


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0, gzip;q=0.1", "gzip"),
        ("*", "br"),
        ("*;q=0.1, br;q=0", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip;q=0.7", "gzip"),
        ("BR", "br"),
        ("gzip;q=nonsense", None),
        ("deflate", None),
        ("", None),
    ],
)
async def test_the_best_encoding_the_client_takes_is_sent(
    site: Edge, accept: str, encoding: str | None
):
    answer = await fetch(site.port, "/app.js", accept_encoding=accept)

    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding]
    assert answer.headers.get("content-encoding") == encoding
    assert decode(answer.body) == SCRIPT
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_each_encoding_has_its_own_tag(site: Edge):
    accepts = ("br", "gzip", "identity")
    tags = {(await fetch(site.port, "/app.js", accept_encoding=a)).headers["etag"] for a in accepts}
    plain = (await fetch(site.port, "/app.js")).headers["etag"]

    assert len(tags) == 3
    assert (
        await fetch(site.port, "/app.js", accept_encoding="br", if_none_match=plain)
    ).status == 200


async def test_a_file_without_variants_does_not_vary(site: Edge):
    assert "vary" not in (await fetch(site.port, "/data.bin", accept_encoding="br")).headers


# Ranges


@pytest.mark.parametrize(
    ("range", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=1000-", 1000, 1023),
        ("bytes=-5", 1019, 1023),
        ("bytes=1020-9999", 1020, 1023),
        ("bytes=-9999", 0, 1023),
    ],
)
async def test_a_part_of_a_file(site: Edge, range: str, first: int, last: int):
    answer = await fetch(site.port, "/data.bin", range=range)

    assert answer.status == 206
    assert answer.body == FILES["data.bin"][first : last + 1]
    assert answer.headers["content-range"] == f"bytes {first}-{last}/1024"


@pytest.mark.parametrize("range", ["bytes=1024-", "bytes=-0", "bytes=5000-6000"])
async def test_a_part_after_the_end_is_refused_with_the_size(site: Edge, range: str):
    answer = await fetch(site.port, "/data.bin", range=range)

    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */1024")


@pytest.mark.parametrize(
    "range", ["bytes=9-3", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6", "bytes=-"]
)
async def test_a_range_not_understood_gets_the_whole_file(site: Edge, range: str):
    answer = await fetch(site.port, "/data.bin", range=range)

    assert (answer.status, len(answer.body)) == (200, 1024)


async def test_a_range_of_something_else_gets_the_whole_file(site: Edge):
    etag = (await fetch(site.port, "/data.bin")).headers["etag"]
    port = site.port

    assert (await fetch(port, "/data.bin", range="bytes=0-9", if_range=etag)).status == 206
    for other in ('"other"', f"W/{etag}", "Fri, 01 Jan 2100 00:00:00 GMT"):
        assert (await fetch(port, "/data.bin", range="bytes=0-9", if_range=other)).status == 200


async def test_an_unchanged_file_wins_over_a_range(site: Edge):
    etag = (await fetch(site.port, "/data.bin")).headers["etag"]

    answer = await fetch(site.port, "/data.bin", range="bytes=0-9", if_none_match=etag)

    assert answer.status == 304


async def test_a_large_file_arrives_whole_and_in_parts(site: Edge):
    large = FILES["large.bin"]
    async with await Client.connect(site.port) as client:
        assert (await client.ask("/large.bin")).body == large
        part = await client.ask("/large.bin", range="bytes=1000000-3999999")
        assert part.body == large[1_000_000:4_000_000]
        assert (await client.ask("/about")).body == b"about"


# Caching


async def test_hashed_assets_are_kept_for_a_year(edge: Edge):
    put_release(edge.home, "depl_1", FILES | {"static/logo.png": b"1"}, immutable=("static/",))
    edge.switch("depl_1")

    for path in ("/assets/app-BkqR3xw0.js", "/static/logo.png"):
        answer = await fetch(edge.port, path)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_preview_asks_search_engines_to_stay_away(edge: Edge):
    put_release(edge.home, "depl_1", FILES, preview=True)
    edge.switch("depl_1")

    assert (await fetch(edge.port, "/")).headers["x-robots-tag"] == "noindex"


# Hosts


async def test_an_unknown_host_is_told_so(edge: Edge):
    answer = await fetch(edge.port, "/", host="nobody.example.com")

    assert answer.status == 404
    assert "There is no site at nobody.example.com." in answer.text


async def test_the_host_may_have_a_port_a_dot_and_capitals(site: Edge):
    for host in ("a.localhost:8000", "A.LocalHost", "a.localhost."):
        assert (await fetch(site.port, "/about", host=host)).body == b"about"


@pytest.mark.parametrize(
    "host", ["..", ".lock", ".generations", "a/b", "a localhost", "a@b", "%2e"]
)
async def test_a_host_that_is_no_name_is_refused(site: Edge, host: str):
    assert b" 400 " in (await raw(site.port, head("/", host=host))).split(b"\r\n")[0]


async def test_a_load_balancer_may_ask_by_address(edge: Edge):
    answer = await fetch(edge.port, "/health", host="10.1.2.3")

    assert (answer.status, answer.body) == (200, b"ok\n")


async def test_a_release_that_is_damaged_is_an_error_and_not_a_wrong_answer(
    site: Edge, capfd: pytest.CaptureFixture[str]
):
    (site.home / "releases/depl_1/files/about.html").write_bytes(b"short")
    (site.home / "releases/depl_1/files/about.html").write_bytes(b"not what the table says")

    assert (await fetch(site.port, "/about")).status == 500
    assert (await fetch(site.port, "/blog/")).status == 200


async def test_a_release_that_is_gone_is_an_error(edge: Edge, home: Path):
    edge.switch("depl_gone")

    assert (await fetch(edge.port, "/")).status == 500
