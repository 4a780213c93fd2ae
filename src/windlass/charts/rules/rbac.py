"""Who gets which role, and roles that allow everything."""

from collections.abc import Iterator

from windlass.charts.checks.rule import E, Found, W, settings
from windlass.charts.checks.views import Object, Table, listed, table, tables, text
from windlass.charts.rules.examples import binding, role

DOCS = "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
rule = settings(group="rbac", severity=W, references=(DOCS,))
ROLES = "Role ClusterRole"
BINDINGS = "RoleBinding ClusterRoleBinding"
EVERYBODY = frozenset(
    ("system:anonymous", "system:unauthenticated", "system:authenticated", "system:masters")
)


def words(one: Table, field: str) -> set[str]:
    return {text(word) for word in listed(one.get(field))}


def is_of_kubernetes(owner: Object) -> bool:
    """Whether Kubernetes makes this role or binding in every cluster: `system:` is its prefix."""
    return owner.name.startswith("system:") or (
        owner.kind in ("ClusterRole", "ClusterRoleBinding")
        and owner.name in ("cluster-admin", "admin", "edit", "view")
    )


def rules_of(owner: Object) -> Iterator[tuple[int, Table]]:
    """The rules of a role that somebody wrote: not those that every cluster has."""
    if not is_of_kubernetes(owner):
        yield from tables(owner.data.get("rules"))


VERBS = frozenset(("get", "list", "watch", "create", "update", "patch", "delete"))


def _allows_all(owner: Object) -> bool:
    return any(
        ("*" in words(one, "verbs") or words(one, "verbs") >= VERBS)
        and "*" in words(one, "resources")
        and "*" in words(one, "apiGroups")
        for _, one in tables(owner.data.get("rules"))
    )


@rule(
    "rbac-cluster-admin",
    "Somebody becomes administrator of everything",
    severity=E,
    kinds=BINDINGS,
    why="cluster-admin, or a role of wildcards, is root of the cluster: every Secret, every node, "
    "every namespace.",
    how="Bind a role with the rights that are needed.",
    bad=binding("ClusterRole cluster-admin", kind="ClusterRoleBinding"),
    good=binding("ClusterRole view", kind="ClusterRoleBinding"),
)
def cluster_admin(owner: Object) -> Iterator[Found]:
    reference = table(owner.data.get("roleRef"))
    kind, name = text(reference.get("kind")), text(reference.get("name"))
    if is_of_kubernetes(owner):
        return
    if kind == "ClusterRole" and name == "cluster-admin":
        yield owner.found("it binds cluster-admin", "roleRef", "name")
        return
    world = owner.world
    is_wide = kind == "ClusterRole"
    other = world.of_cluster(kind, name) if is_wide else world.named(kind, name, owner.namespace)
    if other is not None and _allows_all(other):
        yield owner.found(f"it binds {other.title}, which allows everything", "roleRef", "name")


@rule(
    "rbac-wildcard",
    "A role with a wildcard",
    kinds=ROLES,
    why="`*` also means what will be added to Kubernetes later, by you or by others.",
    how="Name the verbs and the resources.",
    bad=role("{apiGroups: [apps], resources: ['*'], verbs: [get]}"),
    good=role("{apiGroups: [apps], resources: [deployments], verbs: [get]}"),
)
def wildcard(owner: Object) -> Iterator[Found]:
    for index, one in rules_of(owner):
        for field in ("verbs", "resources", "apiGroups"):
            if "*" in words(one, field):
                yield owner.found(f"`{field}` is everything", "rules", index, field)


@rule(
    "rbac-system-groups",
    "Rights for everybody",
    severity=E,
    kinds=BINDINGS,
    why="system:anonymous and system:unauthenticated are people who did not sign in, "
    "system:authenticated is every account "
    "of the cluster, and system:masters passes every check.",
    how="Bind the accounts or groups that need it.",
    bad=binding(
        "ClusterRole view",
        "{kind: Group, name: 'system:authenticated', apiGroup: rbac.authorization.k8s.io}",
    ),
    good=binding("ClusterRole view"),
)
def system_groups(owner: Object) -> Iterator[Found]:
    for index, subject in () if is_of_kubernetes(owner) else tables(owner.data.get("subjects")):
        if text(subject.get("name")) in EVERYBODY:
            yield owner.found(f"it gives rights to {subject['name']}", "subjects", index)


@rule(
    "rbac-default-account",
    "Rights for a default service account",
    kinds=BINDINGS,
    why="Every pod of the namespace that names no account gets them.",
    how="Bind an account of the application's own.",
    bad=binding("ClusterRole view", "{kind: ServiceAccount, name: default, namespace: app}"),
    good=binding("ClusterRole view"),
)
def default_account(owner: Object) -> Iterator[Found]:
    for index, subject in tables(owner.data.get("subjects")):
        if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
            yield owner.found("it gives rights to a default service account", "subjects", index)


@rule(
    "rbac-dangling",
    "A binding of a role that is not in the set",
    kinds="RoleBinding",
    why="It gives no right at all, or those of a role that somebody makes later.",
    how="Correct `roleRef`, or add the Role.",
    bad=binding("Role app"),
    good=binding("Role app") + "---\n" + role("{apiGroups: [''], resources: [pods], verbs: [get]}"),
)
def dangling_role(owner: Object) -> Iterator[Found]:
    reference = table(owner.data.get("roleRef"))
    name = text(reference.get("name"))
    if (
        reference.get("kind") == "Role"
        and name
        and not owner.world.named("Role", name, owner.namespace)
    ):
        yield owner.found(f"there is no Role {name} in the set", "roleRef", "name")
