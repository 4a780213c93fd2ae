"""Requests per second: the edge beside Caddy, nginx with our configuration beside bare nginx.

All four serve the same two files over loopback, one after the other in alternating rounds, so that
whatever else the machine does hits them alike. Medians and their ratios are printed, and beside
them the requests per second of processor time, which do not depend on how busy the machine is.

    .venv/bin/python -m benchmarks.edge [--rounds 5] [--seconds 4] [--connections 32]
"""

import argparse
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from windlass.core import links, nginx
from windlass.core import site as sites
from windlass.core.site import File, Site

HOST = "bench.localhost"
FILES = {"4 KB": ("4k.css", 4096), "100 KB": ("100k.css", 102_400)}
EDGE, CADDY, FRONT, BARE = 18_000, 18_001, 18_002, 18_003
GOALS = {("edge", "caddy", "4 KB"): 1.3, ("edge", "caddy", "100 KB"): 1.0}
GOALS |= {("nginx with ours", "nginx bare", size): 0.95 for size in FILES}

Rates = dict[str, list[float]]

CADDYFILE = """\
{{
    admin off
    auto_https off
    log {{
        level ERROR
    }}
}}
http://:{port} {{
    root * {root}
    file_server
}}
"""
BARE_NGINX = """\
{user}worker_processes auto;
worker_rlimit_nofile 65536;
pid {home}/run/bare.pid;
error_log {home}/logs/bare.log warn;
events {{ worker_connections 8192; }}
http {{
    types {{ text/css css; }}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    server {{ listen {port}; listen [::]:{port}; root {root}; }}
}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    given = parser.parse_args()
    for tool in ("wrk", "caddy", "nginx"):
        if shutil.which(tool) is None:
            print(f"{tool} is missing: apt-get install wrk caddy nginx-light")
            return 1
    with tempfile.TemporaryDirectory(prefix="windlass-bench-") as folder, ExitStack() as stack:
        home = Path(folder)
        root = prepare(home)
        edge = stack.enter_context(running(edge_argv(home), EDGE))
        caddy = stack.enter_context(running(caddy_argv(home, root), CADDY))
        front = stack.enter_context(running(front_argv(home), FRONT))
        bare = stack.enter_context(running(bare_argv(home, root), BARE))
        servers = {
            "edge": (EDGE, edge.pid),
            "caddy": (CADDY, caddy.pid),
            "nginx with ours": (FRONT, front.pid),
            "nginx bare": (BARE, bare.pid),
        }
        print(f"edge, started: {memory_megabytes(edge.pid):.1f} MB PSS")
        for size in FILES:
            report(size, *measure(size, servers, given))
        print(f"edge, after the load: {memory_megabytes(edge.pid):.1f} MB PSS")
    return 0


def prepare(home: Path) -> Path:
    release = sites.folder(home, "depl_bench")
    known: dict[str, File] = {}
    for name, size in FILES.values():
        content = os.urandom(size // 2).hex().encode()[:size]
        (release / "files").mkdir(parents=True, exist_ok=True)
        (release / "files" / name).write_bytes(content)
        known[name] = File(hashlib.sha256(content).hexdigest(), size)
    sites.write(release, Site(deployment="depl_bench", kind="static", files=known))
    links.switch(home, HOST, "depl_bench", 1)
    for name in ("run", "logs"):
        (home / name).mkdir()
    return release / "files"


def edge_argv(home: Path) -> list[str]:
    port = ["--port", str(EDGE), "--trust-proxy", "127.0.0.1/32"]
    return [sys.executable, "-m", "windlass.edge", "--home", str(home), *port]


def caddy_argv(home: Path, root: Path) -> list[str]:
    (home / "Caddyfile").write_text(CADDYFILE.format(port=CADDY, root=root))
    return ["caddy", "run", "--config", str(home / "Caddyfile"), "--adapter", "caddyfile"]


def front_argv(home: Path) -> list[str]:
    text = nginx.config(home, listen=FRONT, upstream_port=EDGE)
    (home / "front.conf").write_text(text)
    return ["nginx", "-c", str(home / "front.conf"), "-p", str(home), "-g", "daemon off;"]


def bare_argv(home: Path, root: Path) -> list[str]:
    user = "user root;\n" if os.geteuid() == 0 else ""
    text = BARE_NGINX.format(user=user, home=home, port=BARE, root=root)
    (home / "bare.conf").write_text(text)
    return ["nginx", "-c", str(home / "bare.conf"), "-p", str(home), "-g", "daemon off;"]


@contextmanager
def running(argv: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"HOME": tempfile.gettempdir()},
    )
    try:
        wait_for(process, port)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    name, size = FILES["4 KB"]
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{name}", headers={"Host": HOST})
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                assert len(answer.read()) == size
                return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}: {' '.join(process.args)}")


def measure(
    size: str, servers: dict[str, tuple[int, int]], given: argparse.Namespace
) -> tuple[Rates, Rates]:
    """Requests per second, and per second of processor time, of each round."""
    rates: Rates = {name: [] for name in servers}
    per_cpu: Rates = {name: [] for name in servers}
    for round_ in range(given.rounds + 1):
        for name, (port, pid) in servers.items():
            before = cpu_seconds(pid)
            rate = wrk(port, FILES[size][0], given)
            used = cpu_seconds(pid) - before
            # The first round only warms caches.
            if round_:
                rates[name].append(rate)
                per_cpu[name].append(rate * given.seconds / max(used, 0.01))
    return rates, per_cpu


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its children."""
    ticks, waiting = 0, [pid]
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        for children in folder.glob("task/*/children"):
            waiting += [int(child) for child in children.read_text().split()]
    return ticks / os.sysconf("SC_CLK_TCK")


def wrk(port: int, name: str, given: argparse.Namespace) -> float:
    load = ["-t1", f"-c{given.connections}", f"-d{given.seconds}s"]
    said = subprocess.run(
        ["wrk", *load, "-H", f"Host: {HOST}", f"http://127.0.0.1:{port}/{name}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    assert rate, said
    return float(rate[1])


def report(size: str, rates: Rates, per_cpu: Rates) -> None:
    cpu = {name: statistics.median(values) for name, values in per_cpu.items()}
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        print(f"{size:>7}  {name:<16} {medians[name]:>9,.0f} /s  ({min(values):,.0f} to", end=" ")
        print(f"{max(values):,.0f}), {cpu[name]:,.0f} per second of processor time")
    for (ours, theirs, of), goal in GOALS.items():
        if of == size:
            ratio = medians[ours] / medians[theirs]
            verdict = "reached" if ratio >= goal else "MISSED"
            print(f"{size:>7}  {ours} / {theirs}: {ratio:.2f} (goal {goal}, {verdict});", end=" ")
            print(f"per second of processor time {cpu[ours] / cpu[theirs]:.2f}")


def memory_megabytes(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    sys.exit(main())
