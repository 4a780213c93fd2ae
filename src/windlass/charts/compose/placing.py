"""How many pods a service becomes, what they may use, what they are called and where they run."""

import math
from collections.abc import Callable
from typing import Any, cast

from windlass.charts.compose import values
from windlass.charts.compose.project import Data, Service

Handler = Callable[[Service, Any], None]


def _replicas(service: Service, value: object) -> None:
    if isinstance(value, int):
        service.workload["replicas"] = value


def _deploy(service: Service, value: object) -> None:
    for key, one in (cast(Data, value) if isinstance(value, dict) else {}).items():
        handler = _DEPLOY.get(str(key))
        if handler is None:
            service.impossible("deploy", f"`{key}` has no counterpart", "", key)
        else:
            handler(service, one)


def _mode(service: Service, value: object) -> None:
    kinds = {"global": "DaemonSet", "replicated-job": "Job", "global-job": "Job"}
    service.workload["type"] = kinds.get(str(value), service.workload["type"])
    service.exact("deploy", f"a {service.workload['type']}", "mode")


def _resources(service: Service, value: object) -> None:
    for group, field in (("limits", "limits"), ("reservations", "requests")):
        found = value.get(group) if isinstance(value, dict) else None
        for key, one in (cast(Data, found) if isinstance(found, dict) else {}).items():
            if key in ("cpus", "memory"):
                _amount(service, field, key, one, "deploy", ("resources", group, key))
            elif key == "devices":
                _devices(service, one)
            else:
                message = f"`{key}` is a matter of the node"
                service.impossible("deploy", message, "", "resources", group, key)


def _devices(service: Service, value: object) -> None:
    for one in cast(list[object], value) if isinstance(value, list) else []:
        table = cast(Data, one) if isinstance(one, dict) else {}
        if "gpu" in (table.get("capabilities") or []):
            driver = "amd.com/gpu" if table.get("driver") == "amd" else "nvidia.com/gpu"
            count = table.get("count", 1)
            limits = service.container.setdefault("resources", {}).setdefault("limits", {})
            limits[driver] = str(count if isinstance(count, int) else 1)
            message = f"`{driver}` as a limit: the cluster needs its device plug-in"
            service.adapted("deploy", message, "", "resources")


def _amount(
    service: Service, field: str, key: str, value: object, at: str, more: tuple[str, ...] = ()
) -> None:
    if key == "cpus":
        raw = service.project.raw((*service.path, at, *more)) or str(value)
        try:
            amount = f"{math.ceil(float(raw) * 1000)}m"
        except (ValueError, OverflowError):
            amount = None
        name = "cpu"
    else:
        amount, name = values.size(value), "memory"
    if amount is None:
        service.impossible(at, f"`{value}` is no amount", "Write it like `0.5` or `512M`", *more)
        return
    service.container.setdefault("resources", {}).setdefault(field, {})[name] = amount
    service.exact(at, f"`resources.{field}.{name}` is {amount}", *more)


def _alone(key: str, field: str, name: str) -> Handler:
    return lambda service, value: _amount(service, field, name, value, key)


def _update(service: Service, value: object) -> None:
    table = cast(Data, value) if isinstance(value, dict) else {}
    count = table.get("parallelism", 1)
    if service.workload["type"] != "Deployment" or not isinstance(count, int):
        return
    is_start_first = table.get("order") == "start-first"
    rolling: Data = {
        "maxSurge": (count or "100%") if is_start_first else 0,
        "maxUnavailable": 0 if is_start_first else (count or "100%"),
    }
    service.workload["deployment"] = {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}
    }
    service.adapted("deploy", "`maxSurge` and `maxUnavailable` of the update", "", "update_config")


def _restart(service: Service, value: object) -> None:
    if service.workload["type"] == "Job":
        service.exact("restart", "a Job runs until it has succeeded")
    elif str(value) in ("always", "unless-stopped"):
        service.exact("restart", "what ends is started again")
    else:
        service.adapted(
            "restart",
            f"what ends is started again, also with `{value}`",
            "Choose the type Job if it runs once, CronJob if it runs by the clock",
        )


def _restart_policy(service: Service, value: object) -> None:
    condition = value.get("condition") if isinstance(value, dict) else "any"
    if condition in (None, "any"):
        service.exact("deploy", "what ends is started again", "restart_policy")
    else:
        service.adapted(
            "deploy",
            "what ends is started again",
            "Choose the type Job if it runs once",
            "restart_policy",
        )


_NODES = {
    "node.hostname": "kubernetes.io/hostname",
    "node.platform.arch": "kubernetes.io/arch",
    "node.platform.os": "kubernetes.io/os",
}


