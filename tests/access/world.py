"""Two tenants with one of everything, and everybody who may come to the door."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession

from tests import make
from tests.conftest import RolledBack
from windlass.auth import sessions
from windlass.auth.models import (
    Account,
    Actor,
    Passkey,
    Plan,
    Session,
    SignUpInvitation,
    Token,
    User,
)
from windlass.auth.permissions import Permission, Role
from windlass.auth.signing import SigningKeys
from windlass.builds import logins
from windlass.builds.schemas import LoginSet
from windlass.clusters import service as clusters
from windlass.clusters.models import Cluster
from windlass.clusters.schemas import ClusterCreate
from windlass.core import ids
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing
from windlass.core.db import Model
from windlass.core.ids import uuid7
from windlass.previews.models import Preview
from windlass.projects import service as projects
from windlass.projects.models import Target, TeamProject
from windlass.projects.schemas import EnvSet
from windlass.releases import service as releases
from windlass.releases.gate import Checked
from windlass.releases.models import Environment, Release, Wishes
from windlass.teams.models import Team, TeamInvitation, TeamMember
from windlass.webhooks import service as webhooks

_P = Permission
SCOPES = frozenset({_P.project_read, _P.deploy_read, _P.team_read})


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks, and what they are on the objects of the first tenant."""

    name: str
    actor: Actor | None = None
    token: str = ""
    # A sign-in of this moment, which some doors ask for; not of who is narrowed or suspended.
    session: str = ""
    on_project: Role | None = None
    on_team: Role | None = None
    is_admin: bool = False
    is_suspended: bool = False
    scopes: frozenset[Permission] | None = None
    # The account that the objects of an account belong to.
    has_account_objects: bool = False


class Tenant(msgspec.Struct, frozen=True):
    """What stands in paths and bodies for each name."""

    path: Mapping[str, str]
    body: Mapping[str, str]
    # What no answer to a stranger may hold.
    secret: str


async def callers(
    database: RolledBack, signing: SigningKeys, project_owner: Actor, team: UUID
) -> list[Caller]:
    """All of them; the team's members stand in the team."""
    found = [Caller(name="nobody")]
    found.append(await _caller(database, "stranger"))
    for role in Role:
        found.append(await _member(database, team, role.value.lower(), role))
    token = await make.token(database, project_owner)
    found.append(
        Caller(
            name="project owner",
            actor=project_owner,
            token=token,
            on_project=Role.owner,
            has_account_objects=True,
        )
    )
    found.append(await _caller(database, "platform admin", is_admin=True))
    suspended = await _member(database, team, "suspended", Role.owner)
    narrowed = await _member(database, team, "narrowed", Role.owner)
    assert suspended.actor is not None
    assert narrowed.actor is not None
    async with database.transaction() as db:
        gone = update(User).where(User.id == suspended.actor.id)
        await db.execute(gone.values(suspended_at=func.now()))
        few = update(Token).where(Token.user_id == narrowed.actor.id)
        await db.execute(few.values(scopes=[scope.value for scope in SCOPES]))
    async with database.transaction() as db:
        found = [await _signed_in(db, signing, caller) for caller in found]
        # Else each call would note the first use of its token.
        await db.execute(update(Token).values(last_used_at=_LATER))
    found.append(msgspec.structs.replace(suspended, is_suspended=True))
    found.append(msgspec.structs.replace(narrowed, scopes=SCOPES))
    return found


async def _signed_in(db: AsyncSession, signing: SigningKeys, caller: Caller) -> Caller:
    if caller.actor is None:
        return caller
    session = await sessions.open_session(db, signing, caller.actor)
    return msgspec.structs.replace(caller, session=session)


async def person(database: RolledBack, name: str, *, is_admin: bool = False) -> Actor:
    email = f"{name.replace(' ', '-')}@example.com"
    actor = await make.user(database, email=email, is_admin=is_admin)
    async with database.transaction() as db:
        values = {"email_verified_at": func.now(), "plan": Plan.enterprise}
        await db.execute(update(User).where(User.id == actor.id).values(**values))
    return actor


