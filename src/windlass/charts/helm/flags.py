"""Which options of `helm install` and `helm upgrade` are taken, and why the others are not.

An option that stands in no table is refused, so that a new one of Helm needs a decision here.
"""

from enum import StrEnum

import msgspec


class Takes(StrEnum):
    """What stands behind an option, as Helm's own reader of options sees it."""

    none = "none"
    """A switch: `--wait`, `--wait=false`."""
    optional = "optional"
    """A switch that may have a word: `--dry-run`, `--dry-run=server`."""
    word = "word"


class Treatment(StrEnum):
    taken = "taken"
    ignored = "ignored"
    """It changes nothing here; a note says so."""
    confirmed = "confirmed"
    """Only after somebody said yes to it."""
    asked = "asked"
    """It names a file of the writer's own machine: its text is asked for."""
    refused = "refused"


class Flag(msgspec.Struct, frozen=True):
    name: str
    takes: Takes
    treatment: Treatment
    why: str = ""


SHORT = {
    "f": "values",
    "g": "generate-name",
    "h": "help",
    "i": "install",
    "l": "labels",
    "n": "namespace",
    "o": "output",
}

_TAKEN_SWITCHES = (
    "atomic cleanup-on-fail create-namespace devel generate-name install no-hooks "
    "reset-then-reuse-values reset-values reuse-values rollback-on-failure skip-crds wait-for-jobs"
)
_TAKEN_VALUES = (
    "description history-max labels namespace repo server-side set set-json set-literal "
    "set-string timeout version"
)
_IGNORED = {
    "dependency-update": (Takes.none, "a packed chart brings its dependencies"),
    "hide-notes": (Takes.none, "notes are kept with the release"),
    "hide-secret": (Takes.none, "Secrets are never shown"),
    "no-color": (Takes.none, "nothing is coloured"),
    "color": (Takes.word, "nothing is coloured"),
    "colour": (Takes.word, "nothing is coloured"),
    "output": (Takes.word, "the answer is shown in the panel"),
    "render-subchart-notes": (Takes.none, "only the notes of the chart itself are shown"),
}
_CONFIRMED = {
    "disable-openapi-validation": "objects are sent without being compared to their schemas",
    "force": "objects are deleted and made again, which is downtime",
    "force-conflicts": "fields that others manage are taken over",
    "force-replace": "objects are deleted and made again, which is downtime",
    "replace": "the name of a release that was deleted is used again",
    "skip-schema-validation": "values are not compared to what the chart allows",
    "take-ownership": "objects of other releases are taken over",
}
_KUBE = "which cluster is used is chosen in Windlass, with its own credentials"
_REGISTRY = "credentials for charts are kept in Windlass, never in a command"
_TLS = "connections are always encrypted and checked"
_MACHINE = "it would read or write files of the server"
_TWO = "it belongs to Helm 2, which ended in 2020"
_REFUSED: dict[str, tuple[Takes, str]] = {
    "burst-limit": (Takes.word, _KUBE),
    "kube-apiserver": (Takes.word, _KUBE),
    "kube-as-group": (Takes.word, _KUBE),
    "kube-as-user": (Takes.word, _KUBE),
    "kube-ca-file": (Takes.word, _KUBE),
    "kube-context": (Takes.word, _KUBE),
    "kube-insecure-skip-tls-verify": (Takes.none, _TLS),
    "kube-tls-server-name": (Takes.word, _KUBE),
    "kube-token": (Takes.word, _KUBE),
    "kubeconfig": (Takes.word, _KUBE),
    "qps": (Takes.word, _KUBE),
    "api-versions": (Takes.word, _KUBE),
    "kube-version": (Takes.word, _KUBE),
    "username": (Takes.word, _REGISTRY),
    "password": (Takes.word, _REGISTRY),
    "pass-credentials": (Takes.none, _REGISTRY),
    "registry-config": (Takes.word, _REGISTRY),
    "insecure-skip-tls-verify": (Takes.none, _TLS),
    "insecure-skip-verify": (Takes.none, _TLS),
    "plain-http": (Takes.none, _TLS),
    "ca-file": (Takes.word, _MACHINE),
    "cert-file": (Takes.word, _MACHINE),
    "key-file": (Takes.word, _MACHINE),
    "keyring": (Takes.word, _MACHINE),
    "verify": (Takes.none, "there is no key ring here to verify signatures with"),
    "content-cache": (Takes.word, _MACHINE),
    "repository-cache": (Takes.word, _MACHINE),
    "repository-config": (Takes.word, _MACHINE),
    "output-dir": (Takes.word, _MACHINE),
    "set-file": (Takes.word, f"{_MACHINE}; write the text with --set-literal"),
    "post-renderer": (Takes.word, "it would run a program on the server"),
    "post-renderer-args": (Takes.word, "it would run a program on the server"),
    "name-template": (Takes.word, "a release has a name of its own; write it before the chart"),
    "debug": (Takes.none, "it prints Secrets; the log of a release tells each step"),
    "enable-dns": (Takes.none, "charts are rendered without a network"),
    "help": (Takes.none, "it only prints help"),
    "name": (Takes.word, f"{_TWO}; write the name before the chart: helm install NAME CHART"),
    "purge": (Takes.none, _TWO),
    "recreate-pods": (Takes.none, _TWO),
    "tiller-namespace": (Takes.word, _TWO),
    "tiller-connection-timeout": (Takes.word, _TWO),
    "tls": (Takes.none, _TWO),
    "tls-verify": (Takes.none, _TWO),
    "tls-ca-cert": (Takes.word, _TWO),
    "tls-cert": (Takes.word, _TWO),
    "tls-key": (Takes.word, _TWO),
}

FLAGS: dict[str, Flag] = {
    one.name: one
    for one in (
        *(Flag(name, Takes.none, Treatment.taken) for name in _TAKEN_SWITCHES.split()),
        *(Flag(name, Takes.word, Treatment.taken) for name in _TAKEN_VALUES.split()),
        Flag("wait", Takes.optional, Treatment.taken),
        Flag("dry-run", Takes.optional, Treatment.taken),
        Flag("values", Takes.word, Treatment.asked, "it is a file of your machine"),
        *(Flag(n, takes, Treatment.ignored, why) for n, (takes, why) in _IGNORED.items()),
        *(Flag(n, Takes.none, Treatment.confirmed, why) for n, why in _CONFIRMED.items()),
        *(Flag(n, takes, Treatment.refused, why) for n, (takes, why) in _REFUSED.items()),
    )
}
