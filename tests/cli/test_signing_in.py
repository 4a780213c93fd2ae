"""Signing in and out of servers, and servers that are away, slow or somewhere else."""

import json
import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Run, last_json
from tests.cli.panel import EMAIL, TOKEN, Panel

from windlass.cli import device
from windlass.cli.api import Api
from windlass.cli.session import Session


def sign_out_of_this_machine(home: Path) -> None:
    (home / "keys" / "cli.token").unlink()


def test_without_a_sign_in_it_says_what_to_do(run: Run, home: Path, site: Path) -> None:
    sign_out_of_this_machine(home)
    result = run("deploy", code=1)

    assert "windlass up" in result.stderr
    assert "windlass login URL" in result.stderr


def test_login_shows_a_code_waits_for_the_click_and_logout_revokes_the_token(
    run: Run, home: Path, panel: Panel
) -> None:
    sign_out_of_this_machine(home)
    panel.url = panel.url.replace("127.0.0.1", "localhost")
    panel.device_answers = ["AUTHORIZATION_PENDING"] * 3
    shown = run("login", panel.url).stdout

    assert "WDJB-MJHT" in shown
    assert f"{panel.url}/device" in shown
    assert panel.clients[0].startswith("windlass ")
    stored = home / "cli.json"
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    token = json.loads(stored.read_text())["token"]
    assert token in panel.tokens.values()
    assert EMAIL in run("whoami").stdout
    assert last_json(run("whoami", "--json"))["email"] == EMAIL
    run("logout")
    assert token not in panel.tokens.values()
    assert not stored.exists()


def test_a_token_that_was_allowed_is_kept_whatever_happens_next(
    run: Run, home: Path, panel: Panel
) -> None:
    panel.failures = [None, None, (500, {})]
    run("login", panel.url, code=1)

    assert json.loads((home / "cli.json").read_text())["token"] in panel.tokens.values()
    assert EMAIL in run("whoami").stdout


def test_a_server_that_leaves_while_somebody_signs_in_is_said_once_and_asked_again(
    run: Run, panel: Panel
) -> None:
    panel.failures = [None, "", "", None]
    result = run("login", panel.url)

    assert result.stderr.count("Still trying.") == 1
    assert f"Signed in to {panel.url}" in result.stdout


def test_a_redirect_says_the_address_to_sign_in_with(run: Run, panel: Panel) -> None:
    panel.failures = [(301, {"Location": "https://panel.example.com:8443/api/auth/device"})]
    result = run("login", panel.url, code=1)

    assert result.stderr.splitlines()[-1].endswith(
        ": windlass login https://panel.example.com:8443"
    )


@pytest.mark.parametrize(
    ("reason", "words"), [("ACCESS_DENIED", "refused in the browser"), ("EXPIRED_TOKEN", "in time")]
)
def test_a_sign_in_that_nobody_allows_stores_nothing(
    run: Run, home: Path, panel: Panel, reason: str, words: str
) -> None:
    panel.device_answers = ["AUTHORIZATION_PENDING", reason]
    result = run("login", panel.url, code=1)

    assert words in result.stderr
    assert not (home / "cli.json").exists()


def test_who_is_told_to_slow_down_does_and_gives_up_when_the_time_is_over(panel: Panel) -> None:
    panel.device_answers = ["SLOW_DOWN", "AUTHORIZATION_PENDING", "SLOW_DOWN", "ACCESS_DENIED"]
    waited: list[float] = []
    with Api(panel.url) as api, pytest.raises(device.SignInRefused):
        device.sign_in(Session(), api, opens_browser=False, pause=waited.append)
    assert waited == [0, 5, 5, 10]

    panel.device_answers = ["AUTHORIZATION_PENDING"] * 99
    times = iter(range(0, 9999, 100))
    with Api(panel.url) as api, pytest.raises(device.CodeExpired):
        device.sign_in(
            Session(), api, opens_browser=False, pause=waited.append, clock=lambda: next(times)
        )
    assert len(waited) == 4 + 5


def test_a_token_from_standard_input_is_checked_before_it_is_stored(
    run: Run, home: Path, panel: Panel
) -> None:
    refused = run("login", panel.url, "--token", input="nonsense\n", code=1)
    assert "does not know this token" in refused.stderr
    assert f"windlass login {panel.url}" in refused.stderr
    assert not (home / "cli.json").exists()
    run("login", panel.url, "--token", input=f"{TOKEN}\n")
    assert json.loads((home / "cli.json").read_text())["token"] == TOKEN


def test_plain_http_to_another_machine_is_refused_unless_insecure(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("login", "http://panel.example.com", code=1)
    assert "not encrypted" in result.stderr
    assert "--insecure" in result.stderr
    monkeypatch.setenv("WINDLASS_URL", "http://panel.example.com")
    monkeypatch.setenv("WINDLASS_TOKEN", "x")
    assert "WINDLASS_INSECURE=1" in run("whoami", code=1).stderr


def test_a_second_login_revokes_the_token_of_the_first(run: Run, home: Path, panel: Panel) -> None:
    run("login", panel.url)
    first = json.loads((home / "cli.json").read_text())["token"]

    run("login", panel.url)

    second = json.loads((home / "cli.json").read_text())["token"]
    assert first != second
    assert first not in panel.tokens.values()
    assert second in panel.tokens.values()


def test_a_path_after_the_host_is_named_with_what_to_type(run: Run) -> None:
    said = run("login", "https://panel.example.com:8443/projects?x=1", code=1).stderr

    assert "more than the address" in said
    assert "windlass login https://panel.example.com:8443\n" in said


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://u:p@host", "https://h:x"])
def test_an_address_that_is_none_is_said(run: Run, url: str) -> None:
    assert "not the address of a Windlass server" in run("login", url, code=1).stderr


def test_an_address_without_its_token_does_not_lead_to_another_server(
    run: Run, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of what a pipeline sets must not deploy to whatever is stored."""
    monkeypatch.setenv("WINDLASS_URL", "https://staging.example.com")
    refused = run("projects", code=1)
    assert f"names https://staging.example.com, but you are signed in to {panel.url}" in (
        refused.stderr
    )
    assert "WINDLASS_TOKEN" in refused.stderr
    monkeypatch.setenv("WINDLASS_URL", f"{panel.url}/")
    run("projects")


def test_the_environment_wins_over_the_stored_sign_in(
    run: Run, panel: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINDLASS_TOKEN", "revoked")
    result = run("whoami", code=1)

    assert "Sign in first." in result.stderr
    assert "windlass login" in result.stderr


def test_a_server_that_does_not_run_is_said_with_what_to_do(run: Run, home: Path) -> None:
    (home / "run" / "windlass.json").write_text('{"url": "http://127.0.0.1:9"}')
    result = run("projects", code=1)

    assert "connection refused" in result.stderr
    assert "windlass up" in result.stderr
    assert "windlass login" in result.stderr
    assert "Traceback (most recent" in run("projects", "--debug", code=1).stderr


def test_a_server_that_is_busy_is_asked_again(run: Run, panel: Panel) -> None:
    panel.failures = [(503, {"Retry-After": "0"}), (429, {"Retry-After": "0"})]
    run("projects")

    assert len(panel.calls) == 3
