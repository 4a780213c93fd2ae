"""`windlass clusters`."""

import json
from pathlib import Path

from tests.cli.conftest import Run, last_json
from tests.cli.panel import Panel


def test_a_cluster_is_added_tried_shown_opened_anew_and_forgotten(
    run: Run, panel: Panel, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_text("-----BEGIN CERTIFICATE-----")

    assert "No clusters" in run("clusters").stdout
    server = ("--server", "https://k.example.com:6443", "--ca", str(ca), "--namespace", "shop-*")
    added = run("clusters", "add", "home", *server, input="a-token\n")
    shown = run("clusters", "show", "home").stdout
    listed = last_json(run("clusters", "list", "--json"))
    opened = run("clusters", "open", "home", input="another\n")
    gone = run("clusters", "rm", "home", "--yes")

    sent = [json.loads(call.body) for call in panel.calls if call.body]
    assert sent == [
        {
            "name": "home",
            "server": "https://k.example.com:6443",
            "token": "a-token",
            "ca": "-----BEGIN CERTIFICATE-----",
            "namespaces": ["shop-*"],
        },
        {"token": "another"},
    ]
    assert "Added home: reachable, Kubernetes v1.33.2" in added.stdout + added.stderr
    assert "may not create namespaces" in shown
    assert [one["name"] for one in listed] == ["home"]
    assert "Replaced home" in opened.stdout + opened.stderr
    assert "Forgot home" in gone.stdout + gone.stderr
    assert panel.clusters == {}


def test_a_kubeconfig_is_read_here_and_a_way_must_be_said(
    run: Run, panel: Panel, tmp_path: Path
) -> None:
    file = tmp_path / "config"
    file.write_text("kind: Config\n")

    run("clusters", "add", "home", "--kubeconfig", str(file), "--context", "main")
    rancher = ("--rancher", "https://r.example.com", "--cluster-id", "c-1")
    run("clusters", "add", "work", *rancher, input="key\n")

    config, ranched = (json.loads(call.body) for call in panel.calls if call.body)
    assert config == {"name": "home", "kubeconfig": "kind: Config\n", "context": "main"}
    assert ranched["rancher"] == {"url": rancher[1], "token": "key", "clusterId": "c-1"}
    for wrong in ((), (*rancher[:2],), (*rancher, "--server", "https://k.example.com")):
        done = run("clusters", "add", "x", *wrong, input="key\n", code=1)
        assert "not said how" in done.stderr
    assert "no token" in run("clusters", "open", "home", input="", code=1).stderr
    assert "no cluster called nope" in run("clusters", "show", "nope", code=1).stderr


def test_one_that_cannot_be_used_ends_with_an_error(run: Run, panel: Panel) -> None:
    panel.cluster_test = {"state": "failing", "reason": "UNAUTHORIZED", "detail": "Unauthorized"}

    server = ("--server", "https://k.example.com")
    done = run("clusters", "add", "home", *server, input="a-token\n", code=1)

    assert "home cannot be used: UNAUTHORIZED" in done.stderr
    assert "a-token" not in done.stdout + done.stderr
