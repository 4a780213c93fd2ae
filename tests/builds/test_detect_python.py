"""Python applications found by their syntax tree, and how their dependencies are installed."""

import pytest
from tests.builds.trees import Files

from windlass.builds.detect import detect
from windlass.builds.errors import NothingDetected
from windlass.builds.plan import Installed, Plan

FLASK = "from flask import Flask\napp = Flask(__name__)\n"
REQUIREMENTS = {"requirements.txt": "flask\nfastapi\nuvicorn\ngunicorn\n"}


def _start(files: dict[str, object]) -> str:
    return detect(Files({**REQUIREMENTS, **files})).start_command or ""


@pytest.mark.parametrize(
    ("files", "target"),
    [
        (
            {"main.py": "import fastapi\napi: fastapi.FastAPI = fastapi.FastAPI()"},
            "uvicorn main:api",
        ),
        ({"app.py": "from flask import Flask as F\nsite = F(__name__)"}, "gunicorn app:site"),
        (
            {"src/shop/main.py": "from fastapi import FastAPI\napp = FastAPI()"},
            "uvicorn shop.main:app",
        ),
        (
            {
                "app/main.py": "from fastapi import FastAPI\nfrom app.db import x\napp = FastAPI()",
                "app/db.py": "",
            },
            "uvicorn app.main:app",
        ),
        (
            {
                "backend/main.py": "from fastapi import FastAPI\nfrom db import x\napp = FastAPI()",
                "backend/db.py": "x = 1",
            },
            "uvicorn main:app",
        ),
        (
            {"pkg/__init__.py": "", "pkg/main.py": "from .core import app", "pkg/core.py": FLASK},
            "gunicorn pkg.main:app",
        ),
        (
            {
                "wsgi.py": "from shop import create_app\napplication = create_app('x')",
                "shop/__init__.py": "from flask import Flask\ndef create_app(name):\n"
                "    app = Flask(name)\n    return app",
            },
            "gunicorn wsgi:application",
        ),
        (
            {
                "app.py": "from flask import Flask\ndef create_app(a=1, *, b=2):\n"
                "    return Flask('x')"
            },
            "gunicorn 'app:create_app()'",
        ),
        (
            {
                "main.py": "from fastapi import FastAPI\ndef create_app():\n"
                "    a = FastAPI()\n    return a"
            },
            "uvicorn main:create_app --host 0.0.0.0 --port $PORT --factory",
        ),
        (
            {
                "app.py": "try:\n    from flask import Flask\nexcept ImportError:\n    raise\n"
                "if True:\n    app = Flask('x')"
            },
            "gunicorn app:app",
        ),
    ],
)
def test_the_application_object_is_found_by_what_it_is(files: dict[str, object], target: str):
    assert target in _start(files)


def test_a_name_in_a_comment_a_string_or_a_function_that_needs_arguments_is_no_application():
    files = {
        "requirements.txt": "flask\n",
        "app.py": "# app = Flask(__name__)\ntext = 'from flask import Flask; app = Flask()'\n"
        "from flask import Flask\ndef make(config):\n    return Flask(config)\n"
        "if __name__ == '__main__':\n    app = Flask('x')\n",
    }
    with pytest.raises(NothingDetected) as caught:
        detect(Files(files))

    assert "Flask is among the dependencies" in caught.value.message


def test_a_class_of_the_same_name_from_elsewhere_is_no_application():
    files = {"app.py": "from mine import Flask\napp = Flask()", "index.html": "x"}

    assert detect(Files(files)).framework == "static"


def test_two_candidates_are_chosen_from_deterministically_and_the_other_is_named():
    files: dict[str, object] = {
        "zeta.py": FLASK,
        "main.py": "from fastapi import FastAPI\napp = FastAPI()",
        "tests/app.py": FLASK,
    }
    plans = [
        detect(Files({**REQUIREMENTS, **dict(order)}))
        for order in (files.items(), reversed(files.items()))
    ]

    assert plans[0] == plans[1]
    assert plans[0].framework == "fastapi"
    assert any("zeta.py:app" in line for line in plans[0].evidence)
    assert not any("tests/" in line for line in plans[0].evidence)


def test_files_with_syntax_errors_are_passed_over():
    files = {"app.py": "def broken(:\n", "main.py": FLASK, "deep.py": "flask = " + "(" * 500}

    assert "main:app" in _start(files)


def test_modules_that_import_each_other_in_a_circle_end():
    files = {
        "app.py": "from wsgi import make\ndef create():\n    return make()\napp = create()",
        "wsgi.py": "from app import create\ndef make():\n    return create()\napp = make()",
    }
    with pytest.raises(NothingDetected):
        detect(Files({**files, **REQUIREMENTS}))


