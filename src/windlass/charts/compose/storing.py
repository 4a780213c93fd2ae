"""Disks, files and secrets of a compose file."""

from typing import Any, cast

from windlass.charts.compose import values
from windlass.charts.compose.project import Data, Project, Service, Verdict

_SIZE = "1Gi"


def volumes(service: Service, value: object) -> None:
    """Named volumes become disks, files of the host have no place here."""
    for index, one in enumerate(cast(list[object], value) if isinstance(value, list) else []):
        found = _long(one) if isinstance(one, dict) else _short(str(one))
        target = str(found.get("target") or "")
        if not target.startswith("/"):
            service.impossible("volumes", f"`{one}` names no path", "Write `name:/path`", index)
        elif found["type"] == "volume" and found["source"]:
            _named(service, found, target, index)
        elif found["type"] in ("volume", "tmpfs"):
            empty: Data = {"medium": "Memory"} if found["type"] == "tmpfs" else {}
            if limit := values.size(found.get("size", "")):
                empty["sizeLimit"] = limit
            name = f"empty-{values.name(target)}"
            service.mount({"name": name, "emptyDir": empty}, target)
            service.exact("volumes", "a folder that lives as long as the pod", index)
        elif found["type"] == "bind":
            _bind(service, found, target, index)
        else:
            message = f"there is no volume of the type {found['type']}"
            service.impossible("volumes", message, "", index)


def _bind(service: Service, found: Data, target: str, index: int) -> None:
    source = str(found["source"])
    if source == "/var/run/docker.sock":
        service.impossible(
            "volumes",
            "pods do not see the engine of their node",
            "Give the workload's account rights in the Kubernetes API",
            index,
        )
        return
    service.impossible(
        "volumes",
        f"`{source}` is a file or folder of the machine that runs compose",
        f"Put it into the image, or for settings into a ConfigMap at {target}",
        index,
    )


def _named(service: Service, found: Data, target: str, index: int) -> None:
    project, source = service.project, str(found["source"])
    declared = project.table("volumes").get(source)
    settings = cast(Data, declared) if isinstance(declared, dict) else {}
    name = values.name(source)
    read_only = bool(found.get("read_only"))
    users = project.volumes.get(source, [])
    if settings.get("external") or len(users) > 1:
        claim = values.name(str(settings.get("name") or source))
        service.mount(
            {"name": name, "persistentVolumeClaim": {"claimName": claim}},
            target,
            read_only=read_only,
        )
        if settings.get("external"):
            message = f"the claim {claim} must be there already"
            service.adapted("volumes", message, "", index)
            return
        made = project.resource("PersistentVolumeClaim", claim)
        made["spec"] = {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": _SIZE}},
        }
        service.adapted(
            "volumes",
            f"{', '.join(users)} share a claim {claim} of {_SIZE}",
            "The cluster needs storage that several nodes can mount (ReadWriteMany)",
            index,
        )
        return
    # One pod and its own disk.
    if service.workload["type"] == "Deployment":
        service.workload["type"] = "StatefulSet"
        service.workload.setdefault("replicas", 1)
    disk: Data = {"name": name, "mountPath": target, "size": _SIZE}
    if all(one["name"] != name for one in service.workload.setdefault("storage", [])):
        service.workload["storage"].append(disk)
    else:
        service.mount_named(name, target, read_only=read_only)
    service.adapted("volumes", f"a disk of {_SIZE} of its own", "Choose the size", index)


def _short(text: str) -> Data:
    parts = text.split(":")
    source, target = ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    modes = parts[2].split(",") if len(parts) > 2 else []
    is_path = source.startswith((".", "/", "~"))
    return {
        "type": "bind" if is_path else "volume",
        "source": source,
        "target": target,
        "read_only": "ro" in modes,
    }


def _long(value: Any) -> Data:
    found = {str(key): one for key, one in value.items()}
    tmpfs = found.get("tmpfs")
    size = tmpfs.get("size", "") if isinstance(tmpfs, dict) else ""
    return {"type": "volume", "source": "", "size": size, **found}


def tmpfs(service: Service, value: object) -> None:
    for one in cast(list[object], value) if isinstance(value, list) else [value]:
        target, _, options = str(one).partition(":")
        empty: Data = {"medium": "Memory"}
        for option in options.split(","):
            if option.startswith("size=") and (limit := values.size(option[5:])):
                empty["sizeLimit"] = limit
        service.mount({"name": f"tmpfs-{values.name(target)}", "emptyDir": empty}, target)


def shm_size(service: Service, value: object) -> None:
    empty: Data = {"medium": "Memory"}
    if limit := values.size(value):
        empty["sizeLimit"] = limit
    service.mount({"name": "shared-memory", "emptyDir": empty}, "/dev/shm")  # noqa: S108


def secrets(service: Service, value: object) -> None:
    _files(service, value, "secrets", "Secret", "/run/secrets/")


def configs(service: Service, value: object) -> None:
    _files(service, value, "configs", "ConfigMap", "/")


def _files(service: Service, value: object, key: str, type: str, folder: str) -> None:
    for index, one in enumerate(cast(list[object], value) if isinstance(value, list) else []):
        table = cast(Data, one) if isinstance(one, dict) else {"source": str(one)}
        source = str(table.get("source") or "")
        target = str(table.get("target") or source)
        path = target if target.startswith("/") else folder + target
        name = values.name(source)
        volume: Data = {"name": name}
        item = [{"key": source, "path": source}]
        if type == "Secret":
            volume["secret"] = {"secretName": name, "items": item}
        else:
            volume["configMap"] = {"name": name, "items": item}
        service.mount(volume, path, read_only=True, sub_path=source)
        service.exact(key, f"the {type} {name} at {path}", index)


def declared(project: Project) -> None:
    """`configs` and `secrets` at the top."""
    for key, type, field in (("configs", "ConfigMap", "data"), ("secrets", "Secret", "values")):
        for name, one in project.table(key).items():
            table = cast(Data, one) if isinstance(one, dict) else {}
            path = (key, name)
            if table.get("external"):
                message = f"the {type} {values.name(name)} must be there already"
                project.note(path, Verdict.adapted, message)
                continue
            content = table.get("content")
            made = project.resource(type, values.name(name))
            made[field] = {name: content if isinstance(content, str) else ""}
            if isinstance(content, str):
                project.note(path, Verdict.exact, f"a {type}")
            else:
                where = table.get("file") or table.get("environment") or "elsewhere"
                project.note(
                    path, Verdict.adapted, f"a {type} without its content", f"Fill in `{where}`"
                )


HANDLERS = {
    "volumes": volumes,
    "tmpfs": tmpfs,
    "shm_size": shm_size,
    "secrets": secrets,
    "configs": configs,
}
