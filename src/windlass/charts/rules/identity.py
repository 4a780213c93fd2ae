"""Who the processes run as, and what they may become."""

from collections.abc import Iterator

from windlass.charts.checks import pod_security as pss
from windlass.charts.checks.rule import HARDENING, E, Found, I, Profile, Rename, Scope, W, settings
from windlass.charts.checks.views import Container, Object, Pod, listed, text, whole
from windlass.charts.rules.examples import container, object_, pod, together

PSS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
CONTEXT = "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/"
rule = settings(group="identity", scope=Scope.container, references=(PSS, CONTEXT))
LEVEL = "pod-security.kubernetes.io/enforce"


@rule(
    "run-as-non-root",
    "A container may run as root",
    severity=W,
    profiles=HARDENING,
    why="Root in a container is root for the kernel: a hole in the container's walls is then a "
    "hole in the node.",
    how="Set `runAsNonRoot: true` in the pod's or the container's securityContext; the image must "
    "name a user by number, "
    "or `runAsUser` does.",
    bad=container(""),
    good=container("securityContext:\n  runAsNonRoot: true"),
)
def run_as_non_root(c: Container) -> Iterator[Found]:
    user = whole(c.effective("runAsUser"))
    if c.effective("runAsNonRoot") is True or (user is not None and user > 0) or c.pod.is_windows:
        return
    if user == 0:
        return  # run-as-uid-0 says it.
    is_explicit = c.security.get("runAsNonRoot") is False
    path = ("securityContext", "runAsNonRoot")
    what = "`runAsNonRoot` is false" if is_explicit else "it may run as root"
    yield c.found(what, *path, fix=c.setting(True, *path))


@rule(
    "run-as-uid-0",
    "A container runs as user 0",
    severity=E,
    profiles={Profile.lab: W},
    why="The manifest itself asks for root: a hole in the container's walls is then a hole in the "
    "node.",
    how="Set `runAsUser` to a number above 0, or remove it when the image names a user.",
    bad=container("securityContext:\n  runAsUser: 0"),
    good=container("securityContext:\n  runAsUser: 1000"),
)
def run_as_uid_0(c: Container) -> Iterator[Found]:
    if c.pod.is_of_user_namespace and c.pod.world.version >= (1, 35):
        return  # Root of a user namespace is nobody outside of it.
    if whole(c.security.get("runAsUser")) == 0:
        yield c.found("it runs as user 0", "securityContext", "runAsUser")
    elif c.security.get("runAsUser") is None and whole(c.pod.security.get("runAsUser")) == 0:
        yield Found(
            f"{c.title}: it runs as user 0, as the pod says",
            (*c.pod.path, "securityContext", "runAsUser"),
        )


@rule(
    "run-as-gid-0",
    "A container is in group 0",
    severity=W,
    why="Many files of an image belong to group root and are writable for it.",
    how="Set `runAsGroup`, `fsGroup` and `supplementalGroups` to numbers above 0.",
    bad=container("securityContext:\n  runAsGroup: 0"),
    good=container("securityContext:\n  runAsGroup: 1000"),
    profiles={Profile.lab: I},
)
def run_as_gid_0(c: Container) -> Iterator[Found]:
    if whole(c.effective("runAsGroup")) == 0:
        yield c.found("it is in group 0", "securityContext", "runAsGroup")
    if c is c.pod.containers[0]:
        yield from _pod_groups(c.pod)


def _pod_groups(p: Pod) -> Iterator[Found]:
    if whole(p.security.get("fsGroup")) == 0:
        yield p.found("`fsGroup` is 0", "securityContext", "fsGroup")
    for index, group in enumerate(listed(p.security.get("supplementalGroups"))):
        if whole(group) == 0:
            yield p.found(
                "group 0 is among `supplementalGroups`",
                "securityContext",
                "supplementalGroups",
                index,
            )


def _low(c: Container, field: str, what: str) -> Iterator[Found]:
    number = whole(c.effective(field))
    if number is None or number < 10_000:
        said = f"`{field}` is {number}" if number is not None else f"`{field}` is not set"
        yield c.found(
            f"{said}: {what} of the node may have the same number", "securityContext", field
        )


