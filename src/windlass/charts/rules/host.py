"""What of the node a pod can touch."""

from collections.abc import Iterator

from windlass.charts.checks import pod_security as pss
from windlass.charts.checks.rule import E, Found, I, Path, Profile, Scope, W, settings
from windlass.charts.checks.views import Container, Pod, table, text
from windlass.charts.rules.examples import container, pod

PSS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
rule = settings(group="host", scope=Scope.pod, severity=E, references=(PSS,))
SENSITIVE = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr")
SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/var/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/var/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/var/run/dockershim.sock",
    "/run/podman/podman.sock",
    "/var/run/podman/podman.sock",
)


def _shares(p: Pod, field: str, what: str) -> Iterator[Found]:
    if p.spec.get(field) is True:
        yield p.found(f"`{field}` is true: {what}", field, fix=p.deleting(field))


@rule(
    "host-network",
    "The pod shares the node's network",
    why="It can listen to the node's traffic, reach services that listen on the node only, and no "
    "NetworkPolicy holds it.",
    how="Remove `hostNetwork`; a Service makes the pod reachable.",
    bad=pod("hostNetwork: true"),
    good=pod(),
)
def host_network(p: Pod) -> Iterator[Found]:
    if p.spec.get("hostNetwork") is True:
        # Its ports may be the node's on purpose: what to do then has no one answer.
        has_ports = any(True for c in p.containers for _ in c.ports)
        yield p.found(
            "it shares the node's network",
            "hostNetwork",
            fix=() if has_ports else p.deleting("hostNetwork"),
        )


@rule(
    "host-pid",
    "The pod sees the node's processes",
    why="Processes of the node and of other pods can be seen, and with the same user killed or "
    "read.",
    how="Remove `hostPID`.",
    bad=pod("hostPID: true"),
    good=pod(),
)
def host_pid(p: Pod) -> Iterator[Found]:
    yield from _shares(p, "hostPID", "it sees the node's processes")


@rule(
    "host-ipc",
    "The pod shares the node's memory segments",
    why="Shared memory of the node's processes can be read and written.",
    how="Remove `hostIPC`.",
    bad=pod("hostIPC: true"),
    good=pod(),
)
def host_ipc(p: Pod) -> Iterator[Found]:
    yield from _shares(p, "hostIPC", "it shares the node's memory segments")


@rule(
    "host-port",
    "A container takes a port of the node",
    why="It opens a port on the node past every Service and NetworkPolicy, and only one such pod "
    "fits on a node.",
    how="Remove `hostPort`; use a Service.",
    bad=container("ports:\n  - containerPort: 8080\n    hostPort: 8080"),
    good=container("ports:\n  - containerPort: 8080"),
    scope=Scope.container,
)
def host_port(c: Container) -> Iterator[Found]:
    if c.pod.spec.get("hostNetwork") is True:
        return  # Every port is the node's then, and host-network says so.
    for index, port in c.ports:
        if port.get("hostPort"):
            path: Path = ("ports", index, "hostPort")
            yield c.found(
                f"it takes port {port['hostPort']} of the node", *path, fix=c.deleting(*path)
            )


@rule(
    "host-path",
    "A folder of the node is mounted",
    why="What stands there survives the pod, is shared with everything else on the node and may "
    "be the node's own.",
    how="Use a PersistentVolumeClaim, an `emptyDir`, a ConfigMap or a Secret.",
    bad=pod("volumes:\n  - name: data\n    hostPath:\n      path: /srv/data"),
    good=pod("volumes:\n  - name: data\n    emptyDir: {}"),
)
def host_path(p: Pod) -> Iterator[Found]:
    for index, name, path in _host_paths(p):
        yield p.found(f"volume {name} is the node's folder {path}", "volumes", index, "hostPath")


@rule(
    "host-path-sensitive",
    "A folder of the node's system is mounted",
    why="Whoever reads or writes there owns the node: keys, programs, devices, kernel settings.",
    how="Remove the volume. A program that must manage nodes belongs into a namespace of its own.",
    bad=pod("volumes:\n  - name: etc\n    hostPath:\n      path: /etc"),
    good=pod("volumes:\n  - name: settings\n    configMap:\n      name: app"),
)
def host_path_sensitive(p: Pod) -> Iterator[Found]:
    for index, name, path in _host_paths(p):
        clean = path.rstrip("/") or "/"
        if clean in SENSITIVE:
            yield p.found(
                f"volume {name} is {path} of the node", "volumes", index, "hostPath", "path"
            )


