"""What files of other hosts say about how processes run: limits, patience, ends."""

import json

from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.detect.hostfiles import report
from windlass.builds.detect.source import Source
from windlass.builds.windlass_toml import parse

FLASK = {
    "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    "requirements.txt": "flask\ngunicorn\n",
}
FLY = """
app = "orders"
primary_region = "cdg"
kill_signal = "SIGINT"
kill_timeout = "2m"

[deploy]
  wait_timeout = "90s"

[processes]
  server = "gunicorn app:app"
  mail = "python mail.py"
  clock = "python clock.py"

[http_service]
  internal_port = 8080
  processes = ["server"]

[[vm]]
  memory = "1gb"
  cpu_kind = "shared"
  cpus = 2

[[vm]]
  memory = "256mb"
  processes = ["clock"]

[[restart]]
  policy = "on-failure"
  retries = 3
  processes = ["mail"]
"""


def _verdicts(files: dict[str, str]) -> dict[str, tuple[str, str]]:
    source = Source(Files({**FLASK, **files}))
    found = report(source, source, None)
    assert found is not None
    return {row.key: (row.verdict, row.detail) for row in found.rows}


def test_fly_toml_gives_each_process_its_own_limits():
    plan = detect(Files({**FLASK, "fly.toml": FLY}))

    assert (plan.kind, plan.start_command, plan.port) == ("server", "gunicorn app:app", 8080)
    assert plan.processes == {"mail": "python mail.py", "clock": "python clock.py"}
    assert plan.start_timeout_seconds == 90
    limits = plan.process_settings
    assert (limits["web"].memory_mb, limits["web"].cpus) == (1024, 2)
    assert (limits["mail"].memory_mb, limits["mail"].restart) == (1024, "on-failure")
    assert limits["clock"].memory_mb == 256
    assert {each.grace_seconds for each in limits.values()} == {120}
    assert _verdicts({"fly.toml": FLY})["vm[1].memory"] == ("exact", "memory_mb = 256")


def test_what_fly_says_comes_out_as_a_windlass_toml():
    source = Source(Files({**FLASK, "fly.toml": FLY}))
    found = report(source, source, None)
    assert found is not None

    said = detect(Files({**FLASK, "windlass.toml": found.toml}))

    assert parse(found.toml.encode()).start_timeout_seconds == 90
    assert said.process_settings == detect(Files({**FLASK, "fly.toml": FLY})).process_settings


def test_railway_says_how_long_and_how_much():
    deploy = {
        "healthcheckTimeout": 300,
        "drainingSeconds": 200,
        "limitOverride": {"containers": {"cpu": 0.5, "memoryBytes": 1 << 30}},
    }
    files = {"railway.json": json.dumps({"deploy": deploy})}
    plan = detect(Files({**FLASK, **files}))

    web = plan.process_settings["web"]
    assert plan.start_timeout_seconds == 300
    assert (web.grace_seconds, web.cpus, web.memory_mb) == (120, 0.5, 1024)
    assert _verdicts(files)["deploy.drainingSeconds"] == ("adapted", "grace_seconds = 120")


def test_render_and_app_json_say_it_too():
    render = json.dumps({"services": [{"type": "web", "name": "a", "maxShutdownDelaySeconds": 60}]})
    check = {"path": "/up", "attempts": 10, "wait": 2, "timeout": 3, "initialDelay": 4}
    app = json.dumps({"healthchecks": {"web": [check]}})
    plan = detect(Files({**FLASK, "render.yaml": render, "app.json": app}))

    assert plan.process_settings["web"].grace_seconds == 60
    assert (plan.health_path, plan.start_timeout_seconds) == ("/up", 54)


def test_windlass_toml_has_the_last_word_field_by_field():
    toml = "[processes.mail]\nmemory_mb = 64\n"
    plan = detect(Files({**FLASK, "fly.toml": FLY, "windlass.toml": toml}))

    mail = plan.process_settings["mail"]
    assert plan.processes["mail"] == "python mail.py"
    assert (mail.memory_mb, mail.cpus, mail.restart) == (64, 2, "on-failure")


def test_limits_that_are_none_are_said_and_stop_no_plan():
    bad = '[[vm]]\nmemory = "plenty"\ncpus = true\n[[restart]]\npolicy = 5\nkill_timeout = []\n'
    verdicts = _verdicts({"fly.toml": f"kill_timeout = [1]\n{bad}"})

    for key in ("vm[0].memory", "vm[0].cpus", "kill_timeout"):
        assert verdicts[key][0] == "impossible", key
    assert detect(Files({**FLASK, "fly.toml": f"vm = 3\n{bad[8:]}"})).kind == "server"


def test_what_says_nothing_new_is_no_row():
    one = {"numReplicas": 1, "cronSchedule": None, "sleepApplication": False, "startCommand": "x"}
    two = {"numReplicas": 2, "sleepApplication": True}

    assert _verdicts({"railway.json": json.dumps({"deploy": one})}) == {
        "deploy.numReplicas": ("exact", ""),
        "deploy.startCommand": ("exact", "x"),
    }
    found = _verdicts({"railway.json": json.dumps({"deploy": two})})
    assert {verdict for verdict, _ in found.values()} == {"impossible"}
    vercel = {"framework": "vite", "buildCommand": None}
    assert list(_verdicts({"vercel.json": json.dumps(vercel)})) == ["framework"]
