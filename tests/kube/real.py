"""A real etcd and a real kube-apiserver, where this machine has them: what the fake is held to."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from tests.kube.server import TOKEN, authority
from tests.running import PATIENCE_SECONDS
from windlass.core.addresses import AddressPolicy
from windlass.core.clusters import Access


def found() -> tuple[str, str] | None:
    """The two programs; None where one is missing."""
    server = os.environ.get("WINDLASS_TEST_KUBE_APISERVER") or shutil.which("kube-apiserver")
    etcd = shutil.which("etcd")
    return (server, etcd) if server and etcd else None


class RealCluster:
    """An API server without controllers: nothing runs in it."""

    def __init__(self, home: Path) -> None:
        programs = found()
        assert programs is not None
        server, etcd = programs
        self._home = home
        self._ports = _free_ports(3)
        self._running: list[subprocess.Popen[bytes]] = []
        self._start(etcd, self._etcd_arguments())
        self._start(server, self._server_arguments())
        self._wait()

    @property
    def access(self) -> Access:
        ca = (self._home / "certificates" / "apiserver.crt").read_text()
        return Access(f"https://127.0.0.1:{self._ports[2]}", ca=ca, token=TOKEN)

    @property
    def allow(self) -> AddressPolicy:
        return AddressPolicy(networks=("127.0.0.0/8",))

    def stop(self) -> None:
        for process in reversed(self._running):
            process.terminate()
            process.wait()

    def _start(self, program: str, arguments: list[str]) -> None:
        log = (self._home / f"{Path(program).name}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home,
            )
        self._running.append(process)

    def _etcd_arguments(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{port}" for port in self._ports[:2])
        return [
            f"--data-dir={self._home / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ]

    def _server_arguments(self) -> list[str]:
        (self._home / "tokens.csv").write_text(f"{TOKEN},windlass,windlass,system:masters\n")
        (self._home / "accounts.key").write_text(authority().key)
        return [
            f"--etcd-servers=http://127.0.0.1:{self._ports[0]}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._ports[2]}",
            f"--cert-dir={self._home / 'certificates'}",
            f"--token-auth-file={self._home / 'tokens.csv'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._home / 'accounts.key'}",
            f"--service-account-signing-key-file={self._home / 'accounts.key'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            "--service-cluster-ip-range=10.96.0.0/16",
        ]

    def _wait(self) -> None:
        """Until it says that it is ready."""
        import ssl

        context = ssl._create_unverified_context()
        end = time.monotonic() + 4 * PATIENCE_SECONDS
        while time.monotonic() < end:
            dead = [one for one in self._running if one.poll() is not None]
            assert not dead, "".join(p.read_text() for p in self._home.glob("*.log"))[-4000:]
            try:
                url = f"https://127.0.0.1:{self._ports[2]}/readyz"
                asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})
                with urllib.request.urlopen(asked, context=context, timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the API server is not ready")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
