"""The command line against a real server: signing in, tokens, teams, the audit log."""

import csv
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.running import PATIENCE_SECONDS, WINDLASS, Instance

pytestmark = pytest.mark.xdist_group("people")
OWNER = {"email": "owner@example.com", "password": "Correct-horse-1"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = Instance(tmp_path_factory.mktemp("pp"))
    found.start()
    yield found
    found.stop()


@pytest.fixture(scope="module")
def browser(running: Instance) -> Iterator[httpx2.Client]:
    """The owner, signed in with a session."""
    headers = {"origin": running.url}
    with httpx2.Client(base_url=running.url, headers=headers, timeout=PATIENCE_SECONDS) as found:
        link = running.cli("setup-link").stdout.split("token=")[1].split()[0]
        assert found.post("/api/auth/setup", json={"token": link, **OWNER}).status_code == 200
        yield found


class Laptop:
    """Another machine: a home of its own, and no token of the server's."""

    def __init__(self, home: Path, running: Instance) -> None:
        self.home = home
        self.environment = {**running.environment, "WINDLASS_HOME": str(home)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(WINDLASS), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0, **environment: str) -> tuple[str, str]:
        done = subprocess.run(
            [str(WINDLASS), *words],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout, done.stderr

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json")[0].splitlines()[-1])


@pytest.fixture(scope="module")
def laptop(
    tmp_path_factory: pytest.TempPathFactory, running: Instance, browser: httpx2.Client
) -> Laptop:
    """Signed in by a code that the owner allowed in a browser."""
    found = Laptop(tmp_path_factory.mktemp("laptop"), running)
    with found.start("login", running.url) as program:
        assert program.stdout is not None
        lines = iter(program.stdout.readline, "")
        code = next(match[1] for line in lines if (match := re.search(r"code: (\S+)", line)))
        assert "windlass" in browser.get(f"/device?code={code}").text
        allowed = browser.post("/device/allow", data={"code": code, "lasts": "30"})
        assert allowed.headers["location"] == "/device?notice=device-allowed"
        told, complaint = program.communicate(timeout=PATIENCE_SECONDS)
    assert program.returncode == 0, complaint
    assert "Signed in to" in told
    assert (found.home / "cli.json").stat().st_mode & 0o777 == 0o600
    return found


def test_a_code_that_was_allowed_is_a_named_token_that_ends(laptop: Laptop) -> None:
    assert "owner@example.com" in laptop.run("whoami")[0]
    mine = next(one for one in laptop.json("tokens") if one["name"].startswith("windlass "))

    assert mine["expiresAt"] is not None
    assert mine["scopes"] is None


def test_a_code_that_is_refused_signs_nobody_in(
    tmp_path: Path, running: Instance, browser: httpx2.Client
) -> None:
    other = Laptop(tmp_path, running)
    with other.start("login", running.url, "--json") as program:
        assert program.stderr is not None
        lines = iter(program.stderr.readline, "")
        code = next(match[1] for line in lines if (match := re.search(r"code: (\S+)", line)))
        browser.post("/device/refuse", data={"code": code})
        told, complaint = program.communicate(timeout=PATIENCE_SECONDS)

    assert program.returncode == 1
    assert "refused in the browser" in complaint
    assert json.loads(told)["error"]["code"] == "SIGN_IN_REFUSED"
    assert not (tmp_path / "cli.json").exists()


def test_tokens_are_made_narrow_used_renamed_and_revoked(laptop: Laptop, running: Instance) -> None:
    made = laptop.run("tokens", "create", "ci", "--scope", "project:read", "--expires", "7d")[0]
    token = made.splitlines()[-1]
    assert token.startswith("wl_")
    as_ci = {"WINDLASS_TOKEN": token, "WINDLASS_URL": running.url}
    assert "owner@example.com" in laptop.run("whoami", **as_ci)[0]
    laptop.run("projects", **as_ci)
    assert "made without it" in laptop.run("teams", "create", "X", code=1, **as_ci)[1]
    assert "project:read" in laptop.run("tokens")[0]

    laptop.run("tokens", "rename", "ci", "pipeline")
    assert "--yes" in laptop.run("tokens", "revoke", "pipeline", code=1)[1]
    laptop.run("tokens", "revoke", "pipeline", "--yes")

    assert "Sign in" in laptop.run("whoami", code=1, **as_ci)[1]
    assert "no token pipeline" in laptop.run("tokens", "revoke", "pipeline", "-y", code=1)[1]
    assert "a number of days" in laptop.run("tokens", "create", "x", "--expires", "1y", code=2)[1]
    assert "deploy:all" in laptop.run("tokens", "create", "x", "--scope", "deploy:all", code=1)[1]


def test_teams_are_made_filled_and_left(laptop: Laptop) -> None:
    assert "Made the team harbour" in laptop.run("teams", "create", "Harbour")[0]
    invited = laptop.json("teams", "invite", "harbour", "ada@example.com", "--role", "developer")
    assert invited["outcome"] == "invited"
    shown = laptop.run("teams", "show", "harbour")[0]
    assert "owner@example.com" in shown
    assert "ada@example.com" in shown
    assert laptop.json("teams", "show", "Harbour")[0]["role"] == "owner"
    renamed = laptop.json("teams", "rename", "harbour", "Port", "--slug", "port")
    assert (renamed["name"], renamed["slug"]) == ("Port", "port")
    assert "Harbour" in laptop.run("teams", "rename", "port", "Harbour", "--slug", "harbour")[0]

    assert "Withdrew" in laptop.run("teams", "remove", "harbour", "ada@example.com")[0]
    assert "Nobody called" in laptop.run("teams", "remove", "harbour", "ada@x.org", code=1)[1]
    assert "last" in laptop.run("teams", "leave", "harbour", "--yes", code=1)[1]
    assert "owner" in laptop.run("teams", "role", "harbour", "owner@example.com", "owner")[0]
    assert "No team waits" in laptop.run("teams", "invitations")[0]
    assert [team["slug"] for team in laptop.json("teams")] == ["harbour"]
    laptop.run("teams", "delete", "harbour", "--yes")
    assert laptop.json("teams") == []
    assert "in no team harbour" in laptop.run("teams", "show", "harbour", code=1)[1]


def test_the_log_is_filtered_and_exported(laptop: Laptop, tmp_path: Path) -> None:
    laptop.run("tokens", "create", "for-the-log")
    shown = laptop.run("audit", "--by", "me", "--action", "auth.TokenCreated", "--since", "1h")[0]
    assert "Made the API token “for-the-log”" in shown
    assert laptop.json("audit", "--until", "2020-01-01") == []
    assert laptop.json("audit", "--all", "-n", "3")[0]["sentence"]

    file = tmp_path / "log.csv"
    assert str(file) in laptop.run("audit", "--type", "auth", "--export", str(file))[0]
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert {row["type"] for row in rows} == {"auth"}
    assert file.stat().st_mode & 0o777 == 0o600
    assert "exists already" in laptop.run("audit", "--export", str(file), code=1)[1]
    streamed = json.loads(laptop.run("audit", "--export", "-", "--search", "for-the-log")[0])
    assert streamed
    assert "not a time" in laptop.run("audit", "--since", "soon", code=1)[1]


def test_signing_out_revokes_the_token(laptop: Laptop, running: Instance) -> None:
    token = json.loads((laptop.home / "cli.json").read_text())["token"]
    assert "Signed out" in laptop.run("logout")[0]

    as_before = {"WINDLASS_TOKEN": token, "WINDLASS_URL": running.url}
    assert "Sign in" in laptop.run("whoami", code=1, **as_before)[1]
    assert "not signed in" in laptop.run("whoami", code=1)[1]
    given = subprocess.run(
        [str(WINDLASS), "login", running.url, "--token"],
        input=running.token + "\n",
        env=laptop.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert given.returncode == 0, given.stderr
    laptop.run("logout")
    # It was only given: whoever gave it still has it.
    assert running.api("GET", "/api/auth/me").status_code == 200
