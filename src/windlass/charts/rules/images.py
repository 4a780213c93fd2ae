"""Which image runs, and whether it is the same one tomorrow."""

from collections.abc import Iterator

from windlass.charts.checks.rule import E, Found, I, Profile, Scope, W, settings
from windlass.charts.checks.views import Container, Pod, listed, tables, text
from windlass.charts.rules.examples import container, pod

DOCS = "https://kubernetes.io/docs/concepts/containers/images/"
rule = settings(group="images", scope=Scope.container, references=(DOCS,))

PUBLIC = frozenset(
    [
        "docker.io",
        "index.docker.io",
        "ghcr.io",
        "quay.io",
        "registry.k8s.io",
        "k8s.gcr.io",
        "gcr.io",
        "us.gcr.io",
        "eu.gcr.io",
        "asia.gcr.io",
        "public.ecr.aws",
        "mcr.microsoft.com",
        "registry.gitlab.com",
        "lscr.io",
        "docker.elastic.co",
        "cgr.dev",
        "nvcr.io",
        "icr.io",
        "docker.n8n.io",
        "codeberg.org",
        "gitea.com",
        "xpkg.upbound.io",
        "container-registry.oracle.com",
        "registry.access.redhat.com",
        "registry.opensource.zalan.do",
        "docker.redpanda.com",
        "ghcr.io.",
    ]
)
# Registries of clouds, where the node's own identity is usually enough.
BY_NODE = (".amazonaws.com", ".azurecr.io", ".pkg.dev", ".gcr.io", ".icr.io", ".ocir.io")


def parts(image: str) -> tuple[str, str, str, str]:
    """(registry, repository, tag, digest); a port is no tag, and no registry is docker.io."""
    rest, _, digest = image.partition("@")
    head, slash, tail = rest.rpartition("/")
    name, _, tag = tail.partition(":")
    repository = f"{head}{slash}{name}"
    first, slash, behind = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return first, behind, tag, digest
    return "docker.io", repository, tag, digest


@rule(
    "image-missing",
    "A container has no image",
    severity=E,
    why="Without an image there is nothing to run: the API server refuses the object.",
    how="Set `image` to the image's full name with a tag.",
    bad=container('image: ""'),
    good=container("image: registry.example.com/app:1.4.2"),
)
def image_missing(c: Container) -> Iterator[Found]:
    if not c.image.strip():
        yield c.found("no image is named", "image")


@rule(
    "image-tag",
    "The image has no tag, or the tag `latest`",
    severity=E,
    profiles={Profile.lab: W},
    why="`latest` is whatever was pushed last: a restart may start another program than the one "
    "that was "
    "tested, two pods of one workload may differ, and nothing can be rolled back to.",
    how="Name the version: `image: nginx:1.29.3`, or pin it by digest with `@sha256:…`.",
    bad=container("image: nginx:latest"),
    good=container("image: nginx:1.29.3"),
)
def image_tag(c: Container) -> Iterator[Found]:
    if not c.image:
        return
    _, _, tag, digest = parts(c.image)
    if not digest and tag in ("", "latest"):
        what = (
            f"the image {c.image} has the tag `latest`"
            if tag
            else f"the image {c.image} has no tag"
        )
        yield c.found(what, "image")


@rule(
    "image-digest",
    "The image is not pinned by its digest",
    severity=I,
    optional=True,
    why="A tag can be pushed anew. Only a digest says exactly which bytes run.",
    how="Add the digest: `image: nginx:1.29.3@sha256:…` (`docker buildx imagetools inspect "
    "nginx:1.29.3` shows it).",
    bad=container("image: nginx:1.29.3"),
    good=container(f"image: nginx@sha256:{'1f' * 32}"),
)
def image_digest(c: Container) -> Iterator[Found]:
    if c.image and "@sha256:" not in c.image:
        yield c.found(f"the image {c.image} is not pinned by its digest", "image")


