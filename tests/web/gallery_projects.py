"""Projects and deployments."""

from types import SimpleNamespace
from typing import Any

from tests.web import page_samples as q
from tests.web import samples as s
from tests.web.samples import NONE, Pages
from windlass.core.settings import Apps
from windlass.deployments.new_pages import LeftOut
from windlass.previews.schemas import SettingsOut
from windlass.web import forms, process_forms

_BUILD_VALUES = forms.plan_values(s.PLAN, name="shop")

_PROJECT_VALUES = {
    "name": "Harbour shop",
    "repository_url": s.PROJECT.repository_url,
    "repository_branch": "main",
}

_GIT: dict[str, Any] = NONE | {
    "project": s.PROJECT,
    "is_connected": True,
    "secret": None,
    "needs_secret": False,
    "deploy_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtYcUIDMT1nVqJqXU0SH2eg5 windlass-shop",
    "reports_to": "GitHub",
    "report_error": '401: {"message": "Bad credentials"}',
    "kinds": [],
    "places": [("GitHub", f"{s.ADDRESS}/api/webhooks/github?projectId={s.PROJECT.id}")],
    "values": {"preview_branches": "**", "pull_requests": True, "tags": "", "paths": ""},
    "deliveries": [
        SimpleNamespace(
            id=s.public_id("dlv", number),
            event="push",
            ref=ref,
            commit_sha=sha,
            outcome=outcome,
            reason=reason,
            deployment_id=s.LIVE.id if outcome == "deployed" else None,
            created_at=s.before(hours=number),
        )
        for number, (ref, sha, outcome, reason) in enumerate(
            [
                ("refs/heads/main", "5b1d9a3c7e2f", "deployed", None),
                ("refs/heads/feature/a-branch-with-a-long-name", "0f9e8d7c", "deployed", None),
                ("refs/tags/v1.0", "0f9e8d7c6b5a", "ignored", "No rule deploys this tag"),
                (
                    "refs/heads/main",
                    None,
                    "refused",
                    "The repository is called acme/store now."
                    " Change it in the settings of the project",
                ),
                (
                    "refs/pull/12",
                    "5b1d9a3c7e2f",
                    "waiting",
                    "It comes from a fork and waits for approval",
                ),
                ("refs/pull/11", "5b1d9a3c7e2f", "removed", "The pull request was closed"),
                (None, None, "ignored", "The Git host tried the webhook: it works"),
            ]
        )
    ],
}

_PREVIEWS: dict[str, Any] = NONE | {
    "project": s.PROJECT,
    "cursor": "next",
    "kept": SettingsOut(keep=10, days=30, has_password=True),
    "values": {"keep": "", "days": "14"},
    "previews": [
        s.preview(1, "ada:mend-the-cart", 12, deployment=None, is_fork=True, needs_approval=True),
        s.preview(
            2,
            "winter-theme",
            11,
            deployment=s.PREVIEW,
            comment_error="403: it does not accept the token",
        ),
        s.preview(3, "feature/a-branch-with-a-long-name-that-goes", None, deployment=s.CANCELLED),
    ],
}

