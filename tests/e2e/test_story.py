"""What a user does, on a real instance, through the command line and the browser's addresses."""

import json
import os
import threading
from pathlib import Path

import httpx2
import pytest

from tests.e2e import sites
from tests.running import PATIENCE_SECONDS, Instance, until

pytestmark = pytest.mark.xdist_group("instance")


def test_the_example_is_live_after_the_first_start(instance: Instance) -> None:
    url = f"http://hello.localhost:{instance.port}"
    until(lambda: instance.get(url).status_code == 200, what="the example to be deployed")

    assert "This site is live" in instance.get(url).text
    until(lambda: url in instance.log.read_text(), what="its address to be printed")
    assert "/setup?token=" in instance.log.read_text()


def test_a_folder_is_deployed_changed_rolled_back_and_promoted(
    instance: Instance, tmp_path: Path
) -> None:
    """C-021, C-131, C-160, F-10: the served site is what counts."""
    folder = sites.static(tmp_path / "story", "one")
    first = instance.deploy(folder)
    assert (first["status"], first["isActive"]) == ("ready", True)
    assert "one" in instance.get(first["url"]).text

    sites.static(folder, "two")
    preview = instance.deploy(folder)
    assert preview["isPreview"] is True
    assert "two" in instance.get(preview["url"]).text
    assert "one" in instance.get(first["url"]).text

    instance.cli("promote", preview["id"], cwd=folder)
    assert "two" in instance.get(first["url"]).text

    instance.cli("rollback", cwd=folder)
    assert "one" in instance.get(first["url"]).text
    active = instance.api("GET", f"/api/deployments?projectId={first['projectId']}").json()["data"]
    assert [row["id"] for row in active if row["isActive"]] == [first["id"]]


def test_a_server_is_switched_without_a_failed_request(instance: Instance, tmp_path: Path) -> None:
    folder = sites.server(tmp_path / "switched", "one")
    first = instance.deploy(folder)
    assert instance.get(first["url"]).text == "one none"
    (folder / "version.txt").write_text("two")
    second = instance.deploy(folder, "--prod")
    seen: list[tuple[int, str]] = []
    stop = threading.Event()

    def visit() -> None:
        with httpx2.Client(
            base_url=f"http://127.0.0.1:{instance.port}", timeout=PATIENCE_SECONDS
        ) as client:
            while not stop.is_set():
                response = client.get("/", headers={"host": first["url"].split("//")[1]})
                seen.append((response.status_code, response.text.split()[0]))

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for turn in range(6):
        target = first if turn % 2 == 0 else second
        instance.cli("promote", target["id"], cwd=folder)
    stop.set()
    for visitor in visitors:
        visitor.join()

    assert len(seen) > 100
    assert {status for status, _ in seen} == {200}
    assert {text for _, text in seen} == {"one", "two"}


def test_variables_reach_the_app_and_secrets_never_the_log(
    instance: Instance, tmp_path: Path
) -> None:
    """C-105, C-148."""
    folder = sites.server(tmp_path / "colours")
    instance.deploy(folder)
    instance.cli("env", "set", "COLOUR=hunter22-secret", "--secret", cwd=folder)
    lines = 'install_command = "echo colour is $COLOUR"\nstart_command = "python3 server.py"\n'
    (folder / "windlass.toml").write_text(lines)

    done = instance.deploy(folder, "--prod")

    assert instance.get(done["url"]).text == "one hunter22-secret"
    log = instance.api("GET", f"/api/deployments/{done['id']}/logs").text
    assert "colour is ••••••" in log
    assert "hunter22" not in log


