"""NetworkPolicies and what comes in from outside."""

from collections.abc import Iterator

from windlass.charts.checks.rule import Delete, E, Found, I, Path, Profile, Scope, W, settings
from windlass.charts.checks.views import Object, Pod, listed, table, tables, text
from windlass.charts.checks.world import directions
from windlass.charts.rules.examples import deployment, object_, together

DOCS = "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
rule = settings(group="network", severity=W, references=(DOCS,))
SNIPPETS = (
    "auth-snippet",
    "configuration-snippet",
    "modsecurity-snippet",
    "server-snippet",
    "stream-snippet",
    "http-snippet",
    "location-snippet",
)


def policy(app: str = "app", spec: str = "policyTypes: [Ingress, Egress]") -> str:
    lines = f"spec:\n  podSelector:\n    matchLabels:\n      app: {app}\n  {spec}\n"
    return object_("networking.k8s.io/v1", "NetworkPolicy", lines)


def ingress(lines: str = "", *, annotation: str = "") -> str:
    text = object_(
        "networking.k8s.io/v1",
        "Ingress",
        f"spec:\n{lines}  rules:\n    - host: app.example.com\n      http:\n        paths:\n      "
        f"    - path: /\n"
        "            pathType: Prefix\n            backend:\n              service:\n             "
        "   name: app\n"
        "                port:\n                  number: 80\n",
    )
    return (
        text.replace("  name: app\n", f"  name: app\n  annotations:\n    {annotation}\n", 1)
        if annotation
        else text
    )


@rule(
    "netpol-missing",
    "No NetworkPolicy holds the pod",
    scope=Scope.pod,
    profiles={Profile.baseline: I, Profile.lab: None},
    why="Every pod of the cluster may speak to it, and it to everybody: one broken application "
    "reaches all others.",
    how="Add a NetworkPolicy with policyTypes Ingress and Egress for it; let DNS through.",
    bad=deployment(),
    good=together(deployment(), policy()),
)
def netpol_missing(p: Pod) -> Iterator[Found]:
    held: set[str] = set()
    for policy in p.world.policies_of(p):
        held |= directions(policy)
    if missing := sorted({"Ingress", "Egress"} - held):
        what = (
            "no NetworkPolicy selects it"
            if len(missing) == 2
            else f"no NetworkPolicy limits its {missing[0].lower()}"
        )
        yield Found(what, (*p.top, "metadata"))


@rule(
    "netpol-dangling",
    "A NetworkPolicy that selects nothing",
    kinds="NetworkPolicy",
    why="It looks as if the pods were guarded, and they are not.",
    how="Make `podSelector` fit the pods' labels.",
    bad=together(deployment(), policy("other")),
    good=together(deployment(), policy()),
)
def netpol_dangling(owner: Object) -> Iterator[Found]:
    pods = owner.world.pods_in(owner.namespace)
    selector = table(owner.spec.get("podSelector"))
    # Without any pod in the set the cluster holds the other side.
    severity = None if pods else I
    if selector and not owner.world.selected(selector, owner.namespace):
        what = "its podSelector selects no pod of the set"
        yield owner.found(what, "spec", "podSelector", severity=severity)
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for index, one in tables(owner.spec.get(direction)):
            for number, peer in tables(one.get(side)):
                chosen = table(peer.get("podSelector"))
                if not chosen or "namespaceSelector" in peer:
                    continue
                if not owner.world.selected(chosen, owner.namespace):
                    path: Path = ("spec", direction, index, side, number, "podSelector")
                    yield owner.found(
                        "a peer's podSelector selects no pod of the set", *path, severity=I
                    )


@rule(
    "ingress-tls",
    "An Ingress without TLS",
    kinds="Ingress",
    profiles={Profile.lab: None},
    why="Passwords and sessions go over the network for everybody to read.",
    how="Add `tls` with the hosts and the Secret of their certificate; cert-manager can make it.",
    bad=ingress(),
    good=ingress("  tls:\n    - hosts: [app.example.com]\n      secretName: app-tls\n"),
    references=("https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",),
)
def ingress_tls(owner: Object) -> Iterator[Found]:
    if not any(tables(owner.spec.get("tls"))):
        yield owner.found("there is no `tls`", "spec", "tls")
        return
    covered = {
        text(host) for _, one in tables(owner.spec.get("tls")) for host in listed(one.get("hosts"))
    }
    for index, one in tables(owner.spec.get("rules")):
        host = text(one.get("host"))
        if (
            host
            and covered
            and host not in covered
            and f"*.{host.partition('.')[2]}" not in covered
        ):
            yield owner.found(f"`tls` does not cover {host}", "spec", "rules", index, "host")


@rule(
    "ingress-hosts",
    "An Ingress rule for every host name",
    severity=I,
    kinds="Ingress",
    why="A rule without a host answers for every name that points to the controller.",
    how="Set `host` in every rule.",
    bad=ingress().replace("    - host: app.example.com\n      http:", "    - http:"),
    good=ingress(),
    references=("https://kubernetes.io/docs/concepts/services-networking/ingress/",),
)
def ingress_hosts(owner: Object) -> Iterator[Found]:
    for index, one in tables(owner.spec.get("rules")):
        if not one.get("host"):
            yield owner.found("a rule has no host", "spec", "rules", index)
    if not any(tables(owner.spec.get("rules"))) and not owner.spec.get("defaultBackend"):
        yield owner.found("it has no rules", "spec", "rules")


@rule(
    "ingress-nginx-snippets",
    "An annotation that puts configuration into the controller",
    severity=E,
    kinds="Ingress",
    why="Snippets are lines of the controller's own nginx.conf: whoever may write an Ingress "
    "reads every Secret of the "
    "cluster with them (CVE-2021-25742).",
    how="Use the annotation made for what you need, or a ConfigMap of the administrator.",
    bad=ingress(annotation="nginx.ingress.kubernetes.io/server-snippet: 'deny all;'"),
    good=ingress(annotation="nginx.ingress.kubernetes.io/denylist-source-range: 10.0.0.0/8"),
    references=("https://github.com/kubernetes/ingress-nginx/issues/7837",),
)
def ingress_nginx_snippets(owner: Object) -> Iterator[Found]:
    for key, value in owner.annotations.items():
        prefix, _, name = key.rpartition("/")
        path: Path = ("metadata", "annotations", key)
        if not prefix.startswith("nginx.ingress.kubernetes.io") and prefix != "nginx.org":
            continue
        if name in SNIPPETS or name.endswith(("-snippet", "-snippets")):
            yield owner.found(
                f"the annotation {name} writes into nginx.conf", *path, fix=(Delete(path),)
            )
        elif any(
            word in text(value).lower()
            for word in ("_by_lua", "alias ", "root /", "serviceaccount")
        ):
            yield owner.found(f"the annotation {name} holds configuration of nginx", *path)
