"""A real dockerd of the tests' own: own data, own socket, no bridge, no rule in a firewall."""

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import httpx2

from tests.running import free_port, until

BASE = "windlass-tests/base:1"


class Dockerd:
    """One engine, from `start` to `stop`; what it keeps is in memory, where that can be."""

    def __init__(self, *, data_bytes: int = 2 << 30) -> None:
        # Short: the name of a socket is.
        self.folder = Path(tempfile.mkdtemp(prefix="wld-", dir="/tmp"))
        self.address = f"unix://{self.folder}/engine.sock"
        self.http = httpx2.Client(
            transport=httpx2.HTTPTransport(uds=f"{self.folder}/engine.sock"),
            base_url="http://engine",
            timeout=120,
        )
        self._process: subprocess.Popen[bytes] | None = None
        data = self.folder / "data"
        data.mkdir()
        # It writes every step of a build to the disk at once.
        mount = ["mount", "-t", "tmpfs", "-o", f"size={data_bytes}", "windlass-tests", str(data)]
        done = subprocess.run(mount, capture_output=True, check=False)
        self.is_in_memory = done.returncode == 0

    def start(self) -> None:
        """Returns when it answers, or has ended because this machine does not let it run."""
        settings = {
            "data-root": f"{self.folder}/data",
            "exec-root": f"{self.folder}/exec",
            "pidfile": f"{self.folder}/pid",
            "hosts": [self.address],
            # Nothing of the machine is changed: no bridge, no rules, no forwarding.
            "bridge": "none",
            "iptables": False,
            "ip-forward": False,
            "ip-masq": False,
            "default-address-pools": [{"base": "10.213.0.0/16", "size": 24}],
            "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 4096, "Hard": 20000}},
        }
        file = self.folder / "daemon.json"
        file.write_text(json.dumps(settings))
        log = self.folder / "log"
        with log.open("wb") as output:
            # A run that is killed takes its engine along.
            argv = ["setpriv", "--pdeathsig", "TERM", "dockerd", "--config-file", str(file)]
            self._process = subprocess.Popen(
                argv, stdout=output, stderr=output, start_new_session=True
            )
        until(lambda: self.is_refused or self._is_up(), what="dockerd", seconds=120)

    @property
    def is_refused(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    @property
    def last_words(self) -> str:
        return (self.folder / "log").read_text()[-300:]

    def _is_up(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(f"{self.folder}/engine.sock") != 0:
                return False
        return self.http.get("/_ping").status_code == 200

    def stop(self) -> None:
        """End it and everything it runs."""
        if self._process is not None and not self.is_refused:
            for each in self.http.get("/containers/json").json():
                self.http.delete(f"/containers/{each['Id']}", params={"force": 1, "v": 1})
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=120)
        self.http.close()
        for mount in _mounts_below(self.folder):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def import_image(self, name: str, files: dict[str, bytes], *changes: str) -> str:
        """An image with these files (all of them executable); its id."""
        repository, _, tag = name.rpartition(":")
        query = {"fromSrc": "-", "repo": repository, "tag": tag, "changes": list(changes)}
        answer = self.http.post("/images/create", params=query, content=tar(files))
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text.splitlines()[-1])["status"]

    def containers(self, **labels: str) -> list[dict]:
        """All containers, or those with these labels (without `windlass.`)."""
        wanted = [f"windlass.{name}={value}" for name, value in labels.items()]
        query = {"all": 1, "filters": json.dumps({"label": wanted})}
        return self.http.get("/containers/json", params=query).json()

    def images(self) -> list[str]:
        """Every tag there is."""
        found = self.http.get("/images/json").json()
        return sorted(tag for each in found for tag in each["RepoTags"] or ())


class Registry:
    """A registry of images on this machine, from Debian; `is_private`: for USER alone."""

    USER = ("robot", "pull-me-7391")
    _HTPASSWD = "robot:$2b$05$abcdefghijklmnopqrstuu/HOfdl5cuxmiYNXE1xn6EzevqqRbyY6\n"

    def __init__(self, folder: Path, *, is_private: bool = False) -> None:
        self.port = free_port()
        self.place = f"127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "config.yml"
        config.write_text(
            "version: 0.1\nlog:\n  level: error\n"
            f"storage:\n  filesystem:\n    rootdirectory: {folder}/data\n"
            f"http:\n  addr: {self.place}\n"
        )
        self._login: dict[str, str] = {}
        if is_private:
            (folder / "htpasswd").write_text(self._HTPASSWD)
            with config.open("a") as more:
                more.write(f"auth:\n  htpasswd:\n    realm: x\n    path: {folder}/htpasswd\n")
            self._login = dict(zip(("username", "password"), self.USER, strict=True))
        self._process = subprocess.Popen(
            ["docker-registry", "serve", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._is_up, what="the registry")

    def _is_up(self) -> bool:
        assert self._process.poll() is None
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def put(self, dockerd: Dockerd, name: str, files: dict[str, bytes], *changes: str) -> str:
        """Push an image and forget it on the engine; the name that it has here."""
        whole = f"{self.place}/{name}"
        dockerd.import_image(whole, files, *changes)
        auth = base64.urlsafe_b64encode(json.dumps(self._login).encode()).decode()
        repository, _, tag = whole.rpartition(":")
        answer = dockerd.http.post(
            f"/images/{repository}/push", params={"tag": tag}, headers={"X-Registry-Auth": auth}
        )
        assert answer.status_code == 200, answer.text
        assert "error" not in answer.text, answer.text
        dockerd.http.delete(f"/images/{whole}")
        return whole

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)


def tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(content), 0o755, int(time.time())
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def base_files() -> dict[str, bytes]:
    """A small system of this machine's own files: busybox, and the libraries it wants if any."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    content = Path(busybox).read_bytes()
    files = {"bin/busybox": content, "bin/sh": content}
    said = subprocess.run(["ldd", busybox], capture_output=True, text=True, check=False).stdout
    for word in said.split():
        if word.startswith("/") and os.path.exists(word):
            files[word.lstrip("/")] = Path(word).read_bytes()
    return files


def _mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    found = [line.split()[1] for line in lines]
    return sorted((each for each in found if each.startswith(f"{folder}/")), reverse=True)
