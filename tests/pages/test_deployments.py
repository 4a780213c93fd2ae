import html

import httpx2
import pytest

from tests import make
from tests.conftest import RolledBack
from windlass.auth.models import Actor
from windlass.builds import sources
from windlass.builds.models import Source
from windlass.core import ids, runtime_log
from windlass.core.blobs import BlobStore
from windlass.core.manifest import Entry
from windlass.core.settings import Settings
from windlass.deployments.models import LOG_LINES, Deployment, Level
from windlass.deployments.phases import Status
from windlass.projects.models import Project

pytestmark = pytest.mark.anyio


def page_of(deployment: Deployment) -> str:
    return f"/deployments/{ids.public('depl', deployment.id)}"


async def test_a_note_is_written_changed_and_taken_away(
    client: httpx2.AsyncClient, live: Deployment
) -> None:
    """E-04."""
    page = page_of(live)

    saved = await client.post(f"{page}/note", data={"note": " before <the> sale "})
    shown = await client.get(page)
    long = await client.post(f"{page}/note", data={"note": "x" * 2001})
    kept = await client.get(page)
    await client.post(f"{page}/note", data={"note": ""})

    assert saved.headers["location"] == f"{page}?notice=saved"
    assert "<dd>before &lt;the&gt; sale</dd>" in shown.text
    assert "Change the note" in shown.text
    assert long.status_code == 422
    assert 'id="e-note"' in long.text
    assert "before &lt;the&gt; sale" in kept.text
    assert "Add a note" in (await client.get(page)).text