@rule(
    "low-uid",
    "The user's number is below 10000, or unknown",
    severity=I,
    optional=True,
    why="If a process leaves its container, a number that the node uses too gives it that user's "
    "files.",
    how="Set `runAsUser` to a number of 10000 or more.",
    bad=container("securityContext:\n  runAsUser: 1000"),
    good=container("securityContext:\n  runAsUser: 10001"),
)
def low_uid(c: Container) -> Iterator[Found]:
    yield from _low(c, "runAsUser", "a user")


@rule(
    "low-gid",
    "The group's number is below 10000, or unknown",
    severity=I,
    optional=True,
    why="If a process leaves its container, a number that the node uses too gives it that group's "
    "files.",
    how="Set `runAsGroup` to a number of 10000 or more.",
    bad=container("securityContext:\n  runAsGroup: 1000"),
    good=container("securityContext:\n  runAsGroup: 10001"),
)
def low_gid(c: Container) -> Iterator[Found]:
    yield from _low(c, "runAsGroup", "a group")


@rule(
    "read-only-root-fs",
    "The container's root file system is writable",
    severity=W,
    profiles={Profile.lab: None},
    why="Whoever gets into the container can change its programs and leave things behind.",
    how="Set `readOnlyRootFilesystem: true` and mount an `emptyDir` where the program writes.",
    bad=container(""),
    good=container("securityContext:\n  readOnlyRootFilesystem: true"),
)
def read_only_root_fs(c: Container) -> Iterator[Found]:
    if c.security.get("readOnlyRootFilesystem") is not True and not c.pod.is_windows:
        path = ("securityContext", "readOnlyRootFilesystem")
        yield c.found("its root file system is writable", *path, fix=c.setting(True, *path))


@rule(
    "privilege-escalation",
    "A process may gain more privileges than its parent",
    severity=W,
    profiles=HARDENING,
    why="A set-user-ID program in the image makes root out of any user.",
    how="Set `allowPrivilegeEscalation: false`.",
    bad=container(""),
    good=container("securityContext:\n  allowPrivilegeEscalation: false"),
)
def privilege_escalation(c: Container) -> Iterator[Found]:
    if c.security.get("allowPrivilegeEscalation") is False or c.pod.is_windows:
        return
    path = ("securityContext", "allowPrivilegeEscalation")
    # The API server refuses false beside `privileged` or CAP_SYS_ADMIN.
    needs_it = c.is_privileged or "SYS_ADMIN" in c.capabilities("add")
    yield c.found(
        "`allowPrivilegeEscalation` is not false",
        *path,
        fix=() if needs_it else c.setting(False, *path),
    )


@rule(
    "privileged",
    "A privileged container",
    severity=E,
    why="A privileged container has every capability and every device of the node: it is root of "
    "the machine.",
    how="Remove `privileged`; add the one capability that is needed, if any.",
    bad=container("securityContext:\n  privileged: true"),
    good=container("securityContext:\n  privileged: false"),
)
def privileged(c: Container) -> Iterator[Found]:
    if c.is_privileged:
        path = ("securityContext", "privileged")
        yield c.found("it is privileged", *path, fix=c.deleting(*path))


@rule(
    "no-security-context",
    "Neither the pod nor the container says how it is confined",
    severity=I,
    profiles={Profile.lab: None},
    why="Without a securityContext the image decides which user runs and what it may do.",
    how="Begin with runAsNonRoot, allowPrivilegeEscalation: false and capabilities.drop: [ALL].",
    bad=container(""),
    good=container("securityContext:\n  runAsNonRoot: true"),
)
def no_security_context(c: Container) -> Iterator[Found]:
    if c.data.get("securityContext") is None and c.pod.spec.get("securityContext") is None:
        yield c.found("there is no securityContext", "securityContext")


