import httpx2
import pytest

from windlass.projects.models import Project

pytestmark = pytest.mark.anyio
HERE = "/projects/shop/environment"
BOTH = {"production": "true", "preview": "true"}


async def add(client: httpx2.AsyncClient, **form: str) -> httpx2.Response:
    return await client.post(HERE, data={name.replace("__", "."): v for name, v in form.items()})


async def variables(client: httpx2.AsyncClient) -> dict[tuple[str, str], str | None]:
    project = (await client.get("/api/projects/by-slug/shop")).json()["data"]
    rows = (await client.get(f"/api/projects/{project['id']}/env")).json()["data"]
    return {(row["key"], row["target"]): row["value"] for row in rows}


async def first_id(client: httpx2.AsyncClient) -> str:
    return (await client.get(HERE)).text.split('<li id="env_')[1].split('"')[0]


async def test_rows_and_a_pasted_file_are_saved_together(
    client: httpx2.AsyncClient, project: Project
) -> None:
    block = "# comment\nB=2\nexport C='3 4'\n"

    answer = await add(client, env__0__key="A", env__0__value="1", env_block=block, **BOTH)

    assert answer.headers["location"] == f"{HERE}?notice=variables"
    found = await variables(client)
    assert found[("A", "production")] == found[("A", "preview")] == "1"
    assert found[("C", "preview")] == "3 4"
    page = await client.get(HERE)
    assert page.text.count('class="mono key"') == 3
    assert "Everywhere, changed" in page.text


async def test_one_value_for_previews_and_another_for_production_are_two_lines(
    client: httpx2.AsyncClient, project: Project
) -> None:
    await add(client, env__0__key="A", env__0__value="live", production="true")
    await add(client, env__0__key="A", env__0__value="test", preview="true")

    page = await client.get(HERE)

    assert "Production only" in page.text
    assert "Previews only" in page.text


async def test_a_variable_of_development_only_is_made_and_changed(
    client: httpx2.AsyncClient, project: Project
) -> None:
    await add(client, env__0__key="A", env__0__value="1", development="true")
    editing = await client.get(f"{HERE}?edit=env_{await first_id(client)}")
    changed = await client.post(
        f"{HERE}/env_{await first_id(client)}", data={"value": "2", "development": "true"}
    )

    assert 'name="development" type="checkbox" value="true" checked' in editing.text
    assert changed.status_code == 303
    assert await variables(client) == {("A", "development"): "2"}
    assert "Development only" in (await client.get(HERE)).text


async def test_a_mistake_keeps_every_row_and_saves_none(
    client: httpx2.AsyncClient, project: Project
) -> None:
    wrong = {"env__0__key": "A", "env__0__value": "1", "env__1__key": "PORT", "env__1__value": "2"}

    port = await add(client, **wrong, **BOTH)
    nothing = await add(client, **BOTH)
    nowhere = await add(client, env__0__key="A", env__0__value="1")

    assert port.status_code == nothing.status_code == nowhere.status_code == 422
    assert 'href="#f-env.1.key">PORT is set by Windlass' in port.text
    assert "Type a key and its value" in nothing.text
    assert "Choose where it counts" in nowhere.text
    assert await variables(client) == {}


async def test_a_secret_is_never_shown_and_needs_a_new_value_to_change(
    client: httpx2.AsyncClient, project: Project
) -> None:
    await add(client, env__0__key="KEY", env__0__value="sesame", env__0__secret="true", **BOTH)
    id = f"env_{await first_id(client)}"

    page = await client.get(f"{HERE}?edit={id}")
    empty = await client.post(f"{HERE}/{id}", data={"value": "", "secret": "true", **BOTH})
    again = await client.get(f"{HERE}/{id}")
    saved = await client.post(f"{HERE}/{id}", data={"value": "open", **BOTH})

    assert "sesame" not in page.text + empty.text + again.text
    assert empty.status_code == 422
    assert 'id="e-value">Type the new value' in empty.text
    assert again.status_code == 200
    assert saved.headers["location"] == f"{HERE}?notice=variables"
    assert (await variables(client))[("KEY", "preview")] == "open"


async def test_a_target_that_is_left_out_loses_the_variable(
    client: httpx2.AsyncClient, project: Project
) -> None:
    await add(client, env__0__key="A", env__0__value="1", **BOTH)
    id = f"env_{await first_id(client)}"

    await client.post(f"{HERE}/{id}", data={"value": "2", "production": "true"})

    assert await variables(client) == {("A", "production"): "2"}
    # The page that was open for editing is asked for again when something changes.
    assert (await client.get(f"{HERE}?edit={id}")).status_code == 200


async def test_a_deleted_variable_is_gone_from_every_target(
    client: httpx2.AsyncClient, project: Project
) -> None:
    await add(client, env__0__key="A", env__0__value="1", **BOTH)
    id = f"env_{await first_id(client)}"

    answer = await client.post(f"{HERE}/{id}/delete")

    assert answer.headers["location"] == f"{HERE}?notice=deleted"
    assert await variables(client) == {}
    assert (await client.post(f"{HERE}/{id}/delete")).status_code == 404
    assert (await client.get(f"{HERE}?edit={id}")).status_code == 200
