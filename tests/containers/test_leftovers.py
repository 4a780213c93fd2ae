"""What is of this instance goes when nobody needs it; what is of others is never touched."""

from pathlib import Path

import pytest

from tests.containers import engines
from tests.containers.engines import Dockerd, Registry
from tests.containers.test_building import RUNS, Builder
from windlass.adapters import world as worlds
from windlass.builds import leftovers
from windlass.builds.steps import BuildFailed

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.xdist_group("containers")]


async def test_everything_of_ours_goes_and_nothing_of_others(
    tmp_path: Path, dockerd: Dockerd, registry: Registry
) -> None:
    base = registry.put(dockerd, "bases/one:1", {**engines.base_files(), "one": b"1"})
    foreign = dockerd.import_image("foreign/app:1", {**engines.base_files(), "two": b"2"})
    body = {"Image": foreign, "Cmd": ["/bin/sh"], "HostConfig": {"NetworkMode": "none"}}
    container = dockerd.http.post("/containers/create", json=body).json()["Id"]
    network = dockerd.http.post("/networks/create", json={"Name": "foreign"}).json()["Id"]
    dockerd.http.post("/volumes/create", json={"Name": "foreign"})
    dangling = dockerd.import_image("foreign/dangling:1", {"three": b"3"})
    dockerd.import_image("foreign/dangling:1", {"four": b"4"})
    builder = Builder(tmp_path, dockerd.address, private=(registry.place,))
    home, world = builder.settings.folder, worlds.make(builder.settings, mirrors=frozenset())

    file = f"FROM {base}\nRUN echo x > /x\n{RUNS}"
    await builder.build({"Dockerfile": file})
    builder.name = "depl_2"
    with pytest.raises(BuildFailed):
        await builder.build({"Dockerfile": file.replace("RUN echo", "RUN busybox false; false #")})
    (home / "work").mkdir(exist_ok=True)
    for name in ("depl_1", "depl_2"):
        leftovers_of = home / "work" / name
        if leftovers_of.exists():
            for each in leftovers_of.iterdir():
                each.unlink()
            leftovers_of.rmdir()
    (home / "releases" / "depl_1").mkdir(parents=True)

    ours = f"windlass-{builder.instance}"
    await leftovers.sweep(world, home)
    assert {f"{ours}:depl_1"} < {tag for tag in dockerd.images() if tag.startswith(ours)}

    await leftovers.forget(world, home, "depl_1")
    assert f"{ours}:depl_1" not in dockerd.images()
    (home / "releases" / "depl_1").rmdir()
    await leftovers.sweep(world, home, is_start=True)

    assert [tag for tag in dockerd.images() if tag.startswith(ours)] == [f"{ours}:guard"]
    assert dockerd.http.get(f"/images/{base}/json").status_code == 404
    assert dockerd.containers(instance=builder.instance) == []
    for path in (
        f"/containers/{container}/json",
        f"/images/{foreign}/json",
        f"/images/{dangling}/json",
        f"/networks/{network}",
        "/volumes/foreign",
    ):
        assert dockerd.http.get(path).status_code == 200, path
    dockerd.http.delete(f"/containers/{container}", params={"force": 1})
    dockerd.http.delete(f"/networks/{network}")
    dockerd.http.delete("/volumes/foreign")


async def test_an_engine_that_is_away_keeps_nothing_from_going(tmp_path: Path) -> None:
    builder = Builder(tmp_path, "unix:///nowhere.sock")
    world = worlds.make(builder.settings, mirrors=frozenset())

    await leftovers.forget(world, builder.settings.folder, "depl_1")
    await leftovers.sweep(world, builder.settings.folder)
