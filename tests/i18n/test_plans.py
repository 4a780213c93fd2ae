"""What a plan and an import report say is made of messages that every catalogue has."""

import re
from collections.abc import Iterator

import pytest
from tests.builds import test_hostfiles_others as others
from tests.builds.test_detect_examples import EXAMPLES, NAMES
from tests.builds.trees import Files, Folder

from windlass.builds.detect import detect, hostfiles
from windlass.builds.detect.source import Source
from windlass.builds.errors import NothingDetected
from windlass.builds.plan import Installed, Plan, Tree
from windlass.core import languages
from windlass.core.errors import AppError

OTHERS = [language for language in languages.LANGUAGES if language != languages.DEFAULT]
HERE = Installed(
    python="3.11.2",
    node="20.20.2",
    tools=dict.fromkeys(
        [
            *("go", "cargo", "ruby", "bundle", "php", "composer", "java", "javac", "mvn", "gradle"),
            *("dotnet", "mix", "deno", "bun", "hugo", "jekyll", "zola", "node", "npm"),
        ],
        "1.2.3",
    ),
)
COMMAND = re.compile(r"(apt-get|npm) install [\w -]+")
# Files of other hosts with one line for each thing that cannot be done as it was there.
IMPORTS: dict[str, dict[str, object]] = {
    "netlify.toml": {"index.html": "", "web/index.html": "", "netlify.toml": others.NETLIFY},
    "render.yaml": {"server/main.py": "", "render.yaml": others.RENDER},
    "fly.toml": {"index.html": "", "fly.toml": others.FLY},
    "app.json": {"index.html": "", "app.json": others.APP},
    "railway.json": {"index.html": "", "railway.json": others.RAILWAY},
    "vercel.json": {
        "index.html": "",
        "vercel.json": {
            **dict.fromkeys(("framework", "crons", "functions", "images", "regions", "git"), 1),
            **dict.fromkeys(("ignoreCommand", "routes", "builds", "public", "unknown"), 1),
            "cleanUrls": 7,
            "trailingSlash": "no",
            "buildCommand": "npm ci && make site",
            "outputDirectory": "../out",
            "env": {"A": "@secret", "B-C": "x", "PORT": "80"},
            "redirects": [
                *({"source": source, "destination": "/b"} for source in ("/(", "a", "/:a/:a", 7)),
                *(
                    {"source": "/a", "destination": target}
                    for target in ("/{", "/:x", "/$9", "b c")
                ),
                {"source": "/a", "destination": "/b", "statusCode": 200},
                {"source": "/a", "destination": "/b", "has": [{"type": "sun"}]},
                {"source": "/a", "destination": "/b", "has": [{"type": "host", "value": {}}]},
                {"source": "/c"},
            ],
            "rewrites": [{"source": "/api/:a*", "destination": "https://example.com/:a*"}],
            "headers": [
                {"source": "/a", "headers": [{"key": "Date", "value": "x"}]},
                {"source": "/b"},
            ],
        },
    },
    "_redirects": {
        "index.html": "",
        "_redirects": "/a /b\n/b /a\n/c\n/d /e 299\n/f /g Country=de\n"
        "/h /.netlify/functions/x 200\n/i /j 999\n"
        "/a*b* /c\n/:a/:a /b\n/x https://example.com 200\nx y\n/q a=: /b\n",
        "_headers": "/*\n  Basic-Auth: a\n  ETag: b\n  nothing\nhttps://example.com/*\n  A: b\n",
        ".env.example": "A=1\nB=2\n",
        "Procfile": "web: serve\nworker: work\n",
    },
    "a server": {
        "Procfile": "web: serve\nrelease: migrate\nworker: work\n",
        "vercel.json": {"rewrites": [{"source": "/a", "destination": "/b"}]},
        ".env.example": "A=1\n",
    },
    "broken": {"index.html": "", "render.yaml": "a: [", "railway.json": "[1]", "fly.toml": "\0"},
}


def said(tree: Tree) -> Iterator[str]:
    """Every sentence: of the plan, or of why there is none, and of the import report."""
    plan: Plan | None = None
    for installed in (HERE, Installed()):
        try:
            plan = detect(tree, installed=installed)
            yield from (*plan.evidence, *plan.warnings)
        except AppError as error:
            yield str(error)
    top = Source(tree)
    found = hostfiles.report(top, top, plan)
    for row in found.rows if found else ():
        yield from (each for each in (row.key,) if " " in each)
        # What is the same here is shown as it was written there: a command, a folder, a number.
        yield from (each for each in (row.detail,) if each and row.verdict != "exact")


def untold(language: str, sentence: str) -> Iterator[str]:
    """The sentence, or those inside it, that no message of the catalogue is the pattern of."""
    made = languages.made_from(language, sentence)
    if made is None:
        yield sentence
        return
    for name in {"reason", "hint"} & made[1].keys():
        if not COMMAND.fullmatch(made[1][name]):
            yield from untold(language, made[1][name])


@pytest.fixture(scope="module")
def sentences() -> set[str]:
    trees = (*(Folder(EXAMPLES / name) for name in NAMES), *map(Files, IMPORTS.values()))
    return {sentence for tree in trees for sentence in said(tree)}


def test_the_examples_say_much(sentences: set[str]) -> None:
    assert len(sentences) > 200


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_of_a_plan_and_a_report_is_in_the_catalogue(
    language: str, sentences: set[str]
) -> None:
    assert [bad for each in sorted(sentences) for bad in untold(language, each)] == []


def test_a_sentence_inside_another_is_told_again_too() -> None:
    tree = Files({"index.html": "", "_redirects": "/a /b 299\n"})
    top = Source(tree)
    found = hostfiles.report(top, top, None)
    assert found is not None
    row = found.rows[0]
    with pytest.raises(NothingDetected) as caught:
        detect(Files({"package.json": {}}))

    with languages.speaking("de"):
        assert languages.retold(row.detail) == (
            "`/a /b 299` entfällt: Status 299 kann eine Regel nicht haben"
        )
        assert "package.json hat kein `build`- und kein `start`-Skript" in caught.value.message
        assert "ein Procfile mit einem web-Prozess" in languages.retold(str(caught.value))
    assert row.detail.startswith("`/a /b 299` is left out")
