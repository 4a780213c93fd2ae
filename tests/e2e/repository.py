"""A repository of somebody who pushes to Windlass."""

import subprocess
from pathlib import Path

from tests.running import WINDLASS, Instance


class Repository:
    """A repository of somebody who has connected it."""

    def __init__(self, folder: Path, instance: Instance) -> None:
        self.folder, self.instance = folder, instance
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "A")
        self.git("config", "user.email", "a@example.com")

    @property
    def environment(self) -> dict[str, str]:
        path = f"{WINDLASS.parent}:/usr/local/bin:/usr/bin:/bin"
        plain = {"PATH": path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        return {**self.instance.environment, **plain, "LC_ALL": "C"}

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD").stdout.strip()

    def newest(self) -> dict[str, object]:
        return self.instance.api("GET", "/api/deployments?limit=1").json()["data"][0]
