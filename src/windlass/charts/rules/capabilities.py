"""What the kernel lets a container do."""

from collections.abc import Iterator

from windlass.charts.checks import pod_security as pss
from windlass.charts.checks.rule import (
    HARDENING,
    Delete,
    E,
    Found,
    I,
    Path,
    Profile,
    Scope,
    Set,
    W,
    settings,
)
from windlass.charts.checks.views import Container, Pod, get, listed, text
from windlass.charts.rules.examples import container, pod

PSS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
rule = settings(group="kernel", scope=Scope.container, severity=W, references=(PSS,))
DANGEROUS = frozenset(
    [
        "ALL",
        "SYS_ADMIN",
        "NET_ADMIN",
        "SYS_MODULE",
        "SYS_PTRACE",
        "SYS_RAWIO",
        "SYS_BOOT",
        "DAC_READ_SEARCH",
        "BPF",
        "MAC_ADMIN",
        "MAC_OVERRIDE",
    ]
)
ADDED: Path = ("securityContext", "capabilities", "add")
DROPPED: Path = ("securityContext", "capabilities", "drop")


@rule(
    "cap-add-dangerous",
    "A capability that is as good as root of the node is added",
    severity=E,
    profiles={Profile.lab: W},
    why="With SYS_ADMIN, NET_ADMIN, SYS_MODULE and the like a process can take over the node or "
    "its network.",
    how="Remove the capability; most programs that ask for it need only a part that has its own.",
    bad=container("securityContext:\n  capabilities:\n    add: [SYS_ADMIN]"),
    good=container("securityContext:\n  capabilities:\n    drop: [ALL]"),
)
def cap_add_dangerous(c: Container) -> Iterator[Found]:
    for index, name in enumerate(c.capabilities("add")):
        if name in DANGEROUS:
            yield c.found(f"it adds the capability {name}", *ADDED, index)


@rule(
    "cap-add-any",
    "A capability is added that the baseline does not allow",
    profiles={Profile.restricted: E, Profile.lab: I},
    why="Every capability is a part of root. The baseline of Pod Security allows thirteen; "
    "restricted allows "
    "NET_BIND_SERVICE alone.",
    how="Remove the capability, or listen on a port above 1023 instead of adding NET_BIND_SERVICE.",
    bad=container("securityContext:\n  capabilities:\n    add: [SYS_TIME]"),
    good=container("securityContext:\n  capabilities:\n    add: [NET_BIND_SERVICE]"),
)
def cap_add_any(c: Container) -> Iterator[Found]:
    for index, name in enumerate(c.capabilities("add")):
        if name not in pss.ALLOWED_CAPABILITIES and name not in DANGEROUS:
            yield c.found(f"it adds the capability {name}", *ADDED, index)


@rule(
    "cap-drop-all",
    "Not all capabilities are dropped",
    profiles=HARDENING,
    why="A container starts with fourteen parts of root, such as changing owners of files. Few "
    "programs need one.",
    how="Set `capabilities.drop: [ALL]` and add back what is needed, usually nothing.",
    bad=container(""),
    good=container("securityContext:\n  capabilities:\n    drop: [ALL]"),
)
def cap_drop_all(c: Container) -> Iterator[Found]:
    if not c.drops_all and not c.pod.is_windows:
        yield c.found(
            "it does not drop all capabilities", *DROPPED, fix=c.setting(["ALL"], *DROPPED)
        )


@rule(
    "cap-net-raw",
    "NET_RAW is not dropped",
    profiles=HARDENING,
    why="With NET_RAW a container can forge packets and pretend to be another pod.",
    how="Drop ALL, or at least NET_RAW.",
    bad=container("securityContext:\n  capabilities:\n    add: [NET_RAW]\n    drop: [ALL]"),
    good=container("securityContext:\n  capabilities:\n    drop: [NET_RAW]"),
)
def cap_net_raw(c: Container) -> Iterator[Found]:
    added = c.capabilities("add")
    if "NET_RAW" in added:
        path = (*ADDED, added.index("NET_RAW"))
        yield c.found("it adds NET_RAW", *path)
    elif not ({"ALL", "NET_RAW"} & {*c.capabilities("drop")}) and not c.pod.is_windows:
        # cap-drop-all says it and makes the same change: this is for who asks for this rule alone.
        yield c.found(
            "it does not drop NET_RAW", *DROPPED, fix=c.setting(["ALL"], *DROPPED), severity=I
        )


@rule(
    "seccomp",
    "No seccomp profile, or none at all by intention",
    profiles=HARDENING,
    why="The runtime's profile keeps some sixty dangerous system calls away from the program; "
    "without one all are open.",
    how="Set `seccompProfile: {type: RuntimeDefault}` in the pod's securityContext.",
    bad=pod(),
    good=pod("securityContext:\n  seccompProfile:\n    type: RuntimeDefault"),
    scope=Scope.pod,
)
def seccomp(p: Pod) -> Iterator[Found]:
    if p.is_windows:
        return
    field: Path = ("securityContext", "seccompProfile", "type")
    top = get(p.security, "seccompProfile", "type")
    own = [(c, get(c.security, "seccompProfile", "type")) for c in p.containers]
    for c, kind in own:
        if kind is not None and kind not in pss.PROFILES:
            yield c.found(
                f"the seccomp profile is {kind}", *field, fix=c.setting("RuntimeDefault", *field)
            )
    if top is not None and top not in pss.PROFILES:
        yield p.found(
            f"the seccomp profile is {top}", *field, fix=p.setting("RuntimeDefault", *field)
        )
    elif top is None and any(kind is None for _, kind in own):
        yield p.found("no seccomp profile is set", *field, fix=p.setting("RuntimeDefault", *field))


