"""Pages: the builder of manifests, and the rules that they are checked with."""

from litestar import Router, get, post
from litestar.di import Provide
from litestar.params import FromPath, FromQuery

from windlass.auth.deps import CurrentActor
from windlass.auth.models import Actor
from windlass.auth.permissions import Permission
from windlass.builder import helm, schemas, service
from windlass.core.errors import AppError, BadRequest, ValidationFailed
from windlass.core.http import Request
from windlass.core.languages import N_, gettext
from windlass.web import posts
from windlass.web.page import page
from windlass.web.posts import Answer, Form

_PROFILES = {
    "baseline": N_("For every application"),
    "restricted": N_("Hardened"),
    "production": N_("Made to last"),
    "lab": N_("To try things"),
}
# What a flaw of the form is called in the short form of the page.
_FIELDS = {
    "workloads.0.name": "name",
    "workloads.0.containers.0.image": "image",
    "workloads.0.containers.0.ports.0": "port",
    "namespace": "namespace",
    "domain": "domain",
}
_FIRST = {"name": "", "image": "", "port": "", "namespace": "", "domain": ""}


@get("/charts", permission=Permission.deploy_read)
async def show_builder(request: Request, actor: CurrentActor) -> Answer:
    return await _shown(request, actor)


@post("/charts", permission=Permission.deploy_read, request_max_body_size=schemas.MOST_BYTES)
async def build_plainly(request: Request, actor: CurrentActor, form: Form) -> Answer:
    """What the scripts of the page do otherwise: make, check, mend."""
    values = {name: form.get(name, "").strip() for name in _FIRST}
    text, action = form.get("yaml", "").replace("\r\n", "\n"), form.get("action", "")
    try:
        if action == "generate":
            made = await service.in_thread(service.generate, schemas.GenerateIn(form=_form(values)))
            text, found = made.yaml, made.findings
        elif action == "fix":
            done = await service.in_thread(service.fix, schemas.FixIn(yaml=text))
            text, found = done.yaml, done.findings
        else:
            checked = await service.in_thread(service.check, schemas.CheckIn(yaml=text))
            found = checked.findings
    except (BadRequest, ValidationFailed) as error:
        return await _shown(request, actor, values=values, text=text, error=error)
    return await _shown(request, actor, values=values, text=text, findings=found)


def _form(values: dict[str, str]) -> dict[str, object]:
    container: dict[str, object] = {"image": values["image"]}
    if values["port"]:
        container["ports"] = [int(values["port"]) if values["port"].isdecimal() else 0]
    form: dict[str, object] = {
        "workloads": [{"name": values["name"], "containers": [container]}],
    }
    return form | {name: values[name] for name in ("namespace", "domain") if values[name]}


@get("/charts/helm", permission=Permission.deploy_read)
async def show_helm(request: Request, actor: CurrentActor) -> Answer:
    values = {"command": ""}
    return page(request, "builder/helm.html", user=actor, values=values, found=None)


@post("/charts/helm", permission=Permission.deploy_read)
async def read_helm(request: Request, actor: CurrentActor, form: Form) -> Answer:
    values = {"command": form.get("command", "").replace("\r\n", "\n")[:20_000]}
    found, wrong = None, None
    try:
        found = await service.in_thread(helm.read, schemas.HelmIn(command=values["command"]))
    except ValidationFailed as error:
        wrong = error
    return page(request, "builder/helm.html", user=actor, values=values, found=found, error=wrong)


async def _shown(
    request: Request,
    actor: Actor,
    *,
    values: dict[str, str] = _FIRST,
    text: str = "",
    findings: list[schemas.FindingOut] | None = None,
    error: AppError | None = None,
) -> Answer:
    return page(
        request,
        "builder/build.html",
        user=actor,
        values=values,
        yaml=text,
        findings=findings,
        profiles=[(value, gettext(words)) for value, words in _PROFILES.items()],
        versions=await service.in_thread(service.versions),
        draft="",
        error=error,
        renamed=_FIELDS,
    )


@get("/charts/rules", permission=Permission.deploy_read)
async def list_rule_pages(request: Request, actor: CurrentActor, q: FromQuery[str] = "") -> Answer:
    words = q[:200].lower().split()
    found = [
        one
        for one in await service.in_thread(service.rules)
        if all(word in f"{one.id} {one.title} {one.why} {one.how}".lower() for word in words)
    ]
    groups = {one.group: [each for each in found if each.group == one.group] for one in found}
    return page(
        request,
        "builder/rules.html",
        user=actor,
        groups=list(groups.items()),
        query=q[:200],
        count=len(found),
    )


@get("/charts/rules/{rule:str}", permission=Permission.deploy_read)
async def show_rule_page(request: Request, actor: CurrentActor, rule: FromPath[str]) -> Answer:
    found = await service.in_thread(service.rule, rule)
    return page(request, "builder/rule.html", user=actor, rule=found)


PAGES = [
    Router(
        "/",
        route_handlers=[
            show_builder,
            build_plainly,
            show_helm,
            read_helm,
            list_rule_pages,
            show_rule_page,
        ],
        dependencies={"form": Provide(posts.provide_form)},
        include_in_schema=False,
    )
]
