"""Dockerfiles and images on a whole instance: deployed, switched, rolled back, found again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers import apps, engines
from tests.containers.engines import Dockerd, Registry
from tests.running import Instance, until
from windlass.core.container import instance_id

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("containers")]


@pytest.fixture(scope="module")
def windlass(
    dockerd: Dockerd, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    found = Instance(
        tmp_path_factory.mktemp("wlc"),
        WINDLASS_DOCKER_HOST=dockerd.address,
        WINDLASS_CONTAINERS__LOCAL_IMAGES=engines.BASE,
        WINDLASS_BUILDS__ALLOW_PRIVATE=registry.place,
    )
    found.start()
    yield found
    found.stop()


def source(folder: Path, page: str, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "page").write_text(page)
    serve = 'CMD ["/bin/busybox", "httpd", "-f", "-p", "8080", "-h", "/www"]'
    text = [f"FROM {engines.BASE}", "COPY page /www/index.html", *lines, "EXPOSE 8080", "USER 1000"]
    (folder / "Dockerfile").write_text("\n".join([*text, serve]) + "\n")
    return folder


def test_a_dockerfile_is_deployed_switched_and_rolled_back(
    windlass: Instance, dockerd: Dockerd, tmp_path: Path
) -> None:
    folder = source(tmp_path / "shop", "one")
    first = windlass.deploy(folder)
    assert first["status"] == "ready", first["errorMessage"]
    assert windlass.get(first["url"]).text == "one"
    assert first["plan"]["container"]["digest"].startswith("sha256:")
    assert first["plan"]["port"] == 8080
    log = windlass.api("GET", f"/api/deployments/{first['id']}/logs?limit=1000").text
    assert "COPY page" in log

    source(folder, "two")
    second = windlass.deploy(folder, "--prod")
    assert windlass.get(second["url"]).text == "two"

    windlass.cli("rollback", cwd=folder)
    assert windlass.get(second["url"]).text == "one"

    # The edge and the control plane die; the container does not, and is gone on with.
    ours = instance_id(windlass.home)
    (running,) = dockerd.containers(instance=ours, release=first["id"], role="app")
    windlass.kill("-m windlass.control")
    windlass.kill("-m windlass.edge")
    until(lambda: windlass.is_up(), what="the parts to be started again")
    until(lambda: windlass.get(first["url"]).status_code == 200, what="the site")
    assert windlass.get(first["url"]).text == "one"
    (still,) = dockerd.containers(instance=ours, release=first["id"], role="app")
    assert still["Id"] == running["Id"]


def test_a_builder_that_is_killed_leaves_nothing_of_ours_and_touches_nothing_of_others(
    windlass: Instance, dockerd: Dockerd, tmp_path: Path
) -> None:
    """It is built again by itself; then it is cancelled, and every container of it is gone."""
    body = {"Image": engines.BASE, "Cmd": ["/bin/sh"], "HostConfig": {"NetworkMode": "none"}}
    foreign = dockerd.http.post("/containers/create", json=body).json()["Id"]
    ours = instance_id(windlass.home)
    folder = source(tmp_path / "slow", "slow", "RUN busybox sleep 600")

    def building() -> set[str]:
        """The steps and guards of builds: what is no app."""
        found = dockerd.containers(instance=ours)
        return {each["Id"] for each in found if each["Labels"].get("windlass.role") != "app"}

    def sleeping() -> set[str]:
        found = dockerd.containers(instance=ours)
        return {each["Id"] for each in found if "sleep 600" in each["Command"]}

    made = windlass.deploy(folder, "--no-wait")
    until(sleeping, what="the step to run")
    before = sleeping()
    windlass.kill("-m windlass.control")
    until(lambda: windlass.is_up(), what="the control plane to be started again")
    until(lambda: sleeping() - before, what="the build to begin again")
    asked = windlass.api("POST", f"/api/deployments/{made['id']}/cancel")
    assert asked.status_code < 300, asked.text

    windlass.wait(made["id"], "cancelled")
    until(lambda: not building(), what="everything of the build to be gone")
    assert dockerd.http.get(f"/containers/{foreign}/json").status_code == 200
    dockerd.http.delete(f"/containers/{foreign}", params={"force": 1})


def test_a_dockerfile_that_is_broken_is_refused_before_anything_is_built(
    windlass: Instance, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPPY a b\n")

    done = windlass.deploy(folder, check=False)

    assert "Dockerfile, line 2" in done["error"]["message"]
    assert "did you mean COPY" in done["error"]["message"]


def test_an_image_is_deployed_by_its_name_and_gone_back_to_by_its_digest(
    windlass: Instance, dockerd: Dockerd, registry: Registry
) -> None:
    """The tag moves on; what was live before comes back. A deleted project leaves nothing."""

    def put(page: str) -> str:
        files = {**engines.base_files(), **apps.web_files(page)}
        return registry.put(dockerd, "team/web:1", files, f"CMD {apps.SERVE}", "EXPOSE 3000")

    name = put("first")
    before = dockerd.images()
    first = windlass.deploy_image(name, "--project", "by-name")
    assert first["status"] == "ready", first["errorMessage"]
    assert windlass.get(first["url"]).text == "first"
    digest = first["plan"]["container"]["digest"]
    assert digest.startswith(f"{registry.place}/team/web@sha256:")

    put("second")
    second = windlass.deploy_image(name, "--project", "by-name", "--prod")
    assert windlass.get(second["url"]).text == "second"
    assert second["plan"]["container"]["digest"] != digest
    windlass.cli("rollback", "--project", "by-name")
    assert windlass.get(first["url"]).text == "first"

    ours = f"windlass-{instance_id(windlass.home)}"
    windlass.cli("projects", "delete", "by-name", "--yes")
    ids = (first["id"], second["id"])
    until(
        lambda: not [tag for tag in dockerd.images() if tag in {f"{ours}:{id}" for id in ids}],
        what="the images to be gone",
    )
    assert not dockerd.containers(instance=instance_id(windlass.home), release=first["id"])
    assert set(before) <= set(dockerd.images())


def test_an_image_that_no_registry_has_is_said(windlass: Instance, registry: Registry) -> None:
    done = windlass.deploy_image(f"{registry.place}/nobody/nothing:1", check=False)

    assert done["errorCode"] == "IMAGE_NOT_FOUND", done
    assert "nobody/nothing:1" in done["errorMessage"]
