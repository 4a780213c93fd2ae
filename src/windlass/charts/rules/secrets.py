"""Secrets that stand where everybody reads them, and settings that come from nowhere."""

from collections.abc import Iterator

from windlass.charts.checks.rule import E, Found, I, Path, Profile, Scope, W, settings
from windlass.charts.checks.secrets import is_secret
from windlass.charts.checks.views import Container, Object, Pod, get, table, tables, text
from windlass.charts.rules.examples import container, object_

SECRETS = "https://kubernetes.io/docs/concepts/configuration/secret/"
rule = settings(group="secrets", scope=Scope.container, references=(SECRETS,))


@rule(
    "secret-env-literal",
    "A secret stands in an environment variable",
    severity=E,
    profiles={Profile.lab: W},
    why="Whoever may read the workload, its history, the Git repository or the release reads the "
    "secret too.",
    how="Put it into a Secret and refer to it with `valueFrom.secretKeyRef`; then change it, it "
    "is known by now.",
    bad=container("env:\n  - name: DB_PASSWORD\n    value: correct-horse-7"),
    good=container(
        "env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n        name: db\n     "
        "   key: password"
    ),
)
def secret_env_literal(c: Container) -> Iterator[Found]:
    for index, variable in c.env:
        name = text(variable.get("name"))
        if reason := is_secret(name, text(variable.get("value"))):
            yield c.found(f"the variable {name} is a secret: {reason}", "env", index, "value")


@rule(
    "secret-configmap",
    "A secret stands in a ConfigMap",
    severity=E,
    profiles={Profile.lab: W},
    scope=Scope.resource,
    kinds="ConfigMap",
    why="ConfigMaps are readable for everybody who may look at the application, and are not "
    "encrypted at rest.",
    how="Move the key into a Secret; then change it, it is known by now.",
    bad=object_("v1", "ConfigMap", "data:\n  API_TOKEN: 5b1c0d5e8f734f0fb7e2"),
    good=object_("v1", "ConfigMap", "data:\n  API_TOKEN_FILE: /run/secrets/token"),
)
def secret_configmap(owner: Object) -> Iterator[Found]:
    for name, value in table(owner.data.get("data")).items():
        if reason := is_secret(name, text(value)):
            yield owner.found(f"the key {name} is a secret: {reason}", "data", name)


@rule(
    "secret-from-env",
    "A Secret is read through the environment",
    severity=I,
    optional=True,
    why="Variables reach child processes, crash reports and whoever may read /proc; a file does "
    "not.",
    how="Mount the Secret as a volume and read the file.",
    bad=container(
        "env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n        name: db\n     "
        "   key: password"
    ),
    good=container(
        "volumeMounts:\n  - name: db\n    mountPath: /run/secrets/db\n    readOnly: true"
    ),
)
def secret_from_env(c: Container) -> Iterator[Found]:
    for index, variable in c.env:
        if get(variable, "valueFrom", "secretKeyRef") is not None:
            yield c.found(
                f"{text(variable.get('name'))} comes from a Secret", "env", index, "valueFrom"
            )
    for index, source in tables(c.data.get("envFrom")):
        if source.get("secretRef") is not None:
            yield c.found("all keys of a Secret become variables", "envFrom", index)


@rule(
    "env-from-missing",
    "A variable comes from a Secret or ConfigMap that is not in the set",
    severity=W,
    profiles={Profile.lab: I},
    why="Without it the container does not start (CreateContainerConfigError).",
    how="Add the object to the set, correct the name, or mark the reference `optional: true`. If "
    "something else makes it, "
    "say so in a suppression.",
    bad=container("envFrom:\n  - configMapRef:\n      name: settings"),
    good=container("envFrom:\n  - configMapRef:\n      name: settings\n      optional: true"),
)
def env_from_missing(c: Container) -> Iterator[Found]:
    for kind, name, path, reference in _references(c):
        if not name or reference.get("optional") is True:
            continue
        if is_missing(c.pod, kind, name):
            yield c.found(f"the {kind} {name} is not in the set", *path)
        elif lacks(c.pod, kind, name, text(reference.get("key"))):
            yield c.found(f"the {kind} {name} has no key {reference['key']}", *path)


def _references(c: Container) -> Iterator[tuple[str, str, Path, dict[str, object]]]:
    for index, variable in c.env:
        for field, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            reference = table(get(variable, "valueFrom", field))
            if reference:
                yield (
                    kind,
                    text(reference.get("name")),
                    ("env", index, "valueFrom", field),
                    reference,
                )
    for index, source in tables(c.data.get("envFrom")):
        for field, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
            reference = table(source.get(field))
            if reference:
                yield kind, text(reference.get("name")), ("envFrom", index, field), reference


# Objects of these kinds make Secrets of a name that they say.
MAKERS = {
    "Certificate": ("spec", "secretName"),
    "ExternalSecret": ("spec", "target", "name"),
    "SealedSecret": ("metadata", "name"),
    "VaultStaticSecret": ("spec", "destination", "name"),
}


def lacks(p: Pod, kind: str, name: str, key: str) -> bool:
    """Whether the object of that name is in the set and has no such key."""
    found = p.world.named(kind, name, p.owner.namespace)
    if found is None or not key:
        return False
    return not any(key in table(found.data.get(field)) for field in HELD)


HELD = ("data", "stringData", "binaryData")


def is_missing(p: Pod, kind: str, name: str) -> bool:
    """Whether nothing in the set is, or makes, the object of that name."""
    world, namespace = p.world, p.owner.namespace
    if world.named(kind, name, namespace):
        return False
    if kind != "Secret":
        return name != "kube-root-ca.crt"
    made = (get(one.data, *MAKERS[one.kind]) or one.name for one in world.of(*MAKERS))
    return name not in made


@rule(
    "env-duplicate",
    "A variable is set twice",
    severity=W,
    why="The last one wins; the other misleads whoever reads the manifest.",
    how="Remove all but one.",
    bad=container("env:\n  - name: MODE\n    value: a\n  - name: MODE\n    value: b"),
    good=container("env:\n  - name: MODE\n    value: b"),
)
def env_duplicate(c: Container) -> Iterator[Found]:
    names: dict[str, int] = {}
    for index, variable in c.env:
        name = text(variable.get("name"))
        if name and name in names:
            earlier = names[name]
            yield c.found(
                f"the variable {name} is set twice; the last one wins",
                "env",
                earlier,
                fix=c.deleting("env", earlier),
            )
        names[name] = index


@rule(
    "git-sync",
    "git-sync with a Git program of its own",
    severity=I,
    why="GITSYNC_GIT names the program that git-sync runs: who sets it runs anything with "
    "git-sync's rights.",
    how="Remove the variable and the flag `--git`.",
    bad=container("env:\n  - name: GITSYNC_GIT\n    value: /tmp/git"),
    good=container("env:\n  - name: GITSYNC_REPO\n    value: https://git.example.com/app.git"),
)
def git_sync(c: Container) -> Iterator[Found]:
    for index, variable in c.env:
        if variable.get("name") in ("GITSYNC_GIT", "GIT_SYNC_GIT"):
            yield c.found(f"{variable['name']} chooses the program that is run", "env", index)
