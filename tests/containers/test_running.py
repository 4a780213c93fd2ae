"""Containers behind the edge: confined, reached, switched, found again, ended."""

import asyncio
import json
import urllib.parse
from pathlib import Path

import pytest

from tests.containers import apps
from tests.containers.engines import Dockerd
from tests.edge.client import Client, fetch
from tests.edge.running import Edge, eventually
from windlass.core.container import instance_id
from windlass.core.launch import Limits
from windlass.core.launch_spec import NotYet
from windlass.edge.runner import Starter

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("containers")]


async def warm(edge: Edge, release: str, seconds: float = 60) -> dict:
    reader, writer = await asyncio.open_unix_connection(str(edge.home / "run" / "edge.sock"))
    client = Client(reader, writer)
    body = json.dumps({"deployment": release, "deadline_seconds": seconds}).encode()
    answer = await client.ask("/warm", method="POST", body=body)
    await client.close()
    return json.loads(answer.body)


async def inside(edge: Edge, command: str) -> str:
    answer = await fetch(edge.port, f"/cgi-bin/sh?{urllib.parse.quote_plus(command)}")
    assert answer.status == 200, answer
    return answer.text


async def test_an_image_is_run_confined_and_answers_through_the_edge(
    edge: Edge, dockerd: Dockerd
) -> None:
    apps.put(edge.home, "depl_1", apps.image(dockerd, "one"), env={"COLOUR": "red"})
    assert (await warm(edge, "depl_1"))["ok"]
    edge.switch("depl_1")

    assert (await fetch(edge.port, "/")).text == "one"
    said = await inside(edge, "cat /proc/self/status")
    assert "CapEff:\t0000000000000000" in said
    assert "CapBnd:\t0000000000000000" in said
    assert "NoNewPrivs:\t1" in said
    assert "Read-only file system" in await inside(edge, "echo x > /bin/new")
    assert "fine" in await inside(edge, "echo fine > /tmp/x && cat /tmp/x")
    variables = (await inside(edge, "env")).splitlines()
    assert "COLOUR=red" in variables
    assert "PORT=3000" in variables
    assert not [line for line in variables if line.startswith("WINDLASS_")]


