"""What was sent with a revision, sealed: manifests hold Secrets, forms and values do, too."""

from typing import Any
from uuid import UUID

import msgspec

from windlass.core.crypto import KeyRing
from windlass.releases.models import Revision


def context_of(release_id: UUID, number: int, what: str) -> str:
    """What the seal is tied to: `what` is manifest or source."""
    return f"release:{release_id}:{number}:{what}"


def seal(keys: KeyRing, revision: Revision, *, manifest: str, source: dict[str, Any]) -> None:
    """Byte for byte (K-004)."""
    id, number = revision.release_id, revision.number
    revision.manifest_sealed = keys.seal(
        manifest.encode(), context=context_of(id, number, "manifest")
    )
    revision.source_sealed = (
        keys.seal(msgspec.json.encode(source), context=context_of(id, number, "source"))
        if source
        else None
    )


def manifest_of(keys: KeyRing, revision: Revision) -> str:
    if revision.manifest_sealed is None:
        return ""
    context = context_of(revision.release_id, revision.number, "manifest")
    return keys.open_sealed(revision.manifest_sealed, context=context).decode()


def source_of(keys: KeyRing, revision: Revision) -> dict[str, Any]:
    """The builder's form as {"form": …}, or what Helm was given; {} where there was none."""
    if revision.source_sealed is None:
        return {}
    context = context_of(revision.release_id, revision.number, "source")
    return msgspec.json.decode(keys.open_sealed(revision.source_sealed, context=context))
