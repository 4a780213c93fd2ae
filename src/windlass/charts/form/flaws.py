"""What a form says that no cluster would take: names, amounts, ports, references (K-078)."""

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

from windlass.charts import quantities
from windlass.charts.documents import Path
from windlass.charts.documents.problems import dotted
from windlass.charts.model import Application, Container, Manifest, Workload
from windlass.charts.model.containers import Amount, ContainerPort

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_DOMAIN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9]|-(?!-))*(?<!-)")
_VARIABLE = re.compile(r"[ -<>-~]+")
_CRON = re.compile(r"@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+(\s+\S+){4}")
_NAME_HINT = "Use up to 63 small letters, digits and `-`, and begin and end with a letter or digit"


class Flaw(msgspec.Struct, frozen=True):
    """One mistake in a form."""

    path: Path
    code: str
    message: str
    hint: str

    @property
    def at(self) -> str:
        """The path as people write it."""
        return dotted(self.path)


def flaws(app: Application) -> list[Flaw]:
    """Everything that is wrong with a form whose structs are right."""
    return [*_application(app), *_workloads(app), *_resources(app)]


def _application(app: Application) -> Iterator[Flaw]:
    yield from _name(app.namespace, ("namespace",))
    if app.name:
        yield from _name(app.name, ("name",))
    if app.domain is not None and not (_DOMAIN.fullmatch(app.domain) and len(app.domain) <= 253):
        yield Flaw(
            ("domain",),
            "domain",
            f"`{app.domain}` is no domain name",
            "Write it like `shop.example.com`, without `https://` and without a path",
        )
    if not app.workloads and app.defaults == "secure":
        hint = "Add `workloads:` with a name and a container's image"
        yield Flaw(("workloads",), "no-workload", "at least one workload is needed", hint)
    for name, amount in msgspec.to_builtins(app.quota or {}).items():
        yield from _amount(amount, ("quota", name))
    if app.domain is None:
        hint = "Set `domain`, or leave it out"
        if app.certificate is not None:
            message = "a certificate needs a domain"
            yield Flaw(("certificate",), "certificate-without-domain", message, hint)
        if app.requests_per_second is not None:
            message = "a rate limit needs a route, and a route needs a domain"
            yield Flaw(("requestsPerSecond",), "limit-without-route", message, hint)
    limiter = app.rate_limiter
    if (limiter, app.routing) in (("envoy-gateway", "ingress"), ("ingress-nginx", "gateway")):
        yield Flaw(
            ("rateLimiter",),
            "rate-limiter",
            f"`{limiter}` cannot limit what comes through `routing: {app.routing}`",
            "Leave `rateLimiter` out, or change `routing`",
        )


def _workloads(app: Application) -> Iterator[Flaw]:
    seen: Counter[tuple[str, str]] = Counter()
    for index, workload in enumerate(app.workloads):
        path: Path = ("workloads", index)
        yield from _name(workload.name, (*path, "name"))
        key = (workload.namespace or app.namespace, workload.name)
        # Their services and budgets would have the same name, too.
        seen[key] += 1
        if seen[key] == 2 and app.defaults == "secure":
            yield Flaw(
                (*path, "name"),
                "duplicate-name",
                f"there is a workload `{workload.name}` already",
                "Give each workload a name of its own",
            )
        if app.defaults == "secure":
            yield from _workload(workload, path)


def _workload(workload: Workload, path: Path) -> Iterator[Flaw]:
    if not workload.containers:
        message, hint = "a workload needs a container", "Add `containers:` with an `image`"
        yield Flaw((*path, "containers"), "no-container", message, hint)
    if workload.type == "CronJob":
        schedule = workload.cron_job.schedule if workload.cron_job else ""
        if not _CRON.fullmatch(schedule.strip()):
            message = f"`{schedule}` is no schedule" if schedule else "a CronJob needs a schedule"
            hint = "Write five fields, such as `*/15 * * * *`, or `@daily`"
            yield Flaw((*path, "cronJob", "schedule"), "schedule", message, hint)
    if workload.autoscale and workload.autoscale.max < workload.autoscale.min:
        message, hint = "`max` is smaller than `min`", "Make `max` at least as large"
        yield Flaw((*path, "autoscale", "max"), "autoscale", message, hint)
    for at, disk in enumerate(workload.storage):
        yield from _name(disk.name, (*path, "storage", at, "name"))
        yield from _amount(disk.size, (*path, "storage", at, "size"))
    yield from _unique([one.name for one in workload.pod.volumes or []], (*path, "pod", "volumes"))
    volumes = {one.name for one in workload.pod.volumes or []} | {"tmp"}
    volumes |= {one.name for one in workload.storage}
    claims = workload.stateful_set.volume_claim_templates or []
    volumes |= {str(one["metadata"]["name"]) for one in claims if _is_named(one)}  # type: ignore[index]
    extra = bool(workload.extra)
    groups = (("containers", workload.containers), ("initContainers", workload.init_containers))
    names: list[str] = []
    ports: list[ContainerPort] = []
    for group, containers in groups:
        for at, container in enumerate(containers or []):
            here: Path = (*path, group, at)
            yield from _container(container, here)
            names.append(container.name)
            if group == "containers":
                ports += [one for one in container.ports or [] if not isinstance(one, int)]
            for mount, one in enumerate(container.volume_mounts or []):
                if one.name not in volumes and not extra:
                    yield Flaw(
                        (*here, "volumeMounts", mount, "name"),
                        "no-volume",
                        f"there is no volume `{one.name}`",
                        "Add it to `pod.volumes` or to `storage`",
                    )
    yield from _unique([one for one in names if one], (*path, "containers"))
    yield from _unique([one.name for one in ports if one.name], (*path, "containers"))