@pytest.mark.parametrize(
    ("listed", "program"),
    [
        ("fastapi[standard]", "uvicorn"),
        ("fastapi\nhypercorn", "hypercorn"),
        ("fastapi\ngranian", "granian --interface asgi"),
        ("fastapi\nuvicorn_worker", "uvicorn"),
    ],
)
def test_the_server_is_one_that_the_project_depends_on(listed: str, program: str):
    code = "from fastapi import FastAPI\napp = FastAPI()"
    plan = detect(Files({"requirements.txt": listed, "main.py": code}))

    assert (plan.start_command or "").startswith(f".venv/bin/{program}")


def test_a_server_that_is_missing_is_installed_beside_and_the_plan_says_so():
    plan = detect(Files({"requirements.txt": "flask==3.1.0\nuvicorn\n", "app.py": FLASK}))

    assert "'gunicorn~=23.0'" in (plan.install_command or "")
    assert any("installed beside" in line for line in plan.evidence)


@pytest.mark.parametrize(
    ("files", "manager", "command"),
    [
        (
            {"requirements.txt": "flask"},
            "pip",
            "uv pip install --python .venv --compile-bytecode -r requirements.txt",
        ),
        (
            {"pyproject.toml": "[project]\nname='x'", "uv.lock": "version = 1"},
            "uv",
            "uv sync --frozen --no-dev --compile-bytecode",
        ),
        (
            {"pyproject.toml": "[project]\nname='x'\ndependencies=['flask']"},
            "uv",
            "-r pyproject.toml",
        ),
        ({"pyproject.toml": "[project]\nname='x'\n[build-system]\nrequires=[]"}, "uv", "-e ."),
        (
            {"pyproject.toml": "[tool.poetry]\nname='x'", "poetry.lock": ""},
            "poetry",
            "poetry export",
        ),
        ({"pyproject.toml": "[project]\nname='x'", "pdm.lock": ""}, "pdm", "pdm export --prod"),
        (
            {"Pipfile": "[packages]\nflask='*'", "Pipfile.lock": "{}"},
            "pipenv",
            "pipenv requirements --hash",
        ),
        ({"setup.py": ""}, "pip", "-e ."),
    ],
)
def test_dependencies_are_installed_exactly_as_their_manager_locked_them(
    files: dict[str, object], manager: str, command: str
):
    plan = detect(Files({**files, "app.py": FLASK}))

    assert plan.package_manager == manager
    assert command in (plan.install_command or "")
    assert "--compile-bytecode" in (plan.install_command or "")
    assert plan.cache_directories == (".venv",)


def test_requirements_that_include_each_other_in_a_circle_end():
    files = {
        "requirements.txt": "-r base.txt\n-r ../../etc/passwd\n",
        "base.txt": "-r requirements.txt\ngunicorn==23.0\n",
        "app.py": FLASK,
    }
    plan = detect(Files(files))

    assert any("served by gunicorn" in line for line in plan.evidence)


DJANGO: dict[str, object] = {
    "requirements.txt": "Django>=5\n",
    "manage.py": "import os\ndef main():\n"
    "    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n",
    "site1/settings.py": "WSGI_APPLICATION = 'site1.wsgi.application'\nALLOWED_HOSTS = []\n",
    "site1/wsgi.py": "import os\nfrom django.core.wsgi import get_wsgi_application\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site1.settings')\n"
    "application = get_wsgi_application()\n",
}


def test_django_is_served_by_the_application_that_its_settings_name():
    plan = detect(Files(DJANGO))

    assert "gunicorn site1.wsgi:application" in (plan.start_command or "")
    assert plan.build_command is None, "without STATIC_ROOT there is nothing to collect"
    assert any("ALLOWED_HOSTS" in warning for warning in plan.warnings)


def test_django_with_an_asgi_application_and_a_server_for_it_speaks_asgi():
    settings = "ASGI_APPLICATION = 'site1.asgi.application'\nSTATIC_ROOT = BASE / 'static'\n"
    files = {**DJANGO, "requirements.txt": "django\nuvicorn\n", "site1/settings.py": settings}
    plan = detect(Files(files))

    assert "uvicorn site1.asgi:application" in (plan.start_command or "")
    assert plan.build_command == ".venv/bin/python manage.py collectstatic --noinput"


def test_django_in_a_subfolder_is_imported_from_there():
    files = {
        name if name == "requirements.txt" else f"backend/{name}": content
        for name, content in DJANGO.items()
    }
    plan = detect(Files(files))

    assert plan.env["PYTHONPATH"] == "/app/backend"
    assert "site1.wsgi:application" in (plan.start_command or "")


