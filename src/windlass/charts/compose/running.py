"""What a container of a compose file runs, how it is asked, what it may use and do."""

from collections.abc import Callable
from typing import Any, cast

from windlass.charts.checks.secrets import is_secret, says_secret
from windlass.charts.compose import values
from windlass.charts.compose.project import Data, Service, text_of

Handler = Callable[[Service, Any], None]


def _image(service: Service, value: object) -> None:
    service.container["image"] = str(value)


def _build(service: Service, value: object) -> None:
    if "image" in service.data:
        service.adapted(
            "build",
            "the image is taken from its registry and not built here",
            "Build and push it, or let Windlass build the project",
        )
        return
    service.impossible(
        "build",
        "Kubernetes runs images and builds none",
        "Build and push the image, then fill in its name",
    )


def _words(key: str, field: str) -> Handler:
    def handle(service: Service, value: object) -> None:
        if value is None:
            service.exact(key, "left as the image has it")
            return
        found = values.words(value)
        if found is None:
            service.impossible(key, "its quotes do not match", "Write it as a list")
            return
        service.container[field] = found
        service.exact(key, f"`{field}` of the container")

    return handle


def _copied(key: str, field: str) -> Handler:
    def handle(service: Service, value: object) -> None:
        service.container[field] = value if isinstance(value, bool) else str(value)
        service.exact(key, f"`{field}` of the container")

    return handle


def _environment(service: Service, value: object) -> None:
    variables = cast(list[Data], service.container.setdefault("env", []))
    for name, given in values.pairs(value):
        path = (*service.path, "environment", name)
        is_table = isinstance(value, dict)
        if given is None and (not is_table or service.project.raw(path) in ("", "~", "null", None)):
            service.adapted(
                "environment",
                f"{name} comes from the shell that starts compose: it is empty here",
                "Fill it in",
                *((name,) if is_table else ()),
            )
            variables.append({"name": name, "value": ""})
            continue
        text = text_of(service.project, given, path) if is_table else str(given)
        if is_secret(name, text) or (not text and says_secret(name)):
            secret = f"{service.workload['name']}-secrets"
            service.project.resource("Secret", secret).setdefault("values", {})[name] = text
            reference = {"secretKeyRef": {"name": secret, "key": name}}
            variables.append({"name": name, "valueFrom": reference})
            message = f"{name} is a secret: its value is in the Secret {secret}"
            service.adapted("environment", message, "", *((name,) if is_table else ()))
        else:
            variables.append({"name": name, "value": text.replace("$(", "$$(")})
    _renamed(service, variables)
    if not service.has_said("environment"):
        service.exact("environment", "variables of the container")


def _renamed(service: Service, variables: list[Data]) -> None:
    """Services whose name Kubernetes cannot take are reached by another one."""
    for old, new in service.project.names.items():
        using = [one["name"] for one in variables if old != new and old in one.get("value", "")]
        if using:
            service.adapted(
                "environment",
                f"{', '.join(using)} may mean the service {old}, which is reached as {new} now",
                f"Write {new} where the service is meant",
            )


def _env_file(service: Service, value: object) -> None:
    service.impossible(
        "env_file",
        "the file is not part of what was given",
        "Add its variables here, or make a ConfigMap and a Secret of it",
    )


def _ports(service: Service, value: object) -> None:
    listed = cast(list[object], value) if isinstance(value, list) else [value]
    for index, one in enumerate(listed):
        found = values.ports(service.project.raw((*service.path, "ports", index)) or one)
        if isinstance(one, str):
            found = values.ports(one)
        if not found:
            service.impossible("ports", f"`{one}` is no port", "Write the container's port", index)
            continue
        for port in found:
            _port(service, port.target, port.protocol)
        if found[0].published not in ("", str(found[0].target)):
            service.adapted(
                "ports",
                f"the service listens on {found[0].target}; no port of the host is opened",
                "Set `domain` to show it, or add a Service of the type LoadBalancer",
                index,
            )
        else:
            message = f"the container and its Service listen on {found[0].target}"
            service.exact("ports", message, index)


def assumed(service: Service, is_wanted: bool) -> None:
    """In compose every port is reached, also one that nobody names; a Service has to know it."""
    if service.container.get("ports") or service.workload["type"] in ("Job", "DaemonSet"):
        return
    image = str(service.container["image"]).partition("@")[0].rpartition("/")[2].partition(":")[0]
    if image in _LISTENS:
        _port(service, _LISTENS[image], "TCP")
        message = f"port {_LISTENS[image]}, which {image} listens on, so that others reach it"
        service.adapted("image", message)
    elif is_wanted:
        service.adapted(
            "image",
            "no port is named, so there is no Service and others do not reach it",
            "Add the port that it listens on",
        )


def _expose(service: Service, value: object) -> None:
    for one in cast(list[object], value) if isinstance(value, list) else [value]:
        for port in values.ports(one) or ():
            _port(service, port.target, port.protocol)


def _port(service: Service, number: int, protocol: str) -> None:
    ports = cast(list[Data], service.container.setdefault("ports", []))
    made: Data = {"containerPort": number}
    if protocol != "TCP":
        made["protocol"] = protocol
    if made not in ports:
        ports.append(made)


