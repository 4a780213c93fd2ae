"""A kubeconfig is data of somebody else: reduced, never followed."""

import base64
from typing import Any

import pytest
import yaml

from tests.kube import server
from tests.kube.server import FakeCluster
from windlass.clusters import kubeconfig, namespaces
from windlass.clusters.kubeconfig import KubeconfigWrong


def text(config: dict[str, Any]) -> str:
    return yaml.safe_dump(config)


def test_a_server_its_authority_and_a_token_are_what_is_left(kube: FakeCluster) -> None:
    found = kubeconfig.reduced(text(kube.kubeconfig()))

    assert (found.server, found.ca, found.token) == (kube.server, kube.ca, server.TOKEN)
    assert (found.certificate, found.key, found.insecure) == (None, None, False)


def test_a_client_certificate_is_taken_with_its_key(kube: FakeCluster) -> None:
    proof = server.issued("ada")
    given = {
        "client-certificate-data": base64.b64encode(proof.certificate.encode()).decode(),
        "client-key-data": base64.b64encode(proof.key.encode()).decode(),
    }
    found = kubeconfig.reduced(text(kube.kubeconfig(**given)))

    assert (found.token, found.certificate, found.key) == (None, *proof)


# What is changed in a good one, and what is said of it.
_WRONG: list[tuple[dict[str, Any], str]] = [
    ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "touch"}}, "`exec`"),
    ({"auth-provider": {"name": "oidc"}}, "`auth-provider`"),
    ({"tokenFile": "/etc/passwd"}, "`tokenFile`"),
    ({"client-certificate": "/etc/x.crt", "client-key": "/etc/x.key"}, "`client-certificate`"),
    ({"username": "admin", "password": "x"}, "`username`"),
    ({"token": "x", "as": "root"}, "`as`"),
    ({"name": "nothing"}, "neither a token nor"),
    ({"client-certificate-data": "%%%", "client-key-data": "%%%"}, "no Base64"),
    ({"client-certificate-data": "eA==", "client-key-data": "eA=="}, "no PEM"),
]


def test_what_would_run_or_read_something_here_is_refused_by_its_name(kube: FakeCluster) -> None:
    for user, words in _WRONG:
        with pytest.raises(KubeconfigWrong, match=words):
            kubeconfig.reduced(text(kube.kubeconfig(**user)))
    for field in ("certificate-authority", "proxy-url"):
        config = kube.kubeconfig()
        config["clusters"][0]["cluster"][field] = "/etc/passwd"
        with pytest.raises(KubeconfigWrong, match=field):
            kubeconfig.reduced(text(config))


def test_what_is_no_kubeconfig_is_said(kube: FakeCluster) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
    )
    for given in ("", "- a\n- b\n", "a: [", "a: 1\na: 2\n", "\t", "x: 1\n---\ny: 2\n", bomb):
        with pytest.raises(KubeconfigWrong):
            kubeconfig.reduced(given)
    with pytest.raises(KubeconfigWrong, match="larger"):
        kubeconfig.reduced("a: " + "x" * (kubeconfig.MOST_BYTES + 1))


def test_a_context_is_chosen_by_its_name(kube: FakeCluster) -> None:
    config = kube.kubeconfig()
    config["contexts"].append({"name": "other", "context": {"cluster": "none", "user": "me"}})
    assert kubeconfig.reduced(text(config), "test").server == kube.server
    with pytest.raises(KubeconfigWrong, match="no context “nope”, but test, other"):
        kubeconfig.reduced(text(config), "nope")
    with pytest.raises(KubeconfigWrong, match="none that is called “none”"):
        kubeconfig.reduced(text(config), "other")
    del config["current-context"]
    with pytest.raises(KubeconfigWrong, match="which context: test, other"):
        kubeconfig.reduced(text(config))


def test_namespaces_of_the_system_are_not_ours_whatever_a_pattern_says() -> None:
    """K-102, E-26"""
    for name, allowed, is_fine in (
        ("shop", [], True),
        ("shop", ["shop"], True),
        ("shop-1", ["shop-*"], True),
        ("other", ["shop-*"], False),
        ("kube-system", [], False),
        ("kube-system", ["*"], False),
        ("kube-system", ["kube-system"], True),
        ("cattle-system", [], False),
        ("default", ["*"], False),
        ("default", ["default"], True),
        ("Shop", [], False),
        ("../x", [], False),
        ("", [], False),
        ("x" * 64, [], False),
    ):
        assert (namespaces.refusal(name, allowed) is None) == is_fine, (name, allowed)


def test_a_namespace_is_named_after_who_asks() -> None:
    """K-006"""
    assert namespaces.numbered("ada_l", 3) == "ada-l-3"
    assert namespaces.numbered("Ünï", 0) == "n-0"
    assert namespaces.numbered("___", 1) == "user-1"
