"""Teams and administration."""

from types import SimpleNamespace
from typing import Any

from tests.web import people_samples as p
from tests.web import samples as s
from tests.web.samples import NONE, Pages

_MEMBERS: dict[str, Any] = NONE | {
    "team": p.TEAM,
    "me": s.USER.id,
    "members": p.MEMBERS,
    "cursor": None,
    "roles": p.ROLES,
    "is_last_owner": True,
}

_PERSON: dict[str, Any] = {
    "person": p.PEOPLE[1],
    "is_me": False,
    "plans": [("free", "Free"), ("pro", "Pro"), ("team", "Team"), ("enterprise", "Enterprise")],
    "errors": {},
}

_INVITED: dict[str, Any] = {
    "token": "join_1",
    "invitation": p.INVITATIONS[0],
    "problem": None,
    "is_over": False,
}

PAGES: Pages = {
    "/teams": (
        "teams/list.html",
        True,
        {"teams": p.TEAMS, "invitations": p.INVITATIONS[:1], "cursor": None},
    ),
    "/teams-empty": ("teams/list.html", True, {"teams": [], "invitations": [], "cursor": None}),
    "/teams/new": (
        "teams/new.html",
        True,
        {
            "values": {"name": "Harbour"},
            "errors": {"slug": "The address harbour belongs to another team."},
        },
    ),
    "/teams/harbour-crew": ("teams/members.html", True, _MEMBERS),
    "/teams/winter": (
        "teams/members.html",
        True,
        _MEMBERS | {"team": p.TEAMS[1], "cursor": "next", "is_last_owner": False},
    ),
    "/teams/harbour-crew/projects": (
        "deployments/team_projects.html",
        True,
        {
            "team": p.TEAM,
            "projects": s.PROJECTS[:4],
            "cursor": None,
            "offered": [(s.PROJECT.id, s.PROJECT.name)],
            "errors": {},
        },
    ),
    "/teams/harbour-crew/invitations": (
        "teams/invitations.html",
        True,
        {"team": p.TEAM, "invitations": p.INVITATIONS, "cursor": None},
    ),
    "/teams/harbour-crew/settings": (
        "teams/settings.html",
        True,
        {
            "team": p.TEAM,
            "heirs": [(found.id, found.name or found.email) for found in p.MEMBERS[1:]],
            "values": {"name": "Harbour crew", "slug": "harbour-crew"},
            "errors": {"slug": "That name is taken"},
        },
    ),
    "/teams/harbour-crew/audit-retention": (
        "audit/retention.html",
        True,
        {
            "team": p.TEAM,
            "days": 180,
            "found": p.RETENTION,
            "values": {"days": "30"},
            "errors": {},
        },
    ),
    "/invitations/join_1": ("teams/invitation.html", False, _INVITED),
    "/invitations/join_2": ("teams/invitation.html", True, _INVITED),
    "/invitations/join_3": (
        "teams/invitation.html",
        True,
        _INVITED | {"problem": "This invitation is for another e-mail address than yours."},
    ),
    "/invitations/join_4": (
        "teams/invitation.html",
        False,
        _INVITED | {"problem": "This invitation was already accepted.", "is_over": True},
    ),
    "/projects/harbour-shop/sharing": (
        "projects/sharing.html",
        True,
        NONE
        | {
            "project": s.PROJECT,
            "shares": [
                SimpleNamespace(
                    team_id=p.TEAM.id,
                    name=p.TEAM.name,
                    slug=p.TEAM.slug,
                    members=6,
                    created_at=s.before(days=3),
                )
            ],
            "teams": [(p.TEAMS[1].id, p.TEAMS[1].name)],
            "heirs": [(found.id, found.name or found.email) for found in p.MEMBERS[1:]],
            "is_owner": True,
        },
    ),
    "/admin": ("admin/overview.html", True, {"counts": p.COUNTS}),
    "/admin/users": (
        "admin/users.html",
        True,
        {"people": p.PEOPLE, "cursor": "next", "search": "", "status": ""},
    ),
    "/admin/users-none": (
        "admin/users.html",
        True,
        {"people": [], "cursor": None, "search": "nobody", "status": "suspended"},
    ),
    "/admin/users/me": ("admin/user.html", True, _PERSON | {"person": p.PEOPLE[0], "is_me": True}),
    "/admin/users/other": (
        "admin/user.html",
        True,
        _PERSON | {"errors": {"form": "A Windlass needs an administrator."}},
    ),
    "/admin/users/suspended": ("admin/user.html", True, _PERSON | {"person": p.PEOPLE[3]}),
    "/admin/teams": (
        "admin/teams.html",
        True,
        {
            "teams": [
                SimpleNamespace(**vars(team) | {"owners": ["ada@example.com", "grace@example.com"]})
                for team in p.TEAMS
            ],
            "cursor": "next",
            "search": "har",
        },
    ),
    "/admin/projects": (
        "admin/projects.html",
        True,
        {
            "projects": [
                SimpleNamespace(
                    id=project.id,
                    name=project.name,
                    slug=project.slug,
                    host=f"{project.slug}.example.com",
                    owner_id=p.PEOPLE[1].id,
                    owner=p.PEOPLE[1].email,
                    owner_plan="pro",
                    is_live=bool(project.active_deployment_id),
                    deployment_count=12,
                    created_at=s.before(days=12),
                )
                for project in s.PROJECTS
            ],
            "cursor": None,
            "search": "",
        },
    ),
    "/admin/invitations": (
        "admin/invitations.html",
        True,
        NONE
        | {
            "cursor": None,
            "sign_up": "invitation",
            "invitations": [
                SimpleNamespace(
                    id=s.public_id("sinv", number),
                    email=email,
                    used_at=used_at,
                    created_at=s.before(days=number),
                    expires_at=s.before(days=number - 7),
                )
                for number, email, used_at in (
                    (1, "new@example.com", None),
                    (2, "here@example.com", s.before(hours=3)),
                    (9, "late@example.com", None),
                )
            ],
        },
    ),
}
