"""What Git hosts are told about a commit, each in the form that it documents."""

from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec

from windlass.adapters.guarded import Client, FetchFailed

Kind = Literal["github", "gitlab", "gitea", "bitbucket"]
State = Literal["pending", "success", "failure", "cancelled"]

# Hosts that are known by their name; of another one somebody says what it runs.
_KNOWN: dict[str, Kind] = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "bitbucket.org": "bitbucket",
    "codeberg.org": "gitea",
}
_APIS: dict[str, str] = {
    "github.com": "https://api.github.com",
    "bitbucket.org": "https://api.bitbucket.org/2.0",
}
_PATHS: dict[Kind, str] = {
    "github": "/api/v3",
    "gitlab": "/api/v4",
    "gitea": "/api/v1",
    "bitbucket": "/2.0",
}
_STATES: dict[Kind, dict[State, str]] = {
    "github": {"cancelled": "error"},
    "gitea": {"cancelled": "error"},
    "gitlab": {"failure": "failed", "cancelled": "canceled"},
    "bitbucket": {
        "pending": "INPROGRESS",
        "success": "SUCCESSFUL",
        "failure": "FAILED",
        "cancelled": "STOPPED",
    },
}
_LONGEST_TEXT = 140
_LONGEST_KEY = 40
_LATER = {408, 425, 429}


class Refused(Exception):
    """The host will say the same again. The text says why, to whoever set up the token."""


class CommitStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a commit. `context` tells several of one commit apart."""

    sha: str
    state: State
    url: str
    context: str
    text: str


def kind_of(name: str) -> Kind | None:
    """What a host runs, where its name tells."""
    return _KNOWN.get(name) or ("gitlab" if name.startswith("gitlab.") else None)


def api_of(kind: Kind, key: str, url: str) -> str:
    """Where the API of a repository's host is. `key`: as `projects.repositories` names it."""
    name = key.partition("/")[0]
    if name in _APIS:
        return _APIS[name]
    parts = urlsplit(url) if url.startswith(("http://", "https://")) else None
    start = f"{parts.scheme}://{parts.netloc}" if parts else f"https://{name}"
    return start + _PATHS[kind]


async def report(
    client: Client, kind: Kind, api: str, repository: str, token: str, status: CommitStatus
) -> None:
    """Set the status of a commit; the same again changes nothing. Raises Refused, or FetchFailed
    where it is worth trying again."""
    path, body = _asked(kind, repository, status)
    answer = await client.post_json(api + path, body, **headers_of(kind, token))
    if answer.status < 300:
        return
    said = answer.body[:200].decode(errors="replace")
    if kind == "gitlab" and answer.status == 400 and "Cannot transition status" in said:
        # It has this state already.
        return
    if is_later(answer.status):
        raise FetchFailed(f"it answered {answer.status}")
    raise Refused(f"{answer.status}: {said}")


def is_later(status: int) -> bool:
    """Whether the same may be answered otherwise at another time."""
    return status >= 500 or status in _LATER


def _asked(kind: Kind, repository: str, status: CommitStatus) -> tuple[str, dict[str, str]]:
    state = _STATES[kind].get(status.state, status.state)
    text = status.text[:_LONGEST_TEXT]
    place = quote(repository)
    match kind:
        case "github" | "gitea":
            return f"/repos/{place}/statuses/{status.sha}", {
                "state": state,
                "target_url": status.url,
                "description": text,
                "context": status.context,
            }
        case "gitlab":
            return f"/projects/{quote(repository, safe='')}/statuses/{status.sha}", {
                "state": state,
                "target_url": status.url,
                "description": text,
                "name": status.context,
            }
        case "bitbucket":
            return f"/repositories/{place}/commit/{status.sha}/statuses/build", {
                "key": status.context[:_LONGEST_KEY],
                "state": state,
                "url": status.url,
                "name": status.context,
                "description": text,
            }


def headers_of(kind: Kind, token: str) -> dict[str, str]:
    """Who asks, in the form of each host."""
    match kind:
        case "github":
            return {
                "authorization": f"Bearer {token}",
                "accept": "application/vnd.github+json",
                "x_github_api_version": "2022-11-28",
                "user_agent": "windlass",
            }
        case "gitlab":
            return {"private_token": token}
        case "gitea":
            return {"authorization": f"token {token}"}
        case "bitbucket":
            return {"authorization": f"Bearer {token}"}
