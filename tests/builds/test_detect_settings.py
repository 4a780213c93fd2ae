"""Overrides, windlass.toml and Procfile: who wins, and what is refused."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import msgspec
import pytest
from tests.builds.trees import Files

from windlass.builds import windlass_toml
from windlass.builds.detect import detect
from windlass.builds.errors import ManifestBroken, SettingWrong
from windlass.builds.plan import Overrides, Plan
from windlass.core.errors import ValidationFailed

DOCS = Path(__file__).parents[2] / "docs"
PAGE = {"index.html": "<title>x</title>"}
VITE = {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^6"}}
FLASK = {
    "requirements.txt": "flask\ngunicorn\n",
    "app.py": "import flask\napp = flask.Flask('x')\n",
}


def _toml(text: str, **more: object) -> Plan:
    return detect(Files({"windlass.toml": text, **PAGE, **more}))


def test_settings_win_over_windlass_toml_over_procfile_over_detection():
    files = {**FLASK, "Procfile": "web: from-procfile\nrelease: migrate-procfile\n"}
    assert detect(Files(files)).start_command == "from-procfile"
    files["windlass.toml"] = 'start_command = "from-toml"\nhealth_path = "/up"\n'
    plan = detect(Files(files))
    assert (plan.start_command, plan.release_command) == ("from-toml", "migrate-procfile")
    plan = detect(Files(files), Overrides(start_command="from-settings", release_command=""))
    assert (plan.start_command, plan.release_command) == ("from-settings", None)
    assert plan.health_path == "/up"


def test_a_start_command_makes_a_server_and_an_output_directory_makes_a_site():
    site = detect(Files({"package.json": VITE, **PAGE}), Overrides(start_command="node x.js"))
    server = detect(Files(FLASK), Overrides(output_directory="web", build_command="make"))

    assert (site.kind, site.output_directory, site.fallback) == ("server", None, None)
    assert (server.kind, server.output_directory, server.start_command) == ("static", "web", None)


def test_an_empty_command_means_none_and_spaces_around_one_do_not_count():
    overrides = Overrides(install_command="", build_command="  make  ")
    plan = detect(Files({"package.json": VITE}), overrides)

    assert plan.install_command is None
    assert plan.cache_directories == ()
    assert plan.build_command == "make"


def test_a_source_that_nothing_recognises_runs_by_its_own_commands():
    plan = detect(
        Files({"site.txt": "x", "windlass.toml": 'output_directory = "o"\nbuild_command = "b"'})
    )

    assert (plan.framework, plan.runtime, plan.output_directory) == ("custom", "none", "o")


def test_an_output_directory_that_is_not_there_and_nothing_makes_is_refused():
    with pytest.raises(ValidationFailed) as caught:
        detect(Files(PAGE), Overrides(output_directory="dist"))

    assert caught.value.facts["fields"][0]["field"] == "outputDirectory"  # type: ignore[index]


def test_a_server_without_a_start_command_is_refused():
    with pytest.raises(ValidationFailed):
        detect(Files(FLASK), Overrides(start_command=" "))


def test_a_framework_can_be_chosen_and_an_unknown_one_names_the_known():
    files = {"package.json": VITE, **PAGE}
    assert detect(Files(files), Overrides(framework="static")).framework == "static"
    assert detect(Files(FLASK | PAGE), Overrides(framework="static")).output_directory == "."
    for wrong in ("nonsense", "django"):
        with pytest.raises(ValidationFailed) as caught:
            detect(Files(files), Overrides(framework=wrong))
        assert caught.value.facts["fields"][0]["field"] == "framework"  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../x",
        "a/../../b",
        "/etc",
        "~/x",
        "~root",
        "C:\\x",
        "c:/x",
        "a\\..\\b",
        "a\x00b",
        "%2e%2e/x",
        "a%2fb",
        "%252e%252e",
        "．．/x",
        "a／b",
        "a＼b",
        "‥/x",
        "…",
        "a\u2215b",
        "a\u2044b",
        "a\u202eb",
        "a\u200bb",
        "a\nb",
        "a" * 600,
        "～/x",
        "％2e",
    ],
)
@pytest.mark.parametrize("field", ["rootDirectory", "outputDirectory"])
def test_c147_a_directory_that_leaves_the_project_is_refused_with_the_field(field: str, path: str):
    name = re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", field)
    with pytest.raises(ValidationFailed) as caught:
        detect(Files(PAGE), Overrides(**{name: path}))
    assert caught.value.facts["fields"][0]["field"] == field  # type: ignore[index]

    with pytest.raises((SettingWrong, ManifestBroken)):
        _toml(f"{name} = {json.dumps(path)}")


@pytest.mark.parametrize("path", ["web", "./web", "web/", "./web//", " web "])
def test_c147_plain_spellings_of_a_directory_are_the_same(path: str):
    files = {"web/index.html": "x", "other/index.html": "y"}

    assert detect(Files(files), Overrides(root_directory=path)).root_directory == "web"


def test_c006_the_default_root_directory_is_no_choice():
    files = {"web/index.html": "x", "windlass.toml": 'root_directory = "web"'}

    for default in ("./", ".", "", None):
        assert detect(Files(files), Overrides(root_directory=default)).root_directory == "web"


def test_a_root_directory_that_does_not_exist_is_refused():
    with pytest.raises(ValidationFailed) as caught:
        detect(Files(PAGE), Overrides(root_directory="apps/web"))

    assert "no folder `apps/web`" in str(caught.value.facts)


@pytest.mark.parametrize("command", ["a\x00b", "a\x1b[0m", "x" * 4001])
def test_c109_a_command_with_control_characters_or_without_end_is_refused(command: str):
    with pytest.raises(ValidationFailed):
        detect(Files(PAGE), Overrides(build_command=command))


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("build_comand = 'x'", 1, "did you mean `build_command`"),
        ("\n# c\n\nbuild_command = 3\n", 4, "`build_command` is wrong: Expected `str | null`"),
        ("clean_urls = 'yes'", 1, "clean_urls"),
        ("port = 80", 1, "port"),
        ("health_path = 'up'", 1, "health_path"),
        ("connect = ['no port']", 1, "connect"),
        ("connect = [\n 'a:1',\n 'db:99999',\n]", 1, "host:port"),
        ("\n\n[env]\nA = '1'\nB = 2\n", 5, "`env.B`"),
        ("[env]\n'a b' = 'x'", 1, "env"),
        ("\n[builds]\nx = 1", 2, "`builds` is not a setting"),
        ("start_command = '''\na\nb'''\nnope = 1", 4, "nope"),
        ("fallback = '../x'", 1, "fallback"),
    ],
)
def test_a_wrong_setting_is_named_with_its_key_and_line(text: str, line: int, part: str):
    with pytest.raises(SettingWrong) as caught:
        _toml(text)

    assert part in caught.value.message
    assert f"line {line}:" in caught.value.message


@pytest.mark.parametrize(
    "content",
    [b"= 1", b"\xff\xfea\x00", b"a = " + b"[" * 5000, b"#" * 40_000, b"a = 1\na = 2", b"\x00"],
)
def test_a_windlass_toml_that_is_no_toml_is_a_clear_error(content: bytes):
    with pytest.raises(ManifestBroken, match=r"windlass\.toml cannot be read"):
        detect(Files({"windlass.toml": content, **PAGE}))


def test_the_file_in_the_root_directory_counts_and_may_not_move_the_root_again():
    files = {
        "windlass.toml": 'root_directory = "web"\nbuild_command = "top"\n',
        "web/windlass.toml": 'build_command = "inner"\noutput_directory = "o"\n',
        "web/index.html": "x",
    }
    plan = detect(Files(files))
    assert (plan.root_directory, plan.build_command) == ("web", "inner")

    files["web/windlass.toml"] = 'root_directory = "deeper"\n'
    with pytest.raises(SettingWrong, match=r"web/windlass\.toml"):
        detect(Files(files))


def test_a_procfile_is_parsed_line_by_line():
    files = {**FLASK, "Procfile": "\n# c\nweb:  a b: c \nworker: x\r\nclock: y\n"}
    plan = detect(Files(files))

    assert plan.start_command == "a b: c"
    assert plan.processes == {"worker": "x", "clock": "y"}
    assert "runs beside web: worker, clock" in plan.evidence
    for wrong in ("web a", "web:", "web: a\nweb: b", "we b: c"):
        with pytest.raises(ManifestBroken, match="Procfile"):
            detect(Files({**FLASK, "Procfile": wrong}))


def test_a_procfile_may_have_tabs_around_its_commands():
    files = {**FLASK, "Procfile": "web:\tserve\t--all\nworker:\trun it \t\r\n\t\n"}
    plan = detect(Files(files))

    assert (plan.start_command, plan.processes) == ("serve\t--all", {"worker": "run it"})


def test_processes_of_windlass_toml_come_before_those_of_a_procfile():
    toml = """
