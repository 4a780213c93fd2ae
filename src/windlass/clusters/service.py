"""The verbs of clusters: bring one along, change it, replace its credential, take it away."""

from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from windlass.auth.models import Actor, User
from windlass.auth.permissions import Permission, Role
from windlass.clusters import credentials, events, namespaces
from windlass.clusters.credentials import Credential
from windlass.clusters.errors import (
    ClusterInUse,
    ClusterNameTaken,
    ClusterNotFound,
    NamespaceNotAllowed,
    OnlyClusterOwner,
)
from windlass.clusters.models import Cluster
from windlass.clusters.schemas import ClusterChange, ClusterCreate, ClusterOut, CredentialSet
from windlass.core import ids, names
from windlass.core.clusters import Access
from windlass.core.crypto import KeyRing
from windlass.core.events import emit
from windlass.core.ids import uuid7
from windlass.core.languages import gettext
from windlass.core.live import announce
from windlass.core.paging import LIMIT, newest
from windlass.core.schemas import Page
from windlass.teams.errors import TeamNotFound
from windlass.teams.models import TeamMember


async def create(db: AsyncSession, wanted: ClusterCreate, keys: KeyRing, *, by: Actor) -> Cluster:
    """A cluster that somebody brings along; the loop tries it at once."""
    access = credentials.of(wanted)
    row = Cluster(
        id=uuid7(),
        owner_id=by.id,
        team_id=await _team(db, wanted.team, by=by),
        name=names.clean(wanted.name, "Cluster"),
        namespaces=list(dict.fromkeys(wanted.namespaces)),
        asked=1,
    )
    _take(row, access, keys)
    await _store(db, row)
    event = events.Added(cluster_id=row.id, name=row.name, server=row.server, team_id=row.team_id)
    await emit(db, event, by=by.id)
    await _tell(db, row)
    return row


async def get(db: AsyncSession, id: UUID, permission: Permission, *, by: Actor) -> Cluster:
    """The only way to an existing cluster: what is not visible does not exist (D-23)."""
    return (await get_with_role(db, id, permission, by=by))[0]


async def get_with_role(
    db: AsyncSession, id: UUID, permission: Permission, *, by: Actor
) -> tuple[Cluster, Role]:
    """With what the caller is on it."""
    query = select(Cluster, func.role_on_cluster(by.id, Cluster.id))
    found = (await db.execute(query.where(Cluster.id == id, visible_to(by)))).one_or_none()
    if found is None:
        raise ClusterNotFound()
    role = Role(found[1])
    by.require(permission, on=role)
    return found[0], role


def visible_to(by: Actor) -> ColumnElement[bool]:
    """One's own, and those of teams one is in."""
    return func.role_on_cluster(by.id, Cluster.id).is_not(None)


async def page(
    db: AsyncSession, *, limit: int = LIMIT, cursor: str | None = None, by: Actor
) -> Page[ClusterOut]:
    """The newest first."""
    query = select(Cluster).where(visible_to(by))
    rows, after = await newest(db, query, Cluster.id, limit=limit, cursor=cursor)
    ranked = select(Cluster.id, func.role_on_cluster(by.id, Cluster.id)).where(
        Cluster.id.in_([row.id for row in rows])
    )
    roles = {id: Role(role) for id, role in (await db.execute(ranked)).all()}
    return Page([ClusterOut.of(row, roles[row.id]) for row in rows], after)


async def change(db: AsyncSession, row: Cluster, wanted: ClusterChange, *, by: Actor) -> None:
    """Apply what is given. Releases stay where they are."""
    fields: list[str] = []
    if wanted.team is not msgspec.UNSET:
        if row.owner_id != by.id:
            raise OnlyClusterOwner()
        row.team_id = await _team(db, wanted.team, by=by)
        fields.append("team")
    if wanted.name is not msgspec.UNSET:
        row.name = names.clean(wanted.name, "Cluster")
        fields.append("name")
    if wanted.namespaces is not msgspec.UNSET:
        row.namespaces = list(dict.fromkeys(wanted.namespaces))
        fields.append("namespaces")
    await _store(db, row)
    event = events.Changed(
        cluster_id=row.id, name=row.name, fields=tuple(fields), team_id=row.team_id
    )
    await emit(db, event, by=by.id)
    await _tell(db, row)