@rule(
    "image-registry",
    "The image comes from a registry that is not trusted",
    severity=W,
    why="An image from elsewhere is somebody else's program in your cluster. The list of trusted "
    "registries is yours: "
    "`--registry` on the command line. Without a list every registry is trusted.",
    how="Use an image of a trusted registry, or copy it there.",
    bad=container("image: nginx:1.29.3"),
    good=container("image: registry.example.com/nginx:1.29.3"),
)
def image_registry(c: Container) -> Iterator[Found]:
    trusted = c.pod.world.registries
    if not trusted or not c.image:
        return
    registry, repository, _, _ = parts(c.image)
    place = f"{registry}/{repository}/"
    if not any(place.startswith(f"{one.rstrip('/')}/") for one in trusted):
        yield c.found(f"the image {c.image} comes from {registry}, which is not trusted", "image")


@rule(
    "image-old-k8s-registry",
    "The image comes from the frozen registry k8s.gcr.io",
    severity=W,
    why="k8s.gcr.io gets no new images since April 2023 and may go away.",
    how="Write registry.k8s.io instead: it holds the same images.",
    bad=container("image: k8s.gcr.io/pause:3.9"),
    good=container("image: registry.k8s.io/pause:3.9"),
    references=("https://kubernetes.io/blog/2023/03/10/image-registry-redirect/",),
)
def image_old_registry(c: Container) -> Iterator[Found]:
    if c.image.startswith("k8s.gcr.io/"):
        moved = f"registry.k8s.io/{c.image.removeprefix('k8s.gcr.io/')}"
        yield c.found("k8s.gcr.io is frozen", "image", fix=c.setting(moved, "image"))


@rule(
    "image-pull-policy",
    "The image is not asked for anew at every start",
    severity=I,
    optional=True,
    why="With a tag that can move, a node keeps running the image it has; `Always` also makes the "
    "registry "
    "check the pod's right to the image each time.",
    how="Set `imagePullPolicy: Always`, or pin the image by digest.",
    bad=container("image: nginx:1.29.3\nimagePullPolicy: IfNotPresent"),
    good=container("image: nginx:1.29.3\nimagePullPolicy: Always"),
)
def image_pull_policy(c: Container) -> Iterator[Found]:
    policy = c.data.get("imagePullPolicy")
    _, _, tag, digest = parts(c.image)
    if policy == "Always" or digest or (policy is None and tag in ("", "latest")):
        return
    what = f"imagePullPolicy is {policy or 'IfNotPresent'}"
    yield c.found(what, "imagePullPolicy", fix=c.setting("Always", "imagePullPolicy"))


@rule(
    "image-pull-secret",
    "An image of a private registry, and no imagePullSecrets",
    severity=W,
    scope=Scope.pod,
    why="The node signs in to a registry with the pod's or its service account's pull secret; "
    "without one the pod "
    "stays in ImagePullBackOff.",
    how="Name the Secret (type kubernetes.io/dockerconfigjson) in `imagePullSecrets`, here or in "
    "the ServiceAccount.",
    bad=pod(),
    good=pod("imagePullSecrets:\n  - name: registry"),
)
def image_pull_secret(p: Pod) -> Iterator[Found]:
    if listed(p.spec.get("imagePullSecrets")):
        return
    account = (
        text(p.spec.get("serviceAccountName")) or text(p.spec.get("serviceAccount")) or "default"
    )
    found = p.world.named("ServiceAccount", account, p.owner.namespace)
    if found is None and account != "default":
        return  # It may hold the secret; the cluster knows.
    if found is not None and any(tables(found.data.get("imagePullSecrets"))):
        return
    for c in p.containers:
        registry = parts(c.image)[0]
        is_private = registry not in PUBLIC and not registry.endswith(BY_NODE)
        if c.image and is_private and not registry.startswith(("localhost", "127.")):
            yield c.found(
                f"{registry} may ask for a sign-in and the pod has no imagePullSecrets", "image"
            )
            return
