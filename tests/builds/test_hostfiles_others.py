"""The other files: what each key becomes, which file is heard, what the report says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.detect.hostfiles import Report, of_output, report, together
from windlass.builds.detect.source import Source
from windlass.builds.plan import Plan
from windlass.builds.windlass_toml import parse
from windlass.core.errors import AppError

PAGE = {"index.html": "<h1>"}
NETLIFY = """
[build]
  base = "web"
  publish = "web/dist"
  command = "npm run build"
  ignore = "exit 0"
  [build.environment]
    NODE_VERSION = "22"
    CI = true
[context.production]
  command = "x"
[dev]
  port = 8888
[[plugins]]
  package = "p"
[[redirects]]
  from = "/old/*"
  to = "/new/:splat"
  status = 302
  force = true
[[redirects]]
  from = "/api/*"
  to = "https://api.example.com/:splat"
  status = 200
[[redirects]]
  from = "/x"
  to = "/y"
  conditions = {Country = ["de"]}
[[headers]]
  for = "/*"
  [headers.values]
    X-Frame-Options = "DENY"
    cache-control = '''
    max-age=0,
    no-cache'''
"""
RENDER = """
services:
  - type: web
    name: api
    runtime: python
    plan: starter
    rootDir: server
    buildCommand: pip install -r requirements.txt && python manage.py collectstatic
    startCommand: gunicorn app:app
    preDeployCommand: python manage.py migrate
    healthCheckPath: /healthz
    disk: {name: data}
    envVars:
      - {key: MODE, value: live}
      - {key: SECRET, generateValue: true}
      - {key: DATABASE_URL, fromDatabase: {name: db}}
      - {key: TOKEN, sync: false}
      - {fromGroup: shared}
    routes:
      - {type: rewrite, source: /*, destination: /index.html}
    headers:
      - {path: /*, name: X-A, value: "1"}
  - type: worker
    name: jobs
envVarGroups:
  - name: shared
    envVars: [{key: COLOUR, value: red}]
databases:
  - name: db
"""
FLY = """
app = "shop"
primary_region = "fra"
kill_timeout = 30
[build]
  dockerfile = "Dockerfile"
[env]
  MODE = "live"
  PORT = "8080"
[deploy]
  release_command = "bin/migrate"
  strategy = "rolling"
[processes]
  app = "node server.js"
  jobs = "node jobs.js"
[http_service]
  internal_port = 8080
  force_https = true
  [[http_service.checks]]
    path = "/up"
[[mounts]]
  source = "data"
"""
RAILWAY = {
    "build": {"builder": "NIXPACKS", "buildCommand": "npm run build", "watchPatterns": ["src/**"]},
    "deploy": {
        "startCommand": "node dist/main.js",
        "preDeployCommand": ["npm run migrate", "npm run seed"],
        "healthcheckPath": "/health",
        "healthcheckTimeout": 100,
        "restartPolicyType": "ON_FAILURE",
        "numReplicas": 2,
        "cronSchedule": "* * * * *",
    },
}
APP = {
    "name": "shop",
    "env": {
        "MODE": "live",
        "SECRET_KEY": {"description": "Signs cookies", "generator": "secret"},
        "MAIL": {"required": False},
        "COLOUR": {"value": "red"},
    },
    "formation": {"web": {"quantity": 1}, "worker": {"quantity": 2}},
    "healthchecks": {"web": [{"type": "startup", "path": "/up"}, {"type": "liveness"}]},
    "scripts": {"dokku": {"predeploy": "bin/migrate"}, "postdeploy": "bin/seed"},
    "addons": ["heroku-postgresql"],
}


def shown(tree: dict[str, object], plan: Plan | None = None) -> Report:
    found = report(Source(Files(tree)), Source(Files(tree)), plan)
    assert found is not None
    return found


def verdicts(tree: dict[str, object]) -> dict[str, str]:
    return {row.key: row.verdict for row in shown(tree).rows}


def test_netlify_toml():
    assert verdicts({"netlify.toml": NETLIFY}) == {
        "build.base": "exact",
        "build.publish": "exact",
        "build.command": "exact",
        "build.ignore": "impossible",
        "build.environment.NODE_VERSION": "exact",
        "build.environment.CI": "exact",
        "context": "impossible",
        "plugins": "impossible",
        "redirects[1]": "impossible",
        "redirects[2]": "impossible",
        "redirects": "exact",
        "headers": "exact",
    }
    tree: dict[str, object] = {
        "netlify.toml": NETLIFY,
        "web/package.json": {"scripts": {"build": "make"}},
    }
    plan = detect(Files(tree))
    assert (plan.root_directory, plan.output_directory) == ("web", "dist")
    assert (plan.build_command, plan.env["NODE_VERSION"]) == ("npm run build", "22")


def test_render_yaml():
    found = verdicts({"render.yaml": RENDER})
    assert found == {
        "plan": "impossible",
        "rootDir": "exact",
        "buildCommand": "adapted",
        "startCommand": "exact",
        "preDeployCommand": "exact",
        "healthCheckPath": "exact",
        "disk": "impossible",
        "envVars.MODE": "exact",
        "envVars.SECRET": "adapted",
        "envVars.DATABASE_URL": "adapted",
        "envVars.TOKEN": "adapted",
        "envVars.COLOUR": "exact",
        "routes": "exact",
        "headers": "exact",
        "services.jobs": "impossible",
        "databases": "impossible",
    }
    said = shown({"render.yaml": RENDER})
    assert 'build_command = "python manage.py collectstatic"' in said.toml
    assert [each.name for each in said.variables if each.value is None] == [
        *("SECRET", "DATABASE_URL", "TOKEN")
    ]
    two = "services:\n- {type: web, name: a, startCommand: x}\n- {type: web, name: b}\n"
    assert verdicts({"render.yaml": two}) == {"services": "impossible"}


def test_fly_toml():
    assert verdicts({"fly.toml": FLY}) == {
        "primary_region": "impossible",
        "kill_timeout": "exact",
        "build.dockerfile": "impossible",
        "env.MODE": "exact",
        "env.PORT": "adapted",
        "deploy.release_command": "exact",
        "deploy.strategy": "adapted",
        "processes.app": "exact",
        "processes.jobs": "exact",
        "http_service.internal_port": "exact",
        "http_service.force_https": "impossible",
        "http_service.checks[0]": "exact",
        "mounts": "impossible",
    }
    plan = detect(Files({"fly.toml": FLY}))
    assert (plan.start_command, plan.port, plan.health_path) == ("node server.js", 8080, "/up")


@pytest.mark.parametrize("name", ["railway.json", "railway.toml"])
def test_railway(name: str):
    toml = (
        '[build]\nbuilder = "NIXPACKS"\nbuildCommand = "npm run build"\n'
        'watchPatterns = ["src/**"]\n'
        '[deploy]\nstartCommand = "node dist/main.js"\n'
        'preDeployCommand = ["npm run migrate", "npm run seed"]\nhealthcheckPath = "/health"\n'
        'healthcheckTimeout = 100\nrestartPolicyType = "ON_FAILURE"\nnumReplicas = 2\n'
        'cronSchedule = "* * * * *"\n'
    )
    tree: dict[str, object] = {name: RAILWAY if name.endswith("json") else toml}

    assert verdicts(tree) == {
        "build.builder": "adapted",
        "build.buildCommand": "exact",
        "build.watchPatterns": "impossible",
        "deploy.startCommand": "exact",
        "deploy.preDeployCommand": "exact",
        "deploy.healthcheckPath": "exact",
        "deploy.healthcheckTimeout": "exact",
        "deploy.restartPolicyType": "adapted",
        "deploy.numReplicas": "impossible",
        "deploy.cronSchedule": "impossible",
    }
    assert detect(Files(tree)).release_command == "npm run migrate && npm run seed"


def test_app_json_and_one_of_another_tool():
    assert verdicts({"app.json": APP}) == {
        "env.MODE": "exact",
        "env.SECRET_KEY": "adapted",
        "env.MAIL": "adapted",
        "env.COLOUR": "exact",
        "formation.web": "exact",
        "formation.worker": "impossible",
        "healthchecks.web[0]": "exact",
        "healthchecks.web[1]": "impossible",
        "scripts.postdeploy": "impossible",
        "scripts.dokku.predeploy": "adapted",
        "addons": "impossible",
    }
    assert report(Source(Files({"app.json": {"expo": {}}})), Source(Files({})), None) is None


def test_the_first_file_is_heard_and_a_procfile_after_it():
    tree: dict[str, object] = {
        "Procfile": "web: python old.py\nrelease: make db",
        "railway.json": {"deploy": {"startCommand": "python first.py"}},
        "fly.toml": '[processes]\napp = "python second.py"\n[deploy]\nrelease_command = "make x"',
    }

    plan = detect(Files(tree))

    assert (plan.start_command, plan.release_command) == ("python first.py", "make x")
    assert "railway.json: sets start_command" in plan.evidence
    assert "fly.toml: sets release_command" in plan.evidence


def test_the_examples_of_variables_name_them_and_set_none():
    text = "# Where the data is\nDATABASE_URL=postgres://x\n\nexport MODE=live\n#OFF=1\nMODE=2\n"
    found = shown({".env.example": text})

    assert [(each.name, each.value, each.detail) for each in found.variables] == [
        ("DATABASE_URL", None, "Where the data is"),
        ("MODE", None, ""),
    ]
    assert found.rows[0].verdict == "adapted"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("Procfile", "web: a\n\tworker: b", "line 2 is not `name: command`"),
        ("Procfile", "web\t: a", "line 1 is not `name: command`"),
        ("vercel.json", "{", "line 1"),
        ("netlify.toml", "[build", "Expected"),
        ("render.yaml", "a: [", "line 1"),
        ("fly.toml", b"\xff", "not UTF-8"),
        ("railway.json", "[]", "holds a list"),
        ("app.json", '{"env": "' + "x" * (1 << 20) + '"}', "larger than"),
        (".env.example", b"\xff", "not UTF-8"),
        ("_redirects", b"\xff", "not UTF-8"),
    ],
)
def test_a_broken_file_has_a_row_that_says_so(name: str, content: str | bytes, reason: str):
    found = shown({**PAGE, name: content})

    assert [(row.file, row.key, row.verdict) for row in found.rows] == [
        (name, "the file", "impossible")
    ]
    assert reason in found.rows[0].detail


def test_lists_of_lists_of_lists_are_not_written_out():
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40)
    )
    services = "services:\n- {type: web, name: *a39, envVars: [{key: *a39, value: *a39}]}\n"
    more = "- {type: *a39, name: *a39}\n- {type: web, name: b, routes: [{source: *a39}]}\n"

    assert shown({"render.yaml": bomb + services + more}).rows


def test_a_tab_after_the_colon_of_a_procfile_is_a_space():
    assert detect(Files({"Procfile": "web:\tpython a.py\t\n"})).start_command == "python a.py"


def test_a_broken_file_that_nobody_relies_on_stops_no_plan():
    assert detect(Files({**PAGE, "fly.toml": "["})).kind == "static"


def test_the_settings_come_out_as_a_windlass_toml():
    toml = shown({"render.yaml": RENDER, "fly.toml": FLY}).toml

    said = parse(toml.encode())
    assert (said.start_command, said.root_directory) == ("gunicorn app:app", "server")
    assert said.env == {"MODE": "live", "COLOUR": "red"}


def test_the_plain_files_are_found_where_the_build_copies_them_from():
    assert shown({"public/_redirects": "/a /b"}).files == ("public/_redirects",)
    assert report(Source(Files(PAGE)), Source(Files(PAGE)), None) is None


def test_a_server_gets_redirects_and_no_rewrites():
    content = {"_redirects": b"/a /b\n/* /index.html 200"}
    readers = of_output(lambda path, _: content.get(path))
    served = together(readers, is_server=True)

    assert served.rules is not None
    assert len(served.rules.rules) == 1
    assert "knows its own addresses" in served.rows[-1].detail


WORDS = st.sampled_from(
    [
        *("services", "type", "web", "envVars", "key", "value", "env", "build", "deploy", "app"),
        *("processes", "http_service", "checks", "path", "scripts", "dokku", "formation", "for"),
        *("healthchecks", "redirects", "headers", "from", "to", "values", "conditions"),
    ]
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(st.sampled_from(["vercel.json", "railway.json", "app.json", "render.yaml"]), TREES)
def test_nothing_in_a_file_makes_detection_fall_over(name: str, content: object):
    tree: dict[str, object] = {**PAGE, name: content if isinstance(content, dict) else [content]}
    report(Source(Files(tree)), Source(Files(tree)), None)
    try:
        detect(Files(tree))
    except AppError as error:
        assert error.message  # noqa: PT017 - any error of ours will do
