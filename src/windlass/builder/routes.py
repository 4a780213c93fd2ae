"""JSON: manifests made of a form, checked, mended, and read back into a form."""

from typing import Annotated

from litestar import Response, Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from windlass.auth.permissions import Permission
from windlass.builder import helm, schemas, service
from windlass.core.http import Envelope

_MOST = schemas.MOST_BYTES


@post("/generate", permission=Permission.deploy_read, status_code=200, request_max_body_size=_MOST)
async def generate_manifests(data: JSONBody[schemas.GenerateIn]) -> schemas.GenerateOut:
    """The manifests of a form as YAML, in the order of applying, with what is wrong with them."""
    return await service.in_thread(service.generate, data)


@post("/check", permission=Permission.deploy_read, status_code=200, request_max_body_size=_MOST)
async def check_manifests(data: JSONBody[schemas.CheckIn]) -> schemas.CheckOut:
    """What is wrong with manifests, each finding with its line."""
    return await service.in_thread(service.check, data)


@post("/fix", permission=Permission.deploy_read, status_code=200, request_max_body_size=_MOST)
async def fix_manifests(data: JSONBody[schemas.FixIn]) -> schemas.FixOut:
    """Mend a finding (`rule`, `document`, `path`), or without `rule` all that have one answer. With
    a form the fix is made in its fields; without, in the YAML, which keeps its comments."""
    return await service.in_thread(service.fix, data)


@post("/form", permission=Permission.deploy_read, status_code=200, request_max_body_size=_MOST)
async def read_into_form(data: JSONBody[schemas.RecoverIn]) -> schemas.RecoverOut:
    """The form that makes exactly these manifests again; nothing is lost."""
    return await service.in_thread(service.recover, data)


@post("/compose", permission=Permission.deploy_read, status_code=200, request_max_body_size=_MOST)
async def convert_compose(data: JSONBody[schemas.ComposeIn]) -> schemas.ComposeOut:
    """The form of a compose file, and for each of its lines: exact, adapted or impossible."""
    return await service.in_thread(service.compose, data)


@post("/helm", permission=Permission.deploy_read, status_code=200)
async def read_helm_command(data: JSONBody[schemas.HelmIn]) -> schemas.HelmOut:
    """What a pasted Helm command means, and what would run; nothing runs and nothing is fetched."""
    return await service.in_thread(helm.read, data)


@get("/schema", permission=Permission.deploy_read)
async def show_model() -> Response[dict[str, object]]:
    """The form itself: its parts and their fields, in the order in which pages show them."""
    found = await service.in_thread(service.model)
    return Envelope(found, headers={"cache-control": "private, max-age=3600"})


@get("/fields", permission=Permission.deploy_read, refuses=(404,))
async def describe_field(
    kind: FromQuery[str] = "Pod",
    api_version: Annotated[str, QueryParameter(name="apiVersion")] = "v1",
    path: FromQuery[str] = "",
) -> schemas.FieldOut:
    """What Kubernetes says about a field of a kind: `spec.template.spec.containers.image`."""
    return await service.in_thread(service.field, api_version, kind, path)


@get("/rules", permission=Permission.deploy_read)
async def list_rules() -> list[schemas.RuleOut]:
    """Every rule that manifests are checked with."""
    return await service.in_thread(service.rules)


@get("/rules/{rule:str}", permission=Permission.deploy_read)
async def show_rule(rule: FromPath[str]) -> schemas.RuleOut:
    """One rule: why, what to do, and an example of each."""
    return await service.in_thread(service.rule, rule)


router = Router(
    "/api/charts",
    route_handlers=[
        generate_manifests,
        check_manifests,
        fix_manifests,
        read_into_form,
        convert_compose,
        read_helm_command,
        show_model,
        describe_field,
        list_rules,
        show_rule,
    ],
)
