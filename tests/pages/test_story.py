"""The whole story of a new user, in a real browser against a real Windlass."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.running import Instance

EMAIL, PASSWORD = "ada@example.com", "Correct horse battery 1"
# A browser says this of every answer that is not 2xx, also of forms with a mistake in them.
ANSWERED = "Failed to load resource: the server responded with a status of 4"
BUILD = """
const fs = require("fs");
let line = 0;
const timer = setInterval(() => {
  console.log("step " + ++line);
  if (line < Number(process.env.STEPS)) return;
  clearInterval(timer);
  fs.mkdirSync("dist");
  fs.writeFileSync("dist/index.html", "<h1>" + process.env.GREETING + "</h1>");
}, 100);
"""


class Visit:
    """A browser's page that remembers complaints and requests to other hosts."""

    def __init__(self, page: Page, home: str) -> None:
        self.page, self.home = page, home
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda found: self._hear(found.type, found.text))
        page.on("request", lambda request: self._see(request.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not text.startswith(ANSWERED):
            self.complaints.append(text)

    def _see(self, url: str) -> None:
        if not url.startswith((self.home, "data:", "blob:")):
            self.strangers.append(url)

    def open(self, path: str) -> None:
        self.page.goto(self.home + path)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f'[name="{name.replace("__", ".")}"]', value)

    def press(self, words: str) -> None:
        self.page.get_by_role("button", name=words, exact=True).first.click()

    def sees(self, words: str) -> None:
        expect(self.page.locator("main")).to_contain_text(words)

    def ends(self, status: str) -> str:
        """Without a reload the page says how it ended; returns its address."""
        expect(self.page.locator(f"#deployment[data-status={status}]")).to_be_visible()
        return self.page.url


@pytest.fixture
def visit(instance: Instance, new_context: Callable[..., BrowserContext]) -> Iterator[Visit]:
    context = new_context()
    yield Visit(context.new_page(), instance.url)
    context.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "greeter"
    found.mkdir()
    (found / "build.js").write_text(BUILD)
    package = {"private": True, "scripts": {"build": "node build.js"}}
    (found / "package.json").write_text(json.dumps(package))
    return found


def test_from_the_one_time_link_to_a_site_and_back(
    visit: Visit, instance: Instance, folder: Path, tmp_path: Path
) -> None:
    become_the_owner(visit, instance)
    try_a_repository_that_is_not_there(visit)
    first = deploy_a_folder(visit, instance, folder)
    deploy_an_archive(visit, instance, tmp_path)
    change_the_environment(visit)
    cancel_a_deployment(visit, first)
    second = deploy_again(visit, instance, folder)
    go_back_and_forth(visit, instance, first, second)
    rename_and_delete(visit, first)
    sign_out_and_in(visit)

    assert visit.complaints == []
    assert visit.strangers == []


def become_the_owner(visit: Visit, instance: Instance) -> None:
    token = (instance.home / "keys" / "setup.token").read_text()
    visit.open(f"/setup?token={token}")
    visit.fill(email=EMAIL, name="Ada", password=PASSWORD, password_again="something else")
    visit.press("Become the owner")
    visit.sees("The two passwords differ")
    visit.fill(password=PASSWORD, password_again=PASSWORD)
    visit.press("Become the owner")
    visit.page.wait_for_url("**/projects")


def try_a_repository_that_is_not_there(visit: Visit) -> None:
    visit.open("/projects/new?from=git")
    visit.fill(repository_url="ext::sh -c id")
    visit.press("Look inside")
    visit.sees("is not the URL of a Git repository we can fetch")
    visit.fill(repository_url="https://nowhere.invalid/site.git")
    visit.press("Look inside")
    expect(visit.page.locator(".note.bad")).to_contain_text("nowhere.invalid")


def deploy_a_folder(visit: Visit, instance: Instance, folder: Path) -> str:
    visit.open("/projects/new")
    visit.page.set_input_files("[data-drop-folder]", folder)
    visit.sees("a static site")
    assert visit.page.input_value('[name="build_command"]') == "npm run build"
    assert visit.page.input_value('[name="name"]') == "greeter"
    visit.fill(name="Greeter", output_directory="dist", env__0__key="STEPS", env__0__value="20")
    visit.press("Add another")
    visit.fill(env__1__key="GREETING", env__1__value="hello")
    visit.press("Deploy")
    visit.page.wait_for_url("**/deployments/depl_*")
    expect(visit.page.locator("[data-log-lines]")).to_contain_text("step 3")
    address = visit.ends("ready")
    visit.sees("Live at greeter.localhost")
    assert visit.page.title().startswith("✓ ")
    assert greeting(instance) == "<h1>hello</h1>"
    return address


def greeting(instance: Instance) -> str:
    return instance.get(f"http://greeter.localhost:{instance.port}/").text


def deploy_an_archive(visit: Visit, instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "quay").mkdir()
    (tmp_path / "quay" / "index.html").write_text("<h1>quay</h1>")
    archive = shutil.make_archive(str(tmp_path / "quay"), "zip", tmp_path / "quay")
    visit.open("/projects/new")
    visit.page.set_input_files("[data-drop-archive]", archive)
    visit.sees("Static files, a static site")
    visit.press("Deploy")
    visit.page.wait_for_url("**/deployments/depl_*")
    visit.ends("ready")
    assert instance.get(f"http://quay.localhost:{instance.port}/").text == "<h1>quay</h1>"


def change_the_environment(visit: Visit) -> None:
    visit.open("/projects/greeter/environment")
    visit.page.get_by_role("link", name="Edit STEPS").click()
    visit.fill(value="600")
    visit.press("Save")
    visit.sees("Saved. The next deployment uses the new values.")
    visit.fill(env__0__key="TOKEN", env__0__value="open sesame")
    visit.page.check('[name="env.0.secret"]')
    visit.press("Save variables")
    expect(visit.page.locator(".variables-list")).to_contain_text("TOKEN")
    assert "sesame" not in visit.page.content()


def cancel_a_deployment(visit: Visit, first: str) -> None:
    visit.page.goto(first)
    visit.press("Redeploy")
    visit.page.wait_for_url(lambda url: url != first)
    expect(visit.page.locator("[data-log-lines]")).to_contain_text("step 2")
    visit.press("Cancel")
    visit.ends("cancelled")


def deploy_again(visit: Visit, instance: Instance, folder: Path) -> str:
    visit.open("/projects/greeter/environment")
    for key in ("GREETING", "STEPS"):
        visit.page.locator("li", has_text=key).get_by_role("button", name="Delete").click()
        visit.page.locator("#confirm [value=yes]").click()
        expect(visit.page.locator(".variables-list")).not_to_contain_text(key)
    visit.fill(env__0__key="GREETING", env__0__value="good day")
    visit.press("Save variables")
    expect(visit.page.locator(".variables-list")).to_contain_text("good day")
    visit.open("/projects/greeter/deploy")
    visit.page.set_input_files("[data-drop-folder]", folder)
    visit.press("Deploy")
    visit.page.wait_for_url("**/deployments/depl_*")
    address = visit.ends("ready")
    assert greeting(instance) == "<h1>good day</h1>"
    return address


def go_back_and_forth(visit: Visit, instance: Instance, first: str, second: str) -> None:
    for address, words in ((first, "hello"), (second, "good day")):
        visit.page.goto(address)
        visit.sees("Ready, another version is live")
        visit.press("Roll back to this")
        visit.sees("Live at greeter.localhost")
        assert greeting(instance) == f"<h1>{words}</h1>"


def rename_and_delete(visit: Visit, first: str) -> None:
    visit.open("/projects/greeter/settings")
    visit.fill(name="Welcome")
    visit.press("Save settings")
    visit.sees("Saved.")
    visit.fill(confirm="Welcome")
    visit.press("Delete Welcome")
    visit.page.wait_for_url("**/projects?notice=deleted")
    expect(visit.page.locator("#project-cards")).not_to_contain_text("Welcome")
    visit.page.goto(first)
    visit.sees("There is nothing at this address")


def sign_out_and_in(visit: Visit) -> None:
    visit.open("/account")
    visit.press("Sign out")
    visit.sees("You are signed out.")
    visit.open("/deployments?status=ready")
    assert re.search(r"/sign-in\?next=", visit.page.url)
    visit.fill(login=EMAIL, password="not this one")
    visit.press("Sign in")
    visit.sees("User name or e-mail, and password, do not match.")
    visit.fill(password=PASSWORD)
    visit.press("Sign in")
    visit.page.wait_for_url("**/deployments?status=ready")
