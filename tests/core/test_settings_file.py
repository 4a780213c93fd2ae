"""The file of settings, secrets in files of their own, and keys that production must be given:
C-290 to C-295, D-39, B-032, B-143."""

import base64
from pathlib import Path

import pytest

from windlass.core import crypto
from windlass.core.crypto import KeyRing, SealBroken
from windlass.core.environment import InvalidSettings, load

KEYS = ("WINDLASS_SECRETS__DATA_KEY", "WINDLASS_SECRETS__SESSION_KEY")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def wrong(environ: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        load(environ)
    return str(caught.value).splitlines()


def test_a_file_has_the_same_names_and_the_environment_wins(tmp_path: Path) -> None:
    write(
        tmp_path / "windlass.toml",
        'port = 9000\nurl = "https://w.example"\n'
        '[builds]\ntimeout_seconds = 60\ncpus = 1.5\negress = ["a.example", "b.example"]\n',
    )

    found = load({"WINDLASS_HOME": str(tmp_path), "WINDLASS_PORT": "9001"})

    assert (found.port, found.url) == (9001, "https://w.example")
    assert (found.builds.timeout_seconds, found.builds.cpus) == (60, 1.5)
    assert found.builds.egress == "a.example,b.example"


def test_what_is_wrong_in_the_file_is_named_with_its_line_together_with_the_rest(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "other.toml",
        '# ours\nprot = 1\n\n[builds]\nspeed = "fast"\nunsafe = "perhaps"\n'
        "[nothing]\na = 1\nPort = 1\n",
    )

    assert wrong({"WINDLASS_CONFIG": str(path), "WINDLASS_PORT": "many"}) == [
        f"{path}:2: prot: there is no such setting",
        f"{path}:5: builds.speed: there is no such setting",
        f"{path}:6: builds.unsafe: Expected `bool`, got `str`",
        f"{path}:8: nothing.a: there is no such setting",
        f"{path}:9: nothing.Port: there is no such setting",
        "WINDLASS_PORT: Expected `int`, got `str`",
    ]


@pytest.mark.parametrize("text", ["port = ", "\udcff", "[builds"])
def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "windlass.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))

    assert wrong({"WINDLASS_HOME": str(tmp_path)})[0].startswith(f"{path}: ")
    assert wrong({"WINDLASS_CONFIG": "/nowhere.toml"}) == [
        "/nowhere.toml: No such file or directory"
    ]


def test_the_file_of_a_home_cannot_move_the_home(tmp_path: Path) -> None:
    path = write(tmp_path / "windlass.toml", 'home = "/elsewhere"\n')

    [line] = wrong({"WINDLASS_HOME": str(tmp_path)})

    assert line.startswith(f"{path}:1: home: ")


@pytest.mark.parametrize(("text", "value"), [("false", False), ("true", True), ("0", False)])
def test_false_means_false(text: str, value: bool) -> None:
    """C-293."""
    assert load({"WINDLASS_BUILDS__UNSAFE": text}).builds.unsafe is value


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    """C-295: as Kubernetes mounts them."""
    mounted = tmp_path / "data"
    mounted.write_text("postgresql://windlass@db/windlass\n")

    found = load({"WINDLASS_DATABASE_URL_FILE": str(mounted)})

    assert found.database_url == "postgresql://windlass@db/windlass"
    missing = {"WINDLASS_MAIL__PASSWORD_FILE": "/nowhere", "WINDLASS_PORT_FILE": "/nowhere"}
    assert wrong(missing) == [
        "WINDLASS_MAIL__PASSWORD_FILE: No such file or directory",
        "WINDLASS_PORT_FILE: there is no such setting",
    ]
    twice = {"WINDLASS_DATABASE_URL_FILE": str(mounted), "WINDLASS_DATABASE_URL": "postgresql://x"}
    assert wrong(twice) == [
        "WINDLASS_DATABASE_URL_FILE: WINDLASS_DATABASE_URL is given too; one of them is enough"
    ]


def test_a_file_with_secrets_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "windlass.toml", '[mail]\npassword = "hush"\n')
    assert load({"WINDLASS_HOME": str(tmp_path)}).mail.password == "hush"

    path.chmod(0o640)

    assert wrong({"WINDLASS_HOME": str(tmp_path)}) == [
        f"{path}: holds secrets and others may read it; run: chmod 600 {path}"
    ]


