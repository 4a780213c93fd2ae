"""Trees for detection: one in memory, one in a folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from windlass.builds.ignore import kept


class Files:
    """A tree in memory; objects become JSON."""

    def __init__(self, files: Mapping[str, object]) -> None:
        self._files = {path: _content(content) for path, content in files.items()}

    def paths(self) -> Sequence[str]:
        return list(self._files)

    def read(self, path: str, limit: int = 1 << 20) -> bytes | None:
        content = self._files.get(path)
        return None if content is None else content[:limit]


class Folder:
    """A folder of this machine, without what is ignored by rule."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def paths(self) -> Sequence[str]:
        found = [path for path in self._root.rglob("*") if path.is_file()]
        return kept([path.relative_to(self._root).as_posix() for path in found], {})

    def read(self, path: str, limit: int = 1 << 20) -> bytes | None:
        file = self._root / path
        if not file.is_file():
            return None
        with file.open("rb") as opened:
            return opened.read(limit)


def _content(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