def test_a_promoted_preview_runs_with_the_variables_of_production(
    instance: Instance, tmp_path: Path
) -> None:
    """The preview goes on as it was, and nothing is built again."""
    folder = sites.server(tmp_path / "promoted")
    first = instance.deploy(folder)
    instance.cli("env", "set", "COLOUR=blue-one", "--target", "preview", cwd=folder)
    instance.cli("env", "set", "COLOUR=green-two", "--target", "production", cwd=folder)
    sites.server(folder, "two", start="python3 server.py")
    with (folder / "windlass.toml").open("a") as settings:
        settings.write('release_command = "echo releasing $COLOUR"\n')
    preview = instance.deploy(folder)
    assert instance.get(preview["url"]).text == "two blue-one"

    instance.cli("promote", preview["id"], cwd=folder)

    assert instance.get(first["url"]).text == "two green-two"
    assert instance.get(preview["url"]).text == "two blue-one"
    receipt = f"/api/deployments/{preview['id']}/receipt"
    until(
        lambda: instance.api("GET", receipt).json()["data"]["new"]["requests"] >= 1,
        what="the requests of the new version to be counted",
    )
    assert "x-robots-tag" not in instance.get(first["url"]).headers
    assert "x-robots-tag" in instance.get(preview["url"]).headers
    log = instance.api("GET", f"/api/deployments/{preview['id']}/logs").text
    assert "running with the variables of production" in log
    assert log.count("releasing blue-one") == 1
    assert log.count("releasing green-two") == 1
    # What was live comes back as it was, although the variables are others by now.
    instance.cli("env", "set", "COLOUR=red", cwd=folder)
    said = instance.cli("rollback", cwd=folder).stdout
    assert instance.get(first["url"]).text == "one none"
    assert "with the variables of its own time; different today: COLOUR" in said
    instance.cli("promote", preview["id"], cwd=folder)
    assert instance.get(first["url"]).text == "two green-two"
    for release in (preview["id"], f"{preview['id']}-live"):
        assert (instance.home / "releases" / release).is_dir()
    # Or the old files with the variables of today, when somebody says so.
    said = instance.cli("rollback", "--todays-variables", cwd=folder).stdout
    assert instance.get(first["url"]).text == "one red"
    assert "with the variables of today" in said
    assert instance.api("DELETE", f"/api/deployments/{preview['id']}").status_code == 204
    for release in (preview["id"], f"{preview['id']}-live"):
        gone = instance.home / "releases" / release
        until(lambda gone=gone: not gone.exists(), what=f"{gone} to be removed")


def test_a_promotion_that_fails_leaves_both_as_they_were_and_can_be_tried_again(
    instance: Instance, tmp_path: Path
) -> None:
    start = 'test "$COLOUR" != broken && exec python3 server.py'
    folder = sites.server(tmp_path / "unpromoted", start=start)
    first = instance.deploy(folder)
    sites.server(folder, "two", start=start)
    preview = instance.deploy(folder)
    instance.cli("env", "set", "COLOUR=broken", "--target", "production", cwd=folder)

    failed = instance.cli("promote", preview["id"], cwd=folder, check=False)

    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert instance.get(first["url"]).text == "one none"
    assert instance.get(preview["url"]).text == "two none"
    instance.cli("env", "set", "COLOUR=mended", "--target", "production", cwd=folder)
    instance.cli("promote", preview["id"], cwd=folder)
    assert instance.get(first["url"]).text == "two mended"


def test_a_promoted_static_preview_is_for_search_engines(
    instance: Instance, tmp_path: Path
) -> None:
    folder = sites.static(tmp_path / "found", "one")
    first = instance.deploy(folder)
    sites.static(folder, "two")
    preview = instance.deploy(folder)

    instance.cli("promote", preview["id"], cwd=folder)

    assert "two" in instance.get(first["url"]).text
    assert "x-robots-tag" not in instance.get(first["url"]).headers
    assert instance.get(preview["url"]).headers["x-robots-tag"] == "noindex"