start_timeout_seconds = 5
drain_seconds = 1.5
[processes]
clock = "tick"
mailer = ""
web = "serve"
[processes.worker]
memory_mb = 256
cpus = 0.5
restart = "on-failure"
grace_seconds = 40
"""
    files = {**FLASK, "Procfile": "worker: work\nclock: old\nmailer: mail\n", "windlass.toml": toml}
    plan = detect(Files(files))

    assert plan.start_command == "serve"
    assert plan.processes == {"worker": "work", "clock": "tick"}
    assert (plan.start_timeout_seconds, plan.drain_seconds) == (5, 1.5)
    said = plan.process_settings["worker"]
    assert (said.memory_mb, said.cpus, said.restart) == (256, 0.5, "on-failure")
    assert said.grace_seconds == 40


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[processes.worker]\ncpus = 1", "has no command"),
        ('start_command = "a"\n[processes]\nweb = "b"', "said twice"),
        ('[processes.web]\nrestart = "never"', "always started again"),
        ('[processes]\nrelease = "migrate"', "release_command"),
        ('[processes]\n"a b" = "x"', "processes"),
        ('[processes.worker]\ncommand = "x"\nmemory = 3', "memory"),
        ('[processes.worker]\ncommand = "x"\nmemory_mb = 1', "memory_mb"),
        ('[processes.worker]\ncommand = "x"\nrestart = "sometimes"', "restart"),
    ],
)
def test_a_process_that_makes_no_sense_is_refused_by_name(toml: str, words: str):
    with pytest.raises(SettingWrong, match=words):
        detect(Files({**FLASK, "windlass.toml": toml}))


def test_a_static_site_has_no_processes():
    plan = detect(Files({"index.html": "x", "Procfile": "worker: work\n"}))

    assert (plan.kind, plan.processes) == ("static", {})
    assert any("a static site has no processes: worker" in line for line in plan.warnings)


def test_processes_of_other_hosts_run_too():
    fly = '[processes]\napp = "serve"\nworker = "work"\n'
    plan = detect(Files({**FLASK, "fly.toml": fly}))
    assert (plan.start_command, plan.processes) == ("serve", {"worker": "work"})

    app = '{"formation": {"worker": {"quantity": 0}}}'
    files = {**FLASK, "Procfile": "worker: work\nclock: tick\n", "app.json": app}
    assert detect(Files(files)).processes == {"clock": "tick"}


def test_the_published_schema_is_the_one_of_the_struct():
    published = json.loads((DOCS / "reference/windlass.schema.json").read_text())

    assert published == windlass_toml.schema(), (
        "run: python -m windlass.builds.windlass_toml > docs/reference/windlass.schema.json"
    )
    jsonschema.Draft202012Validator.check_schema(published)


def test_every_setting_is_documented_and_the_examples_in_the_page_are_valid():
    page = (DOCS / "reference/windlass-toml.md").read_text()
    schema = windlass_toml.schema()

    for name in windlass_toml.WindlassToml.__struct_fields__:
        assert f"`{name}`" in page
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        windlass_toml.parse(example.encode())
        jsonschema.validate(tomllib.loads(example), schema)


def test_a_plan_survives_json():
    plan = detect(Files(FLASK))

    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
    assert b"installCommand" in msgspec.json.encode(plan)


def test_a_script_changes_to_the_root_and_replaces_the_shell_only_when_it_can():
    plan = Plan(
        framework="x", label="X", kind="server", root_directory="a b", path=("a b/.venv/bin",)
    )
    script = plan.script("node server.js --port $PORT")

    assert "cd '/app/a b'\n" in script
    assert "PATH='/app/a b/.venv/bin':\"$PATH\"" in script
    assert script.endswith("exec node server.js --port $PORT\n")
    assert plan.script("gunicorn 'app:create()'").endswith("exec gunicorn 'app:create()'\n")
    for compound in ("a && b", "A=1 b", "cd x", "a | b", "a > b", "a `b`", 'a "$(b)"', "a\nb", ""):
        assert "exec" not in plan.script(compound)
