"""Packed charts, in memory: what is read, what is refused, and what Helm gets to see.

Helm follows links that leave a chart's folder and reads schemas from the network. It gets neither:
a folder is packed by us, an archive is read and packed again, without links and with schemas that
refer to themselves only.
"""

import gzip
import io
import json
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pathspec

from windlass.helm.errors import HelmFailed

MOST_PACKED = 20 << 20
MOST_UNPACKED = 64 << 20
MOST_FILE = 5 << 20
MOST_FILES = 10_000
_MOST_NESTED = 4
_SCHEMA = "values.schema.json"
# What is never a part of a chart, whatever its .helmignore says.
_NEVER = (".git/", ".hg/", ".svn/", ".DS_Store", "/.helmignore", "templates/.?*")


class Packed(msgspec.Struct, frozen=True):
    """A chart as Helm may see it."""

    data: bytes
    files: tuple[str, ...]
    """Names below the chart's folder."""
    notes: tuple[str, ...] = ()
    """What was left out of it."""


class ChartRefused(HelmFailed):
    """The file or folder is no chart that is taken."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__("chart", message, hint)


def clean(data: bytes) -> Packed:
    """A `.tgz` of anybody → the same chart without what Helm shall not see. Raises ChartRefused."""
    notes: list[str] = []
    files = _cleaned(data, notes, depth=0)
    top = next(iter(files)).partition("/")[0]
    return (
        Packed(_pack(files), tuple(name.partition("/")[2] for name in files), tuple(notes))
        if f"{top}/Chart.yaml" in files
        else _no_chart(files)
    )


def folder(path: Path) -> Packed:
    """A chart's folder, packed. Raises ChartRefused, for a link in it as well."""
    if not (path / "Chart.yaml").is_file():
        raise ChartRefused(f"{path} is no chart: it has no Chart.yaml")
    top = path.resolve().name
    files: dict[str, bytes] = {}
    total = 0
    for file in _walk(path):
        data = file.read_bytes()
        total += len(data)
        _check_sizes(str(file), len(data), total, len(files))
        files[f"{top}/{file.relative_to(path).as_posix()}"] = data
    return clean(_pack(files))


def _no_chart(files: dict[str, bytes]) -> Packed:
    shown = ", ".join(list(files)[:3])
    raise ChartRefused(f"It holds no Chart.yaml in its only folder, but {shown}")


def _cleaned(data: bytes, notes: list[str], *, depth: int) -> dict[str, bytes]:
    if depth > _MOST_NESTED:
        raise ChartRefused(f"Charts are packed into charts more than {_MOST_NESTED} times")
    files: dict[str, bytes] = {}
    for name, content in _members(data):
        if name in files:
            raise ChartRefused(f"{name} is in the archive twice")
        if name.rpartition("/")[2] == _SCHEMA:
            content = _closed(content, name, notes)
        elif "/charts/" in name and name.endswith(".tgz"):
            content = _pack(_cleaned(content, notes, depth=depth + 1))
        files[name] = content
    if not files:
        raise ChartRefused("The archive is empty")
    return files


class _Counted(io.RawIOBase):
    """What comes out of an archive, up to a limit: headers can be as large as files."""

    def __init__(self, source: io.BufferedIOBase) -> None:
        self._source = source
        self._left = MOST_UNPACKED + MOST_FILES * 1024

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part = self._source.read(min(size if size >= 0 else self._left + 1, self._left + 1))
        self._left -= len(part)
        if self._left < 0:
            raise ChartRefused(f"Unpacked it is larger than {MOST_UNPACKED >> 20} MiB")
        return part


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    if len(data) > MOST_PACKED:
        raise ChartRefused(f"It is larger than {MOST_PACKED >> 20} MiB")
    if data[:2] != b"\x1f\x8b":
        raise ChartRefused(
            "It is no packed chart", "A chart is a .tgz file, as `helm package` makes it"
        )
    count = total = 0
    try:
        with (
            gzip.GzipFile(fileobj=io.BytesIO(data)) as unzipped,
            tarfile.open(fileobj=_Counted(unzipped), mode="r|") as archive,
        ):
            for member in archive:
                if member.isdir():
                    continue
                name = _name(member)
                total += member.size
                _check_sizes(name, member.size, total, count)
                source = archive.extractfile(member)
                count += 1
                yield name, source.read() if source is not None else b""
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError) as error:
        raise ChartRefused(f"It cannot be unpacked: {error}") from None