def test_what_files_of_other_hosts_say_is_served(instance: Instance, tmp_path: Path) -> None:
    folder = sites.static(
        tmp_path / "moved",
        _redirects="/old /about 302\n/loop /pool\n/pool /loop\n/app/* /index.html 200\n",
        _headers="/*\n  X-Frame-Options: DENY\n",
    )
    moved = [{"source": "/v/:id(\\d+)", "destination": "/n/:id", "permanent": False}]
    (folder / "vercel.json").write_text(json.dumps({"redirects": moved}))
    url = instance.deploy(folder)["url"]

    assert instance.get(f"{url}/v/7").headers["location"] == "/n/7"
    old = instance.get(f"{url}/old?a=1")
    assert (old.status_code, old.headers["location"]) == (302, "/about?a=1")
    assert instance.get(f"{url}/app/deep").headers["x-frame-options"] == "DENY"
    assert instance.get(f"{url}/loop").status_code == 404
    for name in ("_redirects", "_headers", "vercel.json"):
        assert instance.get(f"{url}/{name}").status_code == 404


def test_a_crashed_app_comes_back(instance: Instance, tmp_path: Path) -> None:
    done = instance.deploy(sites.server(tmp_path / "crashing"))
    instance.get(done["url"] + "/crash")

    def answers() -> bool:
        response = instance.get(done["url"])
        return response.status_code == 200 and response.text == "one none"

    until(answers, what="the app to answer again")


def test_the_log_stream_replays_follows_and_completes(instance: Instance, tmp_path: Path) -> None:
    """C-127."""
    done = instance.deploy(sites.static(tmp_path / "streamed"))

    stream = instance.api("GET", f"/api/deployments/{done['id']}/logs/stream").text

    events = [line.removeprefix("event: ") for line in stream.splitlines() if "event: " in line]
    assert events[0] == "connected"
    assert "log" in events
    assert events[-1] == "complete"
    last = [line for line in stream.splitlines() if line.startswith("id: ")][-1]
    resumed = instance.api(
        "GET", f"/api/deployments/{done['id']}/logs/stream?after={last.removeprefix('id: ')}"
    ).text
    assert "event: log" not in resumed


def test_a_deleted_project_leaves_nothing(instance: Instance, tmp_path: Path) -> None:
    """C-023."""
    done = instance.deploy(sites.server(tmp_path / "deleted"))
    release = instance.home / "releases" / done["id"]
    assert release.is_dir()

    assert instance.api("DELETE", f"/api/projects/{done['projectId']}").status_code == 204

    until(lambda: not release.exists(), what="the release to be removed")
    assert instance.get(done["url"]).status_code == 404
    assert not [pid for pid in instance.processes() if done["id"] in str(pid)]


def test_only_what_is_missing_is_uploaded(instance: Instance, tmp_path: Path) -> None:
    folder = sites.static(tmp_path / "delta", "one", **{f"p{n}.txt": f"page {n}" for n in range(9)})
    instance.deploy(folder)
    (folder / "p3.txt").write_text("changed")

    done = instance.cli("deploy", str(folder), "--prod")

    assert "Uploaded 1 of 10 files" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "holds no file"),
        ({"README": "just text"}, "Looked for"),
        ({"Dockerfile": "FORM scratch"}, "did you mean FROM"),
        ({"windlass.toml": "biuld_command = 'x'"}, "biuld_command"),
        ({"package.json": "{"}, "package.json"),
    ],
)
def test_what_cannot_be_deployed_says_why(
    instance: Instance, tmp_path: Path, files: dict[str, str], words: str
) -> None:
    folder = tmp_path / f"bad-{abs(hash(words))}"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(content)

    done = instance.cli("deploy", str(folder), check=False)

    assert done.returncode == 1
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "output", "code", "words"),
    [
        ("exit 7", "out", "BUILD_FAILED", "exit code 7"),
        ("mkdir dist", "out", "OUTPUT_MISSING", "There is dist"),
        ("mkdir out", "out", "OUTPUT_EMPTY", "empty"),
        ("mkdir out; ln -s /etc/passwd out/x; touch out/y", "out", "LINK_LEAVES", "/etc/passwd"),
        (
            "python3 -c \"import urllib.request as u; u.urlopen('https://example.com')\"",
            "out",
            "BUILD_NEEDS_NETWORK",
            "build network",
        ),
    ],
)
def test_a_build_that_fails_ends_with_the_reason(
    instance: Instance, tmp_path: Path, command: str, output: str, code: str, words: str
) -> None:
    folder = sites.built(tmp_path / f"f-{code.lower().replace('_', '-')}", command, output=output)

    done = instance.deploy(folder, check=False)

    assert (done["status"], done["errorCode"]) == ("error", code), done
    assert words in done["errorMessage"]
    assert not (instance.home / "work" / done["id"]).exists()