async def test_limits_are_the_engines(edge: Edge, dockerd: Dockerd) -> None:
    limits = Limits(memory_bytes=64 << 20, cpus=0.5, processes=33, tmp_bytes=4 << 20)
    apps.put(edge.home, "depl_1", apps.image(dockerd, "one"), limits=limits)
    assert (await warm(edge, "depl_1"))["ok"]

    (made,) = dockerd.containers(instance=instance_id(edge.home))
    host = dockerd.http.get(f"/containers/{made['Id']}/json").json()["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 64 << 20
    assert host["NanoCpus"] == 500_000_000
    assert host["PidsLimit"] == 33
    assert host["CapDrop"] == ["ALL"]
    assert host["Privileged"] is False
    assert not host["Binds"]


async def test_the_network_leads_nowhere_but_through_the_guard(
    edge: Edge, dockerd: Dockerd
) -> None:
    """Not to this machine, not to private addresses; the proxy says why."""
    apps.put(edge.home, "depl_1", apps.image(dockerd, "one"))
    assert (await warm(edge, "depl_1"))["ok"]
    edge.switch("depl_1")

    # Whoever stands behind the address that the engine calls the gateway.
    gateway = "$(busybox ip route | busybox grep default | busybox cut -d' ' -f3)"
    ask = f"GET http://127.0.0.2:{edge.port}/ HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"
    for place in (gateway, "10.255.255.1", "169.254.169.254"):
        said = await inside(edge, f"busybox nc -w 2 {place} {edge.port} </dev/null; echo $?")
        assert said.strip().splitlines()[-1] != "0", place
    assert " 403 " in await inside(edge, f"printf '{ask}' | busybox nc -w 5 127.0.0.1 3128")


async def test_two_releases_are_switched_and_the_old_one_is_gone(
    edge: Edge, dockerd: Dockerd
) -> None:
    apps.put(edge.home, "depl_1", apps.image(dockerd, "one"))
    apps.put(edge.home, "depl_2", apps.image(dockerd, "two"))
    edge.switch("depl_1")
    assert (await fetch(edge.port, "/")).text == "one"

    assert (await warm(edge, "depl_2"))["ok"]
    edge.switch("depl_2")
    assert (await fetch(edge.port, "/")).text == "two"
    edge.supervisor.look()

    ours = instance_id(edge.home)
    await eventually(lambda: len(dockerd.containers(instance=ours)) == 1, seconds=60)
    assert (await fetch(edge.port, "/")).text == "two"


async def test_a_killed_container_comes_back(edge: Edge, dockerd: Dockerd) -> None:
    apps.put(edge.home, "depl_1", apps.image(dockerd, "one"))
    assert (await warm(edge, "depl_1"))["ok"]
    edge.switch("depl_1")
    (first,) = dockerd.containers(instance=instance_id(edge.home))

    dockerd.http.post(f"/containers/{first['Id']}/kill")

    def is_back() -> bool:
        status = edge.supervisor.status()["depl_1"]
        return status.restarts >= 1 and status.state == "running"

    await eventually(is_back, seconds=60)
    assert (await fetch(edge.port, "/")).text == "one"
    (second,) = dockerd.containers(instance=instance_id(edge.home))
    assert second["Id"] != first["Id"]


async def test_a_container_outlives_its_edge_and_is_found_again(
    edge: Edge, home: Path, dockerd: Dockerd
) -> None:
    # Without a way out: its listener would still be the first edge's, which has not really died.
    made = apps.put(home, "depl_1", apps.image(dockerd, "one"), network="none")
    assert (await warm(edge, "depl_1"))["ok"]
    (first,) = dockerd.containers(instance=instance_id(home))

    # Another edge on the same home, as after a kill: nobody told the container.
    lines: list[bytes] = []
    again = Starter(home, dockerd.address)
    found = await again(made, lines.append)
    sock = await found.dial(3000)
    sock.close()

    assert [each["Id"] for each in dockerd.containers(instance=instance_id(home))] == [first["Id"]]
    await found.terminate(grace_seconds=1)
    await again.close()


async def test_what_nobody_serves_is_swept_and_what_is_somebody_elses_stays(
    edge: Edge, home: Path, dockerd: Dockerd
) -> None:
    image = apps.image(dockerd, "one")
    body = {"Image": image, "Labels": {"windlass.instance": "000000000000", "windlass.role": "app"}}
    body["HostConfig"] = {"NetworkMode": "none"}  # type: ignore[assignment]
    foreign = dockerd.http.post("/containers/create", json=body).json()["Id"]
    network = dockerd.http.post("/networks/create", json={"Name": "somebody"}).json()["Id"]
    dockerd.http.post("/volumes/create", json={"Name": "somebody"})
    made = apps.put(home, "depl_1", image)
    starter = Starter(home, dockerd.address)
    running = await starter(made, lambda _: None)

    assert await starter.sweep(frozenset({"depl_1"})) == []
    swept = await starter.sweep(frozenset())

    assert swept == [f"windlass-{instance_id(home)}-depl_1-web"]
    await running.terminate(grace_seconds=1)
    await starter.close()
    assert dockerd.http.get(f"/containers/{foreign}/json").status_code == 200
    assert dockerd.http.get(f"/networks/{network}").status_code == 200
    assert dockerd.http.get("/volumes/somebody").status_code == 200
    dockerd.http.delete(f"/containers/{foreign}", params={"force": 1})
    dockerd.http.delete(f"/networks/{network}")
    dockerd.http.delete("/volumes/somebody")


async def test_an_image_that_exits_says_so_with_its_last_lines(
    edge: Edge, dockerd: Dockerd
) -> None:
    image = apps.image(dockerd, "one")
    apps.put(edge.home, "depl_1", image, command=("/bin/sh", "-c", "echo no database; exit 3"))

    warmed = await warm(edge, "depl_1")

    assert not warmed["ok"]
    assert "exit code 3" in warmed["reason"]
    assert "no database" in warmed["log"]
    await eventually(lambda: not dockerd.containers(instance=instance_id(edge.home)), seconds=60)


async def test_a_memory_hog_is_killed_and_that_is_said(edge: Edge, dockerd: Dockerd) -> None:
    eat = 'x=0123456789; while :; do x="$x$x"; done'
    limits = Limits(memory_bytes=32 << 20, tmp_bytes=4 << 20)
    image = apps.image(dockerd, "one")
    apps.put(edge.home, "depl_1", image, command=("/bin/sh", "-c", eat), limits=limits)

    warmed = await warm(edge, "depl_1")

    assert "more than the 32 MiB of memory" in warmed["reason"]


async def test_one_that_must_write_gets_a_writable_root_and_it_is_said(
    edge: Edge, dockerd: Dockerd
) -> None:
    command = ("/bin/sh", "-c", "echo x > /state && exec /bin/busybox httpd -f -p 3000 -h /www")
    image = apps.image(dockerd, "one")
    apps.put(edge.home, "depl_1", image, command=command)

    assert (await warm(edge, "depl_1"))["ok"]

    log = (edge.home / "logs" / "apps" / "depl_1" / "web.000001.log").read_text()
    assert "started again with a root that is writable" in log


async def test_a_health_check_of_the_image_is_waited_for(edge: Edge, dockerd: Dockerd) -> None:
    image = apps.image(dockerd, "one")
    passing = ("CMD-SHELL", "busybox test -e /tmp/ready || { echo > /tmp/ready; exit 1; }")
    apps.put(edge.home, "depl_1", image, health=passing)
    assert (await warm(edge, "depl_1"))["ok"]


async def test_until_a_health_check_passes_nobody_comes_in(home: Path, dockerd: Dockerd) -> None:
    starter = Starter(home, dockerd.address)
    failing = ("CMD", "/bin/busybox", "false")
    running = await starter(
        apps.put(home, "depl_2", apps.image(dockerd, "one"), health=failing), lambda _: None
    )

    with pytest.raises(NotYet, match="HEALTHCHECK did not pass"):
        await running.dial(3000)

    await running.terminate(grace_seconds=1)
    await starter.close()


async def test_without_an_engine_the_reason_is_said(home: Path) -> None:
    made = apps.put(home, "depl_1", "sha256:0")
    edge = Edge(home, start=Starter(home, "unix:///nowhere.sock"))
    await edge.start()

    warmed = await warm(edge, "depl_1")

    assert "No container engine answers at unix:///nowhere.sock" in warmed["reason"]
    assert made.container is not None
    await edge.stop()
