"""What Helm keeps of a release in the cluster: Secrets `sh.helm.release.v1.NAME.vN`, read without
Helm."""

import base64
import binascii
import gzip
import io
from typing import Any

import msgspec

from windlass.helm.errors import HelmFailed

KIND = "helm.sh/release.v1"
_MOST_BYTES = 64 << 20


class _Info(msgspec.Struct, frozen=True):
    status: str = ""
    description: str = ""
    notes: str = ""
    last_deployed: str = ""


class _About(msgspec.Struct, frozen=True):
    name: str = ""
    version: str = ""
    appVersion: str = ""


class _Chart(msgspec.Struct, frozen=True):
    metadata: _About = _About()


class Stored(msgspec.Struct, frozen=True):
    """One revision, as it was deployed."""

    name: str
    namespace: str = ""
    version: int = 0
    """The number of the revision."""
    info: _Info = _Info()
    chart: _Chart = _Chart()
    config: dict[str, Any] | None = None
    """The values that were given."""
    manifest: str = ""


def labels(release: str) -> str:
    """The selector of a release's Secrets."""
    return f"owner=helm,name={release}"


def revisions(secrets: list[dict[str, Any]]) -> list[Stored]:
    """The revisions in these Secrets, oldest first. Raises HelmFailed."""
    found = [_decoded(one) for one in secrets if one.get("type") == KIND]
    return sorted(found, key=lambda one: one.version)


def _decoded(secret: dict[str, Any]) -> Stored:
    """base64 of the API, base64 of Helm, gzip, JSON."""
    data: dict[str, Any] = secret.get("data") or {}
    try:
        packed = base64.b64decode(base64.b64decode(str(data.get("release") or ""), validate=True))
        if packed[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unzipped:
                packed = unzipped.read(_MOST_BYTES + 1)
        if len(packed) > _MOST_BYTES:
            raise ValueError("it is too large")
        return msgspec.json.decode(packed, type=Stored)
    except (binascii.Error, OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
        name = (secret.get("metadata") or {}).get("name")
        raise HelmFailed("stored", f"The Secret {name} holds no release of Helm: {error}") from None
