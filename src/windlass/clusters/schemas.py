"""What the routes of clusters take and give."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from windlass.auth.permissions import GRANTS, Permission, Role
from windlass.clusters import namespaces
from windlass.clusters.models import Cluster
from windlass.core import ids
from windlass.core.schemas import In, Out

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Address = Annotated[
    str, Meta(min_length=1, max_length=2000, examples=["https://cluster.example.com:6443"])
]
Token = Annotated[str, Meta(min_length=1, max_length=16_384, examples=["a-token"])]
Pem = Annotated[
    str, Meta(min_length=1, max_length=100_000, examples=["-----BEGIN CERTIFICATE-----…"])
]
Kubeconfig = Annotated[
    str, Meta(min_length=1, max_length=262_144, examples=["apiVersion: v1\nkind: Config\n…"])
]
RancherId = Annotated[
    str,
    Meta(
        max_length=100,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="The id of a cluster in Rancher, such as c-m-abcd1234 or local",
        examples=["c-m-abcd1234"],
    ),
]
Pattern = Annotated[
    str,
    Meta(
        pattern=namespaces.PATTERN,
        description="A namespace: small letters, digits and dashes, with * for any letters",
        examples=["shop-*"],
    ),
]
Patterns = Annotated[list[Pattern], Meta(max_length=100)]
Id = Annotated[str, Meta(max_length=64, examples=["team_019ab0c0000070008000000000000000"])]
RoleName = Literal["viewer", "member", "developer", "admin", "owner"]
State = Literal["testing", "working", "failing"]
Reason = Literal[
    "AWAY",
    "UNTRUSTED",
    "ADDRESS_REFUSED",
    "UNREADABLE",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOT_KUBERNETES",
    "BROKEN",
]


class RancherSet(In):
    """A cluster that Rancher manages, reached through it."""

    url: Address
    token: Token
    cluster_id: RancherId


class CredentialSet(In):
    """One of three ways: a kubeconfig, Rancher, or a server with a token."""

    kubeconfig: Kubeconfig | None = None
    """Reduced to the server, its CA and a token or client certificate; nothing in it is run."""
    context: Name | None = None
    """Which context of the kubeconfig; otherwise its current one."""
    rancher: RancherSet | None = None
    server: Address | None = None
    token: Token | None = None
    ca: Pem | None = None
    """The certificate of whoever signs the server's; without it, those that this machine trusts."""
    tls_name: Name | None = None
    """The name in the server's certificate, where it is another than in the address."""
    insecure: bool = False
    """Accept any certificate. Whoever is on the way can then take the token."""


class ClusterCreate(CredentialSet, kw_only=True):
    name: Name
    team: Id | None = None
    """Whose members use it too, by their role."""
    namespaces: Patterns = msgspec.field(default_factory=list[str])
    """Which namespaces releases may use; none: all but the system's."""


class ClusterChange(In):
    name: Name | msgspec.UnsetType = msgspec.UNSET
    team: Id | msgspec.UnsetType | None = msgspec.UNSET
    namespaces: Patterns | msgspec.UnsetType = msgspec.UNSET


class Installed(Out):
    """Something that was added to the cluster, by the API that it brings."""

    name: str
    group: str
    versions: list[str]


class Power(Out):
    """Whether the credential may do this."""

    verb: str
    resource: str
    allowed: bool


class Facts(Out):
    """What was found in a cluster when it last answered."""

    version: str
    minor: str
    user: str
    """What the cluster calls the credential."""
    namespace: str | None
    """Where the powers were asked for; null: everywhere."""
    powers: list[Power]
    installed: list[Installed]
    ingress_classes: list[str]
    gateway_classes: list[str]
    storage_classes: list[str]

    @property
    def lacks(self) -> list[Power]:
        return [power for power in self.powers if not power.allowed]


class CredentialOut(Out):
    """That there is one, and what may be shown of it (K-008)."""

    kind: Literal["token", "certificate"]
    hint: str | None
    """The last four letters of a token, or the name in a certificate."""
    expires_at: dt.datetime | None


class TestOut(Out):
    """How the last try went."""

    state: State
    reason: Reason | None
    detail: str | None
    at: dt.datetime | None


class ClusterOut(Out):
    """A cluster. Its credential is in no answer."""

    id: str
    name: str
    server: str
    has_ca: bool
    tls_name: str | None
    insecure: bool
    credential: CredentialOut
    team: str | None
    role: RoleName
    namespaces: list[str]
    test: TestOut
    facts: Facts | None
    created_at: dt.datetime
    updated_at: dt.datetime

    @classmethod
    def of(cls, row: Cluster, role: Role) -> "ClusterOut":
        return cls(
            id=ids.public("cls", row.id),
            name=row.name,
            server=row.server,
            has_ca=row.ca is not None,
            tls_name=row.tls_name,
            insecure=row.insecure,
            credential=CredentialOut(
                kind=row.kind.value, hint=row.credential_hint, expires_at=row.credential_expires_at
            ),
            team=ids.public("team", row.team_id) if row.team_id else None,
            role=_name(role),
            namespaces=row.namespaces,
            test=TestOut(
                state=_state(row),
                reason=msgspec.convert(row.trouble, Reason | None),
                detail=row.trouble_detail,
                at=row.tested_at,
            ),
            facts=facts_of(row),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def may(self, permission: str) -> bool:
        """Whether the role of the caller allows it."""
        return Permission(permission) in GRANTS[Role(self.role.upper())]


def facts_of(row: Cluster) -> Facts | None:
    return msgspec.convert(row.facts, Facts | None)


def _state(row: Cluster) -> State:
    if row.asked != row.answered:
        return "testing"
    return "failing" if row.trouble else "working"


def _name(role: Role) -> RoleName:
    return msgspec.convert(role.value.lower(), RoleName)