@rule(
    "sa-token-automount",
    "The service account's token is mounted without need",
    severity=W,
    profiles={Profile.lab: None},
    scope=Scope.pod,
    why="The token lets whoever gets into the container speak to the API server. Few applications "
    "need that.",
    how="Set `automountServiceAccountToken: false` in the pod, or in its ServiceAccount.",
    bad=pod(),
    good=pod("automountServiceAccountToken: false"),
    references=(
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
    ),
)
def token_automount(p: Pod) -> Iterator[Found]:
    value = p.spec.get("automountServiceAccountToken")
    name = text(p.spec.get("serviceAccountName")) or text(p.spec.get("serviceAccount")) or "default"
    account = p.world.named("ServiceAccount", name, p.owner.namespace)
    if value is None and account is not None:
        value = account.data.get("automountServiceAccountToken")
    if value is False or _has_rights(p, name):
        return
    field = "automountServiceAccountToken"
    what = "the service account's token is mounted, and no role in the set gives it rights"
    yield p.found(what, field, fix=p.setting(False, field))


def _has_rights(p: Pod, account: str) -> bool:
    """Whether a binding in the set gives the pod's own account rights: then it needs the token."""
    return account != "default" and (p.owner.namespace, account) in p.world.bound_accounts


@rule(
    "sa-default",
    "The pod runs under the default service account",
    severity=W,
    profiles={Profile.lab: None, Profile.baseline: I},
    scope=Scope.pod,
    why="Every pod that names no account shares `default`: a right that one of them gets, all of "
    "them have.",
    how="Make a ServiceAccount for the application and name it in `serviceAccountName`.",
    bad=pod(),
    good=pod("serviceAccountName: app"),
)
def sa_default(p: Pod) -> Iterator[Found]:
    name = text(p.spec.get("serviceAccountName")) or text(p.spec.get("serviceAccount"))
    if name in ("", "default") and p.spec.get("automountServiceAccountToken") is not False:
        yield p.found("it runs under the default service account", "serviceAccountName")


@rule(
    "sa-deprecated-field",
    "The deprecated field `serviceAccount`",
    severity=I,
    scope=Scope.pod,
    why="`serviceAccount` is an alias that is kept for old manifests only.",
    how="Write `serviceAccountName`.",
    bad=pod("serviceAccount: app"),
    good=pod("serviceAccountName: app"),
)
def sa_deprecated(p: Pod) -> Iterator[Found]:
    if "serviceAccount" in p.spec:
        path = (*p.path, "serviceAccount")
        is_twice = "serviceAccountName" in p.spec
        fix = p.deleting("serviceAccount") if is_twice else (Rename(path, "serviceAccountName"),)
        yield p.found("`serviceAccount` is deprecated", "serviceAccount", fix=fix)


@rule(
    "pod-security",
    "The namespace's Pod Security level refuses the pod",
    severity=E,
    scope=Scope.pod,
    why="The namespace is part of the set and enforces a Pod Security Standard: the admission "
    "controller refuses these "
    "pods, and their workload never starts.",
    how="Mend what is named, or lower the namespace's level.",
    bad=together(
        object_("v1", "Namespace").replace(
            "  name: app\n", f"  name: app\n  labels:\n    {LEVEL}: baseline\n"
        ),
        pod("hostNetwork: true", metadata="namespace: app"),
    ),
    good=together(
        object_("v1", "Namespace").replace(
            "  name: app\n", f"  name: app\n  labels:\n    {LEVEL}: baseline\n"
        ),
        pod(metadata="namespace: app"),
    ),
)
def pod_security(p: Pod) -> Iterator[Found]:
    space = p.world.of_cluster("Namespace", p.owner.namespace)
    if space is None or (level := text(space.labels.get(LEVEL))) not in tuple(pss.Level):
        return
    for one in pss.violations(p, pss.Level(level), _pinned(space, p)):
        yield Found(
            f"namespace {space.name} enforces {level}: {one.message}", pss.place(p, one.path)
        )


def _pinned(space: Object, p: Pod) -> tuple[int, ...]:
    """The version that the namespace pins, or the one that is checked for."""
    pinned = text(space.labels.get(f"{LEVEL}-version")).removeprefix("v").split(".")
    if len(pinned) == 2 and all(part.isdigit() for part in pinned):
        return min(tuple(int(part) for part in pinned), p.world.version)
    return p.world.version