@rule(
    "host-path-writable",
    "A folder of the node is mounted for writing",
    why="What is written there reaches other pods, and programs of the node that read it.",
    how="Set `readOnly: true` at the mount, or use another kind of volume.",
    bad=pod(
        "volumes:\n  - name: logs\n    hostPath:\n      path: /var/log",
        container="volumeMounts:\n  - name: logs\n    mountPath: /logs",
    ),
    good=pod(
        "volumes:\n  - name: logs\n    hostPath:\n      path: /var/log",
        container="volumeMounts:\n  - name: logs\n    mountPath: /logs\n    readOnly: true",
    ),
)
def host_path_writable(p: Pod) -> Iterator[Found]:
    names = {name for _, name, _ in _host_paths(p)}
    if not names:
        return
    for c in p.containers:
        for index, mount in enumerate(_mounts(c)):
            if text(mount.get("name")) in names and mount.get("readOnly") is not True:
                path: Path = ("volumeMounts", index)
                what = f"it may write to the node's folder of volume {mount['name']}"
                yield c.found(what, *path, fix=c.setting(True, *path, "readOnly"))


@rule(
    "docker-sock",
    "The socket of the container runtime is mounted",
    why="Whoever speaks to the runtime can start a container that owns the node.",
    how="Remove the volume; build images with BuildKit or Kaniko, read logs and metrics through "
    "the API.",
    bad=pod("volumes:\n  - name: docker\n    hostPath:\n      path: /var/run/docker.sock"),
    good=pod("volumes:\n  - name: docker\n    emptyDir: {}"),
)
def docker_sock(p: Pod) -> Iterator[Found]:
    for index, name, path in _host_paths(p):
        if path.rstrip("/") in SOCKETS:
            yield p.found(
                f"volume {name} is the container runtime's socket",
                "volumes",
                index,
                "hostPath",
                "path",
            )


@rule(
    "windows-host-process",
    "A process of the Windows host",
    why="It runs on the node itself, without a container.",
    how="Remove `hostProcess`.",
    bad=pod("securityContext:\n  windowsOptions:\n    hostProcess: true"),
    good=pod("securityContext:\n  windowsOptions:\n    runAsUserName: ContainerUser"),
)
def windows_host_process(p: Pod) -> Iterator[Found]:
    for message, path in pss.windows_host_process(p, p.world.version):
        yield Found(message, pss.place(p, path))


@rule(
    "host-probe",
    "A probe or a hook asks another host",
    severity=W,
    profiles={Profile.restricted: E, Profile.lab: I},
    why="The kubelet asks from the node's network: whoever may write the pod can make it reach "
    "what the pod cannot. "
    "Pod Security refuses it from Kubernetes 1.34 on.",
    how="Remove `host`; the pod's own address is asked then.",
    bad=container("readinessProbe:\n  httpGet:\n    host: 169.254.169.254\n    port: 80"),
    good=container("readinessProbe:\n  httpGet:\n    port: 8080"),
)
def host_probe(p: Pod) -> Iterator[Found]:
    for message, path in pss.host_probes(p, (1, 34)):
        yield p.found(message, *path, fix=p.deleting(*path))


@rule(
    "volume-types",
    "A kind of volume that only administrators should choose",
    severity=W,
    profiles={Profile.restricted: E, Profile.lab: I},
    why="Volumes such as nfs or iscsi reach storage servers directly, past StorageClasses and "
    "quotas.",
    how="Use a PersistentVolumeClaim.",
    bad=pod("volumes:\n  - name: data\n    nfs:\n      server: 10.0.0.5\n      path: /data"),
    good=pod("volumes:\n  - name: data\n    persistentVolumeClaim:\n      claimName: data"),
)
def volume_types(p: Pod) -> Iterator[Found]:
    for message, path in pss.restricted_volumes(p, p.world.version):
        if "hostPath" not in dict(p.volumes)[_index(path)]:
            yield p.found(message, *path)


@rule(
    "host-aliases",
    "The pod writes its own names into /etc/hosts",
    severity=I,
    why="A name in /etc/hosts hides what DNS says, and a change needs a new pod.",
    how="Use a Service, or an ExternalName Service for something outside.",
    bad=pod("hostAliases:\n  - ip: 10.0.0.7\n    hostnames: [db]"),
    good=pod(),
)
def host_aliases(p: Pod) -> Iterator[Found]:
    if p.spec.get("hostAliases"):
        yield p.found("it writes names into /etc/hosts", "hostAliases")


def _host_paths(p: Pod) -> Iterator[tuple[int, str, str]]:
    for index, volume in p.volumes:
        if volume.get("hostPath") is not None:
            yield index, text(volume.get("name")), text(table(volume.get("hostPath")).get("path"))


def _mounts(c: Container) -> list[dict[str, object]]:
    mounts = c.data.get("volumeMounts")
    return [table(mount) for mount in mounts] if isinstance(mounts, list) else []


def _index(path: Path) -> int:
    return next(part for part in path if isinstance(part, int))
