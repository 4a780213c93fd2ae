"""Manifests for the rules' examples: what a rule is not about is said once, here."""

from textwrap import dedent, indent

IMAGE = "image: registry.example.com/app:1.4.2"


def pod(lines: str = "", *, container: str = "", metadata: str = "") -> str:
    """A Pod with these lines in its spec, in its container, in its metadata."""
    return (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\n"
        + _lines(metadata, 2)
        + "spec:\n"
        + _lines(lines, 2)
        + _containers(container, 2)
    )


def container(lines: str) -> str:
    """A Pod whose container has these lines."""
    return pod(container=lines)


def deployment(
    spec: str = "",
    *,
    pod: str = "",
    container: str = "",
    kind: str = "Deployment",
    name: str = "app",
) -> str:
    """A workload with these lines in its spec, in its pods, in their container."""
    return (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n"
        + _lines(spec, 2)
        + f"  selector:\n    matchLabels:\n      app: {name}\n"
        + f"  template:\n    metadata:\n      labels:\n        app: {name}\n    spec:\n"
        + _lines(pod, 6)
        + _containers(container, 6)
    )


def service(lines: str = "", *, name: str = "app", selector: str = "app: app") -> str:
    """A Service for the pods of `deployment`."""
    ports = "" if "ports:" in lines else "ports:\n  - port: 80\n    targetPort: 8080\n"
    chosen = f"selector:\n  {selector}\n" if selector else ""
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n"
        + _lines(lines, 2)
        + _lines(chosen, 2)
        + _lines(ports, 2)
    )


def role(rule: str, *, kind: str = "Role") -> str:
    """A Role or ClusterRole with one rule in flow notation."""
    return (
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: app\n"
        f"rules:\n  - {rule}\n"
    )


def binding(
    ref: str,
    subject: str = "{kind: ServiceAccount, name: app, namespace: app}",
    *,
    kind: str = "RoleBinding",
) -> str:
    """A binding of the role `Kind name` to a subject."""
    of_kind, name = ref.split()
    return (
        f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: app\n"
        f"roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {of_kind}\n  name: {name}\n"
        f"subjects:\n  - {subject}\n"
    )


def together(*documents: str) -> str:
    return "---\n".join(documents)


def object_(api_version: str, kind: str, lines: str = "", *, name: str = "app") -> str:
    """Any object with these lines at its top."""
    head = f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\n"
    return head + _lines(lines, 0)


def _containers(lines: str, depth: int) -> str:
    image = "" if "image:" in lines else IMAGE
    body = "\n".join(part for part in ("name: app", image, dedent(lines).strip("\n")) if part)
    item = indent(body, " " * (depth + 4)).replace(" " * (depth + 4), " " * (depth + 2) + "- ", 1)
    return f"{' ' * depth}containers:\n{item}\n"


def _lines(lines: str, depth: int) -> str:
    text = dedent(lines).strip("\n")
    return indent(text, " " * depth) + "\n" if text else ""
