"""`git push windlass main`: real Git, through the edge, with the log in the terminal."""

import os
from pathlib import Path

import pytest

from tests.e2e import sites
from tests.e2e.repository import Repository
from tests.running import Instance, until

pytestmark = pytest.mark.xdist_group("instance")


@pytest.fixture
def pushed(instance: Instance, tmp_path: Path) -> Repository:
    repository = Repository(sites.static(tmp_path / tmp_path.name, "one"), instance)
    # Git sends more than a megabyte in chunks, and asks first whether it may.
    (repository.folder / "large.bin").write_bytes(os.urandom(2 << 20))
    repository.commit("Say one")
    instance.cli("git", "connect", cwd=repository.folder)
    return repository


def test_a_push_deploys_shows_the_log_and_rejects_what_does_not_build(pushed: Repository) -> None:
    instance = pushed.instance
    done = pushed.git("push", "windlass", "main")
    first = pushed.newest()
    url = str(first["url"])
    assert (first["status"], first["isPreview"], first["branch"]) == ("ready", False, "main")
    assert (first["commitMessage"], first["isActive"]) == ("Say one", True)
    assert "one" in instance.get(url).text
    assert f"remote: Live: {url}" in done.stderr
    assert "main -> main" in done.stderr
    assert "remote:   " in done.stderr, "the log of the build"

    # Only what is new is sent, and a branch that is not the project's is a preview.
    pushed.git("checkout", "--quiet", "-b", "feature")
    sites.static(pushed.folder, "two")
    sha = pushed.commit("Say two, windlass-missing")
    pushed.git("push", "windlass", "feature")
    preview = pushed.newest()
    assert (preview["isPreview"], preview["branch"], preview["commitSha"]) == (True, "feature", sha)
    assert "two" in instance.get(str(preview["url"])).text
    assert "one" in instance.get(url).text

    # The same commit goes to production when somebody says so.
    pushed.git("push", "-o", "production", "windlass", "feature:hotfix")
    assert "two" in instance.get(url).text

    # What does not build is rejected, and can be pushed again.
    (pushed.folder / "windlass.toml").write_text('build_command = "echo so not; exit 3"\n')
    pushed.commit("Break it")
    for _ in range(2):
        broken = pushed.git("push", "windlass", "feature", check=False)
        assert broken.returncode == 1
        assert "so not" in broken.stderr
        assert "[remote rejected] feature -> feature" in broken.stderr
    assert "two" in instance.get(url).text

    tag = pushed.git("push", "windlass", "HEAD:refs/tags/v1", check=False)
    assert "only branches are deployed" in tag.stderr
    strange = pushed.git("push", "-o", "loud", "windlass", "feature", check=False)
    assert "there is no push option 'loud'" in strange.stderr

    # With its branch a preview goes; what is live stays.
    assert "two" in instance.get(str(preview["url"])).text
    pushed.git("push", "windlass", "--delete", "hotfix", "feature")
    until(
        lambda: instance.get(str(preview["url"])).status_code == 404, what="the preview to be gone"
    )
    assert "two" in instance.get(url).text


def test_who_may_not_push_is_told(pushed: Repository) -> None:
    url = pushed.git("remote", "get-url", "windlass").stdout.strip()
    nobody = pushed.git(
        "-c", "credential.helper=", "push", url.replace("//", "//x:wl_no@"), "main", check=False
    )
    assert "Authentication failed" in nobody.stderr
    gone = pushed.git("push", url.replace(".git", "-gone.git"), "main", check=False)
    assert "not found" in gone.stderr
    fetched = pushed.git("fetch", "windlass", check=False)
    assert "gives none out" in fetched.stderr


def test_a_push_that_lacks_commits_is_refused_and_nothing_is_deployed(
    pushed: Repository, tmp_path: Path
) -> None:
    for text in ("two", "three"):
        sites.static(pushed.folder, text)
        pushed.commit(f"Say {text}")
    before = pushed.newest()["id"]
    place = tmp_path / "shallow"
    pushed.git("clone", "--quiet", "--depth=1", f"file://{pushed.folder}", str(place))
    url = pushed.git("remote", "get-url", "windlass").stdout.strip()
    helper = pushed.git("config", "--get-regexp", "credential").stdout.strip().splitlines()[-1]
    shallow = Repository(place, pushed.instance)
    shallow.git("config", *helper.split(" ", 1))

    done = shallow.git("push", url, "main", check=False)

    assert "Commits are missing in what was sent" in done.stderr
    assert done.returncode == 1
    assert pushed.newest()["id"] == before
    assert not list((pushed.instance.home / "work").glob("push-*"))
