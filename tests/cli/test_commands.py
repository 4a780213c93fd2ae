"""The other commands: switch, projects, environment, account, looking around."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Run, last_json
from tests.cli.panel import Panel


@pytest.fixture
def history(panel: Panel) -> list[dict[str, object]]:
    """Three production deployments, the last one live, and a finished preview."""
    project = panel.add_project("shop")
    made = [panel.add_deployment(project) for _ in range(3)]
    panel.activate(made[2])
    return [*made, panel.add_deployment(project, isPreview=True)]


def live(panel: Panel) -> object:
    return next(one["id"] for one in panel.deployments.values() if one["isActive"])


def test_rollback_goes_to_the_previous_ready_one_and_twice_goes_back_two(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    result = run("rollback", "--project", "shop", "--reason", "broken")
    assert live(panel) == history[1]["id"]
    assert result.stdout.splitlines()[-1] == "http://shop.localhost"
    assert [json.loads(call.body) for call in panel.calls if call.method == "POST"] == [
        {"reason": "broken"}
    ]

    run("rollback", "--project", "shop")
    assert live(panel) == history[0]["id"]
    assert "to go back to" in run("rollback", "--project", "shop", code=1).stderr


def test_rollback_from_a_promoted_preview_goes_to_what_was_live_before(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    preview = history[3]
    preview["promotedAt"] = "2026-02-01T00:00:00Z"
    panel.activate(preview)
    run("rollback", "--project", "shop")

    assert live(panel) == history[2]["id"]


def test_a_switch_that_fails_says_why_and_that_nothing_changed(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    panel.write_log(str(history[1]["id"]), "error", "build", "an older error")
    panel.switch_fails = "The application exited with code 1."
    result = run("rollback", "--project", "shop", code=1)

    assert result.stderr == (
        "Error: The switch failed, nothing has changed: The application exited with code 1.\n"
    )
    assert live(panel) == history[2]["id"]


def test_rollback_to_a_named_deployment_ends_with_its_json(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    answer = last_json(run("rollback", str(history[0]["id"]), "--json"))

    assert (answer["id"], answer["isActive"]) == (history[0]["id"], True)


def test_promote_takes_the_newest_preview(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    run("promote", "--project", "shop")

    assert live(panel) == history[3]["id"]


def test_cancel_takes_the_running_one_and_a_finished_one_is_a_conflict(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    """C-124."""
    assert "still running" in run("cancel", "--project", "shop", code=1).stderr
    waiting = panel.add_deployment(next(iter(panel.projects.values())), status="queued")
    run("cancel", "--project", "shop")
    assert waiting["status"] == "cancelled"
    assert "has ended" in run("cancel", str(waiting["id"]), code=1).stderr


def test_deployments_are_listed_and_filtered(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    """C-123."""
    lines = run("deployments").stdout.splitlines()

    assert lines[0].split() == ["ID", "PROJECT", "STATUS", "KIND", "BRANCH", "COMMIT", "CREATED"]
    assert len(lines) == 5
    assert "ready (live)" in lines[2]
    assert len(last_json(run("deployments", "--limit", "2", "--json"))) == 2
    assert "No deployments" in run("deployments", "--status", "error").stdout


def test_all_pages_of_a_list_are_read(run: Run, panel: Panel) -> None:
    for number in range(230):
        panel.add_project(f"p{number:03d}")

    assert len(last_json(run("projects", "--json"))) == 230


def test_projects_are_made_shown_and_deleted(run: Run, panel: Panel) -> None:
    made = last_json(run("projects", "create", "Shop", "--build", "make", "--json"))
    assert (made["slug"], made["buildCommand"]) == ("shop", "make")
    assert run("projects", "show", "shop").stdout.startswith("shop\n  live    nothing yet")

    refused = run("projects", "delete", "shop", code=1)
    assert "--yes" in refused.stderr
    run("projects", "delete", "shop", "--yes")
    assert not panel.projects
    assert "No projects yet" in run("projects").stdout


def test_a_project_is_found_by_slug_id_or_name(run: Run, panel: Panel) -> None:
    project = panel.add_project("shop")
    project["name"] = "Renamed Thing"

    for name in ("shop", project["id"], "Renamed Thing"):
        assert last_json(run("status", "--project", name, "--json"))["id"] == project["id"]
    unknown = run("status", "--project", "nope", code=1).stderr
    assert "There is no project nope" in unknown


def test_validation_errors_name_the_fields_and_v_the_request(run: Run, panel: Panel) -> None:
    """C-072, C-073."""
    result = run("projects", "create", "x" * 101, "-v", code=1)

    assert result.stderr.splitlines() == [
        "Error: Validation failed",
        "  name: At most 100 characters.",
        "  request: req_test1",
    ]
    answer = last_json(run("projects", "create", "x" * 101, "--json", code=1))
    assert answer["error"]["code"] == "VALIDATION_ERROR"


def test_link_and_its_removal(run: Run, site: Path, panel: Panel) -> None:
    panel.add_project("shop")
    panel.add_project("other")
    assert "not linked" in run("env", code=1).stderr
    run("link")
    assert last_json(run("status", "--json"))["slug"] == "shop"
    run("link", "--project", "other")
    assert last_json(run("status", "--json"))["slug"] == "other"
    run("link", "--remove")
    assert "version" in last_json(run("status", "--json"))


def test_a_folder_below_a_linked_one_can_be_a_project_of_its_own(
    run: Run, site: Path, panel: Panel
) -> None:
    run("deploy")
    run("deploy", "css", "--project", "styles")
    run("deploy", "css")

    slugs = [one["project"]["slug"] for one in panel.deployments.values()]
    assert slugs == ["shop", "styles", "styles"]


def test_deleting_the_linked_project_removes_the_link(run: Run, site: Path, panel: Panel) -> None:
    run("deploy")
    run("projects", "delete", "shop", "--yes")

    assert not (site / ".windlass" / "project.json").exists()


def test_a_damaged_link_file_is_named(run: Run, site: Path) -> None:
    (site / ".windlass").mkdir()
    (site / ".windlass" / "project.json").write_text("{")

    assert "project.json cannot be read" in run("status", code=1).stderr


def test_plan_shows_what_would_happen_without_deploying(run: Run, site: Path, panel: Panel) -> None:
    result = run("plan")

    assert "Static files: static files" in result.stdout
    assert "Because  public/index.html exists" in result.stdout
    assert not panel.projects
    assert last_json(run("plan", "--json"))["plan"]["framework"] == "static"
    panel.plan_error = "Nothing was found to build."
    assert "Nothing was found" in run("plan", code=1).stderr


def test_import_shows_what_files_of_other_hosts_become(run: Run, site: Path, panel: Panel) -> None:
    assert "no files of other hosts" in run("import").stdout
    assert last_json(run("import", "--json")) is None
    rows = [
        {"file": "vercel.json", "key": "cleanUrls", "verdict": "exact", "detail": "true"},
        {
            "file": "vercel.json",
            "key": "crons",
            "verdict": "impossible",
            "detail": "no \x1b[2Jjobs",
        },
    ]
    variables = [{"name": "TOKEN", "value": None, "detail": "For mails"}]
    toml = "clean_urls = true\n"
    panel.imports = {
        "files": ["vercel.json"],
        "rows": rows,
        "variables": variables,
        "toml": toml,
    }

    shown = run("import").stdout

    assert "  exact       cleanUrls  true\n  impossible  crons      no jobs\n" in shown
    assert "  TOKEN  For mails" in shown
    assert "1 exact, 0 adapted, 1 impossible." in shown
    assert not panel.projects
    assert last_json(run("import", "--json"))["rows"] == rows
    assert run("import", "--toml").stdout == toml
    # The report is worth most where there is no plan yet.
    panel.plan_error = "Nothing was found to build."
    assert "cleanUrls" in run("import").stdout
    assert "Give a PATH or --git" in run("import", ".", "--git", "x", code=2).stderr


def test_open_prints_the_address_where_there_is_no_terminal(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    assert run("open", "--project", "shop").stdout == "http://shop.localhost\n"
    assert run("open", "--panel").stdout == f"{panel.url}\n"


def test_doctor_says_what_is_wrong_and_the_fix(run: Run, panel: Panel) -> None:
    assert "All is well." in run("doctor").stdout
    panel.findings = [
        {"name": "sandbox", "ok": False, "detail": "bwrap is missing", "fix": "apt-get install it"}
    ]
    result = run("doctor", code=1)
    assert "BAD  sandbox: bwrap is missing\n     apt-get install it" in result.stdout
    assert last_json(run("doctor", "--json", code=1)) == panel.findings


def test_a_deployment_is_never_created_twice_by_a_repeated_request(
    run: Run, site: Path, panel: Panel
) -> None:
    run("deploy")
    panel.calls.clear()
    panel.failures = [(503, {"Retry-After": "0"})] * 8
    run("projects", "create", "twice", code=1)

    assert panel.paths("POST") == ["/api/projects"]


def test_a_request_that_reached_no_panel_is_sent_again(run: Run, panel: Panel) -> None:
    away = (503, {"Content-Type": "text/plain", "Retry-After": "0"})
    panel.failures = [away] * 2
    run("projects", "create", "later")
    panel.calls.clear()
    panel.failures = [away] * 8
    done = run("projects", "create", "never", code=1)

    assert panel.paths("POST") == ["/api/projects"] * 4
    assert "the panel behind it is not running at this moment (503)" in done.stderr


def test_ids_cannot_reach_another_route(run: Run, panel: Panel) -> None:
    run("logs", "../projects", code=1)

    assert panel.calls[-1].raw_path == "/api/deployments/..%2Fprojects"


def test_diff_is_from_the_live_one_to_the_newest_and_names_no_value(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    panel.activate(history[0])
    panel.diff = {
        "kind": "diff",
        "commits": [{"name": "commit", "kind": "changed", "before": "aaa", "after": "bbb"}],
        "files": [
            {"name": f"f{n}", "kind": "changed", "before": n, "after": 2048} for n in range(3)
        ],
        "variables": [{"name": "KEY", "kind": "removed"}],
        "variablesKnown": True,
    }
    lines = run("diff", "--project", "shop", "--files", "2").stdout.splitlines()

    assert lines[0] == f"From {history[0]['id']} to {history[3]['id']}"
    assert "  ~ commit  aaa → bbb" in lines
    assert "  - KEY" in lines
    assert "  ~ f1  1 bytes → 2.0 KiB" in lines
    assert lines[-1] == "  and 1 more"
    named = run("diff", str(history[1]["id"]), str(history[2]["id"])).stdout.splitlines()
    assert named[0] == f"From {history[1]['id']} to {history[2]['id']}"


def test_the_first_deployment_has_no_diff(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    assert "nothing to compare it with" in run("diff", str(history[0]["id"])).stdout


def test_rollback_with_todays_variables_asks_for_them(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    run("rollback", "--project", "shop", "--todays-variables")

    assert [json.loads(call.body) for call in panel.calls if call.method == "POST"] == [
        {"todaysVariables": True}
    ]


def test_redeploy_takes_the_newest_and_follows_it(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    result = run("redeploy", "--project", "shop", "--clean")

    assert "Ready" in result.stdout
    sent = [call for call in panel.calls if call.method == "POST"]
    assert sent[0].path == f"/api/deployments/{history[3]['id']}/trigger"
    assert sent[0].query == {"clean": "true"}


def test_the_receipt_of_the_live_one_says_what_each_side_served(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    panel.receipt = {
        "previousDeploymentId": history[1]["id"],
        "host": "shop.localhost",
        "outcome": "returned",
        "switchMilliseconds": 3.21,
        "before": {"requests": 100, "failed": 1, "p50Milliseconds": 5.0, "p95Milliseconds": 20.0},
        "new": {"requests": 40, "failed": 6},
    }
    lines = run("receipt", "--project", "shop").stdout.splitlines()

    assert lines[0] == (
        f"shop.localhost was switched to {history[2]['id']} in 3.2 ms, from {history[1]['id']}."
    )
    assert lines[2].split() == ["old,", "before", "100", "1", "5", "ms", "20", "ms"]
    assert lines[4].split() == ["new", "40", "6", "-", "-"]
    assert "went back by itself" in lines[5]


def test_caches_are_cleaned_by_project(
    run: Run, history: list[dict[str, object]], panel: Panel
) -> None:
    result = run("cache", "clean", "--project", "shop")

    assert "The caches of shop are removed" in result.stdout
    assert panel.paths("DELETE") == [f"/api/projects/{history[0]['projectId']}/caches"]


def test_the_disk_of_the_server_is_told_by_kind_and_project(run: Run, panel: Panel) -> None:
    panel.disk = {
        "sizeBytes": 5120,
        "freeBytes": 1 << 30,
        "unexplainedBytes": 0,
        "parts": [
            {"name": "caches", "sizeBytes": 4096, "files": 2},
            {"name": "rest", "sizeBytes": 1024, "files": 1},
        ],
        "projects": [{"projectId": "proj_1", "name": "Shop", "cachesBytes": 4096}],
        "rest": ["holiday.mov"],
    }
    lines = run("disk").stdout.splitlines()

    assert lines[1].split() == ["caches", "4.0", "KiB", "2"]
    assert lines[2].split()[:3] == ["nothing", "of", "Windlass"]
    assert "holiday.mov" in lines[5]
    assert lines[-2].split()[:4] == ["Shop", "0", "bytes", "4.0"]
    assert lines[-1] == "1.0 GiB are free."