def test_production_makes_no_key_by_itself(tmp_path: Path) -> None:
    """C-292, D-39: both are named, with the command; what is given or made counts."""
    environ = {"WINDLASS_HOME": str(tmp_path), "WINDLASS_ENVIRONMENT": "production"}

    found = wrong(environ)

    assert [line.split(":")[0] for line in found] == list(KEYS)
    assert all("windlass keys init" in line for line in found)
    assert not (tmp_path / "keys").exists()
    given = load(environ | {name: crypto.new_key() for name in KEYS})
    assert len(given.secrets.data_keys[0]) == 32
    assert load({"WINDLASS_HOME": str(tmp_path)}).secrets.data_keys == ()


@pytest.mark.parametrize(
    "text",
    [
        "changeme",
        "c2hvcnQ=",
        "not base64!",
        "A" * 44,
        "changeme" * 6,
        base64.b64encode(b"please change this secret before you use it").decode(),
        base64.b64encode(bytes(range(31))).decode(),
    ],
)
def test_a_key_that_nobody_chose_by_chance_is_refused_and_not_shown(text: str) -> None:
    found = wrong(dict.fromkeys(KEYS, text))

    assert [line.split(":")[0] for line in found] == list(KEYS)
    assert text not in "".join(found)


def test_no_secret_is_shown_when_settings_are_printed() -> None:
    key = crypto.new_key()
    found = load(
        {
            "WINDLASS_SECRETS__DATA_KEY": key,
            "WINDLASS_MAIL__PASSWORD": "hunter2",
            "WINDLASS_DATABASE_URL": "postgresql://w:hunter2@db/w",
            "WINDLASS_REDIS_URL": "redis://:hunter2@cache",
        }
    )

    shown = repr(found) + str(found) + f"{found.mail} {found.secrets!r}"

    assert "hunter2" not in shown
    assert key not in shown
    assert "port=8000" in shown


def test_a_given_key_seals_and_those_in_the_file_still_open(tmp_path: Path) -> None:
    before = KeyRing.load(tmp_path)
    sealed = before.seal(b"old", context="c")
    first, second = (crypto.given_keys(crypto.new_key())[0] for _ in range(2))

    ring = KeyRing.load(tmp_path, [first])

    assert ring.open_sealed(sealed, context="c") == b"old"
    assert crypto.key_name(ring.seal(b"new", context="c")) == ring.newest != before.newest
    turned = KeyRing.load(tmp_path, [second, first])
    assert turned.open_sealed(ring.seal(b"new", context="c"), context="c") == b"new"
    with pytest.raises(SealBroken):
        before.open_sealed(ring.seal(b"new", context="c"), context="c")


def test_with_a_given_key_none_is_made(tmp_path: Path) -> None:
    KeyRing.load(tmp_path / "keys", crypto.given_keys(crypto.new_key()))

    assert not (tmp_path / "keys").exists()


def test_a_ring_notices_what_another_process_does(tmp_path: Path) -> None:
    ring, other = KeyRing.load(tmp_path), KeyRing.load(tmp_path)
    sealed, mark = ring.seal(b"x", context="c"), ring.mark("x", context="c")

    other.add()

    assert crypto.key_name(ring.seal(b"x", context="c")) == other.newest
    assert ring.open_sealed(sealed, context="c") == b"x"
    assert ring.is_marked("x", mark, context="c")
    other.forget_older()
    with pytest.raises(SealBroken):
        ring.open_sealed(sealed, context="c")
    assert (tmp_path / "data.json").stat().st_mode & 0o777 == 0o600
