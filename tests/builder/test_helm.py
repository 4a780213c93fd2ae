"""A pasted Helm command in the panel and in the API: read, shown, never run."""

import httpx2
import pytest

from tests.builder.test_routes import asked, wrong

pytestmark = pytest.mark.anyio
LINE = (
    "helm repo add acme https://charts.acme.example\n"
    "helm upgrade --install shop acme/shop --version 1.2.3 -n shop --create-namespace \\\n"
    "  --set image.tag=v2 --set db.password=hunter2 -f prod.yaml"
)


async def test_a_command_is_told_as_what_would_run(client: httpx2.AsyncClient) -> None:
    """K-030, K-121."""
    found = await asked(client, "helm", command=LINE)

    assert found["release"] == "shop"
    assert found["source"] == "https://charts.acme.example"
    assert found["runs"].startswith("helm upgrade shop shop --repo https://charts.acme.example")
    assert found["files"] == ["prod.yaml"]
    assert found["settings"] == ["--set image.tag=v2", "--set db.password=••••••"]
    again = await asked(client, "helm", command=found["runs"])
    assert again["runs"] == found["runs"]


@pytest.mark.parametrize(
    "command",
    [
        "helm install x oci://r.example/c --post-renderer ./run.sh",
        "helm install x oci://r.example/c --kubeconfig /etc/k",
        "helm install x oci://r.example/c; rm -rf /",
        "kubectl get secrets",
        "",
    ],
)
async def test_what_is_dangerous_or_no_helm_is_refused(
    client: httpx2.AsyncClient, command: str
) -> None:
    assert (await wrong(client, "helm", command=command))["command"]


async def test_the_page_shows_what_would_run_or_why_not(client: httpx2.AsyncClient) -> None:
    headers = {"origin": str(client.base_url).rstrip("/")}
    first = await client.get("/charts/helm")
    read = await client.post("/charts/helm", data={"command": LINE}, headers=headers)
    refused = await client.post("/charts/helm", data={"command": "rm -rf /"}, headers=headers)

    assert first.status_code == 200
    assert "https://charts.acme.example" in read.text
    assert refused.status_code == 422
    assert 'href="#f-command"' in refused.text
