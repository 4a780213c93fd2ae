"""Git over SSH: a real SSH server on loopback, the deploy key and the known host keys."""

import asyncio
import shlex
import stat
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from tests.inputs.git_server import GitServer
from windlass.adapters import git_errors
from windlass.adapters.git import Fetched, fetch
from windlass.builds import uids
from windlass.core.addresses import AddressPolicy
from windlass.core.blobs import BlobStore
from windlass.core.egress import Egress, EgressPolicy
from windlass.core.settings import Settings
from windlass.projects import deploy_keys

pytestmark = pytest.mark.anyio


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(str(keys / "ssh_ed25519"))
    key.write_public_key(str(keys / "ssh_ed25519.pub"))
    return keys


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "server"
    root.mkdir()
    with GitServer(root) as server:
        server.make("site", {"index.html": b"over ssh"})
    return root


PIPES = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)


async def pump(reader, writer) -> None:
    while chunk := await reader.read(1 << 16):
        writer.write(chunk)
        await writer.drain()


@asynccontextmanager
async def ssh_server(root: Path, keys: Path, host_key: asyncssh.SSHKey) -> AsyncIterator[int]:
    """Answers `git-upload-pack '/name.git'` for whoever holds the deploy key; its port."""

    async def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
        program, path = shlex.split(process.command or "")
        assert program == "git-upload-pack"
        argv = ["-c", "safe.directory=*", "upload-pack", str(root / path.lstrip("/"))]
        git = await asyncio.create_subprocess_exec("git", *argv, **PIPES)
        incoming = asyncio.create_task(pump(process.stdin, git.stdin))
        await asyncio.gather(pump(git.stdout, process.stdout), pump(git.stderr, process.stderr))
        process.exit(await git.wait())
        incoming.cancel()

    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=str(keys / "ssh_ed25519.pub"),
        process_factory=serve,
        encoding=None,
    )
    try:
        yield server.get_port()
    finally:
        server.close()
        await server.wait_closed()


async def clone(
    url: str, store: BlobStore, work: Path, keys: Path, own: bytes | None = None
) -> Fetched:
    egress = Egress(EgressPolicy(addresses=AddressPolicy(networks=("127.0.0.1/32",))))
    uid = uids.of_project(Settings(), 5002)
    try:
        return await fetch(
            url, None, store, work=work, uid=uid, egress=egress, keys=keys, deploy_key=own
        )
    finally:
        assert not work.exists()


async def test_the_deploy_key_opens_a_repository_and_the_host_key_is_remembered(
    store: BlobStore, tmp_path: Path, repository: Path, keys: Path
) -> None:
    first, second = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    async with ssh_server(repository, keys, first) as port:
        url = f"ssh://git@127.0.0.1:{port}/site.git"

        fetched = await clone(url, store, tmp_path / "work", keys)

        assert [entry.path for entry in fetched.manifest] == ["index.html"]
        known = keys / "known_hosts"
        assert stat.S_IMODE(known.stat().st_mode) == 0o600
        assert known.read_text().startswith(f"[127.0.0.1]:{port} ssh-ed25519 ")
        await clone(url, store, tmp_path / "work", keys)
        assert len(known.read_text().splitlines()) == 1

        changed = second.export_public_key().decode().split()[:2]
        known.write_text(f"[127.0.0.1]:{port} {' '.join(changed)}\n")
        with pytest.raises(git_errors.GitHostKeyChanged, match="keys/known_hosts"):
            await clone(url, store, tmp_path / "work", keys)

        known.unlink()
        with pytest.raises(git_errors.RepositoryNotFound):
            await clone(url.replace("site", "missing"), store, tmp_path / "work", keys)


async def test_without_the_key_the_repository_stays_locked(
    store: BlobStore, tmp_path: Path, repository: Path, keys: Path
) -> None:
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    async with ssh_server(repository, keys, host_key) as port:
        (keys / "ssh_ed25519").unlink()

        url = f"ssh://git@127.0.0.1:{port}/site.git"
        with pytest.raises(git_errors.RepositoryLocked, match="deploy key"):
            await clone(url, store, tmp_path / "work", keys)


async def test_a_key_of_the_project_s_own_counts_before_that_of_the_machine(
    store: BlobStore, tmp_path: Path, repository: Path, keys: Path
) -> None:
    """The server lets only the project's key in."""
    private, public = deploy_keys.new_pair()
    own = tmp_path / "own"
    own.mkdir()
    (own / "ssh_ed25519.pub").write_text(public)
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    async with ssh_server(repository, own, host_key) as port:
        url = f"ssh://git@127.0.0.1:{port}/site.git"
        with pytest.raises(git_errors.RepositoryLocked):
            await clone(url, store, tmp_path / "work", keys)

        fetched = await clone(url, store, tmp_path / "work", keys, own=private)

    assert [entry.path for entry in fetched.manifest] == ["index.html"]
