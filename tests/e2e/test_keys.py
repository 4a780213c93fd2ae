"""Keys are rotated while everything runs, and whoever is killed doing it loses nothing:
C-294, E-12, D-41; production with keys that are given: C-292, C-295."""

import asyncio
import base64
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from tests.e2e import sites
from tests.running import PATIENCE_SECONDS, WINDLASS, Instance, until
from windlass import resealing
from windlass.core import crypto
from windlass.core.crypto import KeyRing

pytestmark = pytest.mark.xdist_group("keys")
VARIABLES = 120


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    found = Instance(tmp_path_factory.mktemp("kr"))
    found.start()
    yield found
    found.stop()


def url_of(instance: Instance) -> str:
    return f"postgresql://postgres@/windlass?host={instance.home / 'run' / 'pg'}"


def rows(instance: Instance, query: str, *values: Any) -> list[asyncpg.Record]:
    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url_of(instance))
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    return asyncio.run(ask())


def sealed_with(instance: Instance, key: bytes) -> int:
    query = "select 1 from env_variables where substr(value_sealed, 2, 4) = $1"
    return len(rows(instance, query, key))


def values_of(instance: Instance, project: str) -> dict[str, str]:
    found: dict[str, str] = {}
    listed = instance.api("GET", f"/api/projects/{project}/env")
    assert listed.status_code == 200, listed.text
    for row in listed.json()["data"]:
        if row["target"] == "production":
            found[row["key"]] = row["value"]
    return found


def facts(instance: Instance) -> list[dict[str, Any]]:
    found = rows(instance, "select payload from events where name = 'auth.KeysRotated' order by id")
    return [json.loads(row["payload"]) for row in found]


def test_every_column_of_sealed_values_can_be_sealed_again() -> None:
    known = {(store.table, store.column) for store in resealing.STORES}

    assert known == set(resealing.sealed_columns())


