"""What the rules of a site cost the edge for one request, beside the same site without rules.

In one process and without sockets: only the work between a parsed request and its ready answer.

    .venv/bin/python -m benchmarks.rules [--requests 20000]
"""

import argparse
import hashlib
import statistics
import tempfile
import time
from pathlib import Path

from windlass.core.rules import HeaderRule, Place, Rule, Rules
from windlass.core.site import File, Site
from windlass.edge import static
from windlass.edge.content import Contents
from windlass.edge.request import Request, parse
from windlass.edge.table import Release

PAGE = b"<h1>A page</h1>"
EXACT = tuple(Rule(Place(f"/old/{n}"), "redirect", f"/new/{n}", 301) for n in range(2_000))
PATTERNS = tuple(
    Rule(Place(f"/p{n}/", pattern=f"/p{n}/(?P<g1>[^/]+)"), "redirect", "/new/${g1}", 301)
    for n in range(240)
)
SPA = Rule(Place("/", pattern="/(?P<splat>.*)"), "rewrite", "/index.html", 200)
HEADER = HeaderRule(Place("/", pattern="/(?P<splat>.*)"), "X-Frame-Options", "DENY")
# RE2 reads these letter by letter and finds nothing; an expression that walks back never ends.
EVIL = tuple(
    Rule(Place("/", pattern=f"/(?P<g1>(?:a+)+)b{n}"), "redirect", "/x", 302, before_files=True)
    for n in range(200)
)
CASES: tuple[tuple[str, Rules | None, str], ...] = (
    ("no rules, a page", None, "/"),
    ("2,000 exact redirects, a page", Rules(rules=EXACT), "/"),
    ("2,000 exact redirects, one of them", Rules(rules=EXACT), "/old/1999"),
    ("240 patterns, the last of them", Rules(rules=PATTERNS), "/p239/x"),
    ("a single-page app by a rewrite, with a header", Rules((SPA,), (HEADER,)), "/deep/er"),
    ("200 hostile patterns, 1,000 letters", Rules(rules=EVIL), "/" + "a" * 1_000),
)


def measure(folder: Path, given: Rules | None, path: str, requests: int) -> float:
    """Microseconds for one request: the median of ten rounds."""
    file = File(hashlib.sha256(PAGE).hexdigest(), len(PAGE))
    site = Site(deployment="depl_1", kind="static", files={"index.html": file}, rules=given)
    release, contents = Release(folder, site), Contents(1 << 20)
    request: Request = parse(f"GET {path} HTTP/1.1\r\nHost: bench.localhost\r\n\r\n".encode())
    rounds: list[float] = []
    for _ in range(10):
        began = time.perf_counter()
        for _ in range(requests // 10):
            static.answer(request, release, contents)
        rounds.append((time.perf_counter() - began) / (requests // 10))
    return statistics.median(rounds) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=20_000)
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "files").mkdir()
        (folder / "files" / "index.html").write_bytes(PAGE)
        for name, given, path in CASES:
            count = requests // 100 if given and given.rules is EVIL else requests
            print(f"{measure(folder, given, path, max(count, 10)):10.1f} µs  {name}")


if __name__ == "__main__":
    main()
