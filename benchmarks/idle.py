"""What an instance costs while nothing happens: memory (PSS) and processor time of all processes.

    .venv/bin/python -m benchmarks.idle [HOME] [--settle 300] [--seconds 60]

HOME is the home of a running instance; without it one is started, with the example site, and left
alone for five minutes. The peers publish what they need: Coolify's minimum is 2 cores and 2 GB,
Dokploy's 2 GB.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from tests.running import Instance

TICKS = os.sysconf("SC_CLK_TCK")


def processes(home: Path) -> dict[int, str]:
    """Every process of the instance: by its environment, and the database's by its parent."""
    server = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    mine = f"WINDLASS_HOME={home}".encode()
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            environment = (entry / "environ").read_bytes().split(b"\0")
            name = (entry / "cmdline").read_text().replace("\0", " ")[:60]
        except OSError:
            continue
        pid = int(entry.name)
        if mine in environment or pid == server or parent == server:
            found[pid] = name
    return found


def pss(pid: int) -> int:
    """Proportional set size in KiB: shared pages are divided among those who share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, nargs="?")
    parser.add_argument("--settle", type=float, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    if given.home is not None:
        measure(given.home, given.seconds)
        return
    with tempfile.TemporaryDirectory(prefix="wlb") as folder:
        instance = Instance(Path(folder))
        instance.start()
        try:
            time.sleep(given.settle)
            measure(instance.home, given.seconds)
        finally:
            instance.stop()


def measure(home: Path, seconds: float) -> None:
    """A line for each process, and one for all of them."""
    found = processes(home)
    before = {pid: ticks(pid) for pid in found}
    time.sleep(seconds)
    for pid, name in sorted(found.items(), key=lambda item: -pss(item[0])):
        share = (ticks(pid) - before[pid]) / TICKS / seconds
        print(f"{pss(pid) / 1024:7.1f} MB {share:7.3%}  {name}")
    total = sum(pss(pid) for pid in found) / 1024
    used = sum(ticks(pid) - before[pid] for pid in found) / TICKS / seconds
    print(f"{total:7.1f} MB {used:7.3%}  together (goals: 150 MB, 0.5 % of a core)")


if __name__ == "__main__":
    main()
