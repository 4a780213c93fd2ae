"""A workload of the form → its manifest."""

from typing import cast

import msgspec

from windlass.charts.generate import names, secure
from windlass.charts.model import API_VERSIONS, Application, Container, Workload
from windlass.charts.model.containers import EnvVar

Data = dict[str, object]
_OPTIONS = {
    "Deployment": "deployment",
    "ReplicaSet": "replica_set",
    "StatefulSet": "stateful_set",
    "DaemonSet": "daemon_set",
    "Job": "job",
}


def data_of(struct: msgspec.Struct | None) -> Data:
    """A piece of the form as a piece of a manifest."""
    return {} if struct is None else cast(Data, msgspec.to_builtins(struct))


def manifest(app: Application, workload: Workload) -> Data:
    """The workload's manifest; what the form lacks comes from `extra`."""
    made: Data = {
        "apiVersion": API_VERSIONS[workload.type],
        "kind": workload.type,
        "metadata": metadata(app, workload, names.identity(workload)),
    }
    if spec := _spec(app, workload):
        made["spec"] = spec
    return cast(Data, names.merged(made, workload.extra))


def metadata(app: Application, thing: object, identity: dict[str, str] | None = None) -> Data:
    """Name, namespace, labels and annotations of a workload or a resource."""
    described = cast(Workload, thing)
    made: Data = {"name": described.name}
    namespace = app.namespace if described.namespace is None else described.namespace
    if namespace:
        made["namespace"] = namespace
    labels = described.labels or {}
    if app.defaults == "secure":
        labels = {**(identity or {}), **names.labels(app), **labels}
        if isinstance(thing, Workload) and thing.type == "Pod":
            labels = {**labels, **names.pod_labels(app, thing)}
    if labels:
        made["labels"] = labels
    if described.annotations:
        made["annotations"] = described.annotations
    return made


def replicas(app: Application, workload: Workload) -> int | None:
    """How many pods there are at least; None when the kind or the form does not say."""
    if workload.type not in names.SCALED:
        return None
    if workload.autoscale:
        return workload.autoscale.min
    if workload.replicas is not None or app.defaults == "none":
        return workload.replicas
    # A disk that one pod holds cannot be shared by a second one.
    is_alone = bool(_shared_disks(workload))
    return 1 if app.environment == "preview" or is_alone else 2


def selector(app: Application, workload: Workload) -> Data | None:
    """Which pods are the workload's."""
    if workload.selector is not None:
        return data_of(workload.selector)
    return None if app.defaults == "none" else {"matchLabels": names.identity(workload)}


def _spec(app: Application, workload: Workload) -> Data:
    if workload.type == "Pod":
        return _pod(app, workload)
    if workload.type == "CronJob":
        template: Data = {"spec": {**_job(app, workload), "template": _template(app, workload)}}
        cron = data_of(workload.cron_job)
        if app.defaults == "secure":
            cron.setdefault("concurrencyPolicy", "Forbid")
            cron.setdefault("startingDeadlineSeconds", 300)
        return {**cron, "jobTemplate": template}
    spec: Data = {}
    if workload.type in names.SCALED and not workload.autoscale:
        count = replicas(app, workload)
        spec |= {} if count is None else {"replicas": count}
    found = selector(app, workload)
    if found is not None and (workload.type != "Job" or workload.selector is not None):
        spec["selector"] = found
    spec |= _job(app, workload) if workload.type == "Job" else _options(app, workload)
    if template := _template(app, workload):
        spec["template"] = template
    return spec


def _options(app: Application, workload: Workload) -> Data:
    options = data_of(getattr(workload, _OPTIONS[workload.type]))
    if app.defaults == "none":
        return options
    if workload.type == "Deployment":
        rolling: Data = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
        }
        options.setdefault("strategy", {"type": "Recreate"} if _shared_disks(workload) else rolling)
    if workload.type == "StatefulSet":
        options.setdefault("serviceName", names.joined(workload.name, "pods"))
        if workload.storage:
            templates = cast(list[Data], options.get("volumeClaimTemplates") or [])
            options["volumeClaimTemplates"] = [*templates, *_claims(workload)]
    return options


