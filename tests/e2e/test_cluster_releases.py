"""The whole way of a release with the command line, and a control plane that is killed on it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kube.server import FakeCluster
from tests.releases.samples import config, together, web
from tests.running import Instance, until

COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
CONTROL = "-m windlass.control"


@pytest.fixture
def here(tmp_path: Path, kube: FakeCluster) -> Iterator[Instance]:
    """A Windlass that knows the cluster `main` with the namespace `shop`."""
    found = Instance(tmp_path, WINDLASS_CLUSTERS__ALLOW_PRIVATE="127.0.0.0/8")
    found.start()
    kube.namespace("shop")
    body = {"name": "main", "server": kube.server, "token": kube.access.token, "ca": kube.ca}
    answer = found.api("POST", "/api/clusters", json=body)
    assert answer.status_code == 201, answer.text
    yield found
    found.stop()


def asked(instance: Instance, *words: str, check: bool = True) -> Any:
    """The API's answer that a command prints last."""
    done = instance.cli("releases", *words, "--json", check=check)
    return json.loads(done.stdout.strip().splitlines()[-1])


def patches(kube: FakeCluster) -> int:
    """How often the second object was sent."""
    return sum(method == "PATCH" and path.endswith("/b") for method, path in kube.asked)


def ready(kube: FakeCluster) -> None:
    live = kube.get("Deployment", "web", "shop")
    assert live is not None
    status: dict[str, Any] = {"observedGeneration": live["metadata"]["generation"]}
    status |= dict.fromkeys(COUNTS, live["spec"]["replicas"])
    kube.set_status("Deployment", "web", "shop", status)


def test_a_release_survives_kills_and_the_command_line_does_the_rest(
    here: Instance, kube: FakeCluster, tmp_path: Path
) -> None:
    file = tmp_path / "k8s.yaml"
    file.write_text(together(config("a", x="1"), config("b"), web()))

    planned = here.cli("releases", "plan", "shop", str(file), "-n", "shop").stdout
    assert "+ ConfigMap/a: create" in planned
    assert kube.names("ConfigMap", "shop") == []

    # Killed between one object and the next: the second is never answered.
    kube.hang(path="configmaps/b", method="PATCH")
    made = asked(here, "apply", "shop", str(file), "-n", "shop", "--no-wait", "--yes")
    until(lambda: kube.names("ConfigMap", "shop") == ["a"], what="the first object")
    until(lambda: patches(kube) == 2, what="the second, after that of the plan")
    assert kube.names("ConfigMap", "shop") == ["a"]
    here.kill(CONTROL)
    until(here.is_up, what="the control plane after it was killed")
    until(lambda: kube.get("Deployment", "web", "shop"), what="the rest of the release")

    def status() -> str:
        return here.api("GET", f"/api/releases/{made['id']}").json()["data"]["status"]

    until(lambda: status() == "ROLLING_OUT", what="the rollout")
    # And once more while it waits for the pods.
    here.kill(CONTROL)
    until(here.is_up, what="the control plane after it was killed again")
    ready(kube)
    until(lambda: status() == "DEPLOYED", what="the end of the rollout")
    assert kube.names("ConfigMap", "shop") == ["a", "b"]

    other = tmp_path / "other.yaml"
    other.write_text(config("a", x="2"))
    done = here.cli("releases", "apply", "shop", str(other), "-n", "shop", "--note", "smaller")
    assert "deployed" in done.stdout
    assert kube.names("ConfigMap", "shop") == ["a"]
    assert "data.x: 1 → 2" in here.cli("releases", "diff", "shop").stdout
    history = here.cli("releases", "history", "shop").stdout
    assert "smaller" in history
    assert here.cli("releases", "show", "shop", "--yaml", "--revision", "1").stdout == (
        file.read_text()
    )
    shown = here.cli("releases", "show", "shop/shop").stdout
    assert "ConfigMap/a: changed, current" in shown
    assert "deployed" in here.cli("releases", "list").stdout

    kube.deny("ConfigMap", "not today")
    other.write_text(config("a", x="3"))
    failed = here.cli("releases", "apply", "shop", str(other), "-n", "shop", check=False)
    assert failed.returncode == 1
    assert "not today" in failed.stdout
    kube.allow_all()
    other.write_text(config("A_"))
    refused = here.cli("releases", "apply", "shop", str(other), "-n", "shop", check=False)
    assert refused.returncode == 1
    assert "error: ConfigMap/A_" in refused.stdout

    back = asked(here, "rollback", "shop", "--to", "2", "--yes")
    assert (back["status"], back["newest"]["of"]) == ("DEPLOYED", 2)
    assert asked(here, "logs", "shop") == []
    gone = asked(here, "delete", "shop", "--yes")
    assert gone["status"] == "DELETED"
    assert kube.names("ConfigMap", "shop") == []
    assert "shop" in here.cli("releases", "list", "--all").stdout
