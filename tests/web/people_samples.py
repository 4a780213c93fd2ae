"""People, what is theirs, and their teams, for the pages of the gallery."""

from types import SimpleNamespace
from typing import Any

from tests.web.samples import USER, before, public_id
from windlass.audit.schemas import RetentionOut
from windlass.auth.factors import NewTotp

TOKENS = [
    SimpleNamespace(
        id=public_id("tok", number),
        name=name,
        created_at=before(days=number * 20),
        last_used_at=used,
        scopes=scopes,
        is_expired=number == 3,
        expires_at=before(days=ended) if ended else None,
    )
    for number, (name, used, scopes, ended) in enumerate(
        [
            ("laptop", before(minutes=3), None, None),
            ("ci", None, ["deploy:create", "deploy:read", "project:read"], -70),
            ("old laptop", before(days=9), None, 8),
        ],
        start=1,
    )
]

DEVICE = SimpleNamespace(
    client="windlass 0.2.0 on harbour-laptop", address="203.0.113.7", created_at=before(seconds=20)
)

SCOPES = {
    "project:read": "See projects",
    "deploy:read": "See deployments and their logs",
    "deploy:create": "Deploy",
    "account": "The account itself: profile, sessions, tokens",
}

ACCOUNT = SimpleNamespace(
    username="ada",
    email="ada@example.com",
    is_verified=False,
    pending_email="ada@harbour.example",
    has_password=True,
)

SESSIONS = [
    SimpleNamespace(
        id=public_id("sess", number),
        device=device,
        address=address,
        is_current=number == 1,
        last_used_at=before(minutes=number * 7),
        created_at=before(days=number),
    )
    for number, (device, address) in enumerate(
        [("Firefox on Linux", "203.0.113.7"), ("Safari on iPhone", "2001:db8:4f:1:2:3:4:5")],
        start=1,
    )
]

PASSKEYS = [
    SimpleNamespace(
        id=public_id("pkey", number),
        name=name,
        is_second_factor=number == 1,
        last_used_at=before(hours=5) if number == 1 else None,
        created_at=before(days=40 * number),
    )
    for number, name in enumerate(["laptop", "Key on the ring, blue, second from left"], start=1)
]

LINKED = [
    SimpleNamespace(
        id=public_id("acct", 1),
        provider="google",
        label="Google",
        email="ada.bell.of.harbour.street@example.com",
        created_at=before(days=12),
    )
]

TOTP = NewTotp(
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauth://totp/Windlass:ada%40example.com?secret=JBSWY3DPEHPK3PXP&issuer=Windlass",
)

CODES = [f"abcd-{number:04d}-efgh-2345" for number in range(10)]

LOSSES = [
    SimpleNamespace(kind="sessions", names=("a", "b"), needs_consent=False),
    SimpleNamespace(kind="API tokens", names=("laptop", "ci"), needs_consent=False),
    SimpleNamespace(kind="projects", names=("Harbour shop", "Pilots"), needs_consent=True),
]

TEAM = SimpleNamespace(
    id=public_id("team", 1),
    name="Harbour crew",
    slug="harbour-crew",
    role="owner",
    member_count=6,
    project_count=3,
    faces=[SimpleNamespace(name=name, image=None) for name in ("Ada Bell", "Grace", "linus", "Mo")],
    audit_retention_days=180,
    created_at=before(days=40),
    may=lambda permission: True,
)

TEAMS = [
    TEAM,
    SimpleNamespace(
        **vars(TEAM)
        | {
            "id": public_id("team", 2),
            "name": "Everybody who works on the winter campaign 2026",
            "slug": "winter",
            "role": "viewer",
            "member_count": 1,
            "project_count": 1,
            "faces": TEAM.faces[:1],
            "may": lambda permission: False,
        }
    ),
]

MEMBERS = [
    SimpleNamespace(
        id=USER.id if number == 0 else public_id("user", number),
        name=name,
        email=email,
        image=None,
        role=role,
        joined_at=before(days=40 - 7 * number),
    )
    for number, (name, email, role) in enumerate(
        [
            ("Ada Bell", "ada@example.com", "owner"),
            ("Grace Hill", "grace@example.com", "admin"),
            (None, "a.rather.long.address.of.somebody@engineering.example.com", "developer"),
            ("Mo", "mo@example.com", "viewer"),
        ]
    )
]

ROLES = [(role, role.capitalize()) for role in ("viewer", "member", "developer", "admin", "owner")]


def invitation(number: int, email: str, status: str) -> Any:
    return SimpleNamespace(
        id=public_id("inv", number),
        team_id=TEAM.id,
        team_name=TEAM.name,
        team_slug=TEAM.slug,
        email=email,
        role="developer",
        status=status,
        invited_by="Grace Hill",
        created_at=before(days=number),
        expires_at=before(days=number - 7),
    )


INVITATIONS = [
    invitation(1, "new@example.com", "pending"),
    invitation(3, "somebody.with.a.long.name@engineering.example.com", "accepted"),
    invitation(9, "late@example.com", "expired"),
    invitation(12, "busy@example.com", "declined"),
]


def person(number: int, email: str, name: str | None, **changes: Any) -> Any:
    facts: dict[str, Any] = {
        "id": public_id("user", number),
        "username": email.split("@")[0][:12],
        "email": email,
        "name": name,
        "plan": "free",
        "is_admin": False,
        "is_verified": True,
        "suspended_at": None,
        "created_at": before(days=3 * number),
        "last_seen_at": before(hours=number),
        "session_count": 2,
        "team_count": 1,
        "project_count": number,
    }
    return SimpleNamespace(**facts | changes)


PEOPLE = [
    person(1, "ada@example.com", "Ada Bell", is_admin=True, plan="enterprise"),
    person(2, "grace@example.com", "Grace Hill", plan="pro"),
    person(3, "a.rather.long.address@engineering.example.com", None, is_verified=False),
    person(4, "mallory@example.com", "Mallory", suspended_at=before(days=1), session_count=0),
]

COUNTS = SimpleNamespace(
    total_users=1204,
    suspended_users=3,
    teams=87,
    projects=2310,
    live_sites=2104,
    deployments_last_24_hours=412,
    actions_last_24_hours=5120,
    paid_subscriptions=96,
    active_clusters=0,
)

RETENTION = RetentionOut(
    days=180,
    least_days=7,
    most_days=2555,
    entries=1931,
    would_go=1240,
    oldest=before(days=178),
)
