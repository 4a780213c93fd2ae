"""Pod Security Standards, decided as the admission controller of each Kubernetes version does.

Every control yields (what, path below the pod's spec) for each place that breaks it. A path that
begins with `metadata` stands in the pod's metadata. Source: k8s.io/pod-security-admission/policy.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import lru_cache

import msgspec

from windlass.charts.checks.rule import Path
from windlass.charts.checks.views import Container, Pod, Table, get, listed, table, tables, text

Version = tuple[int, ...]
Since = tuple[tuple[Version, str], ...]
Bad = Iterator[tuple[str, Path]]
Control = Callable[[Pod, Version], Bad]


class Level(StrEnum):
    """How strict: everything passes, known escalations are refused, hardened."""

    privileged = "privileged"
    baseline = "baseline"
    restricted = "restricted"


class Violation(msgspec.Struct, frozen=True):
    """One place that the admission controller refuses."""

    control: str
    message: str
    path: Path


ALLOWED_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
SYSCTLS: Since = (
    (
        (1, 0),
        "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies "
        "net.ipv4.ping_group_range net.ipv4.ip_unprivileged_port_start",
    ),
    ((1, 27), "net.ipv4.ip_local_reserved_ports"),
    (
        (1, 29),
        "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl "
        "net.ipv4.tcp_keepalive_probes",
    ),
    ((1, 32), "net.ipv4.tcp_rmem net.ipv4.tcp_wmem"),
    ((1, 37), "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat"),
)
SELINUX_TYPES: Since = (
    ((1, 0), "container_t container_init_t container_kvm_t"),
    ((1, 31), "container_engine_t"),
)
VOLUMES = frozenset(
    [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ]
)
PROFILES = ("RuntimeDefault", "Localhost")
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")


@lru_cache(32)
def known(since: Since, version: Version) -> frozenset[str]:
    """What a list that grew with versions holds at one of them."""
    return frozenset(name for first, names in since if version >= first for name in names.split())


def _at(container: Container, *path: str | int) -> Path:
    return (*container.path[len(container.pod.path) :], *path)


def _contexts(pod: Pod) -> Iterator[tuple[str, Table, Path]]:
    """The security contexts that are there: the pod's and each container's."""
    if pod.security:
        yield "the pod", pod.security, ("securityContext",)
    for one in pod.containers:
        if one.security:
            yield one.title, one.security, _at(one, "securityContext")


# -- baseline --------------------------------------------------------------------------------------


def host_namespaces(pod: Pod, version: Version) -> Bad:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(name) is True:
            yield f"`{name}` is true", (name,)


def privileged(pod: Pod, version: Version) -> Bad:
    for one in pod.containers:
        if one.is_privileged:
            yield f"{one.title} is privileged", _at(one, "securityContext", "privileged")


def _added(one: Container) -> Iterator[tuple[str, Path]]:
    capabilities = table(one.security.get("capabilities"))
    for index, name in enumerate(listed(capabilities.get("add"))):
        yield text(name), _at(one, "securityContext", "capabilities", "add", index)


def capabilities_baseline(pod: Pod, version: Version) -> Bad:
    for one in pod.containers:
        for name, path in _added(one):
            if name not in ALLOWED_CAPABILITIES:
                yield f"{one.title} adds the capability {name}", path


def host_path_volumes(pod: Pod, version: Version) -> Bad:
    for index, volume in pod.volumes:
        if volume.get("hostPath") is not None:
            yield (
                f"volume {text(volume.get('name'))} is a folder of the node",
                ("volumes", index, "hostPath"),
            )


def host_ports(pod: Pod, version: Version) -> Bad:
    for one in pod.containers:
        for index, port in one.ports:
            if port.get("hostPort"):
                yield (
                    f"{one.title} takes port {port['hostPort']} of the node",
                    _at(one, "ports", index, "hostPort"),
                )


def app_armor(pod: Pod, version: Version) -> Bad:
    for title, security, path in _contexts(pod):
        kind = get(security, "appArmorProfile", "type")
        if kind is not None and kind not in PROFILES:
            yield (
                f"{title} runs with the AppArmor profile {kind}",
                (*path, "appArmorProfile", "type"),
            )
    for key, value in pod.annotations.items():
        if key.startswith(APPARMOR_ANNOTATION):
            profile = text(value)
            if profile and profile != "runtime/default" and not profile.startswith("localhost/"):
                yield (
                    f"an annotation sets the AppArmor profile {profile}",
                    ("metadata", "annotations", key),
                )


def selinux(pod: Pod, version: Version) -> Bad:
    types = known(SELINUX_TYPES, version)
    for title, security, path in _contexts(pod):
        options = table(security.get("seLinuxOptions"))
        kind = options.get("type")
        if kind and kind not in types:
            yield f"{title} has the SELinux type {kind}", (*path, "seLinuxOptions", "type")
        for name in ("user", "role"):
            if options.get(name):
                yield f"{title} sets an SELinux {name}", (*path, "seLinuxOptions", name)


def _proc_mounts(pod: Pod) -> Bad:
    for one in pod.containers:
        value = one.security.get("procMount")
        if value is not None and value != "Default":
            yield f"{one.title} mounts /proc as {value}", _at(one, "securityContext", "procMount")


def proc_mount(pod: Pod, version: Version) -> Bad:
    if not (version >= (1, 35) and pod.is_of_user_namespace):
        yield from _proc_mounts(pod)


def seccomp_baseline(pod: Pod, version: Version) -> Bad:
    for title, security, path in _contexts(pod):
        profile = security.get("seccompProfile")
        if isinstance(profile, dict) and table(profile).get("type") not in PROFILES:
            kind = table(profile).get("type")
            yield f"{title} has the seccomp profile {kind}", (*path, "seccompProfile", "type")


def sysctls(pod: Pod, version: Version) -> Bad:
    safe = known(SYSCTLS, version)
    for index, one in tables(pod.security.get("sysctls")):
        if one.get("name") not in safe:
            yield (
                f"the sysctl {one.get('name')} is not a safe one",
                ("securityContext", "sysctls", index),
            )


def windows_host_process(pod: Pod, version: Version) -> Bad:
    for title, security, path in _contexts(pod):
        if get(security, "windowsOptions", "hostProcess") is True:
            yield (
                f"{title} is a process of the Windows host",
                (*path, "windowsOptions", "hostProcess"),
            )


def host_probes(pod: Pod, version: Version) -> Bad:
    if version < (1, 34):
        return
    for one in pod.containers:
        lifecycle = table(one.data.get("lifecycle"))
        handlers = [(table(one.data.get(name)), (name,)) for name in PROBES]
        handlers += [(table(lifecycle.get(name)), ("lifecycle", name)) for name in HOOKS]
        for handler, path in handlers:
            for action in ("httpGet", "tcpSocket"):
                if get(handler, action, "host"):
                    yield (
                        f"{one.title}: {path[-1]} asks another host",
                        _at(one, *path, action, "host"),
                    )


# -- restricted ------------------------------------------------------------------------------------


def restricted_volumes(pod: Pod, version: Version) -> Bad:
    for index, volume in pod.volumes:
        kinds = {kind for kind, value in volume.items() if value is not None} - {"name"}
        # A volume of no kind becomes an emptyDir before anybody looks at it.
        if kinds - VOLUMES:
            yield (
                f"volume {text(volume.get('name'))} is of a kind that is not allowed",
                ("volumes", index),
            )


def privilege_escalation(pod: Pod, version: Version) -> Bad:
    if version >= (1, 25) and pod.is_windows:
        return
    for one in pod.containers:
        if one.security.get("allowPrivilegeEscalation") is not False:
            yield (
                f"{one.title} may gain privileges",
                _at(one, "securityContext", "allowPrivilegeEscalation"),
            )


def run_as_non_root(pod: Pod, version: Version) -> Bad:
    if version >= (1, 35) and pod.is_of_user_namespace:
        return
    if pod.security.get("runAsNonRoot") is False:
        yield "the pod sets `runAsNonRoot: false`", ("securityContext", "runAsNonRoot")
    is_set = pod.security.get("runAsNonRoot") is True
    for one in pod.containers:
        value = one.security.get("runAsNonRoot")
        if value is False or (value is None and not is_set):
            yield f"{one.title} may run as root", _at(one, "securityContext", "runAsNonRoot")


def run_as_user(pod: Pod, version: Version) -> Bad:
    if version >= (1, 35) and pod.is_of_user_namespace:
        return
    for title, security, path in _contexts(pod):
        if security.get("runAsUser") == 0 and security["runAsUser"] is not False:
            yield f"{title} runs as user 0", (*path, "runAsUser")


def seccomp_restricted(pod: Pod, version: Version) -> Bad:
    if version >= (1, 25) and pod.is_windows:
        return
    yield from seccomp_baseline(pod, version)
    is_set = get(pod.security, "seccompProfile", "type") in PROFILES
    for one in pod.containers:
        if not isinstance(one.security.get("seccompProfile"), dict) and not is_set:
            yield (
                f"{one.title} has no seccomp profile",
                _at(one, "securityContext", "seccompProfile"),
            )


def capabilities_restricted(pod: Pod, version: Version) -> Bad:
    if version >= (1, 25) and pod.is_windows:
        return
    for one in pod.containers:
        capabilities = table(one.security.get("capabilities"))
        if "ALL" not in listed(capabilities.get("drop")):
            yield (
                f"{one.title} does not drop all capabilities",
                _at(one, "securityContext", "capabilities", "drop"),
            )
        for name, path in _added(one):
            if name != "NET_BIND_SERVICE":
                yield f"{one.title} adds the capability {name}", path


def proc_mount_restricted(pod: Pod, version: Version) -> Bad:
    yield from _proc_mounts(pod)


BASELINE: dict[str, Control] = {
    "hostNamespaces": host_namespaces,
    "privileged": privileged,
    "capabilities_baseline": capabilities_baseline,
    "hostPathVolumes": host_path_volumes,
    "hostPorts": host_ports,
    "appArmorProfile": app_armor,
    "seLinuxOptions": selinux,
    "procMount": proc_mount,
    "seccompProfile_baseline": seccomp_baseline,
    "sysctls": sysctls,
    "windowsHostProcess": windows_host_process,
    "hostProbesAndHostLifecycle": host_probes,
}
RESTRICTED: dict[str, Control] = {
    "restrictedVolumes": restricted_volumes,
    "allowPrivilegeEscalation": privilege_escalation,
    "runAsNonRoot": run_as_non_root,
    "runAsUser": run_as_user,
    "seccompProfile_restricted": seccomp_restricted,
    "capabilities_restricted": capabilities_restricted,
}
# Controls of the restricted level that take the place of one of the baseline.
REPLACED = {
    "restrictedVolumes": "hostPathVolumes",
    "seccompProfile_restricted": "seccompProfile_baseline",
    "capabilities_restricted": "capabilities_baseline",
    "procMount_restricted": "procMount",
}


def controls(level: Level, version: Version) -> dict[str, Control]:
    """The controls of a level at a version, by the admission controller's own names."""
    if level is Level.privileged:
        return {}
    if level is Level.baseline:
        return BASELINE
    strict = dict(RESTRICTED)
    if version >= (1, 35):
        strict["procMount_restricted"] = proc_mount_restricted
    replaced = {REPLACED[name] for name in strict if name in REPLACED}
    return {**{name: one for name, one in BASELINE.items() if name not in replaced}, **strict}


def violations(pod: Pod, level: Level, version: Version) -> list[Violation]:
    """Why the admission controller would refuse a pod; nothing when it lets it in."""
    return [
        Violation(name, message, path)
        for name, control in controls(level, version).items()
        for message, path in control(pod, version)
    ]


def place(pod: Pod, path: Path) -> Path:
    """A control's path, from the top of the object."""
    return (*pod.top, *path) if path[:1] == ("metadata",) else (*pod.path, *path)
