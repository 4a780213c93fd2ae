"""Why pods do not become ready: the reason under the reason, of pods, events and owners.

A Deployment only says that it waits. Its pods know why: the image cannot be pulled, the program
ends again and again, no node has room, a quota or an admission webhook refuses.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from windlass.charts.checks.views import Table, get, table, tables, text, whole

Live = Mapping[str, object]


class Cause(StrEnum):
    """Most telling first: the first one found is the one line of a failed rollout."""

    image = "image"
    crash = "crash"
    memory = "memory"
    settings = "settings"
    quota = "quota"
    admission = "admission"
    refused = "refused"
    room = "room"
    volume = "volume"
    evicted = "evicted"
    ended = "ended"
    health = "health"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is in the way."""

    cause: Cause
    message: str
    pod: str = ""
    container: str = ""
    has_log: bool = False
    """The last lines of the container's log say more."""
    is_previous: bool = False
    """Those of the run before: this one has hardly begun."""


_IMAGE = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
          "RegistryUnavailable", "ImageInspectError")  # fmt: skip
_SETTINGS = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
_VOLUME = ("FailedMount", "FailedAttachVolume", "FailedMapVolume", "ProvisioningFailed")
_NO_LOG_EXIT = 0


def troubles(pods: Sequence[Live], events: Sequence[Live]) -> list[Trouble]:
    """What is in the way of these pods and of the owners that the events are about."""
    found = [one for pod in pods for one in _of_pod(dict(pod))]
    found += [one for event in events for one in _of_event(dict(event))]
    order = list(Cause)
    return sorted(dict.fromkeys(found), key=lambda one: order.index(one.cause))


def _of_pod(pod: Table) -> Iterator[Trouble]:
    name = text(get(pod, "metadata", "name"))
    if get(pod, "metadata", "deletionTimestamp"):
        return
    if get(pod, "status", "phase") == "Failed" and (why := text(get(pod, "status", "reason"))):
        said = text(get(pod, "status", "message"))
        yield Trouble(cause=Cause.evicted, pod=name, message=f"{why}: {said}" if said else why)
    for _, one in tables(get(pod, "status", "conditions")):
        if one.get("type") == "PodScheduled" and one.get("status") == "False":
            said = text(one.get("message"))
            yield Trouble(cause=Cause.room, pod=name, message=f"no node takes it: {said}")
    healthy = True
    for field in ("initContainerStatuses", "containerStatuses"):
        for _, status in tables(get(pod, "status", field)):
            for one in _of_container(name, status):
                healthy = False
                yield one
    if healthy:
        yield from _not_ready(name, pod)


def _of_container(pod: str, status: Table) -> Iterator[Trouble]:
    container = text(status.get("name"))
    waiting = table(get(status, "state", "waiting"))
    reason, said = text(waiting.get("reason")), text(waiting.get("message"))
    if reason in _IMAGE:
        image = text(status.get("image"))
        message = f"the image {image} cannot be pulled: {said or reason}"
        yield Trouble(cause=Cause.image, pod=pod, container=container, message=message)
    elif reason in _SETTINGS:
        message = f"it cannot be started: {said or reason}"
        yield Trouble(cause=Cause.settings, pod=pod, container=container, message=message)
    elif reason == "CrashLoopBackOff":
        yield _ended(pod, container, table(get(status, "lastState", "terminated")), status)
    else:
        now = table(get(status, "state", "terminated"))
        last = table(get(status, "lastState", "terminated"))
        if now and whole(now.get("exitCode")) != _NO_LOG_EXIT:
            yield _ended(pod, container, now, status)
        elif last and not status.get("ready") and whole(last.get("exitCode")) != _NO_LOG_EXIT:
            yield _ended(pod, container, last, status)


def _ended(pod: str, container: str, ended: Table, status: Table) -> Trouble:
    times = whole(status.get("restartCount")) or 0
    is_previous = "terminated" not in table(status.get("state"))
    if ended.get("reason") == "OOMKilled":
        message = "it needed more memory than its limit and was killed"
        cause = Cause.memory
    else:
        code = whole(ended.get("exitCode"))
        again = f", {times} times so far" if times > 1 else ""
        message = f"it ends with exit code {'unknown' if code is None else code}{again}"
        cause = Cause.crash
    return Trouble(
        cause=cause,
        pod=pod,
        container=container,
        message=message,
        has_log=True,
        is_previous=is_previous,
    )


def _not_ready(name: str, pod: Table) -> Iterator[Trouble]:
    """It runs and is not ready: its readiness check says no."""
    if get(pod, "status", "phase") != "Running":
        return
    for _, status in tables(get(pod, "status", "containerStatuses")):
        if not status.get("ready") and get(status, "state", "running") is not None:
            yield Trouble(
                cause=Cause.health,
                pod=name,
                container=text(status.get("name")),
                message="it runs, but its readiness check does not succeed",
                has_log=True,
            )


def _of_event(event: Table) -> Iterator[Trouble]:
    if text(event.get("type")) == "Normal":
        return
    reason, said = text(event.get("reason")), text(event.get("message"))
    about = text(get(event, "involvedObject", "name"))
    if reason == "FailedCreate":
        lower = said.lower()
        if "exceeded quota" in lower or "failed quota" in lower:
            yield Trouble(cause=Cause.quota, pod=about, message=f"a quota refuses it: {said}")
        elif "admission webhook" in lower or "violates podsecurity" in lower:
            message = f"the cluster's admission refuses it: {said}"
            yield Trouble(cause=Cause.admission, pod=about, message=message)
        else:
            yield Trouble(cause=Cause.refused, pod=about, message=f"no pod can be made: {said}")
    elif reason in _VOLUME:
        yield Trouble(cause=Cause.volume, pod=about, message=f"its volume is not there: {said}")
    elif reason in ("BackoffLimitExceeded", "DeadlineExceeded"):
        yield Trouble(cause=Cause.ended, pod=about, message=said or reason)
    elif reason == "Unhealthy":
        yield Trouble(cause=Cause.health, pod=about, message=f"a health check fails: {said}")


def waits_for_consumer(events: Sequence[Live]) -> bool:
    """A volume that is bound only when a pod wants it: not being bound is no trouble then."""
    return any(event.get("reason") == "WaitForFirstConsumer" for event in events)
