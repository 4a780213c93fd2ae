"""Schemathesis makes requests from the OpenAPI document, right ones and wrong ones; every answer
must be one that the document describes, and none a failure of ours.

`make fuzz` asks at least 5,000 times in all (EXAMPLES=… of each kind), and is no part of `make
test`; without it each operation is asked a few times.
The seed is fixed. What a request does is undone before the next one.
"""

import os
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import msgspec
import pytest
import requests
import schemathesis
from docs import generate
from hypothesis import HealthCheck, Phase, Verbosity, given, seed
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator, FormatChecker
from litestar import Litestar
from schemathesis.generation import GenerationMode

from tests.access import world
from tests.access.world import Tenant
from tests.asking import Answer, Headers, ask
from tests.conftest import RolledBack
from windlass.auth.permissions import Role
from windlass.core import openapi
from windlass.core.blobs import BlobStore
from windlass.core.crypto import KeyRing
from windlass.core.settings import Settings
from windlass.teams.models import TeamMember

pytestmark = pytest.mark.anyio
EXAMPLES = int(os.environ.get("EXAMPLES", "2"))
_SEED = 20261121
_APP = generate.application()
_DOCUMENT = openapi.document(_APP)
_FORMATS = FormatChecker()
_OPERATIONS: list[Any] = [
    found.ok()  # pyright: ignore
    for found in schemathesis.openapi.from_dict(_DOCUMENT).get_all_operations()
]
_settings = hypothesis_settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=tuple(HealthCheck),  # pyright: ignore
    verbosity=Verbosity.quiet,
)


class Target:
    """The application, with somebody who owns one of everything and administers the platform."""

    def __init__(self, app: Litestar, database: RolledBack, tenant: Tenant, token: str) -> None:
        self._app, self._database, self.tenant, self._token = app, database, tenant, token

    async def send(self, prepared: requests.PreparedRequest) -> Answer:
        parts = urlsplit(str(prepared.url))
        body: Any = prepared.body or b""
        await self._database.fetch("savepoint example")
        try:
            return await ask(
                self._app,
                str(prepared.method),
                httpx2.URL(str(prepared.url)).path,
                query=parts.query,
                headers=self._headers(prepared),
                body=body.encode() if isinstance(body, str) else body,
            )
        finally:
            # Rolled back to, it is still there: the next one would stand inside it, and so on.
            await self._database.execute("rollback to savepoint example; release example")
            self._app.state.identities.forget()
            self._app.state.limiter.reset()

    def _headers(self, prepared: requests.PreparedRequest) -> Headers:
        given = {name.lower(): value for name, value in prepared.headers.items()}
        for name in ("cookie", "host", "origin", "referer"):
            given.pop(name, None)
        given["authorization"] = f"Bearer {self._token}"
        return [(name.encode(), _bytes(value)) for name, value in given.items()]


@pytest.fixture
async def target(
    app: Litestar, database: RolledBack, settings: Settings, key_ring: KeyRing
) -> Target:
    owner = await world.person(database, "owner", is_admin=True)
    team = await world.team(database, "near")
    blobs = BlobStore(settings.folder / "blobs")
    tenant = await world.tenant(database, blobs, key_ring, owner, team)
    async with database.transaction() as db:
        db.add(TeamMember(team_id=team, user_id=owner.id, role=Role.owner))
    return Target(app, database, tenant, await world.make.token(database, owner))


async def test_every_answer_is_one_that_the_document_describes(
    target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong: dict[str, str] = {}
    counts: Counter[str] = Counter()

    def ask_many(operation: Any, mode: GenerationMode) -> None:
        @seed(_SEED)
        @_settings
        @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
        def asked(case: Any, is_known: bool) -> None:
            if is_known:
                _point_at(case, target.tenant)
            answer = anyio.from_thread.run(target.send, _prepared(case))
            counts[f"{answer.status // 100}xx"] += 1
            for problem in _problems(operation, answer):
                key = f"{operation.label}: {answer.status} {problem}"
                wrong.setdefault(key[:250], case.as_curl_command()[:600])

        asked()

    for operation in _OPERATIONS:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                await anyio.to_thread.run_sync(ask_many, operation, mode)
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, operation.label
    with capsys.disabled():
        print(f"\nfuzz: {len(_OPERATIONS)} operations, {counts.total()} requests: {dict(counts)}")
    assert wrong == {}


def _point_at(case: Any, tenant: Tenant) -> None:
    """What exists instead of what was made up, so that more than 404 is answered."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = tenant.path.get(name, case.path_parameters[name])
    if isinstance(case.body, dict):
        body: dict[str, Any] = case.body
        for name in body.keys() & tenant.body.keys():
            body[name] = tenant.body[name]


def _prepared(case: Any) -> requests.PreparedRequest:
    kwargs = case.as_transport_kwargs("http://panel.example")
    kwargs.pop("timeout", None)
    kwargs["headers"] = {
        name: value for name, value in kwargs["headers"].items() if value.strip() == value
    }
    kwargs.pop("cookies", None)
    return requests.Request(**kwargs).prepare()


def _problems(operation: Any, answer: Answer) -> list[str]:
    """What is not as described."""
    described = _DOCUMENT["paths"][operation.path][operation.method]["responses"]
    # 502: the cluster is somebody else's; a route says that it asks one.
    if answer.status >= 500 and answer.status not in (502, 503):
        return ["is a failure of ours: " + answer.text[:100]]
    if (found := described.get(str(answer.status))) is None:
        return ["is not described: " + answer.text[:100]]
    if "$ref" in found:
        found = _DOCUMENT["components"]["responses"][found["$ref"].rsplit("/", 1)[1]]
    missing = [f"has no {n}" for n in found.get("headers", {}) if n.lower() not in answer.headers]
    kind = answer.headers.get("content-type", "").split(";")[0]
    contents = {name.split(";")[0]: content for name, content in found.get("content", {}).items()}
    if not contents:
        return missing + (["has a body"] if answer.body and answer.status == 204 else [])
    if kind not in contents:
        return [*missing, f"is {kind or 'nothing'}"]
    if kind != "application/json":
        return missing
    schema = {**contents[kind]["schema"], "components": _DOCUMENT["components"]}
    value = msgspec.json.decode(answer.body)
    errors = Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value)
    return missing + [f"{error.json_path} {error.message[:120]}" for error in errors]


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")