def _placement(service: Service, value: object) -> None:
    table = cast(Data, value) if isinstance(value, dict) else {}
    for index, one in enumerate(table.get("constraints") or []):
        left, sign, right = str(one).partition("==")
        left, right = left.strip(), right.strip()
        key = _NODES.get(left) or (
            left.removeprefix("node.labels.") if left.startswith("node.labels.") else ""
        )
        if sign and key:
            service.pod.setdefault("nodeSelector", {})[key] = right
            service.exact("deploy", f"`nodeSelector` {key}", "placement", "constraints", index)
        else:
            message = f"`{one}` has no counterpart"
            hint = "Use node selector or affinity"
            service.impossible("deploy", message, hint, "placement", "constraints", index)


def _labels(service: Service, value: object) -> None:
    found = {name: "" if one is None else str(one) for name, one in values.pairs(value)}
    routes = [name for name in found if name.startswith(("traefik.", "caddy"))]
    kept = {name: one for name, one in found.items() if name not in routes and "/" in name}
    if kept:
        service.workload.setdefault("annotations", {}).update(kept)
    if routes:
        service.impossible("labels", "a proxy reads them", "Set `domain` instead: it makes a route")
    elif len(kept) < len(found):
        service.adapted("labels", "labels of Docker are left out: nothing reads them here")
    else:
        service.exact("labels", "annotations")


def _annotations(service: Service, value: object) -> None:
    found = {name: str(one or "") for name, one in values.pairs(value)}
    service.workload.setdefault("annotations", {}).update(found)


def _depends_on(service: Service, value: object) -> None:
    service.adapted(
        "depends_on",
        "Kubernetes starts everything at once",
        "The program must try again until the others answer; most do",
    )


def _grace(service: Service, value: object) -> None:
    if found := values.seconds(value):
        service.pod["terminationGracePeriodSeconds"] = found


def _extra_hosts(service: Service, value: object) -> None:
    aliases: dict[str, list[str]] = {}
    listed = (
        ([f"{name}:{one}" for name, one in value.items()])
        if isinstance(value, dict)
        else cast(list[object], value or [])
    )
    for index, one in enumerate(listed):
        name, _, address = str(one).replace("=", ":", 1).partition(":")
        if not address or address == "host-gateway":
            message = f"`{one}`: pods do not know their host"
            service.impossible("extra_hosts", message, "Use the address of the service", index)
        else:
            aliases.setdefault(address.strip("[]"), []).append(name)
    if aliases:
        made = [{"ip": ip, "hostnames": names} for ip, names in aliases.items()]
        service.pod["hostAliases"] = made


def _dns(field: str) -> Handler:
    def handle(service: Service, value: object) -> None:
        listed = cast(list[object], value) if isinstance(value, list) else [value]
        config = cast(Data, service.pod.setdefault("dnsConfig", {}))
        if field == "options":
            parts = [str(one).partition(":") for one in listed]
            config[field] = [{"name": n, **({"value": v} if v else {})} for n, _, v in parts]
        else:
            config[field] = [str(one) for one in listed]

    return handle


def _network_mode(service: Service, value: object) -> None:
    if value == "host":
        service.pod["hostNetwork"] = True
        service.adapted("network_mode", "the network of the node", "Leave it out if you can")
    elif value == "none":
        service.impossible("network_mode", "every pod has a network", "Use a NetworkPolicy")
    elif str(value).startswith(("service:", "container:")):
        hint = "Put both containers into one workload"
        service.impossible("network_mode", "only containers of one pod share a network", hint)


def _networks(service: Service, value: object) -> None:
    table = cast(Data, value) if isinstance(value, dict) else {}
    for name, one in table.items():
        for alias in (one.get("aliases") if isinstance(one, dict) else None) or []:
            _alias(service, str(alias), "networks", (name,))
    if not service.has_said("networks"):
        service.adapted("networks", "everything in the namespace reaches each other")


def _links(service: Service, value: object) -> None:
    for index, one in enumerate(cast(list[object], value) if isinstance(value, list) else []):
        target, _, alias = str(one).partition(":")
        if alias and target in service.project.names:
            service.impossible(
                "links",
                f"`{alias}` is a name for this service alone",
                f"Let it ask for {service.project.names[target]}",
                index,
            )
        else:
            service.exact("links", "services reach each other by name", index)


