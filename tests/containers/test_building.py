"""Images made of Dockerfiles, by a real engine, from the contents of the store."""

import asyncio
from pathlib import Path

import pytest

from tests.containers import engines
from tests.containers.engines import Dockerd
from tests.edge.running import eventually
from windlass.adapters import world as worlds
from windlass.builds.detect import detect
from windlass.builds.imaging import Imaging
from windlass.builds.plan import Plan
from windlass.builds.pulling import Login
from windlass.builds.sources import StoredTree
from windlass.builds.steps import BuildFailed, Work
from windlass.core.blobs import BlobStore
from windlass.core.container import instance_id
from windlass.core.egress import EgressPolicy
from windlass.core.launch import Limits
from windlass.core.manifest import Entry
from windlass.core.settings import Builds, Containers, Settings

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.xdist_group("containers")]
RUNS = 'CMD ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]\nEXPOSE 8080\nUSER 1000\n'


class Lines:
    """A build's log as a list."""

    def __init__(self) -> None:
        self.step = ""
        self.said: list[str] = []
        self.output = b""
        self.hidden: tuple[str, ...] = ()

    def say(self, message: str, level: str = "info") -> None:
        self.said.append(f"{level}: {message}")

    def write(self, output: bytes) -> None:
        self.output += output

    def hide(self, secrets: tuple[str, ...]) -> None:
        self.hidden = secrets

    @property
    def text(self) -> str:
        return "\n".join([*self.said, self.output.decode(errors="replace")])


class Builder:
    """Builds sources of one instance on one engine."""

    def __init__(
        self,
        folder: Path,
        address: str,
        *,
        name: str = "depl_1",
        private: tuple[str, ...] = (),
        local: str = engines.BASE,
    ) -> None:
        home = folder / "home"
        (home / "blobs").mkdir(parents=True, exist_ok=True)
        self.settings = Settings(
            home=str(home),
            docker_host=address,
            containers=Containers(local_images=local),
            builds=Builds(memory_bytes=128 << 20, allow_private=",".join(private)),
        )
        self.instance = instance_id(home)
        self.log = Lines()
        self.name = name
        self.env: dict[str, str] = {}
        self.secrets: tuple[str, ...] = ()
        self.project = "proj_a"
        self.is_clean = False
        self.logins: tuple[Login, ...] = ()

    async def build(self, files: dict[str, str], *, seconds: float = 120) -> Plan:
        store = BlobStore(self.settings.folder / "blobs")
        manifest = [
            Entry(path, store.put_bytes(text.encode()), len(text.encode()))
            for path, text in sorted(files.items())
        ]
        plan = detect(StoredTree(store, manifest))
        imaging = Imaging(
            settings=self.settings,
            world=worlds.make(self.settings, mirrors=frozenset()),
            work=Work(
                name=f"build-{self.name}",
                folder=self.settings.folder / "work" / self.name,
                uid=None,
                limits=Limits(memory_bytes=128 << 20),
                egress=EgressPolicy(),
            ),
            log=self.log,
            deployment=self.name,
            project=self.project,
            env=self.env,
            secrets=self.secrets,
            is_clean=self.is_clean,
            logins=self.logins,
        )
        return await imaging.make(plan, manifest, seconds)


@pytest.fixture
def builder(tmp_path: Path, dockerd: Dockerd) -> Builder:
    return Builder(tmp_path, dockerd.address)


def from_base(*lines: str) -> str:
    return "\n".join([f"FROM {engines.BASE}", *lines, RUNS])


async def test_a_dockerfile_becomes_an_image_of_ours(builder: Builder, dockerd: Dockerd) -> None:
    plan = await builder.build(
        {"Dockerfile": from_base("COPY page /www/index.html", "RUN echo made > /made"), "page": "x"}
    )

    assert plan.container is not None
    assert (plan.kind, plan.port) == ("server", 8080)
    assert plan.container.digest is not None
    assert plan.container.digest.startswith("sha256:")
    found = dockerd.http.get(f"/images/windlass-{builder.instance}:depl_1/json").json()
    assert found["Id"] == plan.container.digest
    assert found["Config"]["Labels"]["windlass.instance"] == builder.instance
    assert "RUN echo made" in builder.log.text
    assert "root" not in builder.log.text
    assert dockerd.containers(instance=builder.instance) == []


async def test_arguments_the_stage_and_dockerignore_are_heeded(
    builder: Builder, dockerd: Dockerd
) -> None:
    toml = '[container]\ntarget = "shown"\ndockerfile = "ops/Web.Dockerfile"\n'
    toml += '[container.build_args]\nCOLOUR = "red"\n'
    file = (
        f"FROM {engines.BASE} AS shown\nARG COLOUR=blue\nARG REGION\nCOPY . /src\n"
        "RUN echo colour=$COLOUR region=$REGION; busybox find /src -type f | busybox sort\n"
        f"{RUNS}\nFROM shown AS other\nRUN exit 7\n"
    )
    builder.env = {"REGION": "north"}

    await builder.build(
        {
            "ops/Web.Dockerfile": file,
            "windlass.toml": toml,
            ".dockerignore": "**/*.log\nsecret\n!keep.log\n# all\nwindlass.toml\n",
            "a.txt": "a",
            "deep/b.log": "b",
            "keep.log": "k",
            "secret/key": "s",
        }
    )

    said = builder.log.text
    assert "colour=red region=north" in said
    seen = [line for line in said.splitlines() if line.startswith("/src/")]
    assert seen == ["/src/a.txt", "/src/keep.log", "/src/ops/Web.Dockerfile"]