PAGES: Pages = {
    "/projects/harbour-shop/previews": ("previews/list.html", True, _PREVIEWS),
    "/projects/harbour-shop/previews-none": (
        "previews/list.html",
        True,
        _PREVIEWS
        | {
            "previews": [],
            "cursor": None,
            "kept": SettingsOut(keep=10, days=30, has_password=False),
            "errors": {"keep": "Say a number from 1 to 100"},
        },
    ),
    "/projects/harbour-shop/git": ("webhooks/git.html", True, _GIT),
    "/projects/harbour-shop/git-new": (
        "webhooks/git.html",
        True,
        _GIT
        | {
            "secret": "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=",
            "deliveries": [],
            "deploy_key": None,
            "reports_to": None,
            "kinds": [("gitlab", "GitLab"), ("gitea", "Gitea, Forgejo")],
            "errors": {"tags": "This is not right"},
        },
    ),
    "/projects/harbour-shop/git-given": (
        "webhooks/git.html",
        True,
        _GIT | {"needs_secret": True, "reports_to": None, "report_error": None},
    ),
    "/projects/harbour-shop/git-none": (
        "webhooks/git.html",
        True,
        _GIT | {"is_connected": False, "deliveries": []},
    ),
    "/projects": ("projects/list.html", True, {"projects": s.PROJECTS, "cursor": "next"}),
    "/projects-empty": ("projects/list.html", True, {"projects": [], "cursor": None}),
    "/projects/new": (
        "projects/new.html",
        True,
        NONE
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
    "/projects/new-image": (
        "projects/new.html",
        True,
        {
            "start": "image",
            "source": None,
            "site_address": s.ADDRESS,
            "left_out": LeftOut(),
            "variables": [],
            "values": {"image": "No Such Name"},
            "errors": {"image": "No Such Name is no name of an image: small letters"},
        },
    ),
    "/projects/new-pending": (
        "projects/new.html",
        True,
        NONE
        | {
            "start": "git",
            "source": q.source(status="pending", plan=None),
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
            "source": q.SOURCE,
            "site_address": s.ADDRESS,
            "left_out": LeftOut(12, 1),
            "variables": q.ROWS,
            "values": _BUILD_VALUES,
            "errors": {},
        },
    ),
    "/projects/new-plan-server": (
        "projects/new.html",
        True,
        {
            "start": "git",
            "source": q.source(plan=s.SERVER_PLAN, imports=q.IMPORTS),
            "site_address": s.ADDRESS,
            "left_out": LeftOut(),
            "variables": [],
            "values": forms.plan_values(s.SERVER_PLAN, name="orders"),
            "processes": [process_forms.Row(name="web", is_detected=True)],
            "apps": Apps(),
            "errors": {
                "name": "Another project is called orders",
                "env.0.key": "A value needs a key",
            },
        },
    ),
    "/projects/new-unknown": (
        "projects/new.html",
        True,
        NONE
        | {
            "start": "upload",
            "source": q.source(
                plan=None,
                repository_url=None,
                commit_sha=None,
                plan_error=SimpleNamespace(
                    code="VALIDATION_ERROR",
                    message="Nothing here that Windlass knows: no index.html, package.json, "
                    "pyproject.toml, requirements.txt, mkdocs.yml, conf.py or Procfile.",
                    choices=[
                        SimpleNamespace(root_directory="apps/api", label="Express"),
                        SimpleNamespace(root_directory="apps/web", label="Vite"),
                    ],
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
            "variables": q.VARIABLES,
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
            "variables": q.VARIABLES,
            "editing": q.VARIABLES[1].id,
            "rows": [],
            "values": {"production": True, "secret": True},
            "errors": {},
        },
    ),
    "/projects/harbour-shop/settings": (
        "projects/settings.html",
        True,
        {
            "project": s.PROJECT,
            "plan": s.PLAN,
            "values": _PROJECT_VALUES,
            "errors": {},
            "processes": [],
            "apps": Apps(),
        },
    ),
    "/projects/orders/settings": (
        "projects/settings.html",
        True,
        {
            "project": s.PROJECT,
            "plan": s.SERVER_PLAN,
            "values": forms.setting_values(None, s.SERVER_PLAN)
            | {"name": "Orders", "health_path": "/healthz", "start_timeout_seconds": "soon"},
            "errors": {
                "start_timeout_seconds": "Use a number from 1 to 900",
                "processes.1.memory_mb": "Use a number from 32 to 1048576",
            },
            "processes": [
                process_forms.Row(name="web", is_detected=True, memory_mb="1024"),
                process_forms.Row(
                    name="worker",
                    is_detected=True,
                    command="celery --app shop worker --loglevel info",
                    memory_mb="16",
                    restart="on-failure",
                ),
                process_forms.Row(name="clock", command="python clock.py", cpus="0.25"),
            ],
            "apps": Apps(),
        },
    ),
    "/projects/harbour-shop/registries": (
        "projects/registries.html",
        True,
        NONE
        | {
            "project": s.PROJECT,
            "logins": [
                SimpleNamespace(
                    id=s.public_id("reg", number),
                    registry=registry,
                    username=username,
                    updated_at=s.before(days=number),
                )
                for number, registry, username in (
                    (1, "ghcr.io", "harbour-bot"),
                    (2, "registry.harbour.example.com:5000", "robot$pull+orders"),
                )
            ],
        },
    ),
    "/projects/harbour-shop/registries-none": (
        "projects/registries.html",
        True,
        {
            "project": s.PROJECT,
            "logins": [],
            "values": {"registry": "nowhere"},
            "errors": {"registry": "nowhere is no name of an image"},
        },
    ),
    "/projects/harbour-shop/deploy-image": (
        "projects/deploy.html",
        True,
        {
            "project": s.PROJECT,
            "source": q.source(kind="upload", plan=s.IMAGE_PLAN, file_count=1, size_bytes=60),
            "left_out": LeftOut(),
            "values": {"production": True},
            "errors": {},
        },
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
            "source": q.SOURCE,
            "left_out": LeftOut(12),
            "values": {"production": False},
            "errors": {},
        },
    ),
}