@rule(
    "apparmor",
    "AppArmor is switched off",
    profiles=HARDENING,
    why="The runtime's AppArmor profile keeps the program from writing to /proc and /sys; "
    "Unconfined takes it away.",
    how="Remove the setting, or use RuntimeDefault.",
    bad=container("securityContext:\n  appArmorProfile:\n    type: Unconfined"),
    good=container("securityContext:\n  appArmorProfile:\n    type: RuntimeDefault"),
    scope=Scope.pod,
)
def apparmor(p: Pod) -> Iterator[Found]:
    for message, path in pss.app_armor(p, p.world.version):
        place = pss.place(p, path)
        is_field = path[0] != "metadata"
        yield Found(
            message, place, (Set(place, "RuntimeDefault"),) if is_field else (Delete(place),)
        )


@rule(
    "selinux",
    "SELinux options of its own",
    profiles=HARDENING,
    why="Another SELinux type, user or role can take the walls away that keep containers apart.",
    how="Remove `user` and `role`, and use no type but those for containers.",
    bad=container("securityContext:\n  seLinuxOptions:\n    type: spc_t"),
    good=container("securityContext:\n  seLinuxOptions:\n    type: container_t"),
    scope=Scope.pod,
)
def selinux(p: Pod) -> Iterator[Found]:
    for message, path in pss.selinux(p, p.world.version):
        yield p.found(message, *path)


@rule(
    "proc-mount",
    "/proc is not masked",
    severity=E,
    profiles={Profile.lab: W},
    why="Parts of /proc that the runtime hides give away the kernel's secrets and change its "
    "settings.",
    how="Remove `procMount`.",
    bad=container("securityContext:\n  procMount: Unmasked"),
    good=container("securityContext:\n  procMount: Default"),
)
def proc_mount(c: Container) -> Iterator[Found]:
    value = c.security.get("procMount")
    if value in (None, "Default") or (
        c.pod.is_of_user_namespace and c.pod.world.version >= (1, 35)
    ):
        return
    path = ("securityContext", "procMount")
    yield c.found(f"/proc is mounted as {value}", *path, fix=c.deleting(*path))


@rule(
    "sysctls",
    "A kernel setting that is not safe",
    severity=E,
    profiles={Profile.lab: W},
    why="Unsafe sysctls reach beyond the pod: they can change or crash the node.",
    how="Remove the sysctl. An administrator can set it on nodes meant for it.",
    bad=pod("securityContext:\n  sysctls:\n    - name: kernel.msgmax\n      value: '65536'"),
    good=pod("securityContext:\n  sysctls:\n    - name: net.ipv4.tcp_syncookies\n      value: '1'"),
    scope=Scope.pod,
)
def sysctls(p: Pod) -> Iterator[Found]:
    for message, path in pss.sysctls(p, p.world.version):
        yield p.found(message, *path, fix=p.deleting(*path))


@rule(
    "privileged-ports",
    "A port below 1024",
    severity=I,
    optional=True,
    why="Programs that listen below 1024 were written to start as root.",
    how="Let the program listen on 8080 or so; the Service can still offer 80.",
    bad=container("ports:\n  - containerPort: 80"),
    good=container("ports:\n  - containerPort: 8080"),
)
def privileged_ports(c: Container) -> Iterator[Found]:
    for index, port in c.ports:
        number = port.get("containerPort")
        if isinstance(number, int) and 0 < number < 1024:
            yield c.found(f"it listens on port {number}", "ports", index, "containerPort")


@rule(
    "ssh-port",
    "A container listens on port 22",
    why="A shell over the network is a door that nobody watches, and keys for it end up in images.",
    how="Use `kubectl exec`, or a job for what must be done.",
    bad=container("ports:\n  - containerPort: 22"),
    good=container("ports:\n  - containerPort: 8080"),
)
def ssh_port(c: Container) -> Iterator[Found]:
    for index, port in c.ports:
        if port.get("containerPort") == 22 and port.get("protocol") in (None, "TCP"):
            yield c.found("it listens on port 22", "ports", index, "containerPort")


@rule(
    "sudo-entrypoint",
    "The program is started with sudo",
    severity=I,
    why="sudo in a container means that root is needed after all, and it does nothing when "
    "escalation is forbidden.",
    how="Let the image do what needs root when it is built.",
    bad=container("command: [sudo, /app/server]"),
    good=container("command: [/app/server]"),
)
def sudo_entrypoint(c: Container) -> Iterator[Found]:
    for field in ("command", "args"):
        words = c.data.get(field)
        for index, word in enumerate(text(one) for one in listed(words)):
            if word == "sudo" or word.endswith("/sudo") or word.startswith("sudo "):
                yield c.found("it is started with sudo", field, index)
