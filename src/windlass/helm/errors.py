"""Why Helm could not do what was asked, in words for the one who asked."""

import re


class HelmFailed(Exception):
    """One failure: a code, what happened, what to do, and where in the chart or its values."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        *,
        file: str = "",
        line: int = 0,
        column: int = 0,
        values: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.file = file
        self.line = line
        self.column = column
        self.values = values
        """Keys of values that it is about, as `image.tag`."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.message}" + (f". {self.hint}" if self.hint else "")


_PLACE = re.compile(r"\(?([\w.-]+/[\w./-]+\.(?:yaml|yml|tpl|txt|json)):(\d+)(?::(\d+))?\)?:? ?")
_EXECUTING = re.compile(r'executing "[^"]*" at (<.*?>): ')
# A template that is included by another, by another, …: the innermost has the reason.
_CALLING = re.compile(r"(<[^<>]*>: error calling (include|tpl): ?)+")
_SCHEMA = re.compile(
    r"^- (?:at '(?P<at>[^']*)'|(?P<root>\(root\)|[\w.]+)): (?P<why>.+)$", re.MULTILINE
)
_MOST = 2000


def of_render(message: str) -> HelmFailed:
    """An error of a template: the innermost place is what a person has to look at."""
    message = " ".join(message.split())
    places = list(_PLACE.finditer(message))
    text = _CALLING.sub("", _EXECUTING.sub(r"\1: ", _PLACE.sub("", message)))
    text = text.replace("execution error at ", "").replace("template: ", "").strip(" :")
    if not places:
        return HelmFailed("render", _short(text))
    last = places[-1]
    code = "template-fail" if "execution error at" in message else "render"
    return HelmFailed(code, _short(text), file=last[1], line=int(last[2]), column=int(last[3] or 0))


def of_values(message: str) -> HelmFailed:
    """Values that the chart's schema does not allow, each with its key."""
    # Helm tells them in another order each time.
    found = sorted(_SCHEMA.finditer(message), key=lambda one: one["at"] or "")
    keys = tuple(_dotted(one["at"] or "") for one in found)
    said = [f"{key or 'values'}: {one['why']}" for key, one in zip(keys, found, strict=True)]
    text = "; ".join(said) if said else message
    hint = "The chart's values.schema.json says what is allowed"
    return HelmFailed("values-schema", _short(text), hint, values=keys)


def _dotted(pointer: str) -> str:
    """`/image/tag` → `image.tag`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return ".".join(parts)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
