"""Objects for tests, made with what they need and nothing hidden."""

import hashlib
from typing import Any

from sqlalchemy import select

from windlass.auth import passwords, tokens
from windlass.auth import service as auth
from windlass.auth.models import Actor, User
from windlass.auth.token_schemas import TokenCreate
from windlass.builds import service as builds
from windlass.builds import sources
from windlass.builds.models import Source, SourceKind
from windlass.core.blobs import BlobStore
from windlass.core.db import Database
from windlass.core.manifest import Entry
from windlass.core.settings import Limits
from windlass.deployments import service as deployments
from windlass.deployments.models import Deployment
from windlass.deployments.phases import Status
from windlass.projects import service as projects
from windlass.projects.models import Project, Site
from windlass.projects.schemas import ProjectCreate

PASSWORD = "Correct horse battery 1"
_HASH = passwords.hash_now(PASSWORD)
MANY_TRIES = Limits(
    sign_in="1000/60", second_factor="1000/60", write="1000/60", anonymous="1000/60"
)
"""For tests that try more often than people do; those about limits set their own."""


async def user(database: Database, *, email: str, is_admin: bool = True, **given: Any) -> Actor:
    async with database.transaction() as db:
        name = email.split("@")[0]
        known = {"name": name, "password_hash": _HASH, **given}
        row = User(email=email, is_admin=is_admin, **known)
        db.add(row)
        await db.flush()
        return auth.actor_of(row)


async def token(database: Database, actor: Actor, **given: Any) -> str:
    async with database.transaction() as db:
        _, clear = await tokens.create(db, TokenCreate(name="test", **given), by=actor)
        return clear


async def project(database: Database, by: Actor, name: str = "Shop", **given: Any) -> Project:
    async with database.transaction() as db:
        wanted = ProjectCreate(name=name, **given)
        return await projects.create(db, wanted, base_domain="localhost", by=by)


async def source(
    database: Database, blobs: BlobStore, by: Actor, files: dict[str, str] | None = None
) -> Source:
    """A ready upload of text files."""
    manifest: list[Entry] = []
    for path, text in sorted((files or {"index.html": "<h1>hello</h1>"}).items()):
        content = text.encode()
        blobs.put_bytes(content)
        manifest.append(Entry(path, hashlib.sha256(content).hexdigest(), len(content)))
    sha256 = sources.save_manifest(blobs, manifest)
    async with database.transaction() as db:
        return await builds.create_ready(
            db, manifest, sha256, kind=SourceKind.upload, name="test", by=by
        )


async def deployment(
    database: Database,
    project: Project,
    source: Source,
    by: Actor,
    *,
    status: Status = Status.queued,
    is_preview: bool = False,
    is_active: bool = False,
    **given: Any,
) -> Deployment:
    async with database.transaction() as db:
        wanted = deployments.Wanted(source=source, is_preview=is_preview)
        row = await deployments.create(db, project, wanted, base_domain="localhost", by=by)
        row.status, row.is_active = status, is_active
        for name, value in given.items():
            setattr(row, name, value)
        await db.flush()
        if is_active:
            site = (
                await db.scalars(
                    select(Site).where(Site.project_id == project.id, Site.is_preview.is_(False))
                )
            ).one()
            site.active_id = site.wanted_id = row.id
        return row
