"""A key of a project's own for its private repository, made here; only its public half leaves."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor
from windlass.core.crypto import KeyRing
from windlass.core.events import emit
from windlass.core.live import announce
from windlass.projects import events
from windlass.projects.models import Project


async def make(db: AsyncSession, project: Project, keys: KeyRing, *, by: Actor) -> str:
    """A new one in place of the old; returns the line that the Git host is given."""
    private, public = new_pair()
    line = f"{public} windlass-{project.slug}"
    project.deploy_key_public = line
    project.deploy_key_sealed = keys.seal(private, context=context_of(project.id))
    await db.flush()
    await emit(db, events.DeployKeyMade(project_id=project.id), by=by.id)
    await announce(db, f"project:{project.id}")
    return line


async def remove(db: AsyncSession, project: Project, *, by: Actor) -> None:
    """The repository is fetched with the key of the machine again, if it has one."""
    project.deploy_key_public = project.deploy_key_sealed = None
    await db.flush()
    await emit(db, events.DeployKeyRemoved(project_id=project.id), by=by.id)
    await announce(db, f"project:{project.id}")


def private_half(project: Project, keys: KeyRing) -> bytes | None:
    """As ssh reads it; for the fetch and nothing else."""
    sealed = project.deploy_key_sealed
    return keys.open_sealed(sealed, context=context_of(project.id)) if sealed else None


def context_of(project_id: UUID) -> str:
    """What the seal of a key is tied to."""
    return f"deploy-key:{project_id}"


def new_pair() -> tuple[bytes, str]:
    """Private and public half, in the form of OpenSSH."""
    # Imported late: 6 MB that a process without secrets does not need.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private, public.decode()