def _name(member: tarfile.TarInfo) -> str:
    name = member.name.removeprefix("./")
    if not member.isreg() or member.sparse is not None:
        raise ChartRefused(f"{name} is a link or a device", "A chart holds files only")
    parts = name.split("/")
    if (
        name.startswith("/")
        or "\\" in name
        or ":" in parts[0]
        or any(p in ("", ".", "..") for p in parts)
    ):
        raise ChartRefused(f"{name!r} is no name inside of a chart")
    return name


def _check_sizes(name: str, size: int, total: int, count: int) -> None:
    if size > MOST_FILE:
        raise ChartRefused(f"{name} is larger than {MOST_FILE >> 20} MiB", "List it in .helmignore")
    if total > MOST_UNPACKED:
        raise ChartRefused(f"Unpacked it is larger than {MOST_UNPACKED >> 20} MiB")
    if count >= MOST_FILES:
        raise ChartRefused(f"It has more than {MOST_FILES} files", "List others in .helmignore")


def _pack(files: dict[str, bytes]) -> bytes:
    """The same files give the same bytes."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        # Helm takes the first Chart.yaml's folder for the chart's.
        for name in sorted(files, key=lambda one: (one.count("/"), one)):
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(files[name]), 0o644
            archive.addfile(member, io.BytesIO(files[name]))
    return packed.getvalue()


# -- folders ---------------------------------------------------------------------------------------


def _walk(top: Path) -> Iterator[Path]:
    ignored = top / ".helmignore"
    lines = ignored.read_text("utf-8", "replace").splitlines() if ignored.is_file() else []
    rules = pathspec.PathSpec.from_lines("gitignore", [*_NEVER, *lines])
    yield from _below(top, top, rules)


def _below(folder: Path, top: Path, rules: pathspec.PathSpec[Any]) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path = Path(entry.path)
        name = path.relative_to(top).as_posix()
        is_folder = entry.is_dir(follow_symlinks=False)
        if rules.match_file(name + "/" * is_folder):
            continue
        if is_folder:
            yield from _below(path, top, rules)
        elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            yield path
        else:
            hint = "Put the file itself there, or list it in .helmignore"
            raise ChartRefused(f"{name} is a link or a device", hint)


# -- schemas ---------------------------------------------------------------------------------------


def _closed(content: bytes, name: str, notes: list[str]) -> bytes:
    """A schema whose references stay within it; what others would have said is allowed then."""
    try:
        schema = json.loads(content)
    except (ValueError, RecursionError):
        return content  # Helm says what is wrong with it
    outside: list[str] = []
    closed = _without_outside(schema, outside)
    if not outside:
        return content
    shown = name.partition("/")[2]
    notes += [f"{shown} refers to {one}, which is not fetched" for one in dict.fromkeys(outside)]
    return json.dumps(closed).encode()


def _without_outside(value: object, outside: list[str]) -> object:
    if isinstance(value, list):
        return [_without_outside(one, outside) for one in cast(list[object], value)]
    if not isinstance(value, dict):
        return value
    kept: dict[str, object] = {}
    for key, inner in cast(dict[str, object], value).items():
        if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(inner, str):
            if not inner.startswith("#"):
                outside.append(inner)
                continue
        elif key == "$schema" and isinstance(inner, str) and "json-schema.org/" not in inner:
            outside.append(inner)
            continue
        kept[key] = _without_outside(inner, outside)
    return kept
