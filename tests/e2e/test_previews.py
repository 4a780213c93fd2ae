"""Pull requests from a real repository through real builds to the real edge, until nothing is left
(C-164 to C-167)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e import sites
from tests.inputs.git_server import GitServer, git, serving
from tests.running import Instance, until
from tests.webhooks.host_server import Asked, HostServer
from tests.webhooks.hosts import Delivery
from tests.webhooks.pull_hosts import pull

BASE = "localhost"


class Shop:
    """A project of a repository, its webhook, and what its host holds."""

    def __init__(self, instance: Instance, server: GitServer, comments: HostServer) -> None:
        self.instance, self.server, self.comments = instance, server, comments
        self.work = server.make("shop", {"version.txt": b"main"})
        sites.server(self.work, "main")
        with (self.work / "windlass.toml").open("a") as toml:
            toml.write('release_command = "echo stage is $STAGE"\n')
        self.commit("main")
        self.url = f"{server.url}/shop.git"
        made = self.ask("POST", "/api/projects", {"name": "Shop", "repositoryUrl": self.url})
        self.id = made["id"]
        self.path = f"/api/projects/{self.id}"
        self.secret = self.ask("POST", f"{self.path}/webhook", {})["secret"]
        token = {"token": "token-of-the-host", "host": "gitea"}
        self.ask("PUT", f"{self.path}/webhook/token", token)
        for key, target, value, secret in (
            ("STAGE", "production", "production", False),
            ("STAGE", "preview", "preview", False),
            ("COLOUR", "production", "red-of-production", True),
            ("COLOUR", "preview", "green-of-previews", True),
        ):
            told = {"key": key, "value": value, "secret": secret, "targets": [target]}
            self.ask("POST", f"{self.path}/env", told)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        answer = self.instance.api(method, path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()["data"] if answer.content else None

    def commit(self, version: str) -> str:
        """A commit on the branch that is checked out, published."""
        (self.work / "version.txt").write_text(version)
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", f"Version {version}")
        bare = self.server.root / "shop.git"
        git(bare, "fetch", "--quiet", str(self.work), "+refs/*:refs/*")
        return git(self.work, "rev-parse", "HEAD")

    def send(self, what: str, sha: str, **more: Any) -> dict[str, Any]:
        delivery = pull("gitea", what, sha=sha, url=self.url, **more)
        return self.deliver(delivery)

    def deliver(self, delivery: Delivery) -> dict[str, Any]:
        answer = httpx2.post(
            f"{self.instance.url}/api/webhooks/gitea",
            content=delivery.body,
            headers=delivery.headers(self.secret),
        )
        assert answer.status_code == 202, answer.text
        return answer.json()["data"][0]

    def ready(self, id: str) -> dict[str, Any]:
        found = self.instance.wait(id, "ready", "error", "cancelled")
        assert found["status"] == "ready", self.log(id)
        return found

    def log(self, id: str) -> str:
        return self.instance.api("GET", f"/api/deployments/{id}/logs").text

    def text(self, url: str) -> str:
        return self.instance.get(url).text

    def previews(self) -> list[dict[str, Any]]:
        return self.ask("GET", f"{self.path}/previews")

    def said(self) -> str:
        """The one comment there is."""
        [text] = self.comments.comments.values()
        return text


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An instance of its own, because it may reach this machine's Git server."""
    folder = tmp_path_factory.mktemp("previews")
    comments = HostServer()

    def api(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        if "/comments" not in path:
            return 201, b"{}"
        asked = Asked(method=method, path=path, headers={}, body=json.loads(body or b"{}"))
        status, answer = comments.comment(asked)
        return status, json.dumps(answer).encode()

    with serving(folder / "server") as server:
        server.api = api
        place = server.url.removeprefix("http://")
        allowed = f"{place},127.0.0.1/32"
        instance = Instance(folder, WINDLASS_BUILDS__ALLOW_PRIVATE=allowed)
        instance.start()
        try:
            yield Shop(instance, server, comments)
        finally:
            instance.stop()
            comments.close()


def test_a_pull_request_from_its_first_commit_to_its_end(shop: Shop) -> None:
    home = shop.instance.home
    git(shop.work, "checkout", "--quiet", "-b", "fix")
    first = shop.commit("one")
    # The branch moves on before the first event comes.
    second = shop.commit("two")

    one = shop.ready(shop.send("opened", first)["deploymentId"])
    until(lambda: shop.previews()[0]["aliasUrl"], what="the address of the branch")
    alias = shop.previews()[0]["aliasUrl"]

    assert one["commitSha"] == first
    assert (one["prNumber"], one["isPreview"]) == (7, True)
    assert shop.text(one["url"]) == "one green-of-previews"
    assert alias.startswith("http://shop-git-fix.")
    assert shop.text(alias) == "one green-of-previews"
    assert shop.instance.get(alias).headers["x-robots-tag"] == "noindex"
    assert "stage is preview" in shop.log(one["id"])
    known = json.loads((home / "releases" / one["id"] / "site.json").read_bytes())
    assert (known["project"], known["idle_seconds"]) == (shop.id, 1800)

    two = shop.ready(shop.send("moved", second)["deploymentId"])
    until(lambda: shop.text(alias).startswith("two"), what="the alias to move")

    assert shop.text(one["url"]).startswith("one")
    until(lambda: "Ready" in shop.said() and second[:12] in shop.said(), what="the comment")
    assert two["url"] in shop.said()
    assert alias in shop.said()

    shop.ask("PATCH", f"{shop.path}/preview-settings", {"password": "correct horse"})
    until(lambda: shop.instance.get(alias).status_code == 401, what="the password to be asked")
    assert shop.instance.get(one["url"]).status_code == 401
    shop.ask("PATCH", f"{shop.path}/preview-settings", {"password": None})
    until(lambda: shop.instance.get(alias).status_code == 200, what="the password to be gone")

    closing = pull("gitea", "merged", sha=second, url=shop.url)
    assert shop.deliver(closing)["outcome"] == "removed"
    until(
        lambda: (
            {shop.instance.get(url).status_code for url in (one["url"], two["url"], alias)} == {404}
        ),
        what="the addresses to be gone",
    )
    until(lambda: not (home / "releases" / two["id"]).exists(), what="the release to be gone")
    until(lambda: not (home / "releases" / one["id"]).exists(), what="the release to be gone")
    until(lambda: "The preview was removed." in shop.said(), what="the comment to say so")
    assert shop.deliver(closing)["outcome"] == "removed"
    assert shop.previews() == []
    assert apps_of(shop.instance, one["id"], two["id"]) == []


def test_a_fork_is_built_after_approval_and_without_secrets(shop: Shop) -> None:
    git(shop.work, "checkout", "--quiet", "--orphan", "fork")
    sha = shop.commit("fork")
    git(shop.work, "update-ref", "refs/pull/8/head", sha)
    git(shop.work, "checkout", "--quiet", "main")
    git(shop.work, "branch", "--quiet", "-D", "fork")
    bare = shop.server.root / "shop.git"
    git(bare, "fetch", "--quiet", "--prune", str(shop.work), "+refs/*:refs/*")

    waits = shop.send("opened", sha, is_fork=True, number=8, branch="main")
    assert waits["outcome"] == "waiting"
    assert "needs approval" in shop.instance.cli("previews", "--project", "shop").stdout
    approved = shop.instance.cli("previews", "approve", "8", "--project", "shop", "--yes", "--json")
    made = shop.ready(json.loads(approved.stdout.strip().splitlines()[-1])["id"])

    assert made["branch"] == "ada:main"
    assert shop.text(made["url"]) == "fork none"
    log = shop.log(made["id"])
    assert "stage is preview" in log
    assert "-of-p" not in log
    refused = shop.instance.api("POST", f"/api/deployments/{made['id']}/promote")
    assert refused.status_code == 409
    again = shop.ask("POST", f"/api/deployments/{made['id']}/trigger")
    assert shop.text(shop.ready(again["id"])["url"]) == "fork none"
    caches = shop.instance.home / "caches" / shop.id
    assert not (caches / "forks" / "forks").exists()


def apps_of(instance: Instance, *ids: str) -> list[str]:
    """Processes that still run of these deployments."""
    found = [Path(f"/proc/{pid}/cmdline") for pid in instance.processes()]
    lines = [path.read_text().replace("\0", " ") for path in found if path.exists()]
    return [line for line in lines if any(id in line for id in ids)]
