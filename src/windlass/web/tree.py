"""A release's files as folders: from a flat list of paths to what one folder shows."""

from collections.abc import Iterable
from typing import Literal, Protocol

import msgspec


class ReleaseFile(Protocol):
    """One file of a release: the structs of the API and of the blob store fit."""

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int: ...


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a folder: a file, or a folder with what is below it summed up."""

    name: str
    path: str
    kind: Literal["folder", "file"]
    size_bytes: int
    file_count: int = 1


def listing(files: Iterable[ReleaseFile], folder: str = "") -> list[Node]:
    """What lies directly in `folder` ("" is the top): folders first, then files, by name."""
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    folders: dict[str, tuple[int, int]] = {}
    nodes: list[Node] = []
    for file in files:
        if not file.path.startswith(prefix):
            continue
        head, slash, _ = file.path[len(prefix) :].partition("/")
        if slash:
            size, count = folders.get(head, (0, 0))
            folders[head] = (size + file.size, count + 1)
        else:
            nodes.append(Node(name=head, path=file.path, kind="file", size_bytes=file.size))
    nodes += [
        Node(name=name, path=prefix + name, kind="folder", size_bytes=size, file_count=count)
        for name, (size, count) in folders.items()
    ]
    return sorted(nodes, key=lambda node: (node.kind == "file", node.name))