def test_a_start_command_that_exits_fails_with_its_last_words(
    instance: Instance, tmp_path: Path
) -> None:
    start = "sh -c 'echo cannot find the flux; exit 4'"
    folder = sites.server(tmp_path / "stillborn", start=start)

    done = instance.deploy(folder, check=False)

    assert (done["status"], done["errorCode"]) == ("error", "START_FAILED")
    log = instance.api("GET", f"/api/deployments/{done['id']}/logs").text
    assert "cannot find the flux" in log


def test_a_bad_release_never_replaces_a_good_one(instance: Instance, tmp_path: Path) -> None:
    folder = sites.server(tmp_path / "guarded", "good")
    good = instance.deploy(folder)
    sites.server(folder, "bad", start="false")

    bad = instance.deploy(folder, "--prod", check=False)

    assert bad["status"] == "error"
    sites.server(folder, "unmigrated")
    (folder / "Procfile").write_text("release: echo no such table; exit 3\n")
    unmigrated = instance.deploy(folder, "--prod", check=False)
    assert (unmigrated["status"], unmigrated["errorCode"]) == ("error", "RELEASE_FAILED")
    assert "(exit code 3)" in unmigrated["errorMessage"]
    assert instance.get(good["url"]).text == "good none"
    shown = instance.api("GET", f"/api/deployments/{good['id']}").json()["data"]
    assert shown["isActive"] is True


def test_workers_run_beside_the_server_and_change_with_the_switch(
    instance: Instance, tmp_path: Path
) -> None:
    folder = sites.worker(sites.server(tmp_path / "with-worker", "one"))
    first = instance.deploy(folder)
    said = until(
        lambda: instance.cli("logs", "--process", "worker", cwd=folder).stdout,
        what="the worker to begin",
    )
    assert said == "at work on version one\n"
    assert sites.workers_of(first["id"])

    sites.server(folder, "two")
    instance.deploy(folder, "--prod")
    until(
        lambda: "version two" in instance.cli("logs", "--process", "worker", cwd=folder).stdout,
        what="the new worker to begin",
    )
    until(lambda: not sites.workers_of(first["id"]), what="the old worker to end")


def test_cancelling_kills_the_build(instance: Instance, tmp_path: Path) -> None:
    """C-124."""
    folder = sites.built(tmp_path / "cancelled", "echo building; sleep 300")
    done = instance.cli("deploy", str(folder), "--no-wait", "--json")
    started = json.loads(done.stdout.strip().splitlines()[-1])
    id = started["id"]
    until(
        lambda: "building" in instance.api("GET", f"/api/deployments/{id}/logs").text,
        what="the build to start",
    )

    instance.cli("cancel", id, cwd=folder)

    shown = instance.api("GET", f"/api/deployments/{id}").json()["data"]
    assert shown["status"] == "cancelled"
    until(lambda: not (instance.home / "work" / id).exists(), what="the work folder to go")
    until(lambda: not groups_of(id), what="the control groups to go")


def groups_of(id: str) -> list[Path]:
    """Those that end while we look are no error: `os.walk` passes over them."""
    return [
        Path(folder, name)
        for folder, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if id in name
    ]


def test_git_urls_that_are_not_are_refused(instance: Instance, tmp_path: Path) -> None:
    for url in (
        "file:///etc",
        "ext::sh -c id",
        "--upload-pack=touch /tmp/x",
        "http://127.0.0.1/x.git",
        "http://169.254.169.254/x.git",
        "https://user:pw@example.com/x.git",
    ):
        response = instance.api("POST", "/api/sources", json={"repositoryUrl": url})
        assert response.status_code in {400, 422}, (url, response.text)
        assert response.json()["error"]["message"]
