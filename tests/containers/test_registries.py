"""Private images: fetched with the login of the project, from the registry that it is for."""

from pathlib import Path

import pytest

from tests.containers import engines
from tests.containers.engines import Dockerd, Registry
from tests.containers.test_building import RUNS, Builder
from windlass.builds.pulling import Login
from windlass.builds.steps import BuildFailed

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.xdist_group("containers")]


def login(registry: Registry, *, place: str = "", password: str = "") -> Login:
    username, right = registry.USER
    return Login(registry=place or registry.place, username=username, password=password or right)


@pytest.fixture
def builder(tmp_path: Path, dockerd: Dockerd, private_registry: Registry) -> Builder:
    return Builder(tmp_path, dockerd.address, private=(private_registry.place,))


@pytest.fixture(scope="module")
def image(dockerd: Dockerd, private_registry: Registry) -> str:
    return private_registry.put(dockerd, "team/base:1", engines.base_files())


@pytest.mark.parametrize("mount", ["", "--mount=type=tmpfs,target=/t "])
async def test_a_dockerfile_starts_from_a_private_image(
    builder: Builder, image: str, private_registry: Registry, dockerd: Dockerd, mount: str
) -> None:
    """With either builder; the password is nowhere afterwards."""
    builder.logins = (login(private_registry),)

    plan = await builder.build({"Dockerfile": f"FROM {image}\nRUN {mount}echo built\n{RUNS}"})

    assert plan.container is not None
    found = dockerd.http.get(f"/images/{plan.container.digest}/json").text
    found += dockerd.http.get(f"/images/{plan.container.digest}/history").text
    assert private_registry.USER[1] not in found + builder.log.text


async def test_without_a_login_or_with_a_wrong_one_it_is_refused(
    builder: Builder, image: str, private_registry: Registry, dockerd: Dockerd
) -> None:
    async def refusal(*logins: Login, name: str = image) -> str:
        builder.logins = logins
        with pytest.raises(BuildFailed) as failed:
            await builder.build({"Dockerfile": f"FROM {name}\n{RUNS}"})
        assert failed.value.code == "REGISTRY_REFUSED"
        return str(failed.value)

    # Whoever is let in brings it here; that opens it to nobody else, not even by its digest.
    builder.logins = (login(private_registry),)
    await builder.build({"Dockerfile": f"FROM {image}\n{RUNS}"})
    kept = dockerd.http.get("/images/json").json()
    [pinned] = {
        digest
        for each in kept
        for digest in each["RepoDigests"] or ()
        if digest.startswith(f"{private_registry.place}/team/base@")
    }

    assert "Add a login to the project's registries" in await refusal()
    assert "Add a login" in await refusal(name=pinned)
    wrong = await refusal(login(private_registry, password="wrong-one"))
    assert f"does not let robot have the image {image}" in wrong
    assert "wrong-one" not in wrong
    # A login for another registry is not shown to this one.
    assert "Add a login" in await refusal(login(private_registry, place="ghcr.io"))
