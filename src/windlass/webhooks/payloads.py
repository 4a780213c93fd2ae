"""What a delivery says, read from the form of each host into one."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from windlass.projects.repositories import key_of
from windlass.webhooks import pulls
from windlass.webhooks.errors import NotFromCloud, PayloadRefused
from windlass.webhooks.models import Host
from windlass.webhooks.pulls import PullEvent

Kind = Literal["push", "pull", "ping", "other"]
_SHA = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
_START_OF_SHA = re.compile(r"[0-9a-fA-F]{12,64}")
_LONGEST_ID = 200
# Bitbucket Data Center names its events otherwise than Bitbucket Cloud; the last is its test.
_DATA_CENTER = ("repo:refs_changed", "pr:", "mirror:", "diagnostics:")
_LONGEST_EVENT = 60


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A branch or tag that points somewhere else now."""

    ref: str
    commit_sha: str | None
    message: str = ""
    is_deleted: bool = False
    # What the push changed; None: the host does not say, or not all of it.
    paths: frozenset[str] | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery: of which repository, and what happened there."""

    host: Host
    event: str
    kind: Kind
    # Each address of the repository, in the form of `projects.repositories`.
    repository: frozenset[str]
    # What it calls itself, and the number by which its host knows it.
    name: str
    remote_id: str | None
    pushes: tuple[Push, ...] = ()
    pull: PullEvent | None = None


class Labels(msgspec.Struct, frozen=True):
    """What the headers say, and the SHA-256 of the body."""

    event: str
    delivery: str
    digest: bytes


def labels(host: Host, headers: Mapping[str, str], body: bytes) -> Labels:
    """The kind of event, and the id that a delivery keeps when it is sent again."""
    sha256 = hashlib.sha256(body)
    digest = sha256.hexdigest()
    match host:
        case Host.github:
            event, id = headers.get("x-github-event"), headers.get("x-github-delivery")
        case Host.gitlab:
            event = headers.get("x-gitlab-event")
            id = headers.get("webhook-id") or headers.get("idempotency-key")
            # One event's hooks that started each other share this one.
            if id is None and (shared := headers.get("x-gitlab-event-uuid")):
                id = f"{shared[:100]}:{digest[:32]}"
        case Host.gitea:
            event = headers.get("x-forgejo-event") or headers.get("x-gitea-event")
            id = headers.get("x-forgejo-delivery") or headers.get("x-gitea-delivery")
        case Host.bitbucket:
            event, id = headers.get("x-event-key"), headers.get("x-request-uuid")
    id = id if id and len(id) <= _LONGEST_ID else f"sha256:{digest}"
    return Labels((event or "unknown")[:_LONGEST_EVENT], id, sha256.digest())


def read(host: Host, event: str, found: object) -> Notice:
    """The decoded body as a notice; raises PayloadRefused where it has not the documented form."""
    if host is Host.bitbucket and event.startswith(_DATA_CENTER):
        raise NotFromCloud()
    try:
        notice = _read(host, event, found)
        pull = pulls.read(host, event, found)
    except msgspec.ValidationError as error:
        raise PayloadRefused(why=str(error)) from error
    if pull is None:
        return notice
    pull = msgspec.structs.replace(pull, sha=_start_of_sha(pull.sha))
    return msgspec.structs.replace(notice, kind="pull", pull=pull)


def _read(host: Host, event: str, found: object) -> Notice:
    match host:
        case Host.github | Host.gitea:
            return _github(host, event, msgspec.convert(found, _GitHub))
        case Host.gitlab:
            return _gitlab(event, msgspec.convert(found, _GitLab))
        case Host.bitbucket:
            return _bitbucket(event, msgspec.convert(found, _Bitbucket))


class _Commit(msgspec.Struct):
    id: str = ""
    message: str = ""
    added: list[str] | None = None
    removed: list[str] | None = None
    modified: list[str] | None = None


class _GitHubRepository(msgspec.Struct):
    full_name: str
    id: int | None = None
    clone_url: str | None = None
    ssh_url: str | None = None
    html_url: str | None = None


class _GitHub(msgspec.Struct):
    """GitHub's form, which Gitea and Forgejo follow."""

    repository: _GitHubRepository
    ref: str = ""
    after: str | None = None
    created: bool = False
    deleted: bool = False
    forced: bool = False
    head_commit: _Commit | None = None
    commits: list[_Commit] | None = None
    total_commits: int | None = None


def _github(host: Host, event: str, found: _GitHub) -> Notice:
    where = found.repository
    is_push = event == "push" and found.ref.startswith("refs/")
    push = Push(
        ref=found.ref,
        # Of a tag with a message, `after` is the tag and not the commit.
        commit_sha=_sha((found.head_commit and found.head_commit.id) or found.after),
        message=found.head_commit.message if found.head_commit else "",
        is_deleted=found.deleted or _is_nothing(found.after),
        paths=None
        if found.created or found.forced
        else _paths(found.commits or [], found.total_commits),
    )
    return _notice(
        host,
        event,
        "push" if is_push else "ping" if event == "ping" else "other",
        urls=(where.clone_url, where.ssh_url, where.html_url),
        name=where.full_name,
        number=where.id,
        pushes=(push,) if is_push else (),
    )