async def test_a_promoted_preview_is_live_at_the_projects_own_address(
    client: httpx2.AsyncClient, database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    preview = await make.deployment(
        database, project, source, owner, status=Status.ready, is_preview=True, is_active=True
    )

    page = (await client.get(page_of(preview))).text

    assert 'Live at <a href="http://shop.localhost:8000"' in page
    assert f'href="http://{preview.site_slug}.localhost:8000"' in page
    assert '<span class="tag strong">Production</span>' in page


async def test_the_output_of_the_app_is_searched_and_led_back_through(
    client: httpx2.AsyncClient, settings: Settings, live: Deployment
) -> None:
    where = runtime_log.folder(settings.folder, ids.public("depl", live.id))
    where.mkdir(parents=True)
    lines = [f"2026-11-21T10:00:00.{n:03}Z I GET /orders/{n} <b>\n" for n in range(400)]
    (where / "web.000001.log").write_text("".join(lines))
    (where / "worker.000001.log").write_text("2026-11-21T10:00:01.000Z E KeyError: 'x'\n")
    page = f"{page_of(live)}/runtime"

    newest = (await client.get(page)).text
    found = (await client.get(f"{page}?search=ORDERS/12&process=web")).text
    errors = (await client.get(f"{page}?level=error")).text
    odd = await client.get(f"{page}?process=../x&level=loud&search={'y' * 999}")

    assert newest.count('class="line ') == 300
    assert "GET /orders/399 &lt;b&gt;" in newest
    assert '<li class="line error">' in newest
    address = html.unescape(newest.split("Older lines")[0].rsplit('href="', 1)[1].split('"')[0])
    assert (await client.get(address)).text.count('class="line ') == 101
    assert found.count('class="line ') == 11
    assert errors.count('class="line ') == 1
    assert "No line fits." in odd.text
    assert (await client.get(f"{page}?cursor=nonsense")).status_code == 400


async def test_the_list_filters_by_status(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
    live: Deployment,
) -> None:
    failed = await make.deployment(
        database, project, source, owner, status=Status.error, error_message="Out of memory"
    )

    everything = await client.get("/deployments")
    broken = await client.get("/deployments?status=error")

    assert f"row-{ids.public('depl', live.id)}" in everything.text
    assert "Out of memory" in everything.text
    assert f"row-{ids.public('depl', live.id)}" not in broken.text
    assert f"row-{ids.public('depl', failed.id)}" in broken.text
    assert (await client.get("/deployments?status=sideways")).status_code == 400


async def test_a_long_list_goes_on_with_a_cursor(
    client: httpx2.AsyncClient, database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    for _ in range(21):
        await make.deployment(database, project, source, owner, status=Status.cancelled)

    first = await client.get("/deployments?status=cancelled")

    more = first.text.split('id="more"><a class="button" href="')[1].split('"')[0]
    second = await client.get(more.replace("&amp;", "&"))
    assert first.text.count('id="row-') == 20
    assert second.text.count('id="row-') == 1


async def test_a_live_deployment_says_where_and_cannot_be_deleted(
    client: httpx2.AsyncClient, live: Deployment
) -> None:
    page = await client.get(page_of(live))
    deleted = await client.post(f"{page_of(live)}/delete")

    assert page.status_code == 200
    assert 'Live at <a href="http://shop.localhost:8000"' in page.text
    assert "It is already live" in page.text
    assert deleted.status_code == 409
    assert "This deployment is live. Make another one live before you delete it." in deleted.text


async def test_a_failure_is_told_where_it_is_shown(
    client: httpx2.AsyncClient, database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    failed = await make.deployment(
        database, project, source, owner, status=Status.error, error_message="Out of <memory>"
    )

    page = await client.get(page_of(failed))

    assert "Out of &lt;memory&gt;</h1>" in page.text.replace("\n", "")


async def test_htmx_gets_the_content_alone(client: httpx2.AsyncClient, live: Deployment) -> None:
    part = await client.get(page_of(live), headers={"HX-Request": "true"})

    assert "<!doctype" not in part.text
    assert 'id="deployment"' in part.text


async def test_promoting_asks_for_the_switch_and_a_second_time_says_why_not(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
    live: Deployment,
) -> None:
    ready = await make.deployment(database, project, source, owner, status=Status.ready)

    asked = await client.post(f"{page_of(ready)}/promote")
    page = await client.get(f"{page_of(ready)}?notice=promoted")
    refused = await client.post(f"{page_of(live)}/promote")

    assert asked.status_code == 303
    assert asked.headers["location"] == f"{page_of(ready)}?notice=promoted"
    assert "Promotion started." in page.text
    assert "Going live" in page.text
    assert refused.status_code == 409
    assert "This deployment cannot be made live: It is already live" in refused.text


async def test_rolling_back_is_offered_for_what_was_live_before(
    client: httpx2.AsyncClient,
    database: RolledBack,
    project: Project,
    source: Source,
    owner: Actor,
    live: Deployment,
) -> None:
    before = await make.deployment(
        database,
        project,
        source,
        owner,
        status=Status.ready,
        promoted_at=live.created_at,
        promoted_by=owner.id,
    )

    page = await client.get(page_of(before))
    asked = await client.post(f"{page_of(before)}/rollback", data={"reason": "broken prices"})

    assert "Roll back to this" in page.text
    assert "by owner" in page.text
    assert asked.headers["location"] == f"{page_of(before)}?notice=rolled-back"


async def test_a_switch_that_failed_is_explained_on_the_page(
    client: httpx2.AsyncClient, database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    ready = await make.deployment(database, project, source, owner, status=Status.ready)
    line = {"deployment_id": ready.id, "seq": 1, "level": Level.error, "step": "deploy"}
    async with database.transaction() as db:
        await db.execute(LOG_LINES.insert().values(**line, message="The app exited with code 3"))

    page = await client.get(page_of(ready))

    assert "It could not go live: The app exited with code 3" in page.text
    assert "Visit</a>" not in page.text


async def test_cancelling_ends_it_and_what_has_ended_cannot_be_cancelled(
    client: httpx2.AsyncClient, database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    queued = await make.deployment(database, project, source, owner)

    cancelled = await client.post(f"{page_of(queued)}/cancel")
    again = await client.post(f"{page_of(queued)}/cancel")

    assert cancelled.headers["location"] == f"{page_of(queued)}?notice=cancelled"
    assert again.status_code == 409
    assert "This deployment has ended" in again.text


async def test_redeploying_makes_a_new_deployment_of_the_same_source(
    client: httpx2.AsyncClient, live: Deployment
) -> None:
    answer = await client.post(f"{page_of(live)}/redeploy", data={"clean": "true"})

    assert answer.status_code == 303
    assert answer.headers["location"] != page_of(live)
    page = await client.get(answer.headers["location"])
    assert "Waiting for a free builder" in page.text
    moving = await client.post(f"{answer.headers['location']}/redeploy")
    assert moving.status_code == 409


async def test_a_deleted_deployment_leads_back_to_its_project(
    client: httpx2.AsyncClient, database: RolledBack, project: Project, source: Source, owner: Actor
) -> None:
    ended = await make.deployment(database, project, source, owner, status=Status.cancelled)

    answer = await client.post(f"{page_of(ended)}/delete")

    assert answer.headers["location"] == "/projects/shop?notice=deleted"
    assert (await client.get(page_of(ended))).status_code == 404


async def test_the_files_of_a_release_are_shown_folder_by_folder(
    client: httpx2.AsyncClient,
    database: RolledBack,
    blobs: BlobStore,
    project: Project,
    source: Source,
    owner: Actor,
) -> None:
    manifest = [Entry("assets/app.js", "0" * 64, 2048), Entry("index.html", "1" * 64, 12)]
    deployment = await make.deployment(
        database,
        project,
        source,
        owner,
        status=Status.ready,
        manifest_sha256=sources.save_manifest(blobs, manifest),
    )

    top = await client.get(f"{page_of(deployment)}/files")
    folder = await client.get(f"{page_of(deployment)}/files?path=assets")

    assert "index.html" in top.text
    assert "app.js" not in top.text
    assert "app.js" in folder.text
    assert "2.0 KiB" in folder.text
    assert (await client.get(f"{page_of(deployment)}/files?path=nope")).status_code == 404


@pytest.mark.parametrize("verb", ["promote", "rollback", "cancel", "redeploy", "delete"])
async def test_what_belongs_to_somebody_else_does_not_exist(
    stranger: httpx2.AsyncClient, live: Deployment, verb: str
) -> None:
    assert (await stranger.get(page_of(live))).status_code == 404
    assert (await stranger.get(f"{page_of(live)}/files")).status_code == 404
    answer = await stranger.post(f"{page_of(live)}/{verb}")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.text


async def test_who_is_not_signed_in_is_led_there_and_back(
    anonymous: httpx2.AsyncClient, live: Deployment
) -> None:
    for path in (page_of(live), f"{page_of(live)}/files", "/deployments", "/status"):
        answer = await anonymous.get(path)
        assert answer.headers["location"] == f"/sign-in?next={path}"
    sent = await anonymous.post(f"{page_of(live)}/promote")
    assert sent.headers["location"] == "/sign-in?next=/projects&notice=expired"