def test_a_python_pin_that_differs_is_a_warning():
    def plan(**files: str) -> Plan:
        names = {"pin": ".python-version", "project": "pyproject.toml"}
        tree = {names[name]: text for name, text in files.items()}
        return detect(Files({**tree, "app.py": FLASK}), installed=Installed(python="3.11.7"))

    assert any("3.12" in text for text in plan(pin="3.12.1\n").warnings)
    assert not any("Python 3.11" in text for text in plan(pin="3.11\n").warnings)
    assert any(
        ">=3.12" in text for text in plan(project="[project]\nrequires-python='>=3.12'").warnings
    )
    assert not any(
        "asks for" in text
        for text in plan(project="[project]\nrequires-python='>=3.9,<4'").warnings
    )


def test_mkdocs_and_sphinx_are_installed_from_the_group_that_lists_them():
    mkdocs = {
        "mkdocs.yml": "site_name: x\nsite_dir: public\ntheme:\n  name: material\n",
        "pyproject.toml": "[project]\nname='x'\n[dependency-groups]\ndocs=['mkdocs']\n",
        "uv.lock": "version = 1",
    }
    sphinx = {
        "docs/conf.py": "project = 'x'\nextensions = ['myst_parser']\nhtml_theme = 'furo'\n",
        "docs/index.md": "# x",
        "docs/requirements.txt": "sphinx\n",
    }
    plan = detect(Files(mkdocs))
    assert plan.output_directory == "public"
    assert "--group docs" in (plan.install_command or "")
    assert "mkdocs-material" in (plan.install_command or "")
    plan = detect(Files(sphinx))
    assert plan.output_directory == "docs/_build/html"
    assert "-r docs/requirements.txt" in (plan.install_command or "")
    assert "furo myst-parser" in (plan.install_command or "")


def test_a_conf_py_of_something_else_is_no_sphinx():
    files = {"docs/conf.py": "PORT = 3", "docs/index.rst": "x"}

    with pytest.raises(NothingDetected):
        detect(Files(files))


def test_a_program_with_its_own_server_is_found_by_the_call_that_starts_it():
    called = "import gradio as gr\ndef main():\n    gr.Blocks().launch(server_port=7861)\nmain()\n"
    plan = detect(Files({"requirements.txt": "gradio", "ui.py": called}))

    assert (plan.framework, plan.port) == ("gradio", 7861)
    only_named = "import gradio as gr\nLAUNCH = 'launch('\n# demo.launch()\n"
    with pytest.raises(NothingDetected):
        detect(Files({"requirements.txt": "gradio", "ui.py": only_named}))


def test_nicegui_and_aiohttp_listen_on_their_own_port_unless_it_is_computed():
    nicegui = "from nicegui import ui\nui.run(%s)\n"
    aiohttp = "import os\nfrom aiohttp import web\nweb.run_app(web.Application()%s)\n"

    def port(package: str, code: str) -> int:
        return detect(Files({"requirements.txt": package, "main.py": code})).port

    assert port("nicegui", nicegui % "") == 8080
    assert port("nicegui", nicegui % "port=9000") == 9000
    assert port("aiohttp", aiohttp % "") == 8080
    assert port("aiohttp", aiohttp % ", port=int(os.environ['PORT'])") == 3000


def test_a_small_server_beside_a_page_is_for_whoever_writes_the_page():
    code = "from http.server import *\nHTTPServer(('', 8000), Handler).serve_forever()\n"

    assert detect(Files({"serve.py": code, "index.html": "x"})).framework == "static"
    plan = detect(Files({"serve.py": code}))
    assert (plan.framework, plan.port, plan.start_command) == ("python", 8000, "python3 serve.py")


def test_fasthtml_is_found_through_its_star_and_its_pair():
    code = "from fasthtml.common import *\napp, rt = fast_app()\n"
    plan = detect(Files({"main.py": code}))

    assert plan.framework == "fasthtml"
    assert "python-fasthtml" in (plan.install_command or "")


def test_migrations_of_django_are_its_release_when_a_driver_of_a_database_is_listed():
    files = {
        "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')",
        "site/settings.py": "WSGI_APPLICATION = 'site.wsgi.application'\nALLOWED_HOSTS = ['x']",
        "site/wsgi.py": "from django.core.wsgi import get_wsgi_application\n"
        "application = get_wsgi_application()",
    }
    plain = detect(Files({**files, "requirements.txt": "django"}))
    real = detect(Files({**files, "requirements.txt": "django\npsycopg[binary]"}))

    assert plain.release_command is None
    assert real.release_command == ".venv/bin/python manage.py migrate --noinput"
    assert not any("Migrations" in warning for warning in real.warnings)


def test_further_processes_of_a_procfile_are_in_the_plan():
    files = {
        "requirements.txt": "flask\ncelery",
        "app.py": FLASK,
        "Procfile": "web: gunicorn app:app\nworker: celery -A t worker\nbeat: celery -A t beat",
    }
    assert detect(Files(files)).processes == {
        "worker": "celery -A t worker",
        "beat": "celery -A t beat",
    }
