"""The check that every revision passes on the server, whatever the browser showed (K-036, D-53).

Errors refuse. Warnings need the digest of exactly these warnings, so nobody confirms what they have
not seen. What an annotation suppresses counts for nothing and is recorded with the revision.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from windlass.core.errors import invalid
from windlass.core.languages import gettext
from windlass.releases.errors import ConfirmationNeeded, ManifestRefused, NoDocuments
from windlass.releases.models import Item

SYSTEM = ("kube-system", "kube-public", "kube-node-lease")
_MOST_TOLD = 200
WORKLOADS = frozenset(
    {"Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"}
)
# What exists once for the whole cluster; the rest is known only to the cluster itself.
CLUSTER_WIDE = frozenset(
    {
        "APIService", "ClusterIssuer", "ClusterRole", "ClusterRoleBinding", "CSIDriver",
        "CustomResourceDefinition", "FlowSchema", "GatewayClass", "IngressClass",
        "MutatingWebhookConfiguration", "Namespace", "Node", "PersistentVolume", "PriorityClass",
        "PriorityLevelConfiguration", "RuntimeClass", "StorageClass",
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration", "VolumeAttributesClass",
    }
)  # fmt: skip


class FindingOf(msgspec.Struct, kw_only=True, rename="camel"):
    """One finding as it is answered and kept."""

    rule: str
    severity: str
    message: str
    hint: str = ""
    kind: str = ""
    name: str = ""
    path: str = ""
    line: int = 1
    column: int = 1
    document: int = 0
    has_fix: bool = False
    skipped: str | None = None


class Checked(msgspec.Struct, frozen=True):
    """What a text holds and what is to be said of it."""

    documents: list[dict[str, Any]]
    findings: list[FindingOf]

    @property
    def errors(self) -> list[FindingOf]:
        return [one for one in self.findings if one.severity == "error" and one.skipped is None]

    @property
    def warnings(self) -> list[FindingOf]:
        return [one for one in self.findings if one.severity == "warning" and one.skipped is None]

    @property
    def digest(self) -> str:
        """Of the warnings, whatever line they stand in; "" when there is none."""
        seen = sorted(
            (one.rule, one.kind, one.name, one.path, one.message) for one in self.warnings
        )
        return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:32] if seen else ""

    @property
    def workloads(self) -> int:
        return sum(document.get("kind") in WORKLOADS for document in self.documents)

    @property
    def items(self) -> list[Item]:
        return [item_of(document) for document in self.documents]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the documents of a release."""

    namespace: str
    profile: str = "baseline"
    kubernetes: str = ""
    may_cluster_wide: bool = False


def check(text: str, rules: Rules) -> Checked:
    """Takes up to seconds of processor time: call it in a thread."""
    from windlass.charts import schemas
    from windlass.charts.checks import engine
    from windlass.charts.checks.rule import Profile
    from windlass.charts.documents import read, resources

    known = rules.kubernetes if rules.kubernetes in schemas.versions() else ""
    options = engine.Options(
        profile=Profile(rules.profile), kubernetes=known, namespace=rules.namespace
    )
    reading = read(text)
    report = engine.check([reading], options)
    found = [
        FindingOf(
            rule=one.rule,
            severity=one.severity.value,
            message=one.message,
            hint=one.hint,
            kind=one.kind,
            name=one.name,
            path=engine.dotted(one.path),
            line=one.line,
            column=one.column,
            document=one.document,
            has_fix=bool(one.fix),
            skipped=one.skipped,
        )
        for one in report.findings
    ]
    listed = resources(reading).resources
    for one in listed:
        if said := _out_of_place(one.kind, one.name, one.namespace, rules):
            place = one.where(("metadata",))
            found.append(
                FindingOf(
                    rule="namespace",
                    severity="error",
                    message=said,
                    hint=gettext("A release writes into its own namespace only."),
                    kind=one.kind,
                    name=one.name,
                    path="metadata",
                    line=place.line,
                    column=place.column,
                    document=one.document.index,
                )
            )
    return Checked([one.data for one in listed], found)


def _out_of_place(kind: str, name: str, namespace: str, rules: Rules) -> str | None:
    """Why an object may not be in this release (K-102)."""
    if kind == "Namespace" and name == rules.namespace:
        return None
    if kind in CLUSTER_WIDE:
        if rules.may_cluster_wide:
            return None
        return gettext(
            "{kind} {name} counts for the whole cluster, and a release has its namespace only"
        ).format(kind=kind, name=name)
    if namespace and namespace != rules.namespace:
        return gettext(
            "{kind} {name} names the namespace {namespace}, and the release is in {own}"
        ).format(kind=kind, name=name, namespace=namespace, own=rules.namespace)
    return None


def pass_or_refuse(checked: Checked, confirm: str | None) -> None:
    """Raises ManifestRefused, ConfirmationNeeded or NoDocuments."""
    if errors := checked.errors:
        raise ManifestRefused(errors=len(errors), findings=told(checked.findings))
    if not checked.documents:
        raise NoDocuments()
    twice = [item.title for item in checked.items if checked.items.count(item) > 1]
    if twice:
        said = gettext("{object} is there twice").format(object=twice[0])
        raise invalid("manifest", said)
    if checked.digest and confirm != checked.digest:
        raise ConfirmationNeeded(
            warnings=len(checked.warnings),
            digest=checked.digest,
            findings=told(checked.findings),
        )


def told(findings: Sequence[FindingOf]) -> list[Any]:
    """The worst first, in the form of JSON, and not without end."""
    order = ("error", "warning", "info")
    worst = sorted(findings, key=lambda one: (one.skipped is not None, order.index(one.severity)))
    return msgspec.to_builtins(worst[:_MOST_TOLD])


def item_of(document: dict[str, Any], namespace: str = "") -> Item:
    metadata: dict[str, Any] = document.get("metadata") or {}
    return Item(
        str(document.get("apiVersion") or ""),
        str(document.get("kind") or ""),
        str(metadata.get("name") or ""),
        str(metadata.get("namespace") or namespace),
    )