async def tenant(
    database: RolledBack, blobs: BlobStore, keys: KeyRing, owner: Actor, team: UUID
) -> Tenant:
    """A project shared with a team, a deployment and its source, and things of the account, which
    is invited into the team."""
    name = f"SECRET of {owner.name}"
    url = f"https://git.example.com/{owner.id}/shop.git"
    project = await make.project(database, owner, name=name, repository_url=url)
    source = await make.source(database, blobs, owner)
    deployment = await make.deployment(database, project, source, owner, is_active=True)
    spare = await person(database, f"spare of {owner.name}")
    things: dict[str, Model] = {
        "team_invitation": TeamInvitation(
            team_id=team, email=owner.email, digest=_digest(name), expires_at=_LATER
        ),
        "session": Session(user_id=owner.id, last_used_at=_LATER, expires_at=_LATER),
        "token": Token(user_id=owner.id, name=name, digest=_digest(name + "t"), start="wl_"),
        "passkey": Passkey(
            user_id=owner.id, name=name, credential_id=_digest(name), public_key=b""
        ),
        "account": Account(user_id=owner.id, provider="github", provider_account_id=name),
        "sign_up": SignUpInvitation(
            email=f"new-{owner.email}", digest=_digest(name), invited_by=owner.id, expires_at=_LATER
        ),
    }
    things["preview"] = Preview(
        project_id=project.id, branch="ada:fix", pull_number=7, is_fork=True, commit_sha="a" * 40
    )
    async with database.transaction() as db:
        await webhooks.connect(db, project, None, keys, by=owner)
        wanted = EnvSet(key="KEY", value="SECRET", targets=(Target.production.value,))
        [(env, _)] = await projects.set_variable(db, project, wanted, keys, by=owner)
        db.add(TeamMember(team_id=team, user_id=spare.id, role=Role.viewer))
        db.add(TeamProject(team_id=team, project_id=project.id, shared_by=owner.id))
        login = LoginSet(registry="ghcr.io", username="ada", password="SECRET")
        things["login"] = await logins.save(db, project, login, keys, by=owner)
        db.add_all(things.values())
        await db.flush()
        brought = ClusterCreate(name=name, server="https://127.0.0.1:9", token="SECRET")
        cluster = await clusters.create(db, brought, keys, by=owner)
        cluster.team_id = team
        release = await _release(db, cluster, keys, owner)
        await db.flush()
    public = {
        "project_id": ids.public("proj", project.id),
        "slug": project.slug,
        "repository": f"{project.slug}.git",
        "host": "github",
        "deployment_id": ids.public("depl", deployment.id),
        "preview": ids.public("prev", things["preview"].id),
        "source_id": ids.public("src", source.id),
        "team_id": ids.public("team", team),
        "team_slug": await _slug(database, team),
        "token": "join_nothing",
        "user_id": ids.public("user", spare.id),
        "cluster_id": ids.public("cls", cluster.id),
        "release_id": ids.public("rel", release.id),
        "number": "1",
        "kind": "ConfigMap",
        "name": "settings",
        "login_id": ids.public("reg", things["login"].id),
        "env_id": ids.public("env", env.id),
        "invitation_id": ids.public("inv", things["team_invitation"].id),
        "invitation": ids.public("inv", things["team_invitation"].id),
        "sign_up_invitation": ids.public("sinv", things["sign_up"].id),
        "session_id": ids.public("sess", things["session"].id),
        "token_id": ids.public("tok", things["token"].id),
        "passkey_id": ids.public("pkey", things["passkey"].id),
        "account_id": ids.public("acct", things["account"].id),
    }
    body = {
        "projectId": public["project_id"],
        "sourceId": public["source_id"],
        "teamId": public["team_id"],
        "userId": public["user_id"],
        "deploymentId": public["deployment_id"],
        "clusterId": public["cluster_id"],
    }
    return Tenant(public, body, name)


async def _release(db: AsyncSession, cluster: Cluster, keys: KeyRing, owner: Actor) -> Release:
    """Nothing of it is in its cluster, where nobody answers."""
    wish = releases.Wish(
        manifest="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
        source={},
        environment=Environment.production,
        profile="baseline",
        wishes=Wishes(),
        checked=Checked([], []),
    )
    return await releases.ask_for(db, cluster, "shop", "SECRET", wish, keys, by=owner)


async def team(database: RolledBack, name: str) -> UUID:
    id = uuid7()
    async with database.transaction() as db:
        db.add(Team(id=id, name=name, slug=name))
    return id


async def _slug(database: RolledBack, team: UUID) -> str:
    async with database.transaction() as db:
        return (await db.get_one(Team, team)).slug


_LATER = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def _member(database: RolledBack, team: UUID, name: str, role: Role) -> Caller:
    found = await _caller(database, name)
    assert found.actor is not None
    async with database.transaction() as db:
        db.add(TeamMember(team_id=team, user_id=found.actor.id, role=role))
    return msgspec.structs.replace(found, on_project=role, on_team=role)


async def _caller(database: RolledBack, name: str, *, is_admin: bool = False) -> Caller:
    actor = await person(database, name, is_admin=is_admin)
    token = await make.token(database, actor)
    return Caller(name=name, actor=actor, token=token, is_admin=is_admin)
