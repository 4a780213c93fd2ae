"""How requests come in: routes or an ingress, the gateway, the certificate, the rate limit."""

from collections.abc import Iterator

from windlass.charts.generate import names
from windlass.charts.model import Application, GatewayChoice, Resource, Workload
from windlass.charts.model import networking as net
from windlass.charts.model import resources as res
from windlass.charts.model.containers import ContainerPort, Texts
from windlass.charts.model.pods import Selector

Exposed = tuple[Workload, ContainerPort]

_ACME = {
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "production": "https://acme-v02.api.letsencrypt.org/directory",
}
_CONTROLLERS = {"traefik": "traefik"}
_NAMESPACE_NAME = "kubernetes.io/metadata.name"


def resources(app: Application) -> Iterator[Resource]:
    """Everything between the visitor and the services. Without a domain there is nothing."""
    if app.domain is not None and app.certificate is not None:
        yield from _certificate(app)
    shown = exposed(app)
    if app.domain is not None and app.routing == "gateway" and _gateway(app).class_name:
        yield _own_gateway(app)
    if shown and not has_route(app):
        yield from _ingresses(app, shown) if app.routing == "ingress" else _routes(app, shown)
    yield from _limits(app, bool(shown))


def exposed(app: Application) -> list[Exposed]:
    """The workloads that visitors reach, each with its port. A form that says it of none shows the
    first one with a port.
    """
    if app.domain is None and not any(one.expose and one.expose.hostnames for one in app.workloads):
        return []
    found = [one for one in app.workloads if one.type in names.RUNNING and names.ports(one)]
    chosen = [one for one in found if one.expose is not None] or found[:1]
    return [(one, _port(one)) for one in chosen]


def reached(
    app: Application,
) -> Iterator[tuple[Workload, list[ContainerPort], list[net.Peer] | None]]:
    """(workload, ports, who may come) for everything that is reached from outside of the
    namespace: what the domain shows, what own routes lead to, and own services with an address of
    their own, which anybody reaches (None).
    """
    shown = {workload.name: [port] for workload, port in exposed(app)}
    backends = set(_backends(app))
    for workload in app.workloads:
        if not (ports := names.ports(workload)):
            continue
        service = own_service(app, workload)
        if service is not None and service.spec.type in ("LoadBalancer", "NodePort"):
            yield workload, ports, None
        elif workload.name in shown:
            yield workload, shown[workload.name], [entrance(app)]
        elif (service.name if service else workload.name) in backends:
            yield workload, ports, [entrance(app)]


def _backends(app: Application) -> Iterator[str]:
    """The services that the form's own routes lead to."""
    for one in app.resources:
        if isinstance(one, res.HTTPRoute | res.GRPCRoute):
            for rule in one.spec.rules or []:
                yield from (reference.name for reference in rule.backend_refs or [])
        elif isinstance(one, res.Ingress):
            paths = [path for rule in one.spec.rules or [] if rule.http for path in rule.http.paths]
            every = [path.backend for path in paths] + [one.spec.default_backend]
            yield from (found.service.name for found in every if found and found.service)


def has_route(app: Application) -> bool:
    """Whether the form brings its own routes."""
    own = (res.HTTPRoute, res.GRPCRoute, res.Ingress)
    return any(isinstance(one, own) for one in app.resources)


def own_service(app: Application, workload: Workload) -> res.Service | None:
    """The service that the form itself has for a workload: by selector, or by name."""
    labels = names.pod_labels(app, workload)
    for one in app.resources:
        if not isinstance(one, res.Service) or one.spec.cluster_ip == "None":
            continue
        selector = one.spec.selector
        if one.name == workload.name or (selector and selector.items() <= labels.items()):
            return one
    return None


def entrance(app: Application) -> net.Peer:
    """Where requests of visitors come from, for network policies."""
    if app.routing == "ingress":
        namespace = _CONTROLLERS.get(app.rate_limiter or "", "ingress-nginx")
    else:
        namespace = _gateway(app).namespace or app.namespace
    return net.Peer(namespace_selector=Selector(match_labels={_NAMESPACE_NAME: namespace}))