def _claims(workload: Workload) -> list[Data]:
    claims: list[Data] = []
    for disk in workload.storage:
        spec: Data = {
            "accessModes": [disk.access_mode],
            "resources": {"requests": {"storage": disk.size}},
        }
        if disk.storage_class is not None:
            spec["storageClassName"] = disk.storage_class
        # As the API server keeps them, so that nothing differs afterwards.
        kind: Data = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        claims.append({**kind, "metadata": {"name": disk.name}, "spec": spec})
    return claims


def _shared_disks(workload: Workload) -> list[str]:
    if workload.type == "StatefulSet":
        return []
    return [one.name for one in workload.storage if one.access_mode != "ReadWriteMany"]


def _job(app: Application, workload: Workload) -> Data:
    job = data_of(workload.job)
    if app.defaults == "secure" and workload.type == "Job":
        job.setdefault("ttlSecondsAfterFinished", 86_400)
    return job


def _template(app: Application, workload: Workload) -> Data:
    metadata: Data = {}
    if labels := names.pod_labels(app, workload):
        metadata["labels"] = labels
    if workload.pod_annotations:
        metadata["annotations"] = workload.pod_annotations
    template: Data = {"metadata": metadata} if metadata else {}
    if spec := _pod(app, workload):
        template["spec"] = spec
    return template


def _pod(app: Application, workload: Workload) -> Data:
    is_secure = app.defaults == "secure"
    spec = data_of(workload.pod)
    if is_secure and workload.type in ("Job", "CronJob"):
        spec.setdefault("restartPolicy", "Never")
    if is_secure:
        spec.setdefault("serviceAccountName", names.application(app))
        found = cast(Data, (selector(app, workload) or {}).get("matchLabels") or {})
        spec = secure.pod(app, workload, spec, replicas(app, workload) or 0, found)
    if workload.init_containers is not None:
        spec["initContainers"] = [
            _container(app, workload, one, at, is_main=False)
            for at, one in enumerate(workload.init_containers)
        ]
    if workload.containers:
        spec["containers"] = [
            _container(app, workload, one, at, is_main=True)
            for at, one in enumerate(workload.containers)
        ]
    if workload.ephemeral_containers is not None:
        spec["ephemeralContainers"] = [_plain(one) for one in workload.ephemeral_containers]
    if is_secure and workload.storage and workload.containers:
        _mount(workload, spec)
    return secure.writable_tmp(spec) if is_secure else spec


def _mount(workload: Workload, spec: Data) -> None:
    """Disks stand in the first container; but for a StatefulSet they are claims beside it."""
    first = cast(list[Data], spec["containers"])[0]
    mounts = [{"name": one.name, "mountPath": one.mount_path} for one in workload.storage]
    first["volumeMounts"] = [*cast(list[Data], first.get("volumeMounts") or []), *mounts]
    if workload.type != "StatefulSet":
        spec["volumes"] = [
            *cast(list[Data], spec.get("volumes") or []),
            *(
                {
                    "name": one.name,
                    "persistentVolumeClaim": {"claimName": names.joined(workload.name, one.name)},
                }
                for one in workload.storage
            ),
        ]


def _container(
    app: Application, workload: Workload, model: Container, index: int, *, is_main: bool
) -> Data:
    data = _plain(model)
    if app.defaults == "none":
        return data
    prefix = workload.name if is_main else names.joined(workload.name, "init")
    name = model.name or (prefix if index == 0 else names.joined(prefix, str(index + 1)))
    ports = names.container_ports(workload, index) if is_main else []
    made: Data = {"name": name, **data}
    if ports:
        made["ports"] = [data_of(one) for one in ports]
    pod = data_of(workload.pod)
    made = secure.container(
        made,
        model,
        ports,
        is_running=is_main and workload.type in names.RUNNING,
        is_windows=cast(Data, pod.get("os") or {}).get("name") == "windows",
    )
    return cast(Data, names.merged(made, model.extra))


def _plain(model: Container) -> Data:
    """The container exactly as the form says it."""
    data = data_of(model)
    data.pop("id", None)
    extra = data.pop("extra", {})
    if isinstance(model.env, dict):
        data["env"] = [data_of(EnvVar(name=key, value=one)) for key, one in model.env.items()]
    if model.ports is not None:
        data["ports"] = [
            {"containerPort": one} if isinstance(one, int) else data_of(one) for one in model.ports
        ]
    return cast(Data, names.merged(data, extra))
