"""`windlass registries`."""

from tests.cli.conftest import Run, last_json
from tests.cli.panel import Panel


def test_a_login_is_set_listed_and_forgotten(run: Run, panel: Panel) -> None:
    panel.add_project("shop")
    of = ("--project", "shop")

    set_ = run("registries", "login", "ghcr.io", "-u", "ada", *of, input="a-token\n")
    shown = run("registries", *of).stdout
    found = last_json(run("registries", "list", *of, "--json"))
    ended = run("registries", "logout", "ghcr.io", *of)
    after = run("registries", *of)

    [asked] = [call for call in panel.calls if call.path.endswith("/registries") and call.body]
    assert b'"password":"a-token"' in asked.body.replace(b": ", b":")
    assert "shop fetches images of ghcr.io as ada" in set_.stdout + set_.stderr
    assert "ghcr.io" in shown
    assert "a-token" not in shown
    assert [one["username"] for one in found] == ["ada"]
    assert "has no login at ghcr.io any more" in ended.stdout + ended.stderr
    assert "No logins" in after.stdout + after.stderr


def test_without_a_password_nothing_is_sent(run: Run, panel: Panel) -> None:
    panel.add_project("shop")

    done = run("registries", "login", "ghcr.io", "-u", "ada", "--project", "shop", code=1)

    assert "There is no password" in done.stderr
    assert not panel.logins


def test_what_is_not_there_is_not_forgotten(run: Run, panel: Panel) -> None:
    panel.add_project("shop")

    done = run("registries", "logout", "ghcr.io", "--project", "shop", code=1)

    assert "has no login at ghcr.io" in done.stderr
