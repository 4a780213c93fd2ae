"""What a delivery says of a pull request, read from the form of each host into one."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from windlass.webhooks.models import Host

What = Literal["changed", "closed"]
Number = Annotated[int, Meta(ge=1, lt=1 << 31)]
_LONGEST_TITLE = 300

_GITHUB: dict[str, What] = {
    "opened": "changed",
    "reopened": "changed",
    "synchronize": "changed",
    # Gitea's word for it.
    "synchronized": "changed",
    "closed": "closed",
}
_GITLAB: dict[str, What] = {
    "open": "changed",
    "reopen": "changed",
    "update": "changed",
    "close": "closed",
    "merge": "closed",
}
_BITBUCKET: dict[str, What] = {
    "pullrequest:created": "changed",
    "pullrequest:updated": "changed",
    "pullrequest:fulfilled": "closed",
    "pullrequest:rejected": "closed",
}


class PullEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request that points somewhere else now, or is open no more."""

    what: What
    number: int
    title: str = ""
    author: str = ""
    branch: str = ""
    sha: str | None = None
    message: str = ""
    is_fork: bool = False
    # Of a fork: whose, and its own address where the project's repository does not have the commit.
    owner: str = ""
    url: str | None = None
    ref: str | None = None

    @property
    def label(self) -> str:
        """What its branch is called here; no branch of the repository itself can hold a colon."""
        return f"{self.owner or 'fork'}:{self.branch}" if self.is_fork else self.branch


def read(host: Host, event: str, found: object) -> PullEvent | None:
    """The pull request of a delivery; None when it is about something else, or when what changed
    is not what is built. Raises msgspec.ValidationError."""
    match host:
        case Host.github | Host.gitea:
            if event != "pull_request":
                return None
            return _github(msgspec.convert(found, _GitHub))
        case Host.gitlab:
            if not isinstance(found, dict) or _kind(found) != "merge_request":
                return None
            return _gitlab(msgspec.convert(found, _GitLab))
        case Host.bitbucket:
            if event not in _BITBUCKET:
                return None
            return _bitbucket(event, msgspec.convert(found, _Bitbucket))


def _kind(found: dict[Any, Any]) -> object:
    return found.get("object_kind")


class _User(msgspec.Struct):
    login: str = ""


class _Repository(msgspec.Struct):
    full_name: str = ""
    id: int | None = None


class _End(msgspec.Struct):
    ref: str
    sha: str
    repo: _Repository | None = None
    user: _User | None = None


class _PullRequest(msgspec.Struct):
    head: _End
    base: _End
    title: str = ""
    user: _User | None = None


class _GitHub(msgspec.Struct):
    """GitHub's form, which Gitea and Forgejo follow."""

    action: str
    number: Number
    pull_request: _PullRequest


def _github(found: _GitHub) -> PullEvent | None:
    if (what := _GITHUB.get(found.action)) is None:
        return None
    pull = found.pull_request
    head, base = pull.head, pull.base
    # A repository that was deleted since was not this one.
    same = head.repo is not None and base.repo is not None and head.repo.id == base.repo.id
    same = same and head.repo is not None and head.repo.id is not None
    owner = head.repo.full_name.partition("/")[0] if head.repo else ""
    return PullEvent(
        what=what,
        number=found.number,
        title=pull.title[:_LONGEST_TITLE],
        author=pull.user.login if pull.user else "",
        branch=head.ref,
        sha=head.sha,
        is_fork=not same,
        owner=owner or (head.user.login if head.user else ""),
        ref=None if same else f"refs/pull/{found.number}/head",
    )


class _GitLabUser(msgspec.Struct):
    username: str = ""


class _GitLabCommit(msgspec.Struct):
    id: str
    message: str = ""


class _GitLabProject(msgspec.Struct):
    path_with_namespace: str = ""


class _Attributes(msgspec.Struct):
    iid: Number
    source_branch: str
    action: str = ""
    title: str = ""
    source_project_id: int | None = None
    target_project_id: int | None = None
    last_commit: _GitLabCommit | None = None
    source: _GitLabProject | None = None
    # Only where commits were pushed.
    oldrev: str | None = None


class _GitLab(msgspec.Struct):
    object_attributes: _Attributes
    user: _GitLabUser | None = None


def _gitlab(found: _GitLab) -> PullEvent | None:
    pull = found.object_attributes
    what = _GITLAB.get(pull.action)
    if what is None or (pull.action == "update" and pull.oldrev is None):
        return None
    is_fork = pull.source_project_id != pull.target_project_id or pull.source_project_id is None
    return PullEvent(
        what=what,
        number=pull.iid,
        title=pull.title[:_LONGEST_TITLE],
        author=found.user.username if found.user else "",
        branch=pull.source_branch,
        sha=pull.last_commit.id if pull.last_commit else None,
        message=pull.last_commit.message if pull.last_commit else "",
        is_fork=is_fork,
        owner=pull.source.path_with_namespace.rpartition("/")[0] if pull.source else "",
        ref=f"refs/merge-requests/{pull.iid}/head" if is_fork else None,
    )


class _Hash(msgspec.Struct):
    # Its first twelve letters.
    hash: str = ""


class _Name(msgspec.Struct):
    name: str


class _Link(msgspec.Struct):
    href: str = ""


class _Links(msgspec.Struct):
    html: _Link | None = None


class _Place(msgspec.Struct):
    full_name: str = ""
    uuid: str | None = None
    links: _Links | None = None


class _Side(msgspec.Struct):
    branch: _Name
    commit: _Hash | None = None
    repository: _Place | None = None


class _Nickname(msgspec.Struct):
    nickname: str = ""


class _BitbucketPull(msgspec.Struct):
    id: Number
    source: _Side
    destination: _Side
    title: str = ""
    author: _Nickname | None = None


class _Bitbucket(msgspec.Struct):
    pullrequest: _BitbucketPull


def _bitbucket(event: str, found: _Bitbucket) -> PullEvent:
    pull = found.pullrequest
    source, target = pull.source, pull.destination
    place = source.repository
    same = place is not None and target.repository is not None
    same = same and place.uuid == target.repository.uuid and place.uuid is not None  # pyright: ignore
    url = place.links.html.href if place and place.links and place.links.html else None
    return PullEvent(
        what=_BITBUCKET[event],
        number=pull.id,
        title=pull.title[:_LONGEST_TITLE],
        author=pull.author.nickname if pull.author else "",
        branch=source.branch.name,
        sha=source.commit.hash if source.commit else None,
        is_fork=not same,
        owner=place.full_name.partition("/")[0] if place else "",
        # Bitbucket has no refs of pull requests: the fork itself is asked, without any key.
        url=None if same else url,
        ref=None if same else f"refs/heads/{source.branch.name}",
    )
