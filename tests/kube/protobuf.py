"""Secrets and namespaces in protobuf, which is how Helm writes its own: as far as Helm uses it.

The frame is `k8s\\0` and a `runtime.Unknown`; field numbers are those of k8s.io/api.
Answers may be JSON: whoever sends protobuf takes both.
"""

import base64
from collections.abc import Iterator
from typing import Any

MAGIC = b"k8s\0"
_METADATA = {1: "name", 2: "generateName", 3: "namespace", 5: "uid", 6: "resourceVersion"}


def decoded(data: bytes) -> dict[str, Any]:
    """The object. Raises ValueError for what is none of these kinds."""
    if not data.startswith(MAGIC):
        raise ValueError("no protobuf of Kubernetes")
    about: dict[str, str] = {}
    raw = b""
    for number, value in _fields(data[len(MAGIC) :]):
        if number == 1:
            names = {1: "apiVersion", 2: "kind"}
            about = {names[n]: v.decode() for n, v in _fields(value) if n in names}
        elif number == 2:
            raw = value
    made: dict[str, Any] = dict(about)
    if about.get("kind") not in ("Secret", "Namespace", "DeleteOptions"):
        raise ValueError(f"{about} is not expected in protobuf")
    for number, value in _fields(raw):
        if about["kind"] == "DeleteOptions":
            if number == 4:
                made["propagationPolicy"] = value.decode()
        elif number == 1:
            made["metadata"] = _metadata(value)
        elif about["kind"] == "Secret" and number == 2:
            key, content = _entry(value)
            made.setdefault("data", {})[key.decode()] = base64.b64encode(content).decode()
        elif about["kind"] == "Secret" and number == 3:
            made["type"] = value.decode()
    return made


def _metadata(data: bytes) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for number, value in _fields(data):
        if number in _METADATA and value:
            made[_METADATA[number]] = value.decode()
        elif number in (11, 12):
            key, content = _entry(value)
            made.setdefault("labels" if number == 11 else "annotations", {})[key.decode()] = (
                content.decode()
            )
    return made


def _entry(data: bytes) -> tuple[bytes, bytes]:
    found = dict(_fields(data))
    return found.get(1, b""), found.get(2, b"")


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(field, bytes) of a message; numbers are passed over."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                _, at = _varint(data, at)
            case 1:
                at += 8
            case 2:
                size, at = _varint(data, at)
                yield key >> 3, data[at : at + size]
                at += size
            case 5:
                at += 4
            case other:
                raise ValueError(f"wire type {other}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at
