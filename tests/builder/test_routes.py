"""Manifests over the API: made, checked, mended, read back; nothing is stored."""

from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.anyio
URL = "/api/charts"
IMAGE = "ghcr.io/acme/web:1.4.2"
FORM: dict[str, Any] = {
    "namespace": "shop",
    "workloads": [{"name": "web", "containers": [{"image": IMAGE, "ports": [8080]}]}],
}


async def asked(client: httpx2.AsyncClient, route: str, **body: object) -> Any:
    answer = await client.post(f"{URL}/{route}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def wrong(client: httpx2.AsyncClient, route: str, **body: object) -> dict[str, str]:
    answer = await client.post(f"{URL}/{route}", json=body)
    assert answer.status_code == 422, answer.text
    fields = answer.json()["error"]["details"]["fields"]
    return {field["field"]: field["message"] for field in fields}


async def test_a_form_becomes_manifests_with_where_each_comes_from(
    client: httpx2.AsyncClient,
) -> None:
    """K-090, K-091, K-092, K-094."""
    made = await asked(client, "generate", form=FORM)

    documents = {one["kind"]: one for one in made["documents"]}
    assert made["yaml"].startswith("apiVersion: v1\nkind: Namespace\n")
    assert documents["Deployment"]["formPath"] == ["workloads", 0]
    assert documents["Deployment"]["isGenerated"] is False
    assert documents["Service"] == {
        "kind": "Service",
        "name": "web",
        "namespace": "shop",
        "line": documents["Service"]["line"],
        "formPath": ["workloads", 0, "containers"],
        "isGenerated": True,
    }
    lines = made["yaml"].splitlines()
    assert lines[documents["Service"]["line"] - 1] == "apiVersion: v1"
    assert lines[documents["Service"]["line"]] == "kind: Service"
    assert made["counts"] == {"error": 0, "warning": 0, "info": 0, "skipped": 0}


async def test_a_finding_names_the_field_and_its_fix_changes_the_form(
    client: httpx2.AsyncClient,
) -> None:
    form = {
        "workloads": [
            {
                "name": "web",
                "containers": [
                    {"image": IMAGE, "securityContext": {"privileged": True}, "extra": "tty: true"}
                ],
            }
        ]
    }
    made = await asked(client, "generate", form=form)
    found = next(one for one in made["findings"] if one["rule"] == "privileged")

    assert found["severity"] == "error"
    assert found["fixable"] is True
    assert found["formPath"] == ["workloads", 0, "containers", 0, "securityContext", "privileged"]
    assert "privileged: true" in made["yaml"].splitlines()[found["line"] - 1]

    where = {name: found[name] for name in ("rule", "document", "path")}
    done = await asked(client, "fix", form=form, **where)
    assert done["mended"] == 1
    container = done["form"]["workloads"][0]["containers"][0]
    assert not container["securityContext"].get("privileged")
    assert container["extra"] == "tty: true\n"
    assert not any(one["rule"] == "privileged" for one in done["findings"])
    again = await client.post(f"{URL}/fix", json={"form": done["form"], **where})
    assert again.status_code == 404


async def test_everything_with_one_answer_is_mended_at_once(client: httpx2.AsyncClient) -> None:
    security = {"privileged": True, "capabilities": {"add": ["NET_ADMIN"]}}
    form = {"workloads": [{"name": "web", "containers": [{"image": IMAGE}]}]}
    form["workloads"][0]["containers"][0]["securityContext"] = security  # type: ignore[index]

    done = await asked(client, "fix", form=form)

    assert done["mended"] >= 2
    assert not any(one["fixable"] for one in done["findings"])


async def test_a_fix_in_a_text_keeps_its_comments(client: httpx2.AsyncClient) -> None:
    text = (
        "# mine\napiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\nspec:\n"
        "  hostPID: true # why?\n  containers:\n    - {name: a, image: 'ghcr.io/a/b:1.0'}\n"
    )
    found = await asked(client, "check", yaml=text)
    first = next(one for one in found["findings"] if one["fixable"])

    one = await asked(client, "fix", yaml=text, rule=first["rule"], document=0, path=first["path"])
    every = await asked(client, "fix", yaml=text)

    assert one["form"] is None
    assert one["mended"] == 1
    assert one["yaml"].startswith("# mine\n")
    assert every["mended"] > 1
    gone = {"yaml": every["yaml"], "rule": first["rule"], "path": first["path"]}
    assert (await client.post(f"{URL}/fix", json=gone)).status_code == 404


async def test_what_is_wrong_with_a_form_is_told_by_field(client: httpx2.AsyncClient) -> None:
    """K-078, K-093, K-123."""
    none = await client.post(f"{URL}/generate", json={"form": {}})
    found = await wrong(
        client,
        "generate",
        form={
            "namespace": "Not_A_Name",
            "workloads": [
                {"name": "web", "containers": [{"image": "", "ports": [0]}], "extra": "a: ["}
            ],
        },
    )

    assert none.status_code == 400
    assert none.json()["error"]["details"]["reason"] == "no-workload"
    assert "at least one workload" in none.json()["error"]["message"].lower()
    assert set(found) == {
        "namespace",
        "workloads.0.extra",
        "workloads.0.containers.0.image",
        "workloads.0.containers.0.ports.0",
    }
    assert "63 small letters" in found["namespace"]
    assert (await wrong(client, "generate", form=FORM, kubernetes="1.3"))["kubernetes"]
    assert (
        "there is no field"
        in str(
            await wrong(client, "generate", form={"workloads": [{"name": "a", "imag": 1}]})
        ).lower()
    )


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: [", "yaml"),
        ("a: 1\na: 2\n", "yaml"),
        ("- 1\n- 2\n", "yaml"),
        ("kind: Pod\n", "yaml"),
        ("\tkind: Pod\n", "yaml"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n" * 3, "yaml"),
    ],
)
async def test_what_cannot_be_read_is_a_finding_at_its_line(
    client: httpx2.AsyncClient, text: str, rule: str
) -> None:
    """K-095."""
    found = await asked(client, "check", yaml=text)

    assert found["complete"] is False
    assert {one["rule"] for one in found["findings"]} == {rule}
    assert all(one["line"] >= 1 for one in found["findings"])


async def test_manifests_are_read_back_into_a_form_that_makes_them_again(
    client: httpx2.AsyncClient,
) -> None:
    made = await asked(client, "generate", form=FORM)
    text = made["yaml"] + "---\napiVersion: a.example/v1\nkind: Odd\nmetadata: {name: x}\n"

    back = await asked(client, "form", yaml=text)
    again = await asked(client, "generate", form=back["form"])

    assert back["kept"] == 1
    kinds = [(one["kind"], one["name"]) for one in again["documents"]]
    assert sorted(kinds) == sorted(
        [*((one["kind"], one["name"]) for one in made["documents"]), ("Odd", "x")]
    )
    assert "Line 2" in (await wrong(client, "form", yaml="a: 1\na: 2\n"))["yaml"]
    assert "no Kubernetes object" in (await wrong(client, "form", yaml="# nothing\n"))["yaml"]


async def test_a_compose_file_becomes_a_form(client: httpx2.AsyncClient) -> None:
    text = f"services:\n  web:\n    image: {IMAGE}\n    ports: ['80']\n    ulimits: {{}}\n"

    made = await asked(client, "compose", compose=text)

    assert [(one["verdict"], one["line"]) for one in made["notes"]] == [
        ("exact", 3),
        ("exact", 4),
        ("impossible", 5),
    ]
    generated = await asked(client, "generate", form=made["form"])
    assert generated["counts"]["error"] == 0
    assert "no compose file" in (await wrong(client, "compose", compose="a: 1"))["compose"]


async def test_the_form_the_fields_and_the_rules_can_be_asked_for(
    client: httpx2.AsyncClient,
) -> None:
    model = (await client.get(f"{URL}/schema")).json()["data"]
    where = {"apiVersion": "apps/v1", "kind": "Deployment", "path": "spec.replicas"}
    field = await client.get(f"{URL}/fields", params=where)
    every = (await client.get(f"{URL}/rules")).json()["data"]

    assert model["parts"]["Container"]["sections"][0]["fields"][0]["name"] == "image"
    assert model["workloadTypes"][0] == "Deployment"
    assert field.json()["data"]["type"] == "whole number"
    gone = await client.get(f"{URL}/fields", params={**where, "path": "spec.nope"})
    assert gone.status_code == 404
    assert len(every) > 100
    one = await client.get(f"{URL}/rules/{every[0]['id']}")
    assert one.json()["data"] == every[0]
    assert (await client.get(f"{URL}/rules/nope")).status_code == 404


async def test_more_than_a_megabyte_is_refused(client: httpx2.AsyncClient) -> None:
    assert "yaml" in await wrong(client, "check", yaml="a" * ((1 << 20) + 1))
    large = await client.post(f"{URL}/check", json={"yaml": "a" * (5 << 20)})
    assert large.status_code == 413


async def test_nobody_may_without_signing_in(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.post(f"{URL}/generate", json={"form": FORM})).status_code == 401