def _gateway(app: Application) -> GatewayChoice:
    return app.gateway or GatewayChoice()


def _port(workload: Workload) -> ContainerPort:
    ports = names.ports(workload)
    wanted = workload.expose.port if workload.expose else None
    return next((one for one in ports if wanted in (one.name, one.container_port)), ports[0])


def _backend(app: Application, workload: Workload, port: ContainerPort) -> tuple[str, int]:
    """(service, port) that really exist."""
    service = own_service(app, workload)
    if service is None or not service.spec.ports:
        return workload.name, port.container_port
    wanted = (port.name, port.container_port)
    behind = [one for one in service.spec.ports if one.target_port in wanted]
    return service.name, (behind or service.spec.ports)[0].port


def _hosts(app: Application, shown: list[Exposed]) -> dict[tuple[str, ...], list[Exposed]]:
    """Workloads by the hostnames that show them; longer paths first."""
    grouped: dict[tuple[str, ...], list[Exposed]] = {}
    for workload, port in sorted(shown, key=lambda one: -len(_path(one[0]))):
        chosen = workload.expose.hostnames if workload.expose else None
        hosts = tuple(chosen or ([app.domain] if app.domain else []))
        grouped.setdefault(hosts, []).append((workload, port))
    return grouped


def _path(workload: Workload) -> str:
    return workload.expose.path if workload.expose else "/"


def _route_name(app: Application, hosts: tuple[str, ...], first: Exposed) -> str:
    return names.application(app) if hosts == (app.domain,) else first[0].name


def _routes(app: Application, shown: list[Exposed]) -> Iterator[Resource]:
    chosen = _gateway(app)
    parent = net.ParentRef(
        name=names.application(app) if chosen.class_name else chosen.name,
        namespace=None if chosen.class_name else chosen.namespace,
        section_name=chosen.section_name,
    )
    for hosts, group in _hosts(app, shown).items():
        rules: list[net.RouteRule] = []
        for workload, port in group:
            service, number = _backend(app, workload, port)
            match = net.PathMatch(type="PathPrefix", value=_path(workload))
            rules.append(
                net.RouteRule(
                    matches=[net.RouteMatch(path=match)],
                    filters=_traefik_filter(app),
                    backend_refs=[net.BackendRef(name=service, port=number)],
                )
            )
        spec = net.RouteSpec(parent_refs=[parent], hostnames=list(hosts), rules=rules)
        yield res.HTTPRoute(name=_route_name(app, hosts, group[0]), spec=spec)


def _traefik_filter(app: Application) -> list[net.RouteFilter] | None:
    if app.requests_per_second is None or app.rate_limiter != "traefik":
        return None
    reference = net.ExtensionRef(group="traefik.io", kind="Middleware", name=names.application(app))
    return [net.RouteFilter(type="ExtensionRef", extension_ref=reference)]


def _ingresses(app: Application, shown: list[Exposed]) -> Iterator[Resource]:
    for hosts, group in _hosts(app, shown).items():
        paths: list[net.IngressPath] = []
        for workload, port in group:
            service, number = _backend(app, workload, port)
            target = net.IngressService(name=service, port=net.IngressPort(number=number))
            backend = net.IngressBackend(service=target)
            paths.append(net.IngressPath(path=_path(workload), path_type="Prefix", backend=backend))
        http = net.IngressHttp(paths=paths)
        is_main = app.certificate is not None and hosts == (app.domain,)
        tls = [net.IngressTls(hosts=list(hosts), secret_name=_secret(app))] if is_main else None
        yield res.Ingress(
            name=_route_name(app, hosts, group[0]),
            annotations=_annotations(app) or None,
            spec=net.IngressSpec(
                ingress_class_name=app.ingress_class,
                tls=tls,
                rules=[net.IngressRule(host=host, http=http) for host in hosts],
            ),
        )