def _is_named(claim: dict[str, object]) -> bool:
    metadata = claim.get("metadata")
    return isinstance(metadata, dict) and "name" in metadata


def _container(container: Container, path: Path) -> Iterator[Flaw]:
    if container.name:
        yield from _name(container.name, (*path, "name"))
    if not (container.image or "").strip() and "image" not in container.extra:
        hint = "Write it with a tag, such as `ghcr.io/acme/web:1.4.2`"
        yield Flaw((*path, "image"), "no-image", "a container needs an image", hint)
    for at, port in enumerate(container.ports or []):
        if isinstance(port, int):
            if not 1 <= port <= 65_535:
                message, hint = f"{port} is no port", "Ports go from 1 to 65535"
                yield Flaw((*path, "ports", at), "port", message, hint)
        elif port.name and not (_PORT_NAME.fullmatch(port.name) and len(port.name) <= 15):
            hint = "Use up to 15 small letters, digits and single `-`, with one letter"
            message = f"`{port.name}` is no name for a port"
            yield Flaw((*path, "ports", at, "name"), "port-name", message, hint)
    yield from _variables(container, path)
    resources = container.resources
    if resources is not None:
        for group, amounts in (("requests", resources.requests), ("limits", resources.limits)):
            for name, amount in (amounts or {}).items():
                yield from _amount(amount, (*path, "resources", group, name))
        for name, asked in (resources.requests or {}).items():
            first, most = (
                quantities.parse(asked),
                quantities.parse((resources.limits or {}).get(name, "")),
            )
            if first is not None and most is not None and first > most:
                yield Flaw(
                    (*path, "resources", "requests", name),
                    "request-over-limit",
                    f"the request {asked} is more than the limit",
                    "Lower the request or raise the limit",
                )


def _variables(container: Container, path: Path) -> Iterator[Flaw]:
    env = container.env or []
    names = list(env) if isinstance(env, dict) else [one.name for one in env]
    for at, name in enumerate(names):
        here: Path = (*path, "env", name if isinstance(env, dict) else at)
        if not _VARIABLE.fullmatch(name):
            message = f"`{name}` is no name for a variable"
            yield Flaw(here, "variable", message, "Use letters, digits and `_`")
    yield from _unique(names, (*path, "env"))


def _resources(app: Application) -> Iterator[Flaw]:
    seen: Counter[tuple[str, str, str]] = Counter()
    for index, resource in enumerate(app.resources):
        if isinstance(resource, Manifest):
            continue
        kind = type(resource).__name__
        key = (kind, resource.namespace or app.namespace, resource.name)
        seen[key] += 1
        if seen[key] == 2:
            yield Flaw(
                ("resources", index, "name"),
                "duplicate-name",
                f"there is a {kind} `{resource.name}` already",
                "Give each one a name of its own",
            )
        if app.defaults == "secure" and not _is_long_name(kind, resource.name):
            message = f"`{resource.name}` cannot be the name of a {kind}"
            yield Flaw(("resources", index, "name"), "name", message, _NAME_HINT)


def _is_long_name(kind: str, name: str) -> bool:
    """Most names may hold dots; those of roles may hold nearly everything."""
    if kind in ("Role", "RoleBinding"):
        return bool(name) and name not in (".", "..") and not set(name) & {"/", "%"}
    return len(name) <= 253 and all(_LABEL.fullmatch(part) for part in name.split("."))


def _name(name: str, path: Path) -> Iterator[Flaw]:
    if not (_LABEL.fullmatch(name) and len(name) <= 63):
        yield Flaw(path, "name", f"`{name}` cannot be a name in Kubernetes", _NAME_HINT)


def _amount(amount: Amount, path: Path) -> Iterator[Flaw]:
    value = quantities.parse(amount)
    if value is None or value < 0:
        hint = "Write it like `500m`, `0.5`, `128Mi` or `10Gi`"
        yield Flaw(path, "amount", f"`{amount}` is no amount", hint)


def _unique(names: list[str], path: Path) -> Iterator[Flaw]:
    for name, count in Counter(names).items():
        if count > 1:
            message = f"the name `{name}` stands there {count} times"
            yield Flaw(path, "duplicate-name", message, "Give each one a name of its own")
