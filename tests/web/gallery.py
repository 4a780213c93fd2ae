"""Every page with sample data, without a server behind it.

`python -m tests.web.gallery` serves the pages on loopback, to look at and for the browser tests. It
answers the few API calls that the islands make, with the same sample data.
"""

from types import SimpleNamespace
from typing import Any

from tests.web import samples as s
from windlass.audit import titles
from windlass.audit.pages import Choice, Filter
from windlass.auth.permissions import GRANTS, Role
from windlass.deployments.new_pages import LeftOut
from windlass.web import forms, page, tree

Context = dict[str, Any]

_BUILD_VALUES = forms.plan_values(s.PLAN, name="shop")
_PROJECT_VALUES = {
    "name": "Harbour shop",
    "repository_url": s.PROJECT.repository_url,
    "repository_branch": "main",
}
_SHOW: Context = {
    "live_url": s.LIVE.url,
    "values": {"note": ""},
    "going_live": False,
    "promoter": "Ada Bell",
    "errors": {},
    "why_not": {},
    "may": GRANTS[Role.owner],
    "log": s.LOG,
    "nodes": s.NODES,
    "app": None,
    "runtime_log": [],
}
_NONE: Context = {"values": {}, "errors": {}}
_CHOICES = [Choice("1", "Ada Bell"), Choice("2", "A rather long name that somebody chose")]
_LOG: Context = {
    "entries": s.ENTRIES,
    "more": "/audit?cursor=next",
    "groups": titles.GROUPS,
    "people": _CHOICES,
    "projects": _CHOICES,
    "teams": _CHOICES,
    "is_everything": False,
    "base": "/audit",
}
_WAYS: Context = _NONE | {
    "factors": SimpleNamespace(totp=True, passkeys=s.PASSKEYS, recovery_codes_left=9),
    "linked": s.LINKED,
    "ways": [SimpleNamespace(name="github", label="GitHub")],
    "is_fresh": True,
    "has_password": True,
    "is_last_way": False,
}
_DEVICE: Context = {
    "is_elsewhere": True,
    "days": (30, 60, 90, 365),
    "values": {"lasts": "90"},
    "errors": {},
}
_TOKENS: Context = {
    "tokens": s.TOKENS,
    "scopes": s.SCOPES,
    "days": (30, 60, 90, 365),
    "values": {"lasts": "90"},
    "errors": {},
}
_MEMBERS: Context = _NONE | {
    "team": s.TEAM,
    "me": s.USER.id,
    "members": s.MEMBERS,
    "cursor": None,
    "roles": s.ROLES,
    "is_last_owner": True,
}
_PERSON: Context = {
    "person": s.PEOPLE[1],
    "is_me": False,
    "plans": [("free", "Free"), ("pro", "Pro"), ("team", "Team"), ("enterprise", "Enterprise")],
    "errors": {},
}
_INVITED: Context = {
    "token": "join_1",
    "invitation": s.INVITATIONS[0],
    "problem": None,
    "is_over": False,
}
_WAY = {"label": "GitHub", "href": "/sign-in/with/github"}

