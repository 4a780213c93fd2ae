"""The other patches: JSON patch, merge patch, and the strategic one, which merges lists by keys."""

import copy
from typing import Any

from tests.kube.answers import Refused
from tests.kube.listing import Typed
from tests.kube.ownership import element


def patched(live: dict[str, Any], patch: Any, form: str, typed: Typed) -> dict[str, Any]:
    match form.partition(";")[0]:
        case "application/json-patch+json":
            return _steps(live, patch)
        case "application/merge-patch+json":
            return _merged(live, patch)
        case "application/strategic-merge-patch+json":
            return _strategic(live, patch, typed)
        case _:
            raise Refused(415, "UnsupportedMediaType", f"{form} is no form of a patch")


def _merged(live: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    found = dict(live) if isinstance(live, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _merged(found.get(key), value)
    return found


def _strategic(live: Any, patch: Any, typed: Typed) -> Any:
    if isinstance(patch, dict):
        found = dict(live) if isinstance(live, dict) else {}
        for key, value in patch.items():
            if key.startswith("$"):
                continue
            if value is None:
                found.pop(key, None)
            else:
                found[key] = _strategic(found.get(key), value, typed.child(key))
        return found
    if isinstance(patch, list) and isinstance(live, list) and typed.keys is not None:
        items = {element(item, typed): item for item in live}
        for item in patch:
            place = element(item, typed)
            items[place] = _strategic(items.get(place), item, typed.item())
        return list(items.values())
    return patch


def _steps(live: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    found = copy.deepcopy(live)
    for step in steps:
        parts = [p.replace("~1", "/").replace("~0", "~") for p in step["path"].split("/")[1:]]
        at: Any = found
        for part in parts[:-1]:
            at = at[int(part)] if isinstance(at, list) else at[part]
        last: Any = parts[-1]
        if isinstance(at, list):
            last = len(at) if last == "-" else int(last)
        match step["op"]:
            case "add" if isinstance(at, list):
                at.insert(last, step["value"])
            case "add" | "replace":
                at[last] = step["value"]
            case "remove":
                del at[last]
            case "test" if at[last] != step["value"]:
                raise Refused(422, "Invalid", "the server rejected our request: test failed")
            case _:
                pass
    return found