async def replace_credential(
    db: AsyncSession, row: Cluster, wanted: CredentialSet, keys: KeyRing, *, by: Actor
) -> None:
    """From now on this proves us; nothing that runs there notices (K-008). Tried at once."""
    _take(row, credentials.of(wanted, before=access(row, keys)), keys)
    row.asked += 1
    await _store(db, row)
    event = events.CredentialReplaced(
        cluster_id=row.id, name=row.name, server=row.server, team_id=row.team_id
    )
    await emit(db, event, by=by.id)
    await _tell(db, row)


async def ask(db: AsyncSession, row: Cluster) -> None:
    """Have it tried again; the loop writes what it finds."""
    row.asked += 1
    await _store(db, row)
    await _tell(db, row)


async def remove(db: AsyncSession, row: Cluster, *, by: Actor) -> None:
    """Forget it and its credential. Nothing in the cluster changes."""
    event = events.Removed(cluster_id=row.id, name=row.name, team_id=row.team_id)
    try:
        async with db.begin_nested():
            await db.delete(row)
            await db.flush()
    except IntegrityError as error:
        raise ClusterInUse(name=event.name) from error
    await emit(db, event, by=by.id)
    await announce(db, f"cluster:{event.cluster_id}")


def access(row: Cluster, keys: KeyRing) -> Access:
    """The way in, opened: for an adapter and nothing else."""
    sealed = keys.open_sealed(row.credential_sealed, context=context_of(row.id))
    found = msgspec.json.decode(sealed, type=Credential)
    return Access(
        row.server,
        ca=row.ca,
        token=found.token,
        certificate=found.certificate,
        key=found.key,
        insecure=row.insecure,
        tls_name=row.tls_name,
    )


def check_namespace(row: Cluster, namespace: str) -> None:
    """Raises NamespaceNotAllowed (K-102)."""
    if why := namespaces.refusal(namespace, row.namespaces):
        raise NamespaceNotAllowed(namespace=namespace, cluster=row.name, why=gettext(why))


async def next_namespace(db: AsyncSession, *, by: Actor) -> str:
    """A name that nobody else is given: two who ask at once get two (K-006)."""
    counter = (
        update(User)
        .where(User.id == by.id)
        .values(namespace_counter=User.namespace_counter + 1)
        .returning(User.namespace_counter, User.username, User.email)
    )
    number, username, email = (await db.execute(counter)).one()
    return namespaces.numbered(username or (email or "").partition("@")[0], number - 1)


def context_of(cluster_id: UUID) -> str:
    """What the seal of a credential is tied to."""
    return f"cluster:{cluster_id}"


def _take(row: Cluster, given: Access, keys: KeyRing) -> None:
    credential = Credential(token=given.token, certificate=given.certificate, key=given.key)
    row.server, row.ca, row.tls_name = given.server, given.ca, given.tls_name
    row.insecure, row.kind = given.insecure, credential.kind
    row.credential_sealed = keys.seal(msgspec.json.encode(credential), context=context_of(row.id))
    row.credential_hint = credentials.hint(given)
    row.credential_expires_at = credentials.expires_at(given)


async def _store(db: AsyncSession, row: Cluster) -> None:
    name = row.name
    try:
        async with db.begin_nested():
            db.add(row)
            await db.flush()
    except IntegrityError as error:
        raise ClusterNameTaken(name=name) from error
    await db.refresh(row)


async def _team(db: AsyncSession, given: str | None, *, by: Actor) -> UUID | None:
    """A team that the caller is in."""
    if given is None:
        return None
    id = ids.private("team", given)
    mine = select(TeamMember.id).where(TeamMember.team_id == id, TeamMember.user_id == by.id)
    if await db.scalar(mine) is None:
        raise TeamNotFound()
    return id


async def _tell(db: AsyncSession, row: Cluster) -> None:
    await announce(db, f"cluster:{row.id}", f"loop-clusters:{row.id}")