class _GitLabProject(msgspec.Struct):
    path_with_namespace: str
    id: int | None = None
    git_http_url: str | None = None
    git_ssh_url: str | None = None
    web_url: str | None = None


class _GitLab(msgspec.Struct):
    project: _GitLabProject
    object_kind: str = ""
    ref: str = ""
    before: str | None = None
    after: str | None = None
    checkout_sha: str | None = None
    commits: list[_Commit] | None = None
    total_commits_count: int | None = None


def _gitlab(event: str, found: _GitLab) -> Notice:
    where, commits = found.project, found.commits or []
    # The header of a group's or system's hook names the hook; the body always names the event.
    is_push = found.object_kind in ("push", "tag_push") and found.ref.startswith("refs/")
    sha = _sha(found.checkout_sha or found.after)
    push = Push(
        ref=found.ref,
        commit_sha=sha,
        message=next((commit.message for commit in commits if commit.id == sha), ""),
        is_deleted=_is_nothing(found.after),
        paths=None if _is_nothing(found.before) else _paths(commits, found.total_commits_count),
    )
    return _notice(
        Host.gitlab,
        event,
        "push" if is_push else "other",
        urls=(where.git_http_url, where.git_ssh_url, where.web_url),
        name=where.path_with_namespace,
        number=where.id,
        pushes=(push,) if is_push else (),
    )


class _Link(msgspec.Struct):
    href: str = ""


class _Links(msgspec.Struct):
    html: _Link | None = None


class _BitbucketRepository(msgspec.Struct):
    full_name: str
    uuid: str | None = None
    links: _Links | None = None


class _Target(msgspec.Struct):
    hash: str = ""
    message: str = ""


class _Ref(msgspec.Struct):
    name: str
    type: str = "branch"
    target: _Target | None = None


class _Change(msgspec.Struct):
    new: _Ref | None = None
    old: _Ref | None = None


class _Changes(msgspec.Struct):
    changes: list[_Change]


class _Bitbucket(msgspec.Struct):
    repository: _BitbucketRepository
    push: _Changes | None = None


def _bitbucket(event: str, found: _Bitbucket) -> Notice:
    where = found.repository
    changes = found.push.changes if event == "repo:push" and found.push else []
    return _notice(
        Host.bitbucket,
        event,
        "push" if event == "repo:push" else "other",
        urls=(where.links.html.href if where.links and where.links.html else None,),
        name=where.full_name,
        number=where.uuid,
        pushes=tuple(_changed(change) for change in changes if change.new or change.old),
    )


def _changed(change: _Change) -> Push:
    """Bitbucket names no files."""
    now: Any = change.new or change.old
    folder = "tags" if now.type == "tag" else "heads"
    return Push(
        ref=f"refs/{folder}/{now.name}",
        commit_sha=_sha(change.new.target.hash) if change.new and change.new.target else None,
        message=change.new.target.message if change.new and change.new.target else "",
        is_deleted=change.new is None,
    )


def _notice(
    host: Host,
    event: str,
    kind: Kind,
    *,
    urls: tuple[str | None, ...],
    name: str,
    number: int | str | None,
    pushes: tuple[Push, ...],
) -> Notice:
    keys = sorted(key for key in map(key_of, urls) if key is not None)
    if not keys:
        raise PayloadRefused(why="it names no repository")
    # A number counts on one host only.
    place = keys[0].partition("/")[0]
    return Notice(
        host=host,
        event=event,
        kind=kind,
        repository=frozenset(keys),
        name=name,
        remote_id=f"{place}#{number}" if number is not None else None,
        pushes=pushes,
    )


def _paths(commits: list[_Commit], total: int | None) -> frozenset[str] | None:
    """Every file that these commits touch; None when some commits are left out."""
    if not commits or (total is not None and total > len(commits)):
        return None
    if any(commit.added is None and commit.modified is None for commit in commits):
        return None
    found: set[str] = set()
    for commit in commits:
        found.update(commit.added or (), commit.removed or (), commit.modified or ())
    return frozenset(found)


def _sha(text: str | None) -> str | None:
    """The full name of a commit; nothing else gets further than here."""
    return text.lower() if text and _SHA.fullmatch(text) and not _is_nothing(text) else None


def _start_of_sha(text: str | None) -> str | None:
    """The same, or at least twelve letters of it: Bitbucket says no more of pull requests."""
    return text.lower() if text and _START_OF_SHA.fullmatch(text) else None


def _is_nothing(sha: str | None) -> bool:
    return sha is not None and sha != "" and set(sha) == {"0"}
