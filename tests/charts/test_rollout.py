"""Verdicts of kstatus over what an API server shows, one line of a table for each rule."""

import pytest

from windlass.charts.rollout import State, verdict
from windlass.charts.trouble import Cause, troubles, waits_for_consumer

APPS = "apps/v1"


def live(kind, status=None, spec=None, *, generation=1, **metadata):
    about = {"name": "web", "generation": generation, **metadata}
    return {"kind": kind, "metadata": about, "spec": spec or {}, "status": status or {}}


def said(type, status, reason="", message="", **more):
    return {"type": type, "status": status, "reason": reason, "message": message, **more}


DONE = {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
TWO = {"replicas": 2}
POD_IMAGE = {"waiting": {"reason": "CrashLoopBackOff"}}
PARENT = {"parentRef": {"name": "gate"}}

CASES = [
    (None, State.missing, "not there"),
    (live("ConfigMap"), State.current, ""),
    (live("Widget", {"observedGeneration": 1}, generation=2), State.in_progress, "1 of 2"),
    (
        live("Widget", {"conditions": [said("Ready", "False", "Why", "so")]}),
        State.in_progress,
        "Why: so",
    ),
    (live("Widget", {"conditions": [said("Ready", "True")]}), State.current, ""),
    (
        live("Widget", {"conditions": [said("Stalled", "True", "No", "way")]}),
        State.failed,
        "No: way",
    ),
    (live("Widget", {"conditions": [said("Reconciling", "True")]}), State.in_progress, ""),
    (live("Pod", deletionTimestamp="now", finalizers=["a/b"]), State.terminating, "a/b"),
    (live("Deployment", {}, TWO), State.in_progress, "0 of 2 replicas are updated"),
    (live("Deployment", DONE, TWO), State.current, ""),
    (live("Deployment", DONE, {"replicas": 0}), State.in_progress, ""),
    (live("Deployment", {}, {"replicas": 0}), State.current, ""),
    (live("Deployment", DONE | {"replicas": 3}, TWO), State.in_progress, "1 old replicas"),
    (live("Deployment", DONE | {"availableReplicas": 1}, TWO), State.in_progress, "1 of 2"),
    (live("Deployment", {}, TWO | {"paused": True}), State.in_progress, "paused"),
    (
        live(
            "Deployment",
            {"conditions": [said("Progressing", "False", "ProgressDeadlineExceeded", "late")]},
        ),
        State.failed,
        "late",
    ),
    (
        live(
            "Deployment",
            {"conditions": [said("ReplicaFailure", "True", "FailedCreate", "quota")]},
            TWO,
        ),
        State.in_progress,
        "quota",
    ),
    (
        live(
            "StatefulSet",
            {
                "readyReplicas": 2,
                "updatedReplicas": 1,
                "currentRevision": "a",
                "updateRevision": "b",
            },
            TWO,
        ),
        State.in_progress,
        "1 of 2 replicas are updated",
    ),
    (
        live(
            "StatefulSet",
            {
                "readyReplicas": 2,
                "updatedReplicas": 2,
                "currentRevision": "b",
                "updateRevision": "b",
            },
            TWO,
        ),
        State.current,
        "",
    ),
    (
        live("StatefulSet", {"readyReplicas": 1}, TWO),
        State.in_progress,
        "1 of 2 replicas are ready",
    ),
    (live("StatefulSet", {}, TWO | {"updateStrategy": {"type": "OnDelete"}}), State.current, ""),
    (
        live(
            "StatefulSet",
            {"readyReplicas": 2, "updatedReplicas": 1},
            TWO | {"updateStrategy": {"rollingUpdate": {"partition": 1}}},
        ),
        State.current,
        "",
    ),
    (live("DaemonSet"), State.in_progress, "not looked"),
    (
        live(
            "DaemonSet",
            {
                "observedGeneration": 1,
                "desiredNumberScheduled": 3,
                "currentNumberScheduled": 3,
                "updatedNumberScheduled": 2,
            },
        ),
        State.in_progress,
        "2 of 3 pods are updated",
    ),
    (live("DaemonSet", {"observedGeneration": 1, "desiredNumberScheduled": 0}), State.current, ""),
    (live("ReplicaSet", {"readyReplicas": 1, "availableReplicas": 1}), State.current, ""),
    (live("ReplicaSet", {}), State.in_progress, "0 of 1"),
    (live("Job", {"conditions": [said("Complete", "True")]}), State.current, ""),
    (
        live("Job", {"conditions": [said("Failed", "True", "BackoffLimitExceeded", "too often")]}),
        State.failed,
        "too often",
    ),
    (live("Job", {"active": 1}), State.in_progress, "0 of 1"),
    (live("Job", {}, {"suspend": True}), State.current, ""),
    (live("CronJob", {}), State.current, ""),
    (live("PersistentVolumeClaim", {"phase": "Pending"}), State.in_progress, "no volume"),
    (live("PersistentVolumeClaim", {"phase": "Bound"}), State.current, ""),
    (live("PersistentVolumeClaim", {"phase": "Lost"}), State.failed, "lost"),
    (live("Service", {}, {"type": "ClusterIP"}), State.current, ""),
    (live("Service", {}, {"type": "LoadBalancer"}), State.in_progress, "no load balancer"),
    (
        live(
            "Service",
            {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
            {"type": "LoadBalancer"},
        ),
        State.current,
        "",
    ),
    (live("Pod", {"phase": "Running", "conditions": [said("Ready", "True")]}), State.current, ""),
    (live("Pod", {"phase": "Succeeded"}), State.current, ""),
    (live("Pod", {"phase": "Failed", "reason": "Evicted"}), State.failed, "Evicted"),
    (
        live(
            "Pod", {"phase": "Running", "containerStatuses": [{"name": "app", "state": POD_IMAGE}]}
        ),
        State.failed,
        "app",
    ),
    (
        live(
            "Pod",
            {
                "phase": "Pending",
                "conditions": [said("PodScheduled", "False", "Unschedulable", "no room")],
            },
        ),
        State.in_progress,
        "no room",
    ),
    (
        live("CustomResourceDefinition", {"conditions": [said("Established", "True")]}),
        State.current,
        "",
    ),
    (
        live(
            "CustomResourceDefinition", {"conditions": [said("Established", "False", "Installing")]}
        ),
        State.in_progress,
        "serve",
    ),
    (
        live(
            "CustomResourceDefinition",
            {"conditions": [said("NamesAccepted", "False", "Taken", "x")]},
        ),
        State.failed,
        "Taken: x",
    ),
    (live("Namespace", {"phase": "Active"}), State.current, ""),
    (live("Namespace", {"phase": "Terminating"}), State.terminating, "deleted"),
    (
        live(
            "Gateway",
            {"conditions": [said("Accepted", "True"), said("Programmed", "False", "Away", "x")]},
        ),
        State.in_progress,
        "Away: x",
    ),
    (live("HTTPRoute", {}, {"parentRefs": [{"name": "gate"}]}), State.in_progress, "gateway"),
    (
        live(
            "HTTPRoute",
            {
                "parents": [
                    PARENT
                    | {
                        "conditions": [
                            said("Accepted", "True"),
                            said("ResolvedRefs", "False", "BackendNotFound", "web"),
                        ]
                    }
                ]
            },
            {"parentRefs": [{"name": "gate"}]},
        ),
        State.in_progress,
        "gateway gate: BackendNotFound: web",
    ),
    (
        live(
            "HTTPRoute",
            {
                "parents": [
                    PARENT
                    | {"conditions": [said("Accepted", "True"), said("ResolvedRefs", "True")]}
                ]
            },
            {"parentRefs": [{"name": "gate"}]},
        ),
        State.current,
        "",
    ),
    (
        live(
            "GRPCRoute",
            {
                "parents": [
                    PARENT | {"conditions": [said("Accepted", "True", observedGeneration=1)]}
                ]
            },
            {"parentRefs": [{"name": "gate"}]},
            generation=2,
        ),
        State.in_progress,
        "not said yet",
    ),
    (
        live(
            "BackendTrafficPolicy",
            {"ancestors": [{"conditions": [said("Accepted", "False", "Conflicted", "x")]}]},
        ),
        State.in_progress,
        "Conflicted",
    ),
    (live("Certificate"), State.in_progress, "cert-manager"),
    (live("Certificate", {"conditions": [said("Ready", "True")]}), State.current, ""),
    (
        live("Certificate", {"conditions": [said("Issuing", "False", "Failed", "denied")]}),
        State.failed,
        "denied",
    ),
    (
        live("APIService", {"conditions": [said("Available", "False", "x", "y")]}),
        State.in_progress,
        "x: y",
    ),
]


def test_what_the_api_server_shows_has_the_verdict_of_kstatus():
    wrong = [
        (found, state, part, verdict(found))
        for found, state, part in CASES
        if verdict(found).state is not state or part not in verdict(found).message
    ]

    assert wrong == []


@pytest.mark.parametrize("junk", [{}, {"kind": "Deployment"}, {"kind": "Pod", "status": "x"}])
def test_half_an_object_breaks_nothing(junk):
    assert verdict(junk).state in set(State)


def pod(status, phase="Pending", **more):
    statuses = {"phase": phase, "containerStatuses": [{"name": "app", **status}], **more}
    return {"metadata": {"name": "web-1"}, "status": statuses}


def event(reason, message, type="Warning"):
    about = {"kind": "ReplicaSet", "name": "web-5d"}
    return {"type": type, "reason": reason, "message": message, "involvedObject": about}


OOM = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
EXIT = {"terminated": {"reason": "Error", "exitCode": 3}}
CRASH = {"waiting": {"reason": "CrashLoopBackOff"}}
PULL = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}
KEY = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}}
REASONS = [
    ([pod({"image": "nope:1", "state": PULL})], [], Cause.image, "nope:1 cannot be pulled: not"),
    (
        [pod({"state": CRASH, "lastState": EXIT, "restartCount": 4})],
        [],
        Cause.crash,
        "code 3, 4 times",
    ),
    ([pod({"state": CRASH, "lastState": OOM})], [], Cause.memory, "memory"),
    ([pod({"state": KEY})], [], Cause.settings, 'secret "db" not found'),
    (
        [pod({}, conditions=[said("PodScheduled", "False", "Unschedulable", "0/3 nodes")])],
        [],
        Cause.room,
        "0/3",
    ),
    ([pod({"ready": False, "state": {"running": {}}}, "Running")], [], Cause.health, "readiness"),
    (
        [{"metadata": {"name": "x"}, "status": {"phase": "Failed", "reason": "Evicted"}}],
        [],
        Cause.evicted,
        "Evicted",
    ),
    (
        [],
        [event("FailedCreate", "pods is forbidden: exceeded quota: q")],
        Cause.quota,
        "exceeded quota",
    ),
    (
        [],
        [event("FailedCreate", 'admission webhook "a" denied the request')],
        Cause.admission,
        "denied",
    ),
    (
        [],
        [event("FailedCreate", "error looking up service account")],
        Cause.refused,
        "service account",
    ),
    ([], [event("FailedMount", "secret not found")], Cause.volume, "secret"),
    ([], [event("BackoffLimitExceeded", "Job has reached the limit")], Cause.ended, "limit"),
]


def test_the_real_reason_is_found():
    for pods, events, cause, part in REASONS:
        first = troubles(pods, events)[0]
        assert (first.cause, part in first.message) == (cause, True), first


def test_a_crash_is_told_before_the_health_check_it_fails_and_says_which_log_to_read():
    crashed = pod({"state": CRASH, "lastState": EXIT, "restartCount": 2}, "Running")

    found = troubles([crashed], [event("Unhealthy", "refused")])

    assert [one.cause for one in found] == [Cause.crash, Cause.health]
    assert (found[0].pod, found[0].container) == ("web-1", "app")
    assert found[0].has_log
    assert found[0].is_previous


def test_nothing_is_wrong_with_pods_that_run_or_go_and_with_news_that_is_good():
    runs = pod({"ready": True, "state": {"running": {}}}, "Running")
    goes = pod({"state": PULL})
    goes["metadata"]["deletionTimestamp"] = "now"

    assert troubles([runs, goes], [event("FailedCreate", "quota", type="Normal")]) == []


def test_a_volume_may_wait_for_the_first_pod_that_wants_it():
    assert waits_for_consumer([event("WaitForFirstConsumer", "", "Normal")])
    assert not waits_for_consumer([event("ProvisioningFailed", "")])
