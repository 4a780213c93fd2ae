"""Projects that answer nobody: bots, consumers of queues, clocks."""

import json

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.plan import Installed, Overrides
from windlass.core.errors import ValidationFailed
from windlass.core.process import Said

BOT = {"package.json": '{"main": "bot.js", "dependencies": {"discord.js": "14"}}', "bot.js": "x"}
FLASK = {
    "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    "requirements.txt": "flask\ngunicorn\n",
}
PAGE = {"index.html": "hello"}


def render(*services: dict[str, object]) -> dict[str, str]:
    return {"render.yaml": json.dumps({"services": list(services)})}


@pytest.mark.parametrize(
    "files",
    [
        {"Procfile": "worker: python3 work.py\n", "work.py": "x"},
        {"windlass.toml": '[processes]\nworker = "python3 work.py"\n', "work.py": "x"},
        {"fly.toml": '[processes]\nworker = "python3 work.py"\n', "work.py": "x"},
        {**render({"type": "worker", "name": "worker", "startCommand": "python3 work.py"})},
    ],
)
def test_a_source_with_workers_and_nothing_else_is_a_project(files: dict[str, str]):
    plan = detect(Files({"work.py": "x", **files}))

    assert (plan.kind, plan.start_command, plan.output_directory) == ("worker", None, None)
    assert plan.processes == {"worker": "python3 work.py"}
    assert "runs without a web process: worker" in plan.evidence


@pytest.mark.parametrize(
    "start", ["node bot.js", "npm start"], ids=["the same program", "the start script"]
)
def test_a_bot_that_looks_like_a_server_is_what_its_procfile_says(start: str):
    files = {**BOT, "package.json": '{"scripts": {"start": "node bot.js"}}'}
    plan = detect(Files({**files, "Procfile": f"worker: {start}\n"}))

    assert (plan.kind, plan.processes) == ("worker", {"worker": start})
    assert (plan.runtime, plan.start_command) == ("node", None)
    beside = detect(Files({**files, "Procfile": "worker: node jobs.js\n"}))
    assert (beside.kind, beside.start_command) == ("server", "node bot.js")


@pytest.mark.parametrize(
    "files",
    [
        {**FLASK, "windlass.toml": '[processes]\nweb = ""\nworker = "work"\n'},
        {**FLASK, "windlass.toml": 'start_command = ""\n[processes]\nworker = "work"\n'},
        {**PAGE, "windlass.toml": '[processes]\nweb = ""\n', "Procfile": "worker: work\n"},
        {
            **FLASK,
            "Procfile": "web: gunicorn app:app\nworker: work\n",
            "app.json": '{"formation": {"web": {"quantity": 0}}}',
        },
    ],
)
def test_who_says_so_has_workers_alone(files: dict[str, str]):
    plan = detect(Files(files))

    assert (plan.kind, plan.processes) == ("worker", {"worker": "work"})
    assert plan.install_command or "index.html" in files


def test_nothing_at_all_is_no_project():
    with pytest.raises(ValidationFailed) as caught:
        detect(Files({**FLASK, "windlass.toml": 'start_command = ""\n'}))
    assert "needs workers" in str(caught.value.facts)

    # A file of another host that switches the only process off is not heeded.
    files = {**FLASK, "app.json": '{"formation": {"web": {"quantity": 0}}}'}
    assert detect(Files(files)).kind == "server"


def test_workers_of_render_run_beside_its_web_service():
    web = {"type": "web", "name": "shop", "startCommand": "serve"}
    plan = detect(
        Files(
            {
                **FLASK,
                **render(
                    web,
                    {"type": "worker", "name": "Mail sender", "startCommand": "send"},
                    {"type": "worker", "name": "other", "rootDir": "b", "startCommand": "x"},
                ),
            }
        )
    )

    assert (plan.kind, plan.start_command) == ("server", "serve")
    assert plan.processes == {"Mail-sender": "send"}


def test_a_worker_of_dotnet_is_one():
    project = '<Project Sdk="Microsoft.NET.Sdk.Worker"></Project>'
    plan = detect(Files({"Jobs.csproj": project}), installed=Installed(tools={"dotnet": "8.0"}))

    assert (plan.kind, plan.processes) == ("worker", {"worker": "dotnet out/Jobs.dll"})


def test_what_the_project_says_of_processes_goes_over_the_files():
    said = (
        Said(name="web", memory_mb=1024),
        Said(name="worker", cpus=0.5, restart="never"),
        Said(name="clock", command="tick"),
    )
    toml = """start_timeout_seconds = 5
[processes]
mail = "send"
[processes.worker]
command = "work"
memory_mb = 256
restart = "on-failure"
"""
    overrides = Overrides(
        processes=said, health_path="/healthz", start_timeout_seconds=90, drain_seconds=0
    )
    plan = detect(Files({**FLASK, "windlass.toml": toml}), overrides)

    assert plan.processes == {"mail": "send", "worker": "work", "clock": "tick"}
    worker = plan.process_settings["worker"]
    assert (worker.memory_mb, worker.cpus, worker.restart) == (256, 0.5, "never")
    assert plan.process_settings["web"].memory_mb == 1024
    assert (plan.health_path, plan.start_timeout_seconds, plan.drain_seconds) == ("/healthz", 90, 0)

    none = detect(
        Files({**FLASK, "windlass.toml": toml}),
        Overrides(processes=(Said(name="worker", command=""),)),
    )
    assert none.processes == {"mail": "send"}


def test_a_process_of_the_settings_that_is_gone_is_said_and_no_failure():
    plan = detect(Files(FLASK), Overrides(processes=(Said(name="worker", memory_mb=64),)))

    assert plan.processes == {}
    assert "The settings name a process that nothing starts: worker" in plan.warnings
