"""Packs the schemas that `windlass.charts` validates with: `make schemas`.

Kubernetes' own come from the PyPI package kubernetes-validate (generated from Kubernetes' OpenAPI
documents, Apache-2.0), those of Gateway API, cert-manager and Traefik from the npm packages
@kubernetes-models/* (generated from these projects' Go types, MIT). No package carries Envoy
Gateway's: the part of its BackendTrafficPolicy that limits rates is written down here. Definitions
that several versions share are stored once, without descriptions; the newest version's go into a
pack of their own.

A node is one of: "s" string, "i" small integer, "l" integer, "n" number, "b" boolean, "q" quantity,
"o" integer or string, "t" time, "y" base64, "*" anything, an integer (a definition's number),
["a", node] list, ["m", node] map, ["e", words] one of these words, ["x", node, limits] with a
pattern, a size or a range, {"p": fields, "r": required}.
"""

import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

KUBERNETES = "kubernetes-validate==1.37.0"
OLDEST = (1, 30)
MODELS = {
    "gateway-api": ("2.0.0", ("gateway.networking.k8s.io",)),
    "cert-manager": ("6.0.0", ("cert-manager.io", "acme.cert-manager.io")),
    "traefik": ("2.0.0", ("traefik.io",)),
}
OUT = Path(__file__).parents[1] / "src/windlass/charts/data"
SPECIAL = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "o",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "*",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "*",
}
# The API server refuses other words in these fields; its OpenAPI documents do not list them.
WORDS = {
    "io.k8s.api.core.v1": """
        PodSpec.restartPolicy Always OnFailure Never
        PodSpec.dnsPolicy ClusterFirstWithHostNet ClusterFirst Default None
        PodSpec.preemptionPolicy Never PreemptLowerPriority
        Container.imagePullPolicy Always IfNotPresent Never
        Container.terminationMessagePolicy File FallbackToLogsOnError
        EphemeralContainer.imagePullPolicy Always IfNotPresent Never
        ContainerPort.protocol TCP UDP SCTP
        ServicePort.protocol TCP UDP SCTP
        ServiceSpec.type ClusterIP NodePort LoadBalancer ExternalName
        ServiceSpec.sessionAffinity ClientIP None
        ServiceSpec.externalTrafficPolicy Cluster Local
        ServiceSpec.internalTrafficPolicy Cluster Local
        ServiceSpec.ipFamilyPolicy SingleStack PreferDualStack RequireDualStack
        HTTPGetAction.scheme HTTP HTTPS
        SeccompProfile.type Unconfined RuntimeDefault Localhost
        AppArmorProfile.type Unconfined RuntimeDefault Localhost
        Toleration.operator Exists Equal Lt Gt
        NodeSelectorRequirement.operator In NotIn Exists DoesNotExist Gt Lt
        PersistentVolumeSpec.persistentVolumeReclaimPolicy Retain Delete Recycle
        PersistentVolumeSpec.volumeMode Block Filesystem
        PersistentVolumeClaimSpec.volumeMode Block Filesystem
        PodSecurityContext.fsGroupChangePolicy OnRootMismatch Always
        TopologySpreadConstraint.whenUnsatisfiable DoNotSchedule ScheduleAnyway
        VolumeMount.mountPropagation None HostToContainer Bidirectional
        SecurityContext.procMount Default Unmasked
    """,
    "io.k8s.api.apps.v1": """
        DeploymentStrategy.type Recreate RollingUpdate
        StatefulSetUpdateStrategy.type OnDelete RollingUpdate
        DaemonSetUpdateStrategy.type OnDelete RollingUpdate
        StatefulSetSpec.podManagementPolicy OrderedReady Parallel
    """,
    "io.k8s.api.batch.v1": """
        CronJobSpec.concurrencyPolicy Allow Forbid Replace
        JobSpec.completionMode NonIndexed Indexed
        JobSpec.podReplacementPolicy Failed TerminatingOrFailed
    """,
    "io.k8s.api.networking.v1": """
        HTTPIngressPath.pathType Exact Prefix ImplementationSpecific
        NetworkPolicyPort.protocol TCP UDP SCTP
    """,
    "io.k8s.api.policy.v1": """
        PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy IfHealthyBudget AlwaysAllow
    """,
    "io.k8s.apimachinery.pkg.apis.meta.v1": """
        LabelSelectorRequirement.operator In NotIn Exists DoesNotExist
    """,
}
ONE_OF = {
    f"{package}.{line.split()[0]}": line.split()[1:]
    for package, lines in WORDS.items()
    for line in lines.strip().splitlines()
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


class Pack:
    """Definitions by name, each with its distinct forms and which version has which."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.names: dict[str, int] = {}
        self.forms: list[list[Any]] = []
        self.at: list[list[int]] = []
        self.kinds: dict[str, int] = {}

    def number(self, name: str) -> int:
        if name not in self.names:
            self.names[name] = len(self.forms)
            self.forms.append([])
            self.at.append([-1] * len(self.versions))
        return self.names[name]

    def put(self, name: str, form: object, versions: list[int]) -> None:
        number = self.number(name)
        forms = self.forms[number]
        if form not in forms:
            forms.append(form)
        for version in versions:
            self.at[number][version] = forms.index(form)

    def as_bytes(self) -> bytes:
        whole = {
            "versions": self.versions, "forms": self.forms, "at": self.at, "kinds": self.kinds,
        }  # fmt: skip
        return zlib.compress(json.dumps(whole, separators=(",", ":")).encode(), 9)


def main() -> None:
    pack = Pack()
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        descriptions = kubernetes(pack, where)
        for package, (version, groups) in MODELS.items():
            models(pack, package, version, groups, where)
    joined(pack)
    envoy_gateway(pack)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "schemas.zlib").write_bytes(pack.as_bytes())
    text = json.dumps(descriptions, separators=(",", ":"), ensure_ascii=False).encode()
    (OUT / "descriptions.zlib").write_bytes(zlib.compress(text, 9))
    for file in ("schemas.zlib", "descriptions.zlib"):
        print(f"{file}: {(OUT / file).stat().st_size / 1024:.0f} KiB")


def kubernetes(pack: Pack, where: Path) -> dict[str, dict[str, str]]:
    command = [
        sys.executable,
        "-m",
        "pip",
        "-q",
        "download",
        "--no-deps",
        "-d",
        str(where),
        KUBERNETES,
    ]
    subprocess.run(command, check=True)
    wheel = zipfile.ZipFile(next(where.glob("*.whl")))
    found = sorted(
        {
            (int(m[1]), int(m[2]))
            for n in wheel.namelist()
            if (m := re.search(r"/v(\d+)\.(\d+)\.\d+-local/", n))
        }
    )
    wanted = [version for version in found if version >= OLDEST]
    pack.versions = [f"{major}.{minor}" for major, minor in wanted]
    descriptions: dict[str, dict[str, str]] = {}
    for index, (major, minor) in enumerate(wanted):
        folder = f"kubernetes_validate/kubernetes-json-schema/v{major}.{minor}.0-local-strict"
        definitions = json.loads(wheel.read(f"{folder}/_definitions.json"))["$defs"]
        for name, schema in definitions.items():
            pack.put(name, definition(pack, name, schema), [index])
            for gvk in schema.get("x-kubernetes-group-version-kind", ()):
                # What every group shares (DeleteOptions, WatchEvent) is nothing that is applied.
                if len(schema["x-kubernetes-group-version-kind"]) == 1:
                    pack.kinds[key(**gvk)] = pack.number(name)
        descriptions = {name: texts(schema) for name, schema in definitions.items()}
    return descriptions


def key(group: str, version: str, kind: str) -> str:
    return f"{group}/{version}/{kind}" if group else f"{version}/{kind}"


def texts(schema: dict[str, Any]) -> dict[str, str]:
    found = {
        name: p["description"]
        for name, p in schema.get("properties", {}).items()
        if "description" in p
    }
    return {"": schema.get("description", ""), **found}


def definition(pack: Pack, name: str, schema: dict[str, Any]) -> object:
    if name in SPECIAL:
        return SPECIAL[name]
    return node(pack, schema, name)


def node(pack: Pack, schema: dict[str, Any], name: str = "") -> object:
    if "$ref" in schema:
        other = schema["$ref"].rsplit("/", 1)[1]
        return SPECIAL.get(other) or pack.number(other)
    kinds = schema.get("type", "")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object" and "properties" in schema:
        fields = {field: node(pack, each) for field, each in schema["properties"].items()}
        fields |= {
            field: ["e", ONE_OF[f"{name}.{field}"]]
            for field in fields
            if f"{name}.{field}" in ONE_OF
        }
        # Kinds stand inside of others as well (volumeClaimTemplates), where nobody names them.
        needed = sorted({*schema.get("required", ())} - {"apiVersion", "kind"})
        return {"p": fields, "r": needed} if needed else {"p": fields}
    if kind == "object":
        more = schema.get("additionalProperties")
        return ["m", node(pack, more)] if isinstance(more, dict) else "*"
    if kind == "array":
        return ["a", node(pack, schema["items"])]
    if kind == "string":
        return string(schema)
    if kind == "integer":
        return "i" if schema.get("format") == "int32" else "l"
    return {"number": "n", "boolean": "b"}.get(kind, "*")


def string(schema: dict[str, Any]) -> object:
    if schema.get("format") in ("date-time", "byte"):
        return {"date-time": "t", "byte": "y"}[schema["format"]]
    return ["e", schema["enum"]] if schema.get("enum") else "s"


# -- npm: TypeScript declarations that were generated from the projects' Go types ------------------

FIELD = re.compile(r'^\s*"([^"]+)"(\?)?: (.+);$')
INTERFACE = re.compile(
    r"^export interface I(\w+)(?: extends ([\w, ]+))? \{\n(.*?)^\}$", re.MULTILINE | re.DOTALL
)
ALIAS = re.compile(r"^export type I(\w+) = ([^;]+);$", re.MULTILINE)
EXPORTED = re.compile(r"\bI(\w+) as I(\w+)[,\s]")
MAP = re.compile(r"\{\s*\[key: string\]: ([^{}]+?);?\s*\}")
COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)


def models(pack: Pack, package: str, version: str, groups: tuple[str, ...], where: Path) -> None:
    name = f"@kubernetes-models/{package}@{version}"
    made = subprocess.run(
        ["npm", "pack", "--silent", name], check=True, cwd=where, capture_output=True, text=True
    )
    every = list(range(len(pack.versions)))
    with tarfile.open(where / made.stdout.split()[-1]) as archive:
        texts = {
            member.name.removeprefix("package/"): file.read().decode()
            for member in archive
            if member.name.endswith((".d.ts", ".js")) and (file := archive.extractfile(member))
        }
        for path, text in texts.items():
            if not path.endswith(".d.ts") or path.split("/")[0].startswith("_"):
                continue
            text = MAP.sub(r"Map<\1>", COMMENT.sub("", text))
            if not (names := EXPORTED.search(text)):
                continue
            form = declared(pack, text)
            if form is None:
                continue
            if form in ("s", "l") and (found := limits(texts.get(f"_schemas/{names[2]}.js", ""))):
                form = ["x", form, found]
            pack.put(names[2], form, every)
            group, _, rest = path.partition("/")
            if (
                group in groups
                and isinstance(form, dict)
                and isinstance(form["p"].get("apiVersion"), list)
            ):
                pack.kinds[f"{group}/{rest.removesuffix('.d.ts')}"] = pack.number(names[2])


LIMIT = re.compile(
    r'keyword:"(minLength|maxLength|minimum|maximum)",params:\{[^}]*?limit:(-?\d+)\}'
    r'|keyword:"pattern",params:\{pattern:("(?:[^"\\]|\\.)*")\}'
)


def limits(text: str) -> dict[str, object]:
    """What the package's own validator of a single value says besides its type."""
    return {
        word or "pattern": int(limit) if word else json.loads(pattern)
        for word, limit, pattern in LIMIT.findall(text)
    }


def joined(pack: Pack) -> None:
    """A type that extends others has their fields as well; what nothing defines may be anything."""
    for forms in pack.forms:
        for form in forms:
            for parent in form.pop("of", ()) if isinstance(form, dict) else ():
                other = pack.forms[parent][0]
                form["p"] = {**other["p"], **form["p"]}
                if needed := sorted({*form.get("r", ()), *other.get("r", ())}):
                    form["r"] = needed
    for number, forms in enumerate(pack.forms):
        if not forms:
            forms.append("*")
            pack.at[number] = [0] * len(pack.versions)


def declared(pack: Pack, text: str) -> object | None:
    if found := INTERFACE.search(text):
        fields, needed = {}, []
        parents = [
            each for each in re.split(r"[, ]+", found[2] or "") if each not in ("", "TypeMeta")
        ]
        for line in found[3].splitlines():
            if not (field := FIELD.match(line)):
                if line.strip():
                    raise ValueError(f"cannot read {line!r}")
                continue
            fields[field[1]] = typed(pack, field[3])
            if not field[2]:
                needed.append(field[1])
        form = {"p": fields, "r": sorted(needed)} if needed else {"p": fields}
        return {**form, "of": [typed(pack, each) for each in parents]} if parents else form
    if found := ALIAS.search(text):
        return typed(pack, found[2])
    return None


def typed(pack: Pack, text: str) -> object:
    text = text.strip()
    if text.startswith("Array<"):
        return ["a", typed(pack, text[6:-1])]
    if text.startswith("Map<"):
        return ["m", typed(pack, text[4:-1])]
    if re.fullmatch(r'"[^"]*"( \| "[^"]*")*', text):
        return ["e", re.findall(r'"([^"]*)"', text)]
    simple = {"string": "s", "number": "l", "boolean": "b", "unknown": "*", "object": "*"}
    if text in simple:
        return simple[text]
    if text in ("string | number", "number | string"):
        return "o"
    if re.fullmatch(r"I\w+", text):
        name = text[1:]
        if name.startswith("IoK8sApi"):
            return shared(pack, name)
        return pack.number(name)
    return "*"


def shared(pack: Pack, name: str) -> object:
    """A type of Kubernetes itself: `IoK8sApiCoreV1PodSpec` is `io.k8s.api.core.v1.PodSpec`."""
    for known in pack.names:
        if "".join(part[:1].upper() + part[1:] for part in re.split(r"[.-]", known)) == name:
            return SPECIAL.get(known) or pack.number(known)
    return "*"


# -- Envoy Gateway: what its documentation says about rate limits; other parts of a policy pass ----

POLICY = (
    "targetRef targetRefs targetSelectors mergeType rateLimit faultInjection useClientProtocol "
    "compression "
    "compressor responseOverride httpUpgrade requestBuffer telemetry loadBalancer retry "
    "proxyProtocol "
    "tcpKeepalive healthCheck circuitBreaker timeout connection dns http2 admissionControl "
    "bandwidthLimit"
)  # fmt: skip


def envoy_gateway(pack: Pack) -> None:
    words = lambda text: ["e", text.split()]  # noqa: E731
    target = {
        "p": {"group": "s", "kind": "s", "name": "s", "sectionName": "s"},
        "r": ["group", "kind", "name"],
    }
    match = {
        "p": {
            "type": words("Exact RegularExpression Distinct"),
            "name": "s",
            "value": "s",
            "invert": "b",
        }
    }
    selector = {"p": {
        "headers": ["a", {**match, "r": ["name"]}],
        "methods": ["a", "*"], "path": "*", "queryParams": ["a", "*"],
        "sourceCIDR": {"p": {"value": "s", "type": words("Exact Distinct")}, "r": ["value"]},
    }}  # fmt: skip
    limit = {
        "p": {"requests": "l", "unit": words("Second Minute Hour Day Month Year")},
        "r": ["requests", "unit"],
    }
    rule = {
        "p": {"clientSelectors": ["a", selector], "limit": limit, "cost": "*", "shared": "b"},
        "r": ["limit"],
    }
    rules = {"p": {"rules": ["a", rule]}}
    limits = {"p": {
        "type": words("Global Local"), "local": rules,
        "global": {"p": {**rules["p"], "shared": "b"}, "r": ["rules"]},
    }}  # fmt: skip
    spec = {
        **dict.fromkeys(POLICY.split(), "*"),
        "rateLimit": limits,
        "targetRef": target,
        "targetRefs": ["a", target],
    }
    api, kind = "gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy"
    form = {
        "p": {"apiVersion": ["e", [api]], "kind": ["e", [kind]], "metadata": pack.names[META],
              "spec": {"p": spec}, "status": "*"},
        "r": ["apiVersion", "kind", "spec"],
    }  # fmt: skip
    pack.put(kind, form, list(range(len(pack.versions))))
    pack.kinds[f"{api}/{kind}"] = pack.number(kind)


if __name__ == "__main__":
    main()