@pytest.mark.long
def test_a_rotation_that_is_killed_is_resumed_and_nothing_is_lost(
    running: Instance, tmp_path: Path
) -> None:
    folder = sites.server(tmp_path / "sealed", "one")
    live = running.deploy(folder)
    project = live["projectId"]
    names = [f"V{number:03}" for number in range(VARIABLES)]
    running.cli("env", "set", *[f"{name}=of-{name}" for name in names], cwd=folder)
    before = values_of(running, project)
    ring = KeyRing.load(running.home / "keys")
    old = ring.newest
    assert sealed_with(running, old) == 2 * VARIABLES

    async def kill_in_the_middle() -> None:
        """A row near the end is held, so the rotation stops there, half done."""
        holder = await asyncpg.connect(url_of(running))
        async with holder.transaction():
            await holder.execute("select 1 from env_variables order by id desc limit 1 for update")
            command = await asyncio.create_subprocess_exec(
                str(WINDLASS), "keys", "rotate", "--data", env=running.environment,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            watcher = await asyncpg.connect(url_of(running))
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            while not await watcher.fetchval(waiting):
                assert command.returncode is None, await command.communicate()
                await asyncio.sleep(0.02)
            await watcher.close()
            os.kill(command.pid, signal.SIGKILL)
            await command.communicate()
        await holder.close()

    asyncio.run(asyncio.wait_for(kill_in_the_middle(), 120))

    # Half of it is sealed with each key; everything opens, for the process that runs all along too.
    left = sealed_with(running, old)
    assert 0 < left < 2 * VARIABLES
    assert ring.older == [old]
    assert values_of(running, project) == before
    running.cli("env", "set", "LATER=new", cwd=folder)
    again = running.deploy(sites.server(folder, "two"), "--prod")
    assert running.get(again["url"]).text == "two none"

    done = json.loads(running.cli("keys", "rotate", "--data", "--json").stdout)

    assert done["inUse"] == []
    assert done["resealed"] >= left
    assert (sealed_with(running, old), ring.older) == (0, [])
    assert values_of(running, project) == {**before, "LATER": "new"}
    assert facts(running)[-1]["kind"] == "data"
    # Apps are started anew with what was sealed again.
    running.kill("-m windlass.edge")
    until(lambda: answers(running, again["url"], "two none"), what="the app to come back")
    running.cli("rollback", cwd=folder)
    until(lambda: answers(running, live["url"], "one none"), what="the old release")


def test_sessions_outlive_the_rotation_of_their_key(running: Instance) -> None:
    headers = {"origin": running.url}
    with httpx2.Client(base_url=running.url, headers=headers, timeout=PATIENCE_SECONDS) as browser:
        link = running.cli("setup-link").stdout.split("token=")[1].split()[0]
        owner = {"email": "owner@example.com", "password": "Correct-horse-1"}
        done = browser.post("/api/auth/setup", json={"token": link, **owner})
        assert done.status_code == 200, done.text
        before = kids(running)

        running.cli("keys", "rotate")

        assert kids(running)[1:] == before
        assert facts(running)[-1]["kind"] == "sessions"
        assert browser.get("/api/auth/me").status_code == 200
        signed_in = browser.post("/api/auth/sign-in", json={**owner, "token": True}).json()["data"]
        head = signed_in["token"].split(".")[0]
        signed_by = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
        assert signed_by["kid"] == kids(running)[0]


def kids(instance: Instance) -> list[str]:
    """The keys of sessions, that which signs first."""
    return [key["kid"] for key in json.loads((instance.home / "keys/sessions.json").read_text())]


def test_what_never_ran_has_nothing_to_rotate(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert "never ran" in instance.cli("keys", "rotate", check=False).stderr
    refused = instance.cli("keys", "rotate", "--data", "--json", check=False)
    assert json.loads(refused.stdout)["error"]["code"] == "NEVER_RAN"
    assert not instance.home.exists()


def test_a_stopped_instance_is_rotated_too(running: Instance) -> None:
    """The last that needs it: it stays stopped."""
    running.stop()
    before = KeyRing.load(running.home / "keys").newest

    assert json.loads(running.cli("keys", "rotate", "--data", "--json").stdout)["inUse"] == []

    ring = KeyRing.load(running.home / "keys")
    assert ring.newest != before
    assert ring.older == []
    assert not running.processes()


def test_production_runs_with_given_keys_and_keeps_none_of_them(tmp_path: Path) -> None:
    mounted = tmp_path / "session-key"
    mounted.write_text(crypto.new_key() + "\n")
    first, second = crypto.new_key(), crypto.new_key()
    given: dict[str, Any] = {
        "WINDLASS_ENVIRONMENT": "production",
        "WINDLASS_SECRETS__SESSION_KEY_FILE": str(mounted),
    }
    refused = Instance(tmp_path / "a", **given)
    (tmp_path / "a").mkdir()
    assert "WINDLASS_SECRETS__DATA_KEY: not given" in refused.cli("up", check=False).stderr

    instance = Instance(tmp_path / "b", **given, WINDLASS_SECRETS__DATA_KEY=first)
    (tmp_path / "b").mkdir()
    instance.start()
    folder = sites.server(tmp_path / "colours", "one")
    live = instance.deploy(folder)
    instance.cli("env", "set", "COLOUR=green", cwd=folder)
    assert instance.get(live["url"]).text == "one none"
    assert not (instance.home / "keys" / "data.json").exists()
    assert not (instance.home / "keys" / "sessions.json").exists()
    doctor = instance.cli("doctor", "--json", check=False)
    assert first not in doctor.stdout + doctor.stderr
    assert (
        "WINDLASS_SECRETS__DATA_KEY" in instance.cli("keys", "rotate", "--data", check=False).stderr
    )
    instance.stop()

    turned = Instance(tmp_path / "b", **given, WINDLASS_SECRETS__DATA_KEY=f"{second},{first}")
    turned.start()
    assert "DATA_KEY: nothing needs it" in turned.cli("keys", "rotate", "--data").stdout
    turned.stop()

    alone = Instance(tmp_path / "b", **given, WINDLASS_SECRETS__DATA_KEY=second)
    alone.start()
    assert values_of(alone, live["projectId"]) == {"COLOUR": "green"}
    until(lambda: "one" in alone.get(live["url"]).text, what="the app to start")
    alone.stop()
    logs = b"".join(path.read_bytes() for path in (alone.home / "logs").rglob("*.log"))
    logs += alone.log.read_bytes()
    assert not [key for key in (first, second) if key.encode() in logs]


def answers(instance: Instance, url: str, words: str) -> bool:
    try:
        return words in instance.get(url).text
    except (OSError, httpx2.HTTPError):
        return False
