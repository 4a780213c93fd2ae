"""What goes wrong with engines and images, and the one line that says so."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.containers import engines
from tests.containers.engines import Dockerd
from tests.containers.test_building import RUNS, Builder, from_base
from tests.edge.running import eventually
from windlass.builds.steps import BuildFailed

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.xdist_group("containers")]
FOREIGN = "windlass-tests/foreign:1"


@pytest.fixture
def builder(tmp_path: Path, dockerd: Dockerd) -> Builder:
    return Builder(tmp_path, dockerd.address, local=f"{engines.BASE},{FOREIGN}")


async def failure(builder: Builder, files: dict[str, str]) -> BuildFailed:
    with pytest.raises(BuildFailed) as failed:
        await builder.build(files)
    return failed.value


async def test_without_an_engine_it_is_said_what_to_install(tmp_path: Path) -> None:
    failed = await failure(
        Builder(tmp_path, "unix:///nowhere.sock"), {"Dockerfile": from_base("RUN true")}
    )

    assert failed.code == "NO_ENGINE"
    assert "apt-get install docker.io" in str(failed)


@asynccontextmanager
async def cut_off(target: str, path: Path) -> AsyncGenerator[asyncio.Event]:
    """A socket that leads to the engine until the event: then it is gone, as if it died."""
    is_cut, copies = asyncio.Event(), set[asyncio.Task[None]]()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, to_them = await asyncio.open_unix_connection(target.removeprefix("unix://"))
        both = [
            asyncio.create_task(copy(reader, to_them)),
            asyncio.create_task(copy(theirs, writer)),
        ]
        copies.update(both)
        await asyncio.wait(both)
        for end in (writer, to_them):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def cut() -> None:
        await is_cut.wait()
        server.close()
        for each in copies:
            each.cancel()

    server = await asyncio.start_unix_server(serve, str(path))
    cutting = asyncio.create_task(cut())
    try:
        yield is_cut
    finally:
        is_cut.set()
        await cutting
        await server.wait_closed()
        await asyncio.gather(*copies, return_exceptions=True)


@pytest.mark.parametrize("mount", ["", "--mount=type=tmpfs,target=/t "])
async def test_an_engine_that_goes_away_in_the_middle_is_said(
    tmp_path: Path, dockerd: Dockerd, mount: str
) -> None:
    async with cut_off(dockerd.address, tmp_path / "s") as is_cut:
        builder = Builder(tmp_path, f"unix://{tmp_path}/s")
        files = {"Dockerfile": from_base(f"RUN {mount}busybox sleep 300")}
        task = asyncio.create_task(failure(builder, files))
        await eventually(lambda: "busybox sleep" in builder.log.text, seconds=60)
        is_cut.set()
        failed = await asyncio.wait_for(task, 60)

    assert failed.code == "ENGINE_LOST"
    assert "Deploy again" in str(failed)
    ours = dockerd.containers(instance=builder.instance)
    for each in ours:
        dockerd.http.delete(f"/containers/{each['Id']}", params={"force": 1, "v": 1})


@pytest.fixture(scope="module")
def foreign(dockerd: Dockerd) -> str:
    """An image for arm64, or for amd64 where this machine is arm64."""
    layer = engines.tar(engines.base_files())
    here = dockerd.http.get("/version").json()["Arch"]
    config = {
        "architecture": "amd64" if here == "arm64" else "arm64",
        "os": "linux",
        "config": {"Cmd": ["/bin/sh"], "ExposedPorts": {"80/tcp": {}}},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [FOREIGN], "Layers": ["layer.tar"]}]
    files = {
        "config.json": json.dumps(config).encode(),
        "layer.tar": layer,
        "manifest.json": json.dumps(manifest).encode(),
    }
    answer = dockerd.http.post("/images/load", content=engines.tar(files))
    assert answer.status_code == 200, answer.text
    return FOREIGN


async def test_an_image_for_another_processor_is_refused(builder: Builder, foreign: str) -> None:
    image = f'[container]\nimage = "{foreign}"\n'

    failed = await failure(builder, {"windlass.toml": image})

    assert failed.code == "WRONG_ARCHITECTURE"
    assert "processors, and the engine runs on" in str(failed)


async def test_a_program_for_another_processor_is_said(builder: Builder) -> None:
    # The head of a program, and nothing that any processor knows.
    program = "\x7fELF\x02\x01\x01" + "\x00" * 9 + "\x02\x00\x7f\x00" + "\x00" * 80
    lines = ("COPY program /program", "RUN busybox chmod 755 /program", 'RUN ["/program"]')

    failed = await failure(builder, {"Dockerfile": from_base(*lines), "program": program})

    assert failed.code == "WRONG_ARCHITECTURE"
    assert "another kind of processor" in str(failed)


async def test_a_step_without_space_is_said(builder: Builder) -> None:
    fill = "RUN busybox dd if=/dev/zero of=/dev/shm/x bs=1M count=80"

    failed = await failure(builder, {"Dockerfile": from_base(fill)})

    assert failed.code == "DISK_FULL"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Dockerd]:
    """An engine with hardly any disk."""
    found = Dockerd(data_bytes=24 << 20)
    found.start()
    if found.is_refused or not found.is_in_memory:
        found.stop()
        pytest.skip("no file system of its own can be mounted here")
    found.import_image(engines.BASE, engines.base_files())
    yield found
    found.stop()


async def test_an_engine_whose_disk_is_full_is_said(tmp_path: Path, full: Dockerd) -> None:
    builder = Builder(tmp_path, full.address)
    files = {"Dockerfile": f"FROM {engines.BASE}\nCOPY big /big\n{RUNS}", "big": "x" * (30 << 20)}

    failed = await failure(builder, files)

    assert failed.code == "DISK_FULL"
    assert "The disk of the engine is full" in str(failed)