def _healthcheck(service: Service, value: object) -> None:
    table = cast(Data, value) if isinstance(value, dict) else {}
    test = table.get("test")
    if table.get("disable") or test in (["NONE"], "NONE"):
        service.exact("healthcheck", "nothing is asked")
        return
    if isinstance(test, list) and test[:1] == ["CMD"]:
        command = [str(one) for one in test[1:]]
    elif isinstance(test, str) or (isinstance(test, list) and test[:1] == ["CMD-SHELL"]):
        shell = test if isinstance(test, str) else " ".join(map(str, test[1:]))
        command = ["/bin/sh", "-c", shell]
    else:
        service.impossible("healthcheck", "it has no command", "Add a probe")
        return
    probe: Data = {"exec": {"command": command}}
    for key, field in (("interval", "periodSeconds"), ("timeout", "timeoutSeconds")):
        if key in table and (found := values.seconds(table[key])):
            probe[field] = found
    if isinstance(table.get("retries"), int) and table["retries"] > 0:
        probe["failureThreshold"] = table["retries"]
    if found := values.seconds(table.get("start_period", "")):
        period = int(probe.get("periodSeconds", 10))
        startup = {**probe, "failureThreshold": max(1, -(-found // period))}
        service.container["startupProbe"] = startup
    service.container["readinessProbe"] = dict(probe)
    service.container["livenessProbe"] = dict(probe)
    service.adapted(
        "healthcheck",
        "readiness and liveness probe: a container that fails gets no requests and is restarted",
    )


def _user(service: Service, value: object) -> None:
    user, _, group = (service.project.raw((*service.path, "user")) or str(value)).partition(":")
    if not user.isdecimal():
        service.impossible(
            "user", "Kubernetes takes numbers only", "Write the number of the user: `id -u NAME`"
        )
        return
    security = service.security()
    security["runAsUser"] = int(user)
    if int(user) == 0:
        security["runAsNonRoot"] = False
    if group.isdecimal():
        security["runAsGroup"] = int(group)
    service.exact("user", "`runAsUser` of the container")


def _read_only(service: Service, value: object) -> None:
    service.security()["readOnlyRootFilesystem"] = bool(value)


def _privileged(service: Service, value: object) -> None:
    if value:
        service.security()["privileged"] = True


def _capabilities(field: str) -> Handler:
    def handle(service: Service, value: object) -> None:
        listed = cast(list[object], value) if isinstance(value, list) else []
        capabilities = cast(Data, service.security().setdefault("capabilities", {}))
        capabilities[field] = [str(one).removeprefix("CAP_") for one in listed]

    return handle


def _security_opt(service: Service, value: object) -> None:
    for index, one in enumerate(cast(list[object], value) if isinstance(value, list) else []):
        name, _, rest = str(one).replace("=", ":", 1).partition(":")
        if name == "no-new-privileges":
            service.security()["allowPrivilegeEscalation"] = rest == "false"
        elif name == "seccomp" and rest == "unconfined":
            service.security()["seccompProfile"] = {"type": "Unconfined"}
        elif name == "apparmor" and rest == "unconfined":
            service.security()["appArmorProfile"] = {"type": "Unconfined"}
        else:
            service.impossible("security_opt", f"`{one}` has no counterpart", "", index)
            continue
        service.exact("security_opt", "security context of the container", index)


_PULL = {
    "always": "Always",
    "never": "Never",
    "missing": "IfNotPresent",
    "if_not_present": "IfNotPresent",
}


def _pull_policy(service: Service, value: object) -> None:
    if str(value) in _PULL:
        service.container["imagePullPolicy"] = _PULL[str(value)]
    else:
        service.impossible("pull_policy", f"there is no `{value}`", "Choose a policy")


_LISTENS = {
    "postgres": 5432, "postgis": 5432, "pgvector": 5432, "mysql": 3306, "mariadb": 3306,
    "redis": 6379, "valkey": 6379, "mongo": 27017, "rabbitmq": 5672, "memcached": 11211,
    "nats": 4222, "elasticsearch": 9200, "opensearch": 9200, "minio": 9000, "clickhouse": 8123,
    "cassandra": 9042, "nginx": 80, "httpd": 80, "caddy": 80, "mailhog": 1025, "mailpit": 1025,
}  # fmt: skip
"""The ports of images that are in many compose files."""
HANDLERS: dict[str, Handler] = {
    "image": _image,
    "build": _build,
    "command": _words("command", "args"),
    "entrypoint": _words("entrypoint", "command"),
    "environment": _environment,
    "env_file": _env_file,
    "ports": _ports,
    "expose": _expose,
    "healthcheck": _healthcheck,
    "user": _user,
    "working_dir": _copied("working_dir", "workingDir"),
    "stdin_open": _copied("stdin_open", "stdin"),
    "tty": _copied("tty", "tty"),
    "read_only": _read_only,
    "privileged": _privileged,
    "cap_add": _capabilities("add"),
    "cap_drop": _capabilities("drop"),
    "security_opt": _security_opt,
    "pull_policy": _pull_policy,
}
