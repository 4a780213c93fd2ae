"""Pull requests as the documentation of each Git host describes their deliveries."""

import uuid
from typing import Any

from tests.webhooks.hosts import OLD, SHA, Delivery, push

FORK = "ada/shop"


def pull(
    host: str,
    what: str = "opened",
    *,
    number: int = 7,
    branch: str = "fix",
    sha: str = SHA,
    is_fork: bool = False,
    title: str = "Mend the shop",
    url: str | None = None,
) -> Delivery:
    """`what`: opened, moved (more commits), reopened, closed, merged, titled. `url`: where the
    repository is, if not at its host."""
    source = FORK if is_fork else "acme/shop"
    made = {"github": _github, "gitlab": _gitlab, "gitea": _github, "bitbucket": _bitbucket}[host](
        host, what, number, branch, sha, source, title
    )
    if url is not None:
        made.payload["repository"]["clone_url"] = url
    return made


def _repository(host: str, name: str) -> dict[str, Any]:
    found = dict(push(host).payload["repository"])
    site = "https://github.com" if host == "github" else "https://git.example.com:3000"
    found |= {"id": 35129377 if name == "acme/shop" else 99, "full_name": name}
    found |= {"html_url": f"{site}/{name}", "clone_url": f"{site}/{name}.git"}
    return found | {"fork": name != "acme/shop", "owner": {"login": name.partition("/")[0]}}


def _github(
    host: str, what: str, number: int, branch: str, sha: str, source: str, title: str
) -> Delivery:
    actions = {"opened": "opened", "reopened": "reopened", "closed": "closed", "merged": "closed"}
    moved = "synchronize" if host == "github" else "synchronized"
    actions |= {"moved": moved, "titled": "edited"}
    base = _repository(host, "acme/shop")
    head = base if source == "acme/shop" else _repository(host, source)
    owner = source.partition("/")[0]
    return Delivery(
        host,
        "pull_request",
        {
            "action": actions[what],
            "number": number,
            "pull_request": {
                "id": 279147437,
                "number": number,
                "state": "closed" if what in ("closed", "merged") else "open",
                "title": title,
                "user": {"login": owner, "id": 1},
                "body": "Please look at this.",
                "merged": what == "merged",
                "draft": False,
                "head": {
                    "label": f"{owner}:{branch}",
                    "ref": branch,
                    "sha": sha,
                    "user": {"login": owner},
                    "repo": head,
                },
                "base": {"label": "acme:main", "ref": "main", "sha": OLD, "repo": base},
            },
            "repository": base,
            "sender": {"login": owner, "id": 1},
            # Two deliveries are never alike.
            "moment": str(uuid.uuid4()),
        },
    )


def _gitlab(
    host: str, what: str, number: int, branch: str, sha: str, source: str, title: str
) -> Delivery:
    actions = {"opened": "open", "moved": "update", "titled": "update", "reopened": "reopen"}
    actions |= {"closed": "close", "merged": "merge"}
    project = push("gitlab").payload["project"]
    attributes = {
        "id": 99,
        "iid": number,
        "target_branch": "main",
        "source_branch": branch,
        "source_project_id": 15 if source == "acme/shop" else 16,
        "target_project_id": 15,
        "author_id": 4,
        "title": title,
        "state": {"closed": "closed", "merged": "merged"}.get(what, "opened"),
        "source": {"path_with_namespace": source, "git_http_url": f"https://gitlab.com/{source}"},
        "target": {"path_with_namespace": "acme/shop"},
        "last_commit": {"id": sha, "message": f"{title}\n\nAt length.", "url": "https://x/y"},
        "action": actions[what],
    }
    if what == "moved":
        attributes["oldrev"] = OLD
    return Delivery(
        "gitlab",
        "Merge Request Hook",
        {
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "user": {"id": 4, "username": "ada"},
            "project": project,
            "object_attributes": attributes,
            "labels": [],
            "changes": {},
        },
    )


def _bitbucket(
    host: str, what: str, number: int, branch: str, sha: str, source: str, title: str
) -> Delivery:
    events = {"opened": "created", "moved": "updated", "titled": "updated", "reopened": "updated"}
    events |= {"closed": "rejected", "merged": "fulfilled"}
    base = push("bitbucket").payload["repository"]
    head = base
    if source != "acme/shop":
        links = {"html": {"href": f"https://bitbucket.org/{source}"}}
        head = base | {"full_name": source, "uuid": "{0a1b}", "links": links}
    return Delivery(
        "bitbucket",
        f"pullrequest:{events[what]}",
        {
            "actor": {"type": "user", "nickname": "ada"},
            "repository": base,
            "pullrequest": {
                "id": number,
                "title": title,
                "description": "",
                "state": {"closed": "DECLINED", "merged": "MERGED"}.get(what, "OPEN"),
                "author": {"nickname": "ada"},
                "source": {
                    "branch": {"name": branch},
                    "commit": {"type": "commit", "hash": sha[:12]},
                    "repository": head,
                },
                "destination": {
                    "branch": {"name": "main"},
                    "commit": {"type": "commit", "hash": OLD[:12]},
                    "repository": base,
                },
            },
        },
    )
