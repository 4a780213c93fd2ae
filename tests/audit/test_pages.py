"""The log as pages: who sees what, the filters of the form, paging, export, and the words."""

import re

import httpx2
import pytest
from tests import make
from tests.audit.conftest import World
from tests.conftest import RolledBack

from windlass.audit import sentences, titles
from windlass.auth.models import Actor
from windlass.auth.permissions import Role
from windlass.core import events, ids

pytestmark = pytest.mark.anyio


def shown(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    rows = answer.text.partition('id="entry-rows"')[2]
    return re.findall(r"<strong>(.*?)</strong>", rows)


async def test_the_log_is_filtered_by_person_event_object_words_and_time(
    world: World, database: RolledBack
) -> None:
    """C-271."""
    ada, bob = await world.person("ada"), await world.person("bob")
    team = await world.team("crew", a=(ada, Role.owner), b=(bob, Role.member))
    project = await make.project(database, ada, "Shop")
    await world.happened("teams.Invited", by=ada, team=team, email="eve@example.com", role="VIEWER")
    await world.happened("teams.MemberRemoved", by=bob, user=bob, team=team)
    await world.happened("deployments.Queued", by=ada, project=project)
    client = await world.client(ada)

    async def of(**asked: str) -> list[str]:
        # As a browser sends the form: with every field.
        fields = dict.fromkeys(("actor", "type", "project", "team", "from", "to", "search"), "")
        return shown(await client.get("/audit", params=fields | asked))

    assert "Started a deployment" in await of()
    assert await of(type="teams.Invited") == ["Invited eve@example.com as viewer"]
    assert await of(type="teams", actor=ids.public("user", bob.id)) == ["Removed bob from the team"]
    assert await of(project=ids.public("proj", project.id), type="deployments") == [
        "Started a deployment"
    ]
    assert await of(team=ids.public("team", team.id), search="eve@") == [
        "Invited eve@example.com as viewer"
    ]
    assert await of(to="2020-01-01") == []
    page = (await client.get("/audit", params={"type": "teams.Invited", "search": '"><b>'})).text
    assert '<option value="teams.Invited" selected>Member invited</option>' in page
    assert "<b>" not in page
    assert f'<option value="{ids.public("user", bob.id)}">bob</option>' in page
    export = "/api/audit/export?action=teams.Invited&amp;search=%22%3E%3Cb%3E&amp;format=csv"
    assert export in page

    wrong = await client.get("/audit", params={"from": "2026-99-99"})
    assert wrong.status_code == 422
    assert "is not a day or a time like 2026-02-12" in wrong.text


async def test_what_is_older_is_loaded_with_the_same_filters(world: World) -> None:
    ada = await world.person("ada")
    for number in range(60):
        await world.happened("auth.TokenCreated", by=ada, user=ada, name=f"t{number}")
    client = await world.client(ada)

    first = await client.get("/audit?type=auth.TokenCreated")
    more = re.search(r'href="(/audit\?[^"]*cursor=[^"]*)"', first.text)
    assert more is not None
    rest = await client.get(more[1].replace("&amp;", "&"))
    tampered = await client.get("/audit?type=auth.TokenCreated&cursor=eyJ4IjoxfQ")

    assert len(shown(first)) == 50
    # Those sixty, and the one that the client signs in with.
    assert len(shown(rest)) == 11
    assert shown(tampered) == shown(first)


async def test_everybody_sees_their_own_and_administrators_everything(
    world: World, database: RolledBack
) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    root = await world.person("root", is_admin=True)
    project = await make.project(database, ada, "Shop")
    await world.happened("auth.PasswordChanged", by=ada, user=ada)
    bobs, roots = await world.client(bob), await world.client(root)

    assert "Changed the password" not in shown(await bobs.get("/audit"))
    assert "Changed the password" not in shown(await bobs.get("/account/activity"))
    assert "Changed the password" not in shown(await roots.get("/audit"))
    everything = await roots.get("/admin/audit?type=auth.PasswordChanged")
    assert shown(everything) == ["Changed the password"]
    assert "/api/admin/audit/export?action=auth.PasswordChanged&amp;format=json" in everything.text
    assert (await bobs.get("/admin/audit")).status_code == 403
    assert (await bobs.get(f"/projects/{project.slug}/activity")).status_code == 404


async def test_a_viewer_sees_a_projects_activity_but_not_from_where(
    world: World, database: RolledBack
) -> None:
    """C-270."""
    ada, bob = await world.person("ada"), await world.person("bob")
    team = await world.team("crew", a=(ada, Role.owner), b=(bob, Role.viewer))
    project = await make.project(database, ada, "Shop")
    await world.share(project, team)
    await world.happened("deployments.Queued", by=ada, project=project)
    path = f"/projects/{ids.public('proj', project.id)}/activity"

    viewer = await (await world.client(bob)).get(path)
    owner = await (await world.client(ada)).get(f"/projects/{project.slug}/activity?type=projects")

    assert "Started a deployment" in shown(viewer)
    assert "203.0.113.7" not in viewer.text
    assert shown(owner) == ["Created the project shop"]


async def test_ones_own_activity_is_a_tab_of_the_account(
    client: httpx2.AsyncClient, owner: Actor
) -> None:
    page = await client.get("/account/activity?type=auth")

    assert shown(page) == ["Made the API token “test”"]
    assert 'href="/account/activity" aria-current="page"' in page.text


def test_every_fact_has_a_name_and_a_sentence_for_people() -> None:
    known = {name for _, kinds in titles.GROUPS.values() for name in kinds}
    facts = {name for name in events.TYPES if "tests" not in name}

    assert sorted(name for name in facts if not sentences.is_known(name)) == []
    assert sorted(facts - known) == []