def _annotations(app: Application) -> Texts:
    if app.requests_per_second is None:
        return {}
    if app.rate_limiter == "traefik":
        middleware = f"{app.namespace}-{names.application(app)}@kubernetescrd"
        return {"traefik.ingress.kubernetes.io/router.middlewares": middleware}
    if app.rate_limiter in (None, "ingress-nginx"):
        return {"nginx.ingress.kubernetes.io/limit-rps": str(app.requests_per_second)}
    return {}


def _secret(app: Application) -> str:
    return names.joined(names.application(app), "tls")


def _own_gateway(app: Application) -> Resource:
    chosen = _gateway(app)
    listeners = [net.Listener(name="http", port=80, protocol="HTTP", hostname=app.domain)]
    if app.certificate is not None:
        tls = net.GatewayTls(
            mode="Terminate", certificate_refs=[net.SecretRef(kind="Secret", name=_secret(app))]
        )
        listeners.append(
            net.Listener(name="https", port=443, protocol="HTTPS", hostname=app.domain, tls=tls)
        )
    spec = net.GatewaySpec(gateway_class_name=chosen.class_name or "", listeners=listeners)
    return res.Gateway(name=names.application(app), spec=spec)


def _certificate(app: Application) -> Iterator[Resource]:
    chosen, name = app.certificate, names.application(app)
    if chosen is None or app.domain is None:
        return
    reference = res.IssuerRef(name=name, kind="Issuer", group="cert-manager.io")
    if chosen.cluster_issuer:
        reference = res.IssuerRef(
            name=chosen.cluster_issuer, kind="ClusterIssuer", group="cert-manager.io"
        )
    else:
        acme: dict[str, object] = {
            "server": _ACME[chosen.issuer],
            "privateKeySecretRef": {"name": names.joined(name, "acme")},
            "solvers": [{"http01": _solver(app)}],
        }
        if chosen.email:
            acme["email"] = chosen.email
        yield res.Issuer(name=name, spec={"acme": acme})
    yield res.Certificate(
        name=name,
        spec=res.CertificateSpec(
            secret_name=_secret(app), dns_names=[app.domain], issuer_ref=reference
        ),
    )


def _solver(app: Application) -> dict[str, object]:
    if app.routing == "ingress":
        chosen = {"ingressClassName": app.ingress_class} if app.ingress_class else {}
        return {"ingress": chosen}
    gateway = _gateway(app)
    parent: dict[str, object] = {"kind": "Gateway", "group": "gateway.networking.k8s.io"}
    parent["name"] = names.application(app) if gateway.class_name else gateway.name
    if gateway.namespace and not gateway.class_name:
        parent["namespace"] = gateway.namespace
    return {"gatewayHTTPRoute": {"parentRefs": [parent]}}


def _limits(app: Application, is_shown: bool) -> Iterator[Resource]:
    count = app.requests_per_second
    if count is None:
        return
    name = names.application(app)
    if app.rate_limiter == "traefik":
        yield res.Middleware(name=name, spec={"rateLimit": {"average": count, "burst": count}})
        return
    if app.routing == "ingress":
        return
    routes = [one for one in app.resources if isinstance(one, res.HTTPRoute | res.GRPCRoute)]
    targets = [
        res.TargetRef(group="gateway.networking.k8s.io", kind=type(one).__name__, name=one.name)
        for one in routes
    ]
    if not targets and is_shown:
        targets = [
            res.TargetRef(
                group="gateway.networking.k8s.io",
                kind="HTTPRoute",
                name=_route_name(app, hosts, group[0]),
            )
            for hosts, group in _hosts(app, exposed(app)).items()
        ]
    if targets:
        limit = {"requests": count, "unit": "Second"}
        yield res.BackendTrafficPolicy(
            name=name,
            spec=res.BackendTrafficPolicySpec(
                target_refs=targets,
                rate_limit={"type": "Local", "local": {"rules": [{"limit": limit}]}},
            ),
        )
