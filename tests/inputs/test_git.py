"""Real repositories over real HTTP, fetched by Git in the sandbox (C-122, C-149, C-158)."""

import asyncio
import datetime
import os
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.inputs.git_server import GitServer, git, serving
from windlass.adapters import git_errors
from windlass.adapters.git import Fetched, Pin, fetch
from windlass.adapters.git_names import BranchNameRefused, GitAddressRefused
from windlass.builds import uids
from windlass.core.addresses import AddressPolicy
from windlass.core.blobs import BlobStore
from windlass.core.egress import Egress, EgressPolicy
from windlass.core.errors import AppError
from windlass.core.manifest import FileTooLarge, LinkLeaves, TooManyFiles, TreeLimits, TreeTooLarge
from windlass.core.settings import Settings

pytestmark = pytest.mark.anyio

Fetch = Callable[..., Awaitable[Fetched]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving(tmp_path / "server") as server:
        yield server


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work/depl_test"
    work.mkdir(parents=True)
    return work


@pytest.fixture
def fetching(store: BlobStore, work: Path) -> Fetch:
    """Fetches with loopback allowed, and proves that nothing stays behind."""

    async def run(
        url: str,
        branch: str | None = None,
        *,
        networks: tuple[str, ...] = ("127.0.0.1/32",),
        **more,
    ) -> Fetched:
        egress = Egress(EgressPolicy(addresses=AddressPolicy(networks=networks)))
        uid = uids.of_project(Settings(), 5003)
        try:
            return await fetch(url, branch, store, work=work, uid=uid, egress=egress, **more)
        finally:
            assert list(work.iterdir()) == []
            assert not sandboxes()

    return run


def sandboxes() -> list[str]:
    """Command lines of processes that belong to a clone of these tests."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            # Only what this process started: another worker's tests run beside these.
            if "git-depl_test-" in line and f" {os.getpid()}." in line:
                found.append(line)
    return found


async def test_the_default_branch_is_fetched_with_its_commit(
    store: BlobStore, server: GitServer, fetching: Fetch
) -> None:
    work = server.make("site", {"index.html": b"<h1>hi</h1>", "bin/run": b"#!", "link": "bin/run"})
    git(work, "checkout", "--quiet", "-b", "feature/x")
    git(work, "commit", "--quiet", "--allow-empty", "-m", "Änderung")
    (work / "bin/run").chmod(0o755)
    git(work, "checkout", "--quiet", "main")
    git(server.root / "site.git", "fetch", "--quiet", str(work), "+refs/*:refs/*")

    fetched = await fetching(f"{server.url}/site.git")

    assert [(entry.path, entry.mode) for entry in fetched.manifest] == [
        ("bin/run", "file"),
        ("index.html", "file"),
        ("link", "link"),
    ]
    assert store.read_bytes(fetched.manifest[1].sha256) == b"<h1>hi</h1>"
    assert fetched.commit_sha == git(work, "rev-parse", "main")
    assert (fetched.commit_message, fetched.branch) == ("Say hello", "main")
    assert fetched.warnings == ()

    other = await fetching(f"{server.url}/site.git", "feature/x")

    assert other.commit_sha == git(work, "rev-parse", "feature/x")
    assert (other.commit_message, other.branch) == ("Änderung", "feature/x")


@pytest.mark.parametrize("letters", [40, 12], ids=["whole", "first letters"])
async def test_the_commit_that_was_named_is_fetched_though_its_branch_moved_on(
    store: BlobStore, server: GitServer, fetching: Fetch, letters: int
) -> None:
    work = server.make("site", {"index.html": b"first"})
    wanted = git(work, "rev-parse", "main")
    (work / "index.html").write_bytes(b"second")
    git(work, "commit", "--quiet", "--all", "--message", "Later")
    git(server.root / "site.git", "fetch", "--quiet", str(work), "+refs/*:refs/*")

    fetched = await fetching(f"{server.url}/site.git", "main", pin=Pin(wanted[:letters]))

    assert fetched.commit_sha == wanted
    assert (fetched.commit_message, fetched.branch) == ("Say hello", "main")
    assert store.read_bytes(fetched.manifest[0].sha256) == b"first"


async def test_a_host_that_gives_no_single_commits_gives_the_history(
    server: GitServer, fetching: Fetch
) -> None:
    """As hosts do that speak the older protocol only; a pull request has a ref of its own."""
    work = server.make("site", {"index.html": b"first"})
    wanted = git(work, "rev-parse", "main")
    git(work, "update-ref", "refs/pull/7/head", wanted)
    git(work, "commit", "--quiet", "--allow-empty", "--message", "Later")
    git(work, "update-ref", "refs/pull/7/head", "main")
    git(work, "reset", "--quiet", "--hard", wanted)
    git(work, "commit", "--quiet", "--allow-empty", "--message", "Elsewhere")
    bare = server.root / "site.git"
    git(bare, "fetch", "--quiet", str(work), "+refs/*:refs/*")
    server.speaks_old = True

    fetched = await fetching(
        f"{server.url}/site.git", "ada:fix", pin=Pin(wanted, "refs/pull/7/head")
    )

    assert (fetched.commit_sha, fetched.branch) == (wanted, "ada:fix")


async def test_a_commit_that_a_forced_push_removed_is_named(
    server: GitServer, fetching: Fetch
) -> None:
    server.make("site", {"index.html": b"first"})

    for pin in (Pin("5b1d9a3c7e2f4a6b8c0d1e2f3a4b5c6d7e8f9a0b"), Pin("5b1d9a3c7e2f")):
        with pytest.raises(git_errors.CommitGone, match="does not have the commit 5b1d9a3c7e2f"):
            await fetching(f"{server.url}/site.git", "main", pin=pin)
    with pytest.raises(git_errors.CommitGone):
        await fetching(f"{server.url}/site.git", "gone", pin=Pin("5b1d9a3c7e2f"))


async def test_a_branch_that_does_not_exist_names_those_that_do(
    server: GitServer, fetching: Fetch
) -> None:
    work = server.make("site", {"a": b""})
    for number in range(12):
        git(work, "branch", f"b{number:02}")
    git(server.root / "site.git", "fetch", "--quiet", str(work), "+refs/*:refs/*")

    with pytest.raises(git_errors.BranchNotFound) as caught:
        await fetching(f"{server.url}/site.git", "nope")

    assert caught.value.reason == "BRANCH_NOT_FOUND"
    assert caught.value.message == (
        "There is no branch nope. The repository has: "
        + ", ".join(f"b{number:02}" for number in range(10))
        + " and 3 more."
    )


@pytest.mark.parametrize(
    ("path", "error", "text"),
    [
        ("/locked/site.git", git_errors.RepositoryLocked, "needs a password or does not exist"),
        ("/missing.git", git_errors.RepositoryLocked, "needs a password or does not exist"),
        ("/page/site.git", git_errors.RepositoryNotFound, "is no Git repository"),
        ("/empty.git", git_errors.RepositoryEmpty, "has no commits"),
    ],
)
async def test_what_is_no_open_repository_is_told_apart(
    server: GitServer, fetching: Fetch, path: str, error: type[AppError], text: str
) -> None:
    server.make("site", {"a": b""})
    git(server.root, "init", "--quiet", "--bare", "empty.git")

    with pytest.raises(error, match=text):
        await fetching(server.url + path)


async def test_a_closed_port_is_told(fetching: Fetch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

        for url in (f"http://127.0.0.1:{port}/x", f"https://127.0.0.1:{port}/x"):
            with pytest.raises(git_errors.GitConnectionFailed, match="refused"):
                await fetching(url)
        with pytest.raises(git_errors.GitConnectionFailed, match="refused"):
            await fetching(f"ssh://git@127.0.0.1:{port}/x")


@pytest.mark.parametrize("url", ["https://nothing.invalid/x", "git@nothing.invalid:x"])
async def test_a_host_that_does_not_exist_is_told(fetching: Fetch, url: str) -> None:
    with pytest.raises(git_errors.GitHostNotFound, match=r"no host nothing\.invalid"):
        await fetching(url)


async def test_a_private_address_is_refused_by_name_and_by_number(
    server: GitServer, fetching: Fetch
) -> None:
    server.make("site", {"a": b""})
    for host in ("127.0.0.1", "localhost"):
        for url in (f"http://{host}:{server.server_port}/site.git", f"https://{host}/site.git"):
            with pytest.raises(GitAddressRefused, match=r"a loopback address|of this machine"):
                await fetching(url, networks=())
    with pytest.raises(GitAddressRefused, match=r"a loopback address|of this machine"):
        await fetching("git@localhost:site.git", networks=())


async def test_a_redirect_to_a_private_address_is_refused(
    server: GitServer, fetching: Fetch
) -> None:
    server.redirect_to = "http://127.0.0.2/site.git/info/refs"

    with pytest.raises(GitAddressRefused, match=r"127\.0\.0\.2, a(n| loopback) address"):
        await fetching(f"{server.url}/redirect/site.git")


async def test_a_redirect_to_another_protocol_is_not_followed(
    server: GitServer, fetching: Fetch
) -> None:
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        server.redirect_to = target
        with pytest.raises(AppError):
            await fetching(f"{server.url}/redirect/site.git")


async def test_hosts_that_the_operator_did_not_list_are_refused(
    store: BlobStore, work: Path
) -> None:
    egress = Egress(EgressPolicy(hosts=("git.example.com",)))

    with pytest.raises(GitAddressRefused, match="not on the list"):
        await fetch("https://x.example.com/a", None, store, work=work, uid=None, egress=egress)


async def test_options_in_disguise_never_reach_git(server: GitServer, fetching: Fetch) -> None:
    with pytest.raises(BranchNameRefused):
        await fetching(f"{server.url}/site.git", "--upload-pack=touch /tmp/x")
    with pytest.raises(AppError, match="begins with a dash"):
        await fetching("--upload-pack=touch /tmp/x")


async def test_a_link_that_leaves_the_repository_is_refused(
    server: GitServer, fetching: Fetch
) -> None:
    server.make("evil", {"a": b"", "passwd": "/etc/passwd"})

    with pytest.raises(LinkLeaves):
        await fetching(f"{server.url}/evil.git")


async def test_submodules_and_lfs_pointers_are_left_out_with_a_warning(
    server: GitServer, fetching: Fetch
) -> None:
    pointer = (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
    )
    server.make(
        "rich",
        {
            "video.mp4": pointer,
            ".gitattributes": b"*.mp4 filter=lfs diff=lfs merge=lfs -text\n",
            ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% /tmp/x\n',
        },
    )

    fetched = await fetching(f"{server.url}/rich.git")

    assert len(fetched.warnings) == 2
    assert "submodules" in fetched.warnings[0]
    assert "video.mp4" in fetched.warnings[1]


async def test_a_repository_beyond_the_limits_is_refused(
    server: GitServer, fetching: Fetch
) -> None:
    server.make("large", {"noise": os.urandom(19 << 20), "b": b"", "c": b""})
    limits = TreeLimits(total_bytes=1 << 20)

    with pytest.raises((TreeTooLarge, git_errors.RepositoryTooLarge), match=r"1\.0 MiB"):
        await fetching(f"{server.url}/large.git", limits=limits)
    with pytest.raises(TooManyFiles, match="more than 2 files"):
        await fetching(f"{server.url}/large.git", limits=TreeLimits(files=2))
    with pytest.raises(FileTooLarge, match="noise is larger than"):
        await fetching(f"{server.url}/large.git", limits=TreeLimits(file_bytes=1000))


async def test_a_repository_that_grows_too_large_is_stopped_on_the_way(
    server: GitServer, fetching: Fetch
) -> None:
    server.make("large", {"noise": os.urandom(24 << 20)})
    server.stall_after = 20 << 20

    with pytest.raises(git_errors.RepositoryTooLarge, match=r"1\.0 MiB"):
        await fetching(f"{server.url}/large.git", limits=TreeLimits(total_bytes=1 << 20))


async def test_a_small_repository_that_becomes_ten_thousand_files_is_stopped(
    server: GitServer, fetching: Fetch
) -> None:
    work = server.make("bomb", {"a": b""})
    tree = git(work, "write-tree")
    for _ in range(4):
        lines = "".join(f"040000 tree {tree}\t{name}\n" for name in "abcdefghij")
        tree = git(work, "mktree", text=lines)
    commit = git(work, "commit-tree", "-m", "boom", tree)
    git(server.root / "bomb.git", "fetch", "--quiet", str(work), f"+{commit}:refs/heads/main")

    with pytest.raises((git_errors.RepositoryTooLarge, TooManyFiles)):
        await fetching(f"{server.url}/bomb.git", limits=TreeLimits(files=1000, total_bytes=1 << 20))


async def test_a_server_that_never_answers_ends_in_a_timeout(
    server: GitServer, fetching: Fetch
) -> None:
    with pytest.raises(git_errors.GitTimeout, match="within 1 seconds"):
        await fetching(f"{server.url}/stall/site.git", timeout_seconds=1)


async def test_a_cancelled_clone_leaves_nothing(server: GitServer, fetching: Fetch) -> None:
    clone = asyncio.ensure_future(fetching(f"{server.url}/stall/site.git"))
    await asyncio.to_thread(server.stalled.wait, 20)
    assert sandboxes()

    clone.cancel()

    with pytest.raises(asyncio.CancelledError):
        await clone


async def test_a_certificate_nobody_vouches_for_is_told(tmp_path: Path, fetching: Fetch) -> None:
    with serving(tmp_path / "tls", tls=_self_signed(tmp_path)) as server:
        server.make("site", {"a": b""})

        with pytest.raises(git_errors.GitTlsFailed, match="certificate"):
            await fetching(f"{server.url}/site.git")


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "cert.pem"
    pem.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_the_tests_need_git_with_http_backend() -> None:
    where = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)

    assert (Path(where.stdout.strip()) / "git-http-backend").exists()
