"""What the builder is asked and what it answers. A form is that of docs/reference."""

from typing import Annotated, Literal

import msgspec

from windlass.core.schemas import In, Out

MOST_BYTES = 4 << 20
Profile = Literal["baseline", "restricted", "production", "lab"]
Yaml = Annotated[str, msgspec.Meta(max_length=1 << 20, examples=["kind: ConfigMap\n"])]
Form = Annotated[
    dict[str, object],
    msgspec.Meta(
        examples=[
            {"workloads": [{"name": "web", "containers": [{"image": "ghcr.io/acme/web:1.4.2"}]}]}
        ]
    ),
]
Path = Annotated[list[str | int], msgspec.Meta(max_length=100, examples=[["spec", "replicas"]])]


class ChecksIn(In, kw_only=True):
    """How it is checked."""

    profile: Profile = "baseline"
    kubernetes: Annotated[str, msgspec.Meta(max_length=20, examples=["1.34"])] = ""
    """The version that the manifests are meant for; empty is the newest."""


class GenerateIn(ChecksIn, kw_only=True):
    form: Form


class CheckIn(ChecksIn, kw_only=True):
    yaml: Yaml
    namespace: Annotated[str, msgspec.Meta(max_length=63, examples=["shop"])] = ""
    """Where objects go that name no namespace."""


class FixIn(ChecksIn, kw_only=True):
    """Mends one finding, or everything that has one answer: in a form, or else in a text."""

    form: Form | None = None
    yaml: Yaml = ""
    rule: Annotated[str, msgspec.Meta(max_length=100, examples=["host-network"])] = ""
    document: Annotated[int, msgspec.Meta(ge=0)] = 0
    path: Path = msgspec.field(default_factory=list)


class RecoverIn(In, kw_only=True):
    yaml: Yaml


class ComposeIn(In, kw_only=True):
    compose: Annotated[
        str,
        msgspec.Meta(
            max_length=1 << 20, examples=["services: {web: {image: ghcr.io/acme/web:1.4.2}}\n"]
        ),
    ]


class HelmIn(In, kw_only=True):
    command: Annotated[
        str,
        msgspec.Meta(
            max_length=20_000,
            examples=["helm upgrade --install shop oci://ghcr.io/acme/charts/shop --version 1.2.3"],
        ),
    ]


class HelmOut(Out, kw_only=True):
    """What a Helm command means."""

    runs: str
    """The command that would run, made anew."""
    release: str
    chart: str
    source: str
    needs_repository: str
    """The name of a repository whose address the command does not tell."""
    version: str
    namespace: str
    settings: list[str]
    files: list[str]
    """Values whose text has to be given: nothing of that name is read."""
    confirm: list[str]
    """Options that somebody must say yes to."""
    notes: list[str]
    dry_run: bool


class DocumentOut(Out, kw_only=True):
    """One object of the YAML."""

    kind: str
    name: str
    namespace: str
    line: int
    form_path: list[str | int] = msgspec.field(default_factory=list)
    """What it comes from: a workload, a resource, or the field that makes it."""
    is_generated: bool = False


class FindingOut(Out, kw_only=True):
    """One violation, and where it stands in the text and in the form."""

    rule: str
    severity: Literal["error", "warning", "info"]
    message: str
    how: str
    kind: str
    name: str
    namespace: str
    document: int
    path: list[str | int]
    form_path: list[str | int]
    line: int
    column: int
    fixable: bool
    skipped: str | None


class CountsOut(Out, kw_only=True):
    """How many of each, without those that somebody suppressed."""

    error: int
    warning: int
    info: int
    skipped: int


class CheckOut(Out, kw_only=True):
    documents: list[DocumentOut]
    findings: list[FindingOut]
    counts: CountsOut
    complete: bool
    """Everything could be read."""


class GenerateOut(CheckOut, kw_only=True):
    yaml: str


class FixOut(GenerateOut, kw_only=True):
    form: dict[str, object] | None
    mended: int


class RecoverOut(Out, kw_only=True):
    form: dict[str, object]
    kept: int
    """Objects that no form has fields for; they are in it as they are."""


class NoteOut(Out, kw_only=True):
    """What became of one line of a compose file."""

    path: str
    line: int
    verdict: Literal["exact", "adapted", "impossible"]
    message: str
    hint: str


class ComposeOut(Out, kw_only=True):
    form: dict[str, object]
    notes: list[NoteOut]


class FieldOut(Out, kw_only=True):
    """What Kubernetes says about a field of a kind."""

    name: str
    type: str
    description: str
    options: list[str]
    fields: list[str]
    required: bool


class RuleOut(Out, kw_only=True):
    """A rule in full."""

    id: str
    title: str
    why: str
    how: str
    group: str
    severities: dict[str, str]
    optional: bool
    bad: str
    good: str
    references: list[str]
