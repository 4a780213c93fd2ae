"""Which release and which cluster somebody means."""

import sys
from pathlib import Path

from windlass.cli.api import Api
from windlass.cli.errors import CliError
from windlass.cli.release_schemas import Release

_YAML = (".yaml", ".yml", ".json")


class NoSuchRelease(CliError):
    """There is no release {name}."""

    fix = "`windlass releases list` lists them."


class SeveralReleases(CliError):
    """Several releases are called {name}: {them}."""

    fix = "Name one as NAMESPACE/NAME, or by its id."


class NoSuchCluster(CliError):
    """There is no cluster {name}."""

    fix = "Bring one along in the panel, under Clusters. You have: {them}."


class WhichCluster(CliError):
    """You have {count} clusters."""

    fix = "Name one with --cluster: {them}."


class NothingToDeploy(CliError):
    """There is no YAML in {path}."""

    fix = "Name a file or a folder with manifests, or - for the standard input."


def release(api: Api, name: str) -> Release:
    """With its newest revision."""
    if name.startswith("rel_"):
        return api.release(name)
    namespace, _, short = name.rpartition("/")
    rows = [*api.releases(namespace=namespace or None)]
    rows += [*api.releases(namespace=namespace or None, status="deleted")]
    found = [one for one in rows if one.name == short]
    alive = [one for one in found if one.status != "DELETED"]
    found = alive if len(alive) == 1 else found
    if not found:
        raise NoSuchRelease(name=name)
    if len(found) > 1:
        them = ", ".join(f"{one.namespace}/{one.name} ({one.id})" for one in found)
        raise SeveralReleases(name=name, them=them)
    return api.release(found[0].id)


def cluster_id(api: Api, name: str | None) -> str:
    """The only one there is, unless one is named."""
    rows = api.cluster_rows()
    them = ", ".join(one.name for one in rows) or "none"
    if name is not None:
        found = [one for one in rows if name in (one.id, one.name)]
        if not found:
            raise NoSuchCluster(name=name, them=them)
        return found[0].id
    if len(rows) != 1:
        raise WhichCluster(count=len(rows), them=them)
    return rows[0].id


def text(paths: tuple[str, ...]) -> str:
    """The manifests of files and folders as one text, in the order of their names."""
    parts: list[str] = []
    for path in paths:
        if path == "-":
            parts.append(sys.stdin.read())
            continue
        place = Path(path)
        files = (
            sorted(one for one in place.rglob("*") if one.suffix in _YAML and one.is_file())
            if place.is_dir()
            else [place]
        )
        if not files:
            raise NothingToDeploy(path=path)
        parts += [_read(file) for file in files]
    if len(parts) == 1:
        return parts[0]
    return "".join(_separated(part) for part in parts)


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(path=file, said=error) from error


class Unreadable(CliError):
    """{path} cannot be read: {said}."""

    fix = "Manifests are text in UTF-8."


def _separated(part: str) -> str:
    text = part if part.endswith("\n") or not part else f"{part}\n"
    return text if text.startswith("---") else f"---\n{text}"