async def test_a_run_step_has_only_the_guarded_network(builder: Builder) -> None:
    ask = "GET http://127.0.0.2:1/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
    lines = (
        "RUN busybox ip -o link",
        f"RUN printf '{ask}' | busybox nc -w 5 127.0.0.1 3128",
        "RUN busybox nc -w 2 10.255.255.1 80 </dev/null || echo no way",
        "RUN env",
    )
    await builder.build({"Dockerfile": from_base(*lines)})

    said = builder.log.text
    assert " 403 " in said
    assert "no way" in said
    assert "eth0" not in said
    assert "https_proxy=http://127.0.0.1:3128" in said
    assert "warn: " in said


async def test_a_secret_is_no_build_argument(builder: Builder, dockerd: Dockerd) -> None:
    builder.env = {"TOKEN": "s3cret-value"}
    builder.secrets = ("s3cret-value",)

    await builder.build({"Dockerfile": from_base("ARG TOKEN", "RUN echo token=$TOKEN.")})

    assert "token=." in builder.log.text
    assert "ARG TOKEN gets no value" in builder.log.text
    history = dockerd.http.get(f"/images/windlass-{builder.instance}:depl_1/history").text
    assert "s3cret-value" not in history


async def test_an_unchanged_build_is_cached_for_its_project_alone(builder: Builder) -> None:
    files = {"Dockerfile": from_base("RUN echo once")}
    await builder.build(files)
    await builder.build(files)
    assert builder.log.output.count(b"Using cache") >= 1

    builder.log.output = b""
    builder.project = "proj_b"
    await builder.build(files)
    assert b"Using cache" not in builder.log.output.partition(b"RUN echo once")[2][:200]

    builder.log.output = b""
    builder.is_clean = True
    await builder.build(files)
    assert b"Using cache" not in builder.log.output


async def test_a_build_that_is_stopped_leaves_nothing(builder: Builder, dockerd: Dockerd) -> None:
    """C-158: what was running is gone when the build has ended."""
    task = asyncio.create_task(builder.build({"Dockerfile": from_base("RUN busybox sleep 600")}))

    def running() -> bool:
        found = dockerd.http.get("/containers/json").json()
        return any("sleep 600" in each["Command"] for each in found)

    await eventually(running, seconds=60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await eventually(lambda: not running(), seconds=60)
    await eventually(lambda: not dockerd.containers(instance=builder.instance), seconds=60)


async def test_a_build_has_a_time(builder: Builder, dockerd: Dockerd) -> None:
    with pytest.raises(BuildFailed, match="took longer than 3 s") as failed:
        await builder.build({"Dockerfile": from_base("RUN busybox sleep 600")}, seconds=3)

    assert failed.value.code == "BUILD_TIMEOUT"


async def test_a_build_has_a_memory_limit(builder: Builder) -> None:
    eat = "RUN x=0123456789; while :; do x=$x$x; done"
    with pytest.raises(BuildFailed) as failed:
        await builder.build({"Dockerfile": from_base(eat)})

    assert failed.value.code == "OUT_OF_MEMORY"
    assert "128 MiB" in str(failed.value)


@pytest.mark.parametrize(
    ("lines", "code", "said"),
    [
        (f"FROM {engines.BASE}\nRUN exit 7\n{RUNS}", "BUILD_FAILED", "non-zero code: 7"),
        (f"FROM {engines.BASE}\nCOPY missing /x\n{RUNS}", "BUILD_FAILED", "missing"),
        (f'FROM {engines.BASE}\nCMD ["/bin/sh"]\n', "NO_PORT", "add EXPOSE"),
        (f"FROM {engines.BASE}\nEXPOSE 80\n", "NO_COMMAND", "CMD"),
        ("FROM localhost:9/x\nEXPOSE 80", "ADDRESS_REFUSED", "localhost leads to"),
        ("FROM 10.0.0.1:5000/x\nEXPOSE 80", "ADDRESS_REFUSED", "a private address"),
        ("FROM no-such-image-here:1\nEXPOSE 80", "IMAGE_NOT_FOUND", "no-such-image-here:1"),
        (
            f"FROM {engines.BASE}\nRUN --mount=type=secret,id=k,required true\n{RUNS}",
            "NO_BUILD_SECRET",
            "line 2: a RUN step mounts the secret k, and the project has no secret variable k",
        ),
    ],
)
async def test_a_build_that_fails_says_why(
    builder: Builder, lines: str, code: str, said: str
) -> None:
    with pytest.raises(BuildFailed) as failed:
        await builder.build({"Dockerfile": lines})

    assert failed.value.code == code
    assert said in str(failed.value)


async def test_an_image_of_another_project_is_no_base(builder: Builder, dockerd: Dockerd) -> None:
    await builder.build({"Dockerfile": from_base("RUN echo mine > /mine")})
    builder.project, builder.name = "proj_b", "depl_2"

    stolen = f"FROM windlass-{builder.instance}:depl_1\n{RUNS}"

    with pytest.raises(BuildFailed) as failed:
        await builder.build({"Dockerfile": stolen})

    assert "cannot be had" in str(failed.value)


async def test_one_that_runs_as_root_is_told_so(builder: Builder) -> None:
    await builder.build({"Dockerfile": from_base().replace("USER 1000", "USER root")})

    assert "The image runs as root" in builder.log.text


async def test_the_fetch_of_a_base_image_is_not_asked_of_foreign_tags(
    builder: Builder, dockerd: Dockerd
) -> None:
    """What lies on the engine without a registry is somebody's; only listed names may be used."""
    dockerd.import_image("somebody/private:1", {"secret": b"x"})

    with pytest.raises(BuildFailed) as failed:
        await builder.build({"Dockerfile": f"FROM somebody/private:1\n{RUNS}"})

    assert failed.value.code == "IMAGE_NOT_FOUND"
    assert "somebody/private:1" in dockerd.images()