def _alias(service: Service, alias: str, key: str, more: tuple[str, ...]) -> None:
    name = values.name(alias)
    if name == service.workload["name"]:
        return
    selector = {"app.kubernetes.io/name": service.workload["name"]}
    made = service.project.resource("Service", name)
    # A name that points to the pods themselves works for every port.
    made["spec"] = {"clusterIP": "None", "selector": selector}
    service.exact(key, f"a Service {name} leads to the same pods", *more)


def _flag(field: str, wanted: str) -> Handler:
    def handle(service: Service, value: object) -> None:
        if value == wanted:
            service.pod[field] = True

    return handle


def _platform(service: Service, value: object) -> None:
    system, _, machine = str(value).partition("/")
    selector = cast(Data, service.pod.setdefault("nodeSelector", {}))
    selector["kubernetes.io/os"] = system
    if machine:
        selector["kubernetes.io/arch"] = machine.partition("/")[0]


def _sysctls(service: Service, value: object) -> None:
    made = [{"name": name, "value": str(one)} for name, one in values.pairs(value)]
    service.pod.setdefault("securityContext", {})["sysctls"] = made


def _groups(service: Service, value: object) -> None:
    listed = [str(one) for one in (cast(list[object], value) if isinstance(value, list) else [])]
    numbers = [int(one) for one in listed if one.isdecimal()]
    if len(numbers) < len(listed):
        service.impossible("group_add", "Kubernetes takes numbers only", "Write the group's number")
    if numbers:
        service.pod.setdefault("securityContext", {})["supplementalGroups"] = numbers


def _in_pod(key: str, field: str) -> Handler:
    def handle(service: Service, value: object) -> None:
        service.pod[field] = values.name(str(value)) if field == "hostname" else str(value)

    return handle


_DEPLOY: dict[str, Handler] = {
    "replicas": _replicas,
    "mode": _mode,
    "resources": _resources,
    "update_config": _update,
    "restart_policy": _restart_policy,
    "placement": _placement,
    "labels": _labels,
}
HANDLERS: dict[str, Handler] = {
    "deploy": _deploy,
    "scale": _replicas,
    "cpus": _alone("cpus", "limits", "cpus"),
    "mem_limit": _alone("mem_limit", "limits", "memory"),
    "mem_reservation": _alone("mem_reservation", "requests", "memory"),
    "restart": _restart,
    "labels": _labels,
    "annotations": _annotations,
    "depends_on": _depends_on,
    "stop_grace_period": _grace,
    "extra_hosts": _extra_hosts,
    "dns": _dns("nameservers"),
    "dns_search": _dns("searches"),
    "dns_opt": _dns("options"),
    "network_mode": _network_mode,
    "networks": _networks,
    "links": _links,
    "pid": _flag("hostPID", "host"),
    "ipc": _flag("hostIPC", "host"),
    "hostname": _in_pod("hostname", "hostname"),
    "runtime": _in_pod("runtime", "runtimeClassName"),
    "platform": _platform,
    "sysctls": _sysctls,
    "group_add": _groups,
}
IMPOSSIBLE = {
    "blkio_config": "Kubernetes does not divide disk bandwidth",
    "cgroup": "control groups are a matter of the node",
    "cgroup_parent": "control groups are a matter of the node",
    "cpu_shares": "ask for an amount of CPU instead",
    "cpuset": "cores are given out by the node",
    "device_cgroup_rules": "devices need a plug-in of the cluster",
    "devices": "devices need a plug-in of the cluster",
    "extends": "the other service is not followed",
    "external_links": "containers outside of this file are unknown here",
    "gpus": "ask for them in `deploy.resources`",
    "logging": "logs go where the cluster sends them",
    "mac_address": "addresses are given out by the cluster",
    "memswap_limit": "swap is a matter of the node",
    "mem_swappiness": "swap is a matter of the node",
    "oom_kill_disable": "who uses too much memory is ended",
    "oom_score_adj": "Kubernetes chooses who is ended first",
    "pids_limit": "the number of processes is a matter of the node",
    "post_start": "put it into the image, or use `lifecycle`",
    "pre_stop": "put it into the image, or use `lifecycle`",
    "stop_signal": "the signal is that of the image",
    "storage_opt": "disks of containers are a matter of the node",
    "ulimits": "limits of processes are a matter of the node",
    "userns_mode": "user namespaces are a matter of the node",
    "volumes_from": "name the volume in both services",
}
"""What has no counterpart, and why."""
NEEDLESS = {
    "attach": "how compose shows logs",
    "container_name": "pods get names of their own",
    "develop": "only for work on this machine",
    "init": "Kubernetes looks after ended processes of the pod",
    "profiles": "everything in the form runs",
}
"""What needs none."""
