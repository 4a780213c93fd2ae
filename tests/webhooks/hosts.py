"""Deliveries as the documentation of each Git host describes them, signed as each host signs."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

SHA = "5b1d9a3c7e2f4a6b8c0d1e2f3a4b5c6d7e8f9a0b"
OLD = "0f9e8d7c6b5a4938271605f4e3d2c1b0a9f8e7d6"
NOTHING = "0" * 40
HOSTS = ("github", "gitlab", "gitea", "bitbucket")


class Delivery:
    """One that can be sent, and changed before it is signed."""

    def __init__(self, host: str, event: str, payload: dict[str, Any]) -> None:
        self.host, self.event, self.payload = host, event, payload
        self.id = str(uuid.uuid4())

    @property
    def body(self) -> bytes:
        return json.dumps(self.payload).encode()

    def headers(self, secret: str | None, body: bytes | None = None) -> dict[str, str]:
        body = self.body if body is None else body
        found = {"content-type": "application/json", **self._labels()}
        return found | (self._proof(secret, body) if secret is not None else {})

    def _labels(self) -> dict[str, str]:
        match self.host:
            case "github":
                return {
                    "user-agent": "GitHub-Hookshot/0a1b2c3",
                    "x-github-event": self.event,
                    "x-github-delivery": self.id,
                    "x-github-hook-id": "292430182",
                }
            case "gitlab":
                return {
                    "user-agent": "GitLab/18.5.0",
                    "x-gitlab-event": self.event,
                    "x-gitlab-instance": "https://gitlab.com",
                    "x-gitlab-event-uuid": str(uuid.uuid4()),
                    "idempotency-key": self.id,
                }
            case "gitea":
                names = ("x-gitea", "x-gogs", "x-github")
                return {f"{name}-event": self.event for name in names} | {
                    f"{name}-delivery": self.id for name in names
                }
            case _:
                return {
                    "user-agent": "Bitbucket-Webhooks/2.0",
                    "x-event-key": self.event,
                    "x-hook-uuid": str(uuid.uuid4()),
                    "x-request-uuid": self.id,
                    "x-attempt-number": "1",
                }

    def _proof(self, secret: str, body: bytes) -> dict[str, str]:
        sha256 = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        match self.host:
            case "github":
                sha1 = hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
                return {
                    "x-hub-signature": f"sha1={sha1}",
                    "x-hub-signature-256": f"sha256={sha256}",
                }
            case "gitlab":
                return {"x-gitlab-token": secret}
            case "gitea":
                return {"x-gitea-signature": sha256, "x-hub-signature-256": f"sha256={sha256}"}
            case _:
                return {"x-hub-signature": f"sha256={sha256}"}


def signed_by_gitlab(
    delivery: Delivery, secret: str, *, moment: int | None = None
) -> dict[str, str]:
    """The newer form: a signature over id, time and body in place of the token."""
    moment = int(time.time()) if moment is None else moment
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{delivery.id}.{moment}.".encode() + delivery.body
    found = base64.b64encode(hmac.digest(key, text, "sha256")).decode()
    return {
        **delivery.headers(None),
        "webhook-id": delivery.id,
        "webhook-timestamp": str(moment),
        "webhook-signature": f"v1,{found}",
    }


def push(
    host: str,
    ref: str = "refs/heads/main",
    *,
    message: str = "Mend the shop",
    name: str = "acme/shop",
    paths: tuple[str, ...] = ("README.md",),
    after: str = SHA,
) -> Delivery:
    """A push to a branch or tag; `after=NOTHING` deletes it."""
    return {"github": _github, "gitlab": _gitlab, "gitea": _gitea, "bitbucket": _bitbucket}[host](
        ref, message, name, paths, after
    )


def url_of(host: str, name: str = "acme/shop") -> str:
    """The repository as people clone it."""
    place = {
        "github": "github.com",
        "gitlab": "gitlab.com",
        "gitea": "git.example.com:3000",
        "bitbucket": "bitbucket.org",
    }[host]
    return f"https://{place}/{name}.git"


def _commit(message: str, paths: tuple[str, ...], after: str) -> dict[str, Any]:
    return {
        "id": after,
        "message": message,
        "timestamp": "2026-11-21T10:00:00+00:00",
        "author": {"name": "Ada", "email": "ada@example.com"},
        "added": [],
        "removed": [],
        "modified": list(paths),
    }


def _github(ref: str, message: str, name: str, paths: tuple[str, ...], after: str) -> Delivery:
    gone = after == NOTHING
    commit = None if gone else {**_commit(message, paths, after), "tree_id": OLD, "distinct": True}
    owner = name.partition("/")[0]
    return Delivery(
        "github",
        "push",
        {
            "ref": ref,
            "before": OLD,
            "after": after,
            "created": False,
            "deleted": gone,
            "forced": False,
            "base_ref": None,
            "commits": [commit] if commit else [],
            "head_commit": commit,
            "repository": {
                "id": 35129377,
                "full_name": name,
                "private": True,
                "owner": {"login": owner, "id": 6752317},
                "html_url": f"https://github.com/{name}",
                "clone_url": f"https://github.com/{name}.git",
                "ssh_url": f"git@github.com:{name}.git",
                "git_url": f"git://github.com/{name}.git",
                "default_branch": "main",
                "pushed_at": int(time.time()),
            },
            "pusher": {"name": owner, "email": "ada@example.com"},
            "sender": {"login": owner, "id": 6752317},
        },
    )


def _gitlab(ref: str, message: str, name: str, paths: tuple[str, ...], after: str) -> Delivery:
    gone, is_tag = after == NOTHING, ref.startswith("refs/tags/")
    commits = [] if gone else [{**_commit(message, paths, after), "title": message}]
    return Delivery(
        "gitlab",
        "Tag Push Hook" if is_tag else "Push Hook",
        {
            "object_kind": "tag_push" if is_tag else "push",
            "event_name": "tag_push" if is_tag else "push",
            "before": NOTHING if is_tag else OLD,
            "after": after,
            "ref": ref,
            "checkout_sha": None if gone else after,
            "user_id": 4,
            "user_username": "ada",
            "project_id": 15,
            "project": {
                "id": 15,
                "name": name.rpartition("/")[2],
                "web_url": f"https://gitlab.com/{name}",
                "git_ssh_url": f"git@gitlab.com:{name}.git",
                "git_http_url": f"https://gitlab.com/{name}.git",
                "path_with_namespace": name,
                "default_branch": "main",
            },
            "commits": commits,
            "total_commits_count": len(commits),
        },
    )


def _gitea(ref: str, message: str, name: str, paths: tuple[str, ...], after: str) -> Delivery:
    gone = after == NOTHING
    commits = [] if gone else [_commit(message, paths, after)]
    return Delivery(
        "gitea",
        "push",
        {
            "ref": ref,
            "before": OLD,
            "after": after,
            "compare_url": f"https://git.example.com:3000/{name}/compare/{OLD}...{after}",
            "commits": commits,
            "total_commits": len(commits),
            "head_commit": commits[0] if commits else None,
            "repository": {
                "id": 140,
                "full_name": name,
                "private": False,
                "html_url": f"https://git.example.com:3000/{name}",
                "ssh_url": f"ssh://git@git.example.com:2222/{name}.git",
                "clone_url": f"https://git.example.com:3000/{name}.git",
                "default_branch": "main",
                "updated_at": "2026-11-21T10:00:00Z",
            },
            "pusher": {"id": 1, "login": "ada"},
            "sender": {"id": 1, "login": "ada"},
        },
    )


def _bitbucket(ref: str, message: str, name: str, _paths: tuple[str, ...], after: str) -> Delivery:
    kind = "tag" if ref.startswith("refs/tags/") else "branch"
    label = ref.split("/", 2)[2]
    old = {"type": kind, "name": label, "target": {"type": "commit", "hash": OLD}}
    new = {"type": kind, "name": label}
    new |= {"target": {"type": "commit", "hash": after, "message": f"{message}\n"}}
    gone = after == NOTHING
    return Delivery(
        "bitbucket",
        "repo:push",
        {
            "actor": {"type": "user", "nickname": "ada"},
            "repository": {
                "type": "repository",
                "uuid": "{673a6070-3421-46c9-9d48-90745f7bfe8e}",
                "full_name": name,
                "name": name.rpartition("/")[2],
                "links": {"html": {"href": f"https://bitbucket.org/{name}"}},
            },
            "push": {
                "changes": [
                    {
                        "old": old,
                        "new": None if gone else new,
                        "created": False,
                        "closed": gone,
                        "forced": False,
                        "truncated": False,
                    }
                ]
            },
        },
    )
