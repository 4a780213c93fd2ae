"""Whether an object of a cluster has become what was asked for, as the rules of kstatus say it.

What the API server shows counts only when its controller has seen the newest `generation`. Where
Helm's checks know more (load balancers, jobs, paused rollouts), they count too.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from windlass.charts.checks.views import Table, get, listed, table, tables, text, whole


class State(StrEnum):
    current = "current"
    in_progress = "in-progress"
    failed = "failed"
    terminating = "terminating"
    missing = "missing"


class Verdict(msgspec.Struct, frozen=True):
    """What an object is, and one line that says why."""

    state: State
    message: str = ""

    @property
    def is_current(self) -> bool:
        return self.state is State.current


CURRENT = Verdict(State.current)


def verdict(live: Mapping[str, object] | None) -> Verdict:
    """Of an object as the API server returned it; None is one that is not there."""
    if live is None:
        return Verdict(State.missing, "it is not there")
    found = dict(live)
    kind = text(found.get("kind"))
    if get(found, "metadata", "deletionTimestamp"):
        return Verdict(State.terminating, _why_it_stays(found))
    generation = whole(get(found, "metadata", "generation"))
    seen = whole(get(found, "status", "observedGeneration"))
    if generation is not None and seen is not None and seen < generation:
        return _waiting(f"its controller has seen generation {seen} of {generation}")
    if said := _condition(found, "Stalled", "True"):
        return _failed(_words(said))
    if said := _condition(found, "Reconciling", "True"):
        return _waiting(_words(said))
    return _KINDS.get(kind, _by_ready)(found)


def _deployment(found: Table) -> Verdict:
    wanted = _count(found, "spec", "replicas", default=1)
    total, updated, ready, available = (
        _count(found, "status", field)
        for field in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    )
    progressing = _condition(found, "Progressing")
    if text(progressing.get("reason")) == "ProgressDeadlineExceeded":
        return _failed(_words(progressing))
    behind = (
        _waiting(f"{updated} of {wanted} replicas are updated")
        if updated < wanted
        else _waiting(f"{total - wanted} old replicas are still running")
        if total > wanted
        else _waiting(f"{available} of {wanted} replicas are available")
        if available < wanted or ready < wanted
        else None
    )
    if behind is None:
        return CURRENT
    if get(found, "spec", "paused") is True:
        return _waiting(f"it is paused (spec.paused) and {behind.message}")
    if refused := _condition(found, "ReplicaFailure", "True"):
        return _waiting(f"{behind.message}: {_words(refused)}")
    return behind


def _stateful_set(found: Table) -> Verdict:
    if get(found, "spec", "updateStrategy", "type") == "OnDelete":
        return CURRENT
    wanted = _count(found, "spec", "replicas", default=1)
    ready, updated = (
        _count(found, "status", field) for field in ("readyReplicas", "updatedReplicas")
    )
    if ready < wanted:
        return _waiting(f"{ready} of {wanted} replicas are ready")
    if (total := _count(found, "status", "replicas")) > wanted:
        return _waiting(f"{total - wanted} replicas have still to end")
    partition = _count(found, "spec", "updateStrategy", "rollingUpdate", "partition")
    if updated < (must := max(0, wanted - partition)):
        return _waiting(f"{updated} of {must} replicas are updated")
    if partition:
        return CURRENT
    now, next = (get(found, "status", field) for field in ("currentRevision", "updateRevision"))
    return CURRENT if now == next else _waiting(f"{updated} of {wanted} replicas are updated")


def _daemon_set(found: Table) -> Verdict:
    if get(found, "spec", "updateStrategy", "type") == "OnDelete":
        return CURRENT
    wanted = whole(get(found, "status", "desiredNumberScheduled"))
    if wanted is None or get(found, "status", "observedGeneration") is None:
        return _waiting("its controller has not looked at it yet")
    for field, what in (
        ("currentNumberScheduled", "scheduled"),
        ("updatedNumberScheduled", "updated"),
        ("numberAvailable", "available"),
        ("numberReady", "ready"),
    ):
        if (count := _count(found, "status", field)) < wanted:
            return _waiting(f"{count} of {wanted} pods are {what}")
    return CURRENT


def _replica_set(found: Table) -> Verdict:
    wanted = _count(found, "spec", "replicas", default=1)
    if refused := _condition(found, "ReplicaFailure", "True"):
        return _waiting(_words(refused))
    for field, what in (("availableReplicas", "available"), ("readyReplicas", "ready")):
        if (count := _count(found, "status", field)) < wanted:
            return _waiting(f"{count} of {wanted} replicas are {what}")
    total = _count(found, "status", "replicas")
    return CURRENT if total <= wanted else _waiting(f"{total - wanted} replicas have still to end")


def _pod(found: Table) -> Verdict:
    phase = text(get(found, "status", "phase"))
    if phase == "Succeeded" or (phase == "Running" and _condition(found, "Ready", "True")):
        return CURRENT
    if phase == "Failed":
        reason = text(get(found, "status", "message")) or text(get(found, "status", "reason"))
        return _failed(reason or "the pod has failed")
    for _, status in tables(get(found, "status", "containerStatuses")):
        if get(status, "state", "waiting", "reason") == "CrashLoopBackOff":
            return _failed(f"container {text(status.get('name'))} ends again and again")
    if said := _condition(found, "PodScheduled", "False"):
        return _waiting(_words(said))
    return _waiting("the pod is not ready")


def _job(found: Table) -> Verdict:
    if said := _condition(found, "Failed", "True"):
        return _failed(_words(said))
    if _condition(found, "Complete", "True") or get(found, "spec", "suspend") is True:
        return CURRENT
    done = _count(found, "status", "succeeded")
    return _waiting(f"{done} of {_count(found, 'spec', 'completions', default=1)} pods have ended")


def _claim(found: Table) -> Verdict:
    phase = text(get(found, "status", "phase"))
    if phase == "Bound":
        return CURRENT
    if phase == "Lost":
        return _failed("its volume is lost")
    return _waiting("no volume is bound to it yet")


def _service(found: Table) -> Verdict:
    is_open = get(found, "spec", "type") != "LoadBalancer" or get(found, "spec", "externalIPs")
    if is_open or listed(get(found, "status", "loadBalancer", "ingress")):
        return CURRENT
    return _waiting("no load balancer of the cluster has given it an address yet")


def _namespace(found: Table) -> Verdict:
    phase = text(get(found, "status", "phase"))
    return CURRENT if phase in ("", "Active") else Verdict(State.terminating, "it is being deleted")


def _definition(found: Table) -> Verdict:
    if said := _condition(found, "NamesAccepted", "False"):
        return _failed(_words(said))
    if _condition(found, "Established", "True"):
        return CURRENT
    said = _condition(found, "Established", "False")
    if said and text(said.get("reason")) != "Installing":
        return _failed(_words(said))
    return _waiting("the API server does not serve it yet")


def _gateway(found: Table) -> Verdict:
    return _all_true(found, listed(get(found, "status", "conditions")), "Accepted", "Programmed")


def _route(found: Table) -> Verdict:
    parents = [one for _, one in tables(get(found, "status", "parents"))]
    if len(parents) < len(listed(get(found, "spec", "parentRefs"))):
        return _waiting("no gateway has answered yet: is there one of that name that takes it?")
    for parent in parents:
        conditions = listed(parent.get("conditions"))
        found_here = _all_true(found, conditions, "Accepted", "ResolvedRefs")
        if not found_here.is_current:
            name = text(get(parent, "parentRef", "name"))
            return _waiting(f"gateway {name}: {found_here.message}")
    return CURRENT


def _policy(found: Table) -> Verdict:
    """Policies that are attached to something: each thing says whether it takes them."""
    for _, ancestor in tables(get(found, "status", "ancestors")):
        here = _all_true(found, listed(ancestor.get("conditions")), "Accepted")
        if not here.is_current:
            return here
    return CURRENT


def _certificate(found: Table) -> Verdict:
    issuing = _condition(found, "Issuing", "False")
    if text(issuing.get("reason")) == "Failed":
        return _failed(_words(issuing))
    if _condition(found, "Ready"):
        return _by_ready(found)
    return _waiting("cert-manager has not answered yet")


def _issuer(found: Table) -> Verdict:
    known = _condition(found, "Ready")
    return _by_ready(found) if known else _waiting("cert-manager has not answered yet")


def _service_of_api(found: Table) -> Verdict:
    said = _condition(found, "Available")
    is_there = said.get("status") == "True"
    return CURRENT if is_there else _waiting(_words(said) or "it does not answer yet")


def _by_ready(found: Table) -> Verdict:
    """What nobody knows more of: its condition Ready, if it has one."""
    said = _condition(found, "Ready")
    if not said or said.get("status") == "True":
        return CURRENT
    return _waiting(_words(said))


_KINDS: dict[str, Callable[[Table], Verdict]] = {
    "APIService": _service_of_api,
    "BackendTrafficPolicy": _policy,
    "Certificate": _certificate,
    "ClusterIssuer": _issuer,
    "CustomResourceDefinition": _definition,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "GRPCRoute": _route,
    "Gateway": _gateway,
    "HTTPRoute": _route,
    "Issuer": _issuer,
    "Job": _job,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "Service": _service,
    "StatefulSet": _stateful_set,
}


def _all_true(found: Table, conditions: list[object], *types: str) -> Verdict:
    """Each of these conditions says True of the newest generation."""
    generation = whole(get(found, "metadata", "generation")) or 0
    known = {text(one.get("type")): one for _, one in tables(conditions)}
    for type in types:
        said = known.get(type, {})
        seen = whole(said.get("observedGeneration"))
        if not said or (seen is not None and seen < generation):
            return _waiting(f"{type} is not said yet")
        if said.get("status") != "True":
            return _waiting(_words(said))
    return CURRENT


def _condition(found: Table, type: str, status: str | None = None) -> Table:
    for _, one in tables(get(found, "status", "conditions")):
        if one.get("type") == type and (status is None or one.get("status") == status):
            return one
    return {}


def _words(condition: Table) -> str:
    reason, message = text(condition.get("reason")), text(condition.get("message"))
    return f"{reason}: {message}" if reason and message else message or reason


def _why_it_stays(found: Table) -> str:
    names = [text(one) for one in listed(table(found.get("metadata")).get("finalizers"))]
    waits = f" (waits for {', '.join(names)})" if names else ""
    return f"it is being deleted{waits}"


def _count(found: Table, *path: str, default: int = 0) -> int:
    value = whole(get(found, *path))
    return default if value is None else value


def _waiting(message: str) -> Verdict:
    return Verdict(State.in_progress, message)


def _failed(message: str) -> Verdict:
    return Verdict(State.failed, message)
