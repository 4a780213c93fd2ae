"""The client of the Engine API, against a real dockerd and against what is none."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.containers.engines import Dockerd
from windlass.core import engine as engines
from windlass.core.engine import Engine, EngineAway, EngineRefused
from windlass.core.settings import Settings
from windlass.health import checks

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("containers")]


async def test_an_engine_says_who_it_is(engine: Engine) -> None:
    about = await engine.about()

    assert about.name == "Docker"
    assert about.version[0].isdigit()
    assert about.has_buildkit
    assert "BuildKit" in about.sentence


async def test_what_the_engine_refuses_is_said_in_its_words(engine: Engine) -> None:
    with pytest.raises(EngineRefused, match="No such container: nobody") as refused:
        await engine.call("GET", "/containers/nobody/json")

    assert refused.value.answered == 404


async def test_the_doctor_says_which_engine_answers_and_what_to_do_without_one(
    dockerd: Dockerd,
) -> None:
    found = await checks.containers(Settings(docker_host=dockerd.address))
    assert found.ok
    assert found.detail.startswith("Docker ")
    assert "BuildKit" in found.detail
    assert found.detail.endswith("guarded networks")

    wrong = await checks.containers(Settings(docker_host="unix:///nowhere.sock"))
    assert not wrong.ok
    assert "unix:///nowhere.sock" in wrong.detail
    assert "docker.io" in (wrong.fix or "")


async def test_an_engine_is_found_by_its_setting(dockerd: Dockerd) -> None:
    assert engines.find(dockerd.address) == dockerd.address


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("unix:///nowhere/engine.sock", "No container engine answers at unix:///nowhere"),
        ("tcp://127.0.0.1:9", "No container engine answers at tcp://127.0.0.1:9"),
        ("ssh://host", "the address has to be unix:///path"),
        (None, "there is no Docker or Podman socket on this machine"),
    ],
)
async def test_an_engine_that_is_not_there_is_said(address: str | None, said: str) -> None:
    with pytest.raises(EngineAway) as away:
        await Engine(address).about()

    assert said in away.value.message
    assert "WINDLASS_DOCKER_HOST" in away.value.message


async def test_an_engine_that_never_answers_is_given_up(tmp_path: Path) -> None:
    path = f"{tmp_path}/s"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(path)
        mute.listen()
        silent = Engine(f"unix://{path}")

        with pytest.raises(EngineAway, match="no answer within"):
            await silent.call("GET", "/_ping", seconds=0.2)
        await silent.close()


async def test_something_else_that_answers_is_no_engine(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()

    path = f"{tmp_path}/s"
    server = await asyncio.start_unix_server(answer, path)
    async with server:
        with pytest.raises(EngineAway):
            await Engine(f"unix://{path}").about()
