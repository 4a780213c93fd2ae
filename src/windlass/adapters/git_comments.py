"""One comment below a pull request, made once and changed in its place, in each host's form."""

from typing import Any
from urllib.parse import quote

import msgspec

from windlass.adapters.git_hosts import Kind, Refused, headers_of, is_later
from windlass.adapters.guarded import Client, Fetched, FetchFailed

_LOOKED_AT = 30
_GONE = {404, 410}


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What it says. `mark` is a line of it by which ours is known again, should its id be lost."""

    number: int
    text: str
    mark: str
    id: str | None = None


class _Content(msgspec.Struct):
    raw: str = ""


class _Found(msgspec.Struct):
    id: int
    body: str = ""
    content: _Content | None = None

    @property
    def said(self) -> str:
        return self.content.raw if self.content else self.body


class _Page(msgspec.Struct):
    values: list[_Found] = []


async def put(
    client: Client, kind: Kind, api: str, repository: str, token: str, comment: Comment
) -> str:
    """Make it say this, and return its id; one that somebody deleted is made anew. Raises Refused,
    or FetchFailed where it is worth trying again."""
    place = api + _place(kind, repository, comment.number)
    headers = headers_of(kind, token)
    body = {"content": {"raw": comment.text}} if kind == "bitbucket" else {"body": comment.text}
    id = comment.id or await _find(client, kind, place, headers, comment.mark)
    if id is not None:
        where = f"{_one(kind, api, repository, comment.number)}/{quote(id, safe='')}"
        method = "PATCH" if kind in ("github", "gitea") else "PUT"
        answer = await client.send_json(method, where, body, **headers)
        if answer.status not in _GONE:
            _check(answer)
            return id
    answer = await client.send_json("POST", place, body, **headers)
    _check(answer)
    return str(answer.json(_Found).id)


async def _find(
    client: Client, kind: Kind, place: str, headers: dict[str, str], mark: str
) -> str | None:
    """Ours, where we were interrupted between making it and noting its id."""
    how = {
        "github": f"?per_page={_LOOKED_AT}",
        "gitlab": f"?per_page={_LOOKED_AT}&sort=asc&order_by=created_at",
        "gitea": f"?limit={_LOOKED_AT}",
        "bitbucket": f"?pagelen={_LOOKED_AT}",
    }[kind]
    answer = await client.get(place + how, **headers)
    _check(answer)
    shape: Any = _Page if kind == "bitbucket" else list[_Found]
    found = answer.json(shape)
    rows: list[_Found] = found.values if kind == "bitbucket" else found
    return next((str(row.id) for row in rows if mark in row.said), None)


def _place(kind: Kind, repository: str, number: int) -> str:
    """All comments of the pull request."""
    match kind:
        case "github" | "gitea":
            return f"/repos/{quote(repository)}/issues/{number}/comments"
        case "gitlab":
            return f"/projects/{quote(repository, safe='')}/merge_requests/{number}/notes"
        case "bitbucket":
            return f"/repositories/{quote(repository)}/pullrequests/{number}/comments"


def _one(kind: Kind, api: str, repository: str, number: int) -> str:
    """What a comment's own address starts with."""
    if kind in ("github", "gitea"):
        return f"{api}/repos/{quote(repository)}/issues/comments"
    return api + _place(kind, repository, number)


def _check(answer: Fetched) -> None:
    if answer.status < 300:
        return
    if is_later(answer.status):
        raise FetchFailed(f"it answered {answer.status}")
    raise Refused(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")
