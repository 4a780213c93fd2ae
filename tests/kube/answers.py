"""How the API server says no: Status objects, word for word where somebody reads the words."""

from typing import Any

from tests.kube.kinds import Kind
from tests.kube.ownership import Owner, Path, pretty
from windlass.charts.validate import Wrong


class Refused(Exception):
    """An answer of 400 and more."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}
        self.body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "code": code,
        }
        self.body |= {"reason": reason} if reason else {}
        self.body |= {"details": details} if details else {}


def not_found(kind: Kind, name: str) -> Refused:
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return Refused(404, "NotFound", f'{kind.resource} "{name}" not found', details=details)


def no_path() -> Refused:
    return Refused(404, "NotFound", "the server could not find the requested resource")


def exists(kind: Kind, name: str) -> Refused:
    return Refused(409, "AlreadyExists", f'{kind.resource} "{name}" already exists')


def changed_meanwhile(kind: Kind, name: str) -> Refused:
    return Refused(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
    )


def forbidden(user: str, verb: str, kind: Kind, namespace: str | None, name: str) -> Refused:
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    return Refused(
        403,
        "Forbidden",
        f'{kind.resource} {f"{chr(34)}{name}{chr(34)} " if name else ""}is forbidden: User "{user}"'
        f' cannot {verb} resource "{kind.plural}" in API group "{kind.group}" {where}',
        details={"name": name, "group": kind.group, "kind": kind.plural},
    )


def terminating(kind: Kind, name: str, namespace: str) -> Refused:
    message = f"namespace {namespace} is being terminated"
    cause = {"reason": "NamespaceTerminating", "message": message, "field": "metadata.namespace"}
    return Refused(
        403,
        "Forbidden",
        f'{kind.resource} "{name}" is forbidden: unable to create new content in namespace '
        f"{namespace} because it is being terminated",
        details={"name": name, "group": kind.group, "kind": kind.plural, "causes": [cause]},
    )


def over_quota(kind: Kind, name: str, quota: str, what: str, used: int, limit: str) -> Refused:
    return Refused(
        403,
        "Forbidden",
        f'{kind.resource} "{name}" is forbidden: exceeded quota: {quota}, requested: {what}=1, '
        f"used: {what}={used}, limited: {what}={limit}",
        details={"name": name, "group": kind.group, "kind": kind.plural},
    )


def denied(webhook: str, message: str) -> Refused:
    return Refused(400, "", f'admission webhook "{webhook}" denied the request: {message}')


def conflicts(found: list[tuple[Owner, Path]], times: dict[Owner, str]) -> Refused:
    causes: list[dict[str, str]] = []
    by: dict[str, list[str]] = {}
    for owner, path in found:
        said = f'"{owner.manager}"'
        said += f' with subresource "{owner.subresource}"' if owner.subresource else ""
        if owner.operation == "Update":
            said += f" using {owner.api_version} at {times[owner]}"
        by.setdefault(said, []).append(pretty(path))
        causes.append(
            {
                "reason": "FieldManagerConflict",
                "message": f"conflict with {said}",
                "field": pretty(path),
            }
        )
    if len(found) == 1:
        (said, paths), *_ = by.items()
        text = f"1 conflict: conflict with {said}: {paths[0]}"
    else:
        groups = [
            f"conflicts with {said}:\n" + "\n".join(f"- {path}" for path in paths)
            for said, paths in by.items()
        ]
        text = f"{len(found)} conflicts: " + "\n".join(groups)
    message = f"Apply failed with {text}"
    return Refused(409, "Conflict", message, details={"causes": causes})


def strange(kind: Kind, item: dict[str, Any], wrong: list[Wrong], *, is_apply: bool) -> Refused:
    """Fields that no schema has. Applying says that a typed patch cannot be made, with 500."""
    if is_apply and not kind.is_custom:
        lines = [f"{_typed(item, one)}: {_typed_words(one)}" for one in wrong]
        where = item.get("metadata") or {}
        named = "/".join(filter(None, (where.get("namespace"), where.get("name"))))
        text = lines[0] if len(lines) == 1 else "errors:\n  " + "\n  ".join(lines)
        about = f"{named}; {kind.api_version}, Kind={kind.kind}"
        return Refused(500, "", f"failed to create typed patch object ({about}): {text}")
    words = ", ".join(f'unknown field "{dotted(one)}"' for one in wrong)
    return Refused(400, "BadRequest", f"strict decoding error: {words}")


def invalid(kind: Kind, name: str, found: list[tuple[str, str]]) -> Refused:
    causes = [{"reason": _reason(text), "message": text, "field": field} for field, text in found]
    said = [f"{field}: {text}" for field, text in found]
    text = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    return Refused(
        422,
        "Invalid",
        f'{kind.title} "{name}" is invalid: {text}',
        details={"name": name, "group": kind.group, "kind": kind.kind, "causes": causes},
    )


def dotted(one: Wrong) -> str:
    text = ""
    for part in one.path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _reason(text: str) -> str:
    if "immutable" in text or "Invalid value" in text:
        return "FieldValueInvalid"
    if "forbidden" in text or "may not" in text:
        return "FieldValueForbidden"
    return "FieldValueRequired" if text == "Required value" else "FieldValueInvalid"


def _typed(item: Any, one: Wrong) -> str:
    """With the items of lists named by their key: `.spec.containers[name="web"].foo`."""
    text, at = "", item
    for part in one.path:
        at = at[part] if isinstance(at, list | dict) and _has(at, part) else None
        if isinstance(part, int):
            name = at.get("name") if isinstance(at, dict) else None
            text += f'[name="{name}"]' if name else f"[{part}]"
        else:
            text += f".{part}"
    return text


def _typed_words(one: Wrong) -> str:
    if one.code == "unknown-field":
        return "field not declared in schema"
    return f"expected {one.expected}, got {one.message.partition(' where')[0]}"


def _has(at: Any, part: Any) -> bool:
    return part < len(at) if isinstance(at, list) else part in at
