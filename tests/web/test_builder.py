"""The builder in a browser: what people do with it, answered by what answers in the product."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import Visit

WAIT = 30_000


@pytest.fixture
def builder(visit: Visit) -> Iterator[Page]:
    page = visit.open("/charts")
    page.wait_for_selector("[data-fields] input", timeout=WAIT)
    yield page
    # A form that is not finished is refused, and browsers note each refusal.
    assert [one for one in visit.complaints if "422" not in one] == []
    assert visit.strangers == []


def text(page: Page) -> str:
    return page.locator("[data-editor] textarea").input_value()


def until_yaml(page: Page, words: str) -> None:
    """Until the YAML of the server holds this."""
    script = "(words) => document.querySelector('[data-editor] textarea')?.value.includes(words)"
    page.wait_for_function(script, arg=words, timeout=WAIT)


def add(page: Page, group: str, type: str) -> None:
    page.select_option(f"[data-add={group}]", type)


def fill(page: Page, path: str, value: str) -> None:
    page.locator(f'[id="b-{path}"]').fill(value)


def outline(page: Page, group: str = "workloads") -> list[str]:
    return page.locator(f"[data-items={group}] .mono").all_inner_texts()


def test_from_nothing_to_checked_manifests(builder: Page) -> None:
    """K-077, K-103, K-121, K-122: the form, its YAML, findings at their field, fix, reload."""
    page = builder
    expect(page.locator("[data-state]")).to_have_text("Add a workload", timeout=WAIT)
    fill(page, "namespace", "shop")
    add(page, "workloads", "Deployment")
    image = page.locator('[id="b-workloads.0.containers.0.image"]')
    expect(image).to_be_focused()
    # Not filled in yet: the mistake stands at the field, and the part is marked.
    expect(page.locator(".error.found")).to_contain_text("needs an image", timeout=WAIT)
    expect(page.locator("[data-items=workloads] .count")).to_have_text("1")
    image.fill("ghcr.io/acme/web")
    until_yaml(page, "image: ghcr.io/acme/web\n")
    finding = page.locator('[data-path="workloads.0.containers.0.image"] .finding')
    expect(finding).to_contain_text("has no tag", timeout=WAIT)
    expect(finding.locator("a")).to_have_attribute("href", "/charts/rules/image-tag")
    image.fill("ghcr.io/acme/web:1.4.2")
    page.get_by_role("button", name="Add: ports").click()
    fill(page, "workloads.0.containers.0.ports.0.containerPort", "8080")
    expect(page.locator("[data-summary]")).to_have_text("Nothing is wrong with it.", timeout=WAIT)

    # A finding with one answer is mended in the form.
    page.locator("summary", has_text=re.compile("^Security$")).first.click()
    page.locator("summary", has_text=re.compile("^Security context")).click()
    page.select_option('[id="b-workloads.0.containers.0.securityContext.privileged"]', "true")
    privileged = page.locator("[data-findings] li", has_text="it is privileged")
    expect(privileged).to_be_visible(timeout=WAIT)
    privileged.get_by_role("button", name="Mend").click()
    expect(privileged).to_have_count(0, timeout=WAIT)
    assert "privileged: true" not in text(page)

    # Duplicate, move, rename, remove: the neighbour is chosen.
    page.locator("[data-act=duplicate]").click()
    assert outline(page) == ["web", "web-2"]
    fill(page, "workloads.1.name", "worker")
    page.locator("[data-act=up]").click()
    assert outline(page) == ["worker", "web"]
    until_yaml(page, "name: worker\n")
    page.locator("[data-act=remove]").click()
    assert outline(page) == ["web"]
    expect(page.locator("#part-title")).to_contain_text("web")

    add(page, "resources", "Secret")
    page.locator("[data-fields] .add").first.click()
    row = page.locator("[data-fields] .list-row input")
    row.nth(0).fill("API_KEY")
    row.nth(1).fill("f7c3bc1d808e04732adf")
    until_yaml(page, "API_KEY: ZjdjM2JjMWQ4MDhlMDQ3MzJhZGY=")
    expect(page.locator(".y-secret").first).to_contain_text("•")
    assert "ZjdjM2" not in page.locator(".paint").inner_text()
    page.locator("[data-secrets]").click()
    assert "ZjdjM2" in page.locator(".paint").inner_text()

    page.reload()
    until_yaml(page, "name: web\n")
    assert outline(page) == ["web"]
    assert outline(page, "resources") == ["secret"]
    # Values of secrets are not kept in the browser.
    assert "ZjdjM2" not in text(page)
    assert "API_KEY" in text(page)


def test_edited_yaml_counts_until_somebody_agrees_to_make_it_anew(builder: Page) -> None:
    """K-091, D-58."""
    page = builder
    add(page, "workloads", "Deployment")
    fill(page, "workloads.0.containers.0.image", "ghcr.io/acme/web:1.4.2")
    until_yaml(page, "web:1.4.2")
    area = page.locator("[data-editor] textarea")
    area.fill(text(page).replace("web:1.4.2", "web:2.0.0") + "# mine\n")
    expect(page.locator("[data-edited]")).to_be_visible()
    expect(page.locator("[data-state]")).to_have_text("Edited", timeout=WAIT)

    fill(page, "workloads.0.name", "other")
    expect(page.locator("#confirm")).to_be_visible()
    page.locator("#confirm button[value=no]").click()
    assert "web:2.0.0" in text(page)
    assert outline(page) == ["web"]

    # A mistake is marked at its line, and the finding leads there.
    area.fill(text(page).replace("kind: Deployment", "kind: Deployment\nkind: Again"))
    expect(page.locator(".row-line.error")).to_have_count(1, timeout=WAIT)
    page.locator("[data-findings] .link").first.click()
    expect(area).to_be_focused()
    area.fill(text(page).replace("kind: Deployment\nkind: Again", "kind: Deployment"))
    expect(page.locator(".row-line.error")).to_have_count(0, timeout=WAIT)

    page.locator("[data-recover]").click()
    expect(page.locator("[data-edited]")).to_be_hidden(timeout=WAIT)
    until_yaml(page, "web:2.0.0")
    expect(page.locator('[id="b-workloads.0.containers.0.image"]')).to_have_value(
        "ghcr.io/acme/web:2.0.0"
    )


def test_an_older_answer_never_replaces_a_newer_one(builder: Page) -> None:
    page = builder
    add(page, "workloads", "Deployment")
    fill(page, "workloads.0.containers.0.image", "ghcr.io/acme/web:1")
    until_yaml(page, "web:1\n")
    held: list[Route] = []

    def hold(route: Route) -> None:
        """The question about the second image stays without an answer."""
        if "web:2" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/api/charts/generate", hold)
    with page.expect_request(lambda asked: "web:2" in (asked.post_data or "")):
        fill(page, "workloads.0.containers.0.image", "ghcr.io/acme/web:2")
    with page.expect_event("requestfailed") as given_up:
        fill(page, "workloads.0.containers.0.image", "ghcr.io/acme/web:3")
    until_yaml(page, "web:3\n")

    assert len(held) == 1
    assert "web:2" in (given_up.value.post_data or "")
    expect(page.locator("[data-state]")).to_contain_text("objects", timeout=WAIT)
    page.unroute_all(behavior="ignoreErrors")


def test_a_compose_file_is_read_with_a_report_of_its_lines(builder: Page) -> None:
    page = builder
    page.locator("[data-select=import]").click()
    page.get_by_label("Compose file").check()
    page.locator("#import-text").fill("a: 1\n")
    page.locator("[data-import-go]").click()
    expect(page.locator("#import-error")).to_contain_text("no compose file", timeout=WAIT)

    page.locator("#import-text").fill(
        "services:\n  api:\n    image: ghcr.io/acme/api:2.0\n    ports: ['80']\n    ulimits: {}\n"
    )
    page.locator("[data-import-go]").click()
    expect(page.locator(".report li")).to_have_count(3, timeout=WAIT)
    expect(page.locator(".report .status.bad")).to_have_text("impossible")
    until_yaml(page, "image: ghcr.io/acme/api:2.0\n")
    assert outline(page) == ["api"]


def test_the_yaml_is_downloaded_and_the_field_at_the_caret_is_explained(builder: Page) -> None:
    page = builder
    fill(page, "namespace", "shop")
    add(page, "workloads", "Deployment")
    fill(page, "workloads.0.containers.0.image", "ghcr.io/acme/web:1.4.2")
    until_yaml(page, "web:1.4.2")
    with page.expect_download() as downloaded:
        page.locator("[data-download]").click()
    assert downloaded.value.suggested_filename == "shop.yaml"
    assert "kind: Namespace" in downloaded.value.path().read_text()

    page.locator("[data-editor] textarea").evaluate(
        "area => { area.focus(); const at = area.value.indexOf('replicas:');"
        " area.setSelectionRange(at, at); }"
    )
    expect(page.locator("[data-hint]")).to_contain_text("spec.replicas: whole number", timeout=WAIT)


def test_what_would_change_is_seen_and_agreed_to_before_it_is_deployed(
    builder: Page, visit: Visit
) -> None:
    """K-101: the summary names the place, the counts and the environment."""
    page = builder
    fill(page, "namespace", "shop")
    add(page, "workloads", "Deployment")
    fill(page, "workloads.0.containers.0.image", "ghcr.io/acme/web:1.4.2")
    until_yaml(page, "web:1.4.2")
    page.locator("[data-select=deploy]").click()
    expect(page.locator("#deploy-cluster option")).to_have_count(1, timeout=WAIT)
    page.select_option("#deploy-environment", "staging")
    page.locator("[data-plan]").click()
    rows = page.locator("[data-planned] li:has(.status)")
    expect(rows).to_have_count(3, timeout=WAIT)
    expect(rows.nth(1)).to_contain_text("Deployment web")
    rows.nth(1).locator("summary").click()
    expect(rows.nth(1).locator(".changes")).to_have_text("spec.replicas: 1 2")

    page.locator("[data-go]").click()
    expect(page.locator("#confirm h2")).to_have_text("Deploy web?")
    told = page.locator("#confirm-rest")
    expect(told).to_contain_text("1 workload and")
    expect(told).to_contain_text("into the namespace shop of Staging in Falkenstein, as staging.")
    expect(told).to_contain_text("1 object is taken away. You take 1 warning upon yourself.")
    page.locator("#confirm button[value=no]").click()
    assert not any(path == "/api/releases" for path, _ in visit.gallery.posted)

    page.locator("[data-go]").click()
    page.locator("#confirm button[value=yes]").click()
    said = page.locator("[data-deploy-said]")
    expect(said).to_have_text("web, revision 3: deployed.", timeout=WAIT)
    sent = [json.loads(body) for path, body in visit.gallery.posted if path == "/api/releases"]
    assert len(sent) == 1
    assert sent[0]["confirm"] == "d1g3s7"
    assert (sent[0]["clusterId"], sent[0]["namespace"]) == ("cls_1", "shop")
    assert sent[0]["manifest"] == text(page)
    assert sent[0]["form"]["workloads"][0]["name"] == "web"
