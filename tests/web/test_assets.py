"""The build of the assets: quick when nothing changed, names with hashes, no registry named."""

import json

from windlass.web import assets_build, static_files


def test_a_second_build_does_nothing() -> None:
    assert assets_build.build() is False


def test_every_asset_has_a_name_with_its_hash_and_exists() -> None:
    files = json.loads((static_files.FOLDER / "manifest.json").read_text())["files"]

    assert {"app.js", "app.css", "icons.svg", "favicon.svg"} <= set(files)
    for plain, hashed in files.items():
        assert hashed != plain
        assert (static_files.FOLDER / hashed).is_file()
    assert static_files.asset("app.css") == f"/-/assets/{files['app.css']}"


def test_the_lock_file_names_no_registry_and_versions_are_exact() -> None:
    lock = json.loads((assets_build.SOURCES / "package-lock.json").read_text())
    package = json.loads((assets_build.SOURCES / "package.json").read_text())

    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
    for version in [*package["dependencies"].values(), *package["devDependencies"].values()]:
        assert version[0].isdigit()


def test_every_icon_in_the_templates_is_in_the_sprite() -> None:
    sprite = (static_files.FOLDER / static_files.asset("icons.svg").split("/")[-1]).read_text()
    icons = json.loads((assets_build.SOURCES / "icons.json").read_text())

    assert [name for name in icons if f'id="{name}"' not in sprite] == []


def test_scripts_agree_with_their_types() -> None:
    assert assets_build.check() == ""
