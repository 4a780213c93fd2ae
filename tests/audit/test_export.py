"""The log as a file: what is in it, who may take it, and that taking it is in the log (C-272)."""

import csv
import io
import json

import pytest
from tests import make
from tests.audit.conftest import World, entries

from windlass.auth.permissions import Role
from windlass.core import ids

pytestmark = pytest.mark.anyio


async def test_an_export_holds_what_one_may_see_and_is_itself_in_the_log(world: World) -> None:
    ada, eve = await world.person("ada"), await world.person("eve")
    mine = await world.happened("auth.SignedIn", by=ada)
    theirs = await world.happened("auth.SignedIn", by=eve)
    client = await world.client(ada)

    answer = await client.get("/api/audit/export", params={"type": "auth"})

    assert answer.headers["content-disposition"].startswith('attachment; filename="windlass-audit-')
    found = json.loads(answer.text)
    assert found["isComplete"] is True
    taken = [entry["id"] for entry in found["entries"]]
    assert mine in taken
    assert theirs not in taken
    export = (await entries(client, action="audit.Exported"))[0]
    assert export["sentence"] == "Exported the audit log as json"
    assert export["metadata"] == {
        "format": "json",
        "filters": {"type": "auth"},
        "everything": False,
    }


async def test_a_spreadsheet_finds_no_formula(world: World) -> None:
    ada = await world.person("ada")
    bad = ["=1+1", "+1", "-1", "@SUM(A1)", '","=cmd', "\t=1"]
    project = await make.project(world.database, ada)
    await world.database.fetch("update projects set name = '=HYPERLINK()'")
    for name in bad:
        await world.happened("auth.TokenCreated", by=ada, name=name, project=project)
    client = await world.client(ada)

    answer = await client.get("/api/audit/export", params={"format": "csv"})

    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:4] == ["id", "createdAt", "type", "action"]
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))] == []
    assert any("'=HYPERLINK()" in row for row in rows)


async def test_a_long_export_is_whole_and_in_order(world: World) -> None:
    ada = await world.person("ada")
    await world.database.fetch(
        "insert into events (id, name, request_id, actor_id, payload, created_at)"
        " select gen_random_uuid(), 'auth.SignedIn', '', $1, '{}', now() - n * interval '1 second'"
        " from generate_series(1, 2500) n",
        ada.id,
    )

    answer = await (await world.client(ada)).get("/api/audit/export?action=auth.SignedIn")

    found = json.loads(answer.text)["entries"]
    assert len({entry["id"] for entry in found}) == 2500
    times = [entry["createdAt"] for entry in found]
    assert times == sorted(times, reverse=True)


async def test_nobody_writes_into_the_log_of_a_team_by_exporting_it(world: World) -> None:
    ada, eve = await world.person("ada"), await world.person("eve")
    team = await world.team("crew", a=(ada, Role.owner))
    asked = {"team": ids.public("team", team.id)}

    await (await world.client(eve)).get("/api/audit/export", params=asked)
    assert await entries(await world.client(ada), action="audit.Exported") == []

    await (await world.client(ada)).get("/api/audit/export", params=asked)
    assert len(await entries(await world.client(ada), **asked, action="audit.Exported")) == 1


async def test_only_an_administrator_exports_everything(world: World) -> None:
    ada, root = await world.person("ada"), await world.person("root", is_admin=True)
    id = await world.happened("auth.SignedIn", by=ada)

    refused = await (await world.client(ada)).get("/api/admin/audit/export")
    answer = await (await world.client(root)).get("/api/admin/audit/export")

    assert refused.status_code == 403
    assert id in [entry["id"] for entry in json.loads(answer.text)["entries"]]


@pytest.mark.parametrize("asked", [{"format": "xml"}, {"team": "x"}, {"from": "x"}])
async def test_a_wrong_export_is_refused_and_not_in_the_log(
    world: World, asked: dict[str, str]
) -> None:
    client = await world.client(await world.person("ada"))

    assert (await client.get("/api/audit/export", params=asked)).status_code == 400
    assert await entries(client, action="audit.Exported") == []