# Page path → template, whether somebody is signed in, context.
PAGES: dict[str, tuple[str, bool, Context]] = {
    "/sign-in": (
        "auth/sign_in.html",
        False,
        _NONE | {"next": "/projects", "may_sign_up": True, "ways": [_WAY]},
    ),
    "/sign-in-wrong": (
        "auth/sign_in.html",
        False,
        {
            "values": {"login": "ada@example.com"},
            "errors": {"form": "User name or e-mail, and password, do not match."},
            "next": "/projects",
            "may_sign_up": False,
            "ways": [],
        },
    ),
    "/setup": ("auth/setup.html", False, _NONE | {"token": "t", "spent": False}),
    "/setup-wrong": (
        "auth/setup.html",
        False,
        {
            "token": "t",
            "spent": False,
            "values": {"email": "ada"},
            "errors": {
                "email": "This is not an e-mail address",
                "password": "Use 8 characters or more",
            },
        },
    ),
    "/reference": ("reference.html", False, s.REFERENCE),
    "/setup-spent": ("auth/setup.html", False, _NONE | {"token": "t", "spent": True}),
    "/sign-up": (
        "auth/sign_up.html",
        False,
        _NONE | {"next": "/projects", "refused": None, "is_invited": False, "invitation": ""},
    ),
    "/sign-up-refused": (
        "auth/sign_up.html",
        False,
        _NONE
        | {
            "next": "/projects",
            "refused": "Only who was invited can sign up here. Ask for an invitation.",
            "is_invited": False,
            "invitation": "",
        },
    ),
    "/forgot-password": ("auth/ask_link.html", False, _NONE | {"is_reset": True, "sent": False}),
    "/magic-link": (
        "auth/ask_link.html",
        False,
        {"values": {"email": "ada@example.com"}, "errors": {}, "is_reset": False, "sent": True},
    ),
    "/reset-password": (
        "auth/reset.html",
        False,
        {"token": "t", "email": "ada@example.com", "errors": {"password": "Use 8 characters"}},
    ),
    "/sign-in/link": (
        "auth/link.html",
        False,
        {
            "action": "/sign-in/link",
            "is_sign_in": True,
            "token": "t",
            "email": "ada@example.com",
        },
    ),
    "/link-spent": (
        "auth/link_spent.html",
        False,
        {"purpose": "RESET_PASSWORD", "problem": None, "is_signed_in": False},
    ),
    "/account": (
        "auth/account/profile.html",
        True,
        {
            "account": s.ACCOUNT,
            "values": {
                "name": "Ada Bell",
                "email": "ada@example.com",
                "username": "ada",
                "language": "de",
            },
            "errors": {},
        },
    ),
    "/account/security": (
        "auth/account/security.html",
        True,
        {"account": s.ACCOUNT, "sessions": s.SESSIONS, "errors": {}},
    ),
    "/audit": (
        "audit/log.html",
        True,
        _LOG | {"filter": Filter(event="teams", since="2026-11-01"), "problem": None},
    ),
    "/audit-wrong": (
        "audit/log.html",
        True,
        _LOG
        | {
            "entries": [],
            "more": None,
            "filter": Filter(since="2026-99-99"),
            "problem": "from: “2026-99-99” is not a day or a time like 2026-02-12.",
        },
    ),
    "/account/activity": ("audit/own.html", True, _LOG | {"type": "auth", "errors": {}}),
    "/projects/harbour-shop/activity": (
        "audit/project.html",
        True,
        _LOG | {"project": s.PROJECT, "type": ""},
    ),
    "/account/factors": ("auth/account/ways.html", True, _WAYS),
    "/account-factors-none": (
        "auth/account/ways.html",
        True,
        _WAYS
        | {
            "factors": SimpleNamespace(totp=False, passkeys=[], recovery_codes_left=0),
            "linked": [],
            "ways": [],
            "is_fresh": False,
        },
    ),
    "/account-factors-last": (
        "auth/account/ways.html",
        True,
        _WAYS
        | {
            "factors": SimpleNamespace(totp=True, passkeys=[], recovery_codes_left=2),
            "has_password": False,
            "is_last_way": True,
            "errors": {"form": "This is the last way into the account. Set a password first."},
        },
    ),
    "/account/factors/totp": (
        "auth/account/totp.html",
        True,
        {
            "secret": s.TOTP.secret,
            "uri": s.TOTP.uri,
            "qr": s.TOTP.qr,
            "errors": {"code": "That code is not right, or was used before."},
        },
    ),
    "/account-recovery-codes": (
        "auth/account/recovery_codes.html",
        True,
        {"codes": s.CODES, "errors": {}},
    ),
    "/account/prove": (
        "auth/account/prove.html",
        True,
        {"next": "/account/factors", "has_password": True, "has_passkey": True, "errors": {}},
    ),
    "/account-prove-neither": (
        "auth/account/prove.html",
        True,
        {"next": "/account/factors", "has_password": False, "has_passkey": False, "errors": {}},
    ),
    "/sign-in/second": (
        "auth/second.html",
        False,
        {
            "methods": ["totp", "passkey", "recoveryCode"],
            "passkey_options": "{}",
            "next": "/projects",
            "errors": {"code": "That code is not right, or was used before."},
        },
    ),
    "/sign-in-second-passkey": (
        "auth/second.html",
        False,
        {
            "methods": ["passkey", "recoveryCode"],
            "passkey_options": "{}",
            "next": "/projects",
            "errors": {},
        },
    ),
    "/account/tokens": (
        "auth/account/tokens.html",
        True,
        _TOKENS | {"new_token": None, "new_token_name": None},
    ),
    "/account-narrow-token": (
        "auth/account/tokens.html",
        True,
        _TOKENS
        | {
            "new_token": None,
            "new_token_name": None,
            "values": {"lasts": "other", "days": "x", "scope.deploy:read": True},
            "errors": {"days": "Use a number of days from 1 to 3650"},
        },
    ),
    "/account-new-token": (
        "auth/account/tokens.html",
        True,
        _TOKENS
        | {
            "new_token": "wl_7Jm2vQfF0c9S1pXk3TnB8dZr5YhLwA6e",
            "new_token_name": "laptop",
        },
    ),
    "/device": (
        "auth/device.html",
        True,
        _DEVICE | {"asking": None, "code": "", "values": {"code": ""}},
    ),
    "/device-asks": ("auth/device.html", True, _DEVICE | {"asking": s.DEVICE, "code": "WDJB-MJHT"}),
    "/account/delete": (
        "auth/account/delete.html",
        True,
        _NONE | {"account": s.ACCOUNT, "losses": s.LOSSES, "reasons": []},
    ),
    "/account-delete-refused": (
        "auth/account/delete.html",
        True,
        _NONE
        | {
            "account": s.ACCOUNT,
            "losses": s.LOSSES,
            "reasons": ["It is the last owner of Harbour. Make somebody else an owner."],
        },
    ),
    "/projects": ("projects/list.html", True, {"projects": s.PROJECTS, "cursor": "next"}),
    "/projects-empty": ("projects/list.html", True, {"projects": [], "cursor": None}),
    "/projects/new": (
        "projects/new.html",
        True,
        _NONE
        | {
            "start": "upload",
            "source": None,
            "site_address": s.ADDRESS,
            "left_out": LeftOut(),
            "variables": [],
        },
    ),
    "/projects/new-git": (
        "projects/new.html",
        True,
        {
            "start": "git",
            "source": None,
            "site_address": s.ADDRESS,
            "left_out": LeftOut(),
            "variables": [],
            "values": {"repository_url": "file:///etc"},
            "errors": {"repository_url": "Only https, http and ssh addresses can be fetched"},
        },
    ),
    "/projects/new-pending": (
        "projects/new.html",
        True,
        _NONE
        | {
            "start": "git",
            "source": s.source(status="pending", plan=None),
            "site_address": s.ADDRESS,
            "left_out": LeftOut(),
            "variables": [],
        },
    ),
    "/projects/new-plan": (
        "projects/new.html",
        True,
        {
            "start": "git",
            "source": s.SOURCE,
            "site_address": s.ADDRESS,
            "left_out": LeftOut(12, 1),
            "variables": s.ROWS,
            "values": _BUILD_VALUES,
            "errors": {},
        },
    ),
    "/projects/new-plan-server": (
        "projects/new.html",
        True,
        {
            "start": "git",
            "source": s.source(plan=s.SERVER_PLAN),
            "site_address": s.ADDRESS,
            "left_out": LeftOut(),
            "variables": [],
            "values": forms.plan_values(s.SERVER_PLAN, name="orders"),
            "errors": {
                "name": "Another project is called orders",
                "env.0.key": "A value needs a key",
            },
        },
    ),
    "/projects/new-unknown": (
        "projects/new.html",
        True,
        _NONE
        | {
            "start": "upload",
            "source": s.source(
                plan=None,
                repository_url=None,
                commit_sha=None,
                plan_error=SimpleNamespace(
                    code="VALIDATION_ERROR",
                    message="Nothing here that Windlass knows: no index.html, package.json, "
                    "pyproject.toml, requirements.txt, mkdocs.yml, conf.py or Procfile.",
                ),
            ),
            "site_address": s.ADDRESS,
            "left_out": LeftOut(),
            "variables": [],
        },
    ),
    "/projects/harbour-shop": (
        "deployments/project.html",
        True,
        {"project": s.PROJECT, "deployments": s.DEPLOYMENTS, "cursor": "next", "status": ""},
    ),
    "/projects/fresh": (
        "deployments/project.html",
        True,
        {"project": s.PROJECTS[6], "deployments": [], "cursor": None, "status": ""},
    ),
    "/projects/harbour-shop/environment": (
        "projects/environment.html",
        True,
        {
            "project": s.PROJECT,
            "variables": s.VARIABLES,
            "editing": None,
            "rows": [],
            "values": {"production": True, "preview": True},
            "errors": {},
        },
    ),
    "/projects/harbour-shop/environment-edit": (
        "projects/environment.html",
        True,
        {
            "project": s.PROJECT,
            "variables": s.VARIABLES,
            "editing": s.VARIABLES[1].id,
            "rows": [],
            "values": {"production": True, "secret": True},
            "errors": {},
        },
    ),
    "/projects/harbour-shop/settings": (
        "projects/settings.html",
        True,
        {"project": s.PROJECT, "plan": s.PLAN, "values": _PROJECT_VALUES, "errors": {}},
    ),
    "/projects/harbour-shop/deploy": (
        "projects/deploy.html",
        True,
        {
            "project": s.PROJECT,
            "source": None,
            "left_out": LeftOut(),
            "values": {"production": True},
            "errors": {},
        },
    ),
    "/projects/harbour-shop/deploy-files": (
        "projects/deploy.html",
        True,
        {
            "project": s.PROJECT,
            "source": s.SOURCE,
            "left_out": LeftOut(12),
            "values": {"production": False},
            "errors": {},
        },
    ),
    "/deployments": (
        "deployments/list.html",
        True,
        {"deployments": s.DEPLOYMENTS, "cursor": None, "status": ""},
    ),
    "/deployments-none": (
        "deployments/list.html",
        True,
        {"deployments": [], "cursor": None, "status": "error"},
    ),
    f"/deployments/{s.LIVE.id}": (
        "deployments/show.html",
        True,
        _SHOW
        | {
            "deployment": s.LIVE,
            "why_not": {"rollback": "This version is live", "delete": "This version is live"},
        },
    ),
    f"/deployments/{s.FAILED.id}": (
        "deployments/show.html",
        True,
        _SHOW
        | {
            "deployment": s.FAILED,
            "why_not": {"rollback": "Only a ready version can go live"},
            "nodes": [],
        },
    ),
    f"/deployments/{s.BUILDING.id}": (
        "deployments/show.html",
        True,
        _SHOW | {"deployment": s.BUILDING, "nodes": [], "log": s.LOG[:6]},
    ),
    f"/deployments/{s.PREVIEW.id}": (
        "deployments/show.html",
        True,
        _SHOW | {"deployment": s.PREVIEW},
    ),
    f"/deployments/{s.SERVER.id}": (
        "deployments/show.html",
        True,
        _SHOW
        | {
            "deployment": s.SERVER,
            "why_not": {"rollback": "This version is live"},
            "app": SimpleNamespace(
                state="running",
                pid=4711,
                restarts=1,
                memory_bytes=88_123_392,
                since=s.before(hours=5),
            ),
            "runtime_log": [
                "INFO:     Started server process [7]",
                "INFO:     Application startup complete.",
                '\x1b[32mINFO\x1b[0m:     127.0.0.1:0 - "GET /orders/812 HTTP/1.1" 200 OK',
            ],
        },
    ),
    f"/deployments/{s.LIVE.id}/files": (
        "deployments/files.html",
        True,
        {"deployment": s.LIVE, "nodes": tree.listing(s.FILES, "assets"), "folder": "assets"},
    ),
    "/teams": (
        "teams/list.html",
        True,
        {"teams": s.TEAMS, "invitations": s.INVITATIONS[:1], "cursor": None},
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
        _MEMBERS | {"team": s.TEAMS[1], "cursor": "next", "is_last_owner": False},
    ),
    "/teams/harbour-crew/projects": (
        "deployments/team_projects.html",
        True,
        {
            "team": s.TEAM,
            "projects": s.PROJECTS[:4],
            "cursor": None,
            "offered": [(s.PROJECT.id, s.PROJECT.name)],
            "errors": {},
        },
    ),
    "/teams/harbour-crew/invitations": (
        "teams/invitations.html",
        True,
        {"team": s.TEAM, "invitations": s.INVITATIONS, "cursor": None},
    ),
    "/teams/harbour-crew/settings": (
        "teams/settings.html",
        True,
        {
            "team": s.TEAM,
            "heirs": [(found.id, found.name or found.email) for found in s.MEMBERS[1:]],
            "values": {"name": "Harbour crew", "slug": "harbour-crew"},
            "errors": {"audit_retention_days": "Choose a number of days from 7 to 2555"},
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
        _NONE
        | {
            "project": s.PROJECT,
            "shares": [
                SimpleNamespace(
                    team_id=s.TEAM.id,
                    name=s.TEAM.name,
                    slug=s.TEAM.slug,
                    members=6,
                    created_at=s.before(days=3),
                )
            ],
            "teams": [(s.TEAMS[1].id, s.TEAMS[1].name)],
            "heirs": [(found.id, found.name or found.email) for found in s.MEMBERS[1:]],
            "is_owner": True,
        },
    ),
    "/admin": ("admin/overview.html", True, {"counts": s.COUNTS}),
    "/admin/users": (
        "admin/users.html",
        True,
        {"people": s.PEOPLE, "cursor": "next", "search": "", "status": ""},
    ),
    "/admin/users-none": (
        "admin/users.html",
        True,
        {"people": [], "cursor": None, "search": "nobody", "status": "suspended"},
    ),
    "/admin/users/me": ("admin/user.html", True, _PERSON | {"person": s.PEOPLE[0], "is_me": True}),
    "/admin/users/other": (
        "admin/user.html",
        True,
        _PERSON | {"errors": {"form": "A Windlass needs an administrator."}},
    ),
    "/admin/users/suspended": ("admin/user.html", True, _PERSON | {"person": s.PEOPLE[3]}),
    "/admin/teams": (
        "admin/teams.html",
        True,
        {
            "teams": [
                SimpleNamespace(**vars(team) | {"owners": ["ada@example.com", "grace@example.com"]})
                for team in s.TEAMS
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
                    owner_id=s.PEOPLE[1].id,
                    owner=s.PEOPLE[1].email,
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
        _NONE
        | {
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
    "/status": ("status.html", True, {"status": s.STATUS, "findings": s.FINDINGS}),
    "/error-404": (
        "error.html",
        True,
        {
            "status": 404,
            "code": "NOT_FOUND",
            "message": "There is no such project, or you may not see it.",
            "request_id": "req_01kb8f3v4w",
        },
    ),
    "/error-503": (
        "error.html",
        False,
        {
            "status": 503,
            "code": "SERVICE_UNAVAILABLE",
            "message": "The database is starting.",
            "request_id": "req_01kb8f3v4x",
        },
    ),
}


def show(
    path: str, *, theme: str = "system", fragment: bool = False, notice: page.Notice | None = None
) -> str:
    """One page as the browser gets it."""
    template, signed_in, context = PAGES[path]
    return page.render(
        template,
        fragment=fragment,
        path=path,
        theme=theme,
        now=s.NOW,
        user=s.USER if signed_in else None,
        notice=notice,
        **context,
    )
