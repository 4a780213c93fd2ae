"""What only BuildKit builds: its secrets, the limits and the network that its steps are given."""

import asyncio
from pathlib import Path

import pytest

from tests.containers.engines import Dockerd
from tests.containers.test_building import Builder, from_base
from tests.edge.running import eventually
from windlass.builds.steps import BuildFailed

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.xdist_group("containers")]
# A mount that means nothing, and that only BuildKit knows.
MOUNT = "RUN --mount=type=tmpfs,target=/t "


@pytest.fixture
def builder(tmp_path: Path, dockerd: Dockerd) -> Builder:
    return Builder(tmp_path, dockerd.address)


async def test_secrets_are_mounted_and_nothing_remembers_them(
    builder: Builder, dockerd: Dockerd
) -> None:
    """Those marked as secrets by their own name, others by the name that windlass.toml gives."""
    # More than the engine takes at once.
    token = "t0p-" + "s3cret" * 20_000
    builder.env = {"TOKEN": token, "NPMRC": "//npm/:_auth=abcdef", "PLAIN": "not-a-secret"}
    builder.secrets = (token,)
    lines = (
        "RUN --mount=type=secret,id=TOKEN busybox wc -c /run/secrets/TOKEN",
        "RUN --mount=type=secret,id=npmrc,target=/root/.npmrc,required=true"
        " busybox sha256sum /root/.npmrc | busybox cut -c 1-8",
        "RUN --mount=type=secret,id=PLAIN busybox ls /run/secrets/PLAIN || echo no plain",
    )
    toml = '[container.build_secrets]\nnpmrc = "NPMRC"\n'

    plan = await builder.build({"Dockerfile": from_base(*lines), "windlass.toml": toml})

    assert plan.container is not None
    said = builder.log.text
    assert f"{len(token)} /run/secrets/TOKEN" in said
    assert "\n4d320d23\n" in said
    assert "no plain" in said
    assert "the project has no secret variable PLAIN" in said
    assert builder.log.hidden == ("//npm/:_auth=abcdef",)
    image = f"/images/{plan.container.digest}"
    kept = dockerd.http.get(f"{image}/history").text + dockerd.http.get(f"{image}/json").text
    kept += dockerd.http.get(f"{image}/get").content.decode(errors="replace")
    assert "s3cret" not in kept
    assert "_auth" not in kept


async def test_its_steps_have_the_guarded_network_and_no_other(builder: Builder) -> None:
    ask = "GET http://127.0.0.2:1/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
    lines = (
        f"{MOUNT} for i in 1 2 3 4 5 6 7 8 9; do printf '{ask}' | busybox nc -w 5 127.0.0.1 3128"
        " && break; busybox sleep 1; done",
        f"{MOUNT} busybox nc -w 2 10.255.255.1 80 </dev/null || echo no way",
        f"{MOUNT} busybox ip -o link; env",
    )

    await builder.build({"Dockerfile": from_base(*lines)})

    said = builder.log.text
    assert "Built with BuildKit, for RUN --mount" in said
    assert " 403 " in said
    assert "no way" in said
    assert "eth0" not in said
    assert "https_proxy=http://127.0.0.1:3128" in said


async def test_its_steps_have_limits_of_memory(builder: Builder) -> None:
    eat = f"{MOUNT} x=0123456789; while :; do x=$x$x; done"
    # Variables of the step's own do not hide it.
    hiding = "ENV no_proxy=a NO_PROXY=b"

    with pytest.raises(BuildFailed) as failed:
        await builder.build({"Dockerfile": from_base(hiding, eat)})

    assert failed.value.code == "OUT_OF_MEMORY"
    assert "128 MiB" in str(failed.value)


async def test_what_a_project_built_is_no_cache_of_another(builder: Builder) -> None:
    """Neither its layers, which a secret may have made, nor the folders of its cache mounts."""
    line = "RUN --mount=type=cache,target=/c echo once >> /c/x; busybox wc -l /c/x"
    files = {"Dockerfile": from_base(line, "ARG WINDLASS_CACHE=guessed")}
    await builder.build(files)
    assert "\n1 /c/x" in builder.log.text
    builder.log.output = b""
    await builder.build(files)
    assert "(cached)" in builder.log.text.partition("busybox wc")[2]

    builder.log.output = b""
    builder.project = "proj_b"
    await builder.build(files)

    assert "\n1 /c/x" in builder.log.text


async def test_one_that_is_stopped_leaves_no_step(builder: Builder, dockerd: Dockerd) -> None:
    steps = dockerd.folder / "data" / "buildkit" / "executor"
    files = {"Dockerfile": from_base(f"{MOUNT} busybox sleep 600")}
    task = asyncio.create_task(builder.build(files))

    def running() -> bool:
        return any(each.is_dir() for each in steps.iterdir()) if steps.is_dir() else False

    await eventually(running, seconds=60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await eventually(lambda: not running(), seconds=60)
