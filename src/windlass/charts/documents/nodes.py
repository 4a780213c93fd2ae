"""What libyaml makes of a text, and what keys and scalars in there mean."""

import base64
import binascii
import math
from typing import Any, cast

import yaml

from windlass.charts.documents import scalars

try:
    from yaml.cyaml import CParser  # pyright: ignore
except ImportError:  # PyYAML was built without libyaml
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class CParser(Reader, Scanner, Parser, Composer):  # type: ignore[no-redef]
        def __init__(self, stream: str) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)


QUOTED = "!"
"""The tag of a scalar that is text because it stands in quotes; an empty tag: it was plain."""
UNKNOWN = object()
"""A scalar whose tag and text contradict each other."""
_TAG = "tag:yaml.org,2002:"
_MERGE = "<<"


class NodeParser(CParser):  # pyright: ignore
    """Says only whether a scalar was plain or quoted; its meaning is found out later."""

    def resolve(self, kind: object, value: object, implicit: Any) -> str:
        return "" if implicit is True or (implicit and implicit[0]) or value is None else QUOTED

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


def compose(text: str) -> yaml.Node:
    """The structure of one document, None if there is nothing in it. Raises yaml.YAMLError."""
    return cast(Any, NodeParser(text)).get_single_node()


def child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """(key or item, value) of a collection's entry. A merged key is found where it is written."""
    if isinstance(node, yaml.SequenceNode):
        items = cast(list[yaml.Node], node.value)
        if isinstance(part, int) and -len(items) <= part < len(items):
            return items[part], items[part]
    elif isinstance(node, yaml.MappingNode) and isinstance(part, str):
        pairs = cast(list[tuple[yaml.Node, yaml.Node]], node.value)
        for pair in pairs:
            key = pair[0]
            if key.value == part and (
                is_text(key.tag, part)
                or (isinstance(key, yaml.ScalarNode) and key_text(key) == part)
            ):
                return pair
        return _odd_child(pairs, part)
    return None


def _odd_child(
    pairs: list[tuple[yaml.Node, yaml.Node]], part: str
) -> tuple[yaml.Node, yaml.Node] | None:
    """The entry whose key is written in another way than it is called, or that is merged."""
    merged: list[yaml.Node] = []
    for key, value in pairs:
        if is_merge(key):
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
        # Almost every key is what it looks like, and that was seen already.
        elif (
            isinstance(key, yaml.ScalarNode)
            and not is_text(key.tag, key.value)
            and key_text(key) == part
        ):
            return key, value
    for other in merged:
        if found := child(other, part):
            return found
    return None


def is_merge(key: yaml.Node) -> bool:
    """Whether a key is `<<`, unquoted."""
    return key.value == _MERGE and key.tag == ""


def is_text(tag: str, text: str) -> bool:
    """Whether a scalar surely means its own text: the quick answer for most of them."""
    return tag == QUOTED or (tag == "" and text[:1] not in scalars.HINTS)


def key_text(key: yaml.ScalarNode) -> str | None:
    """A key as it is called in JSON: `on` is `true`, `010` is `8`. None: it cannot be a key."""
    value = scalar(key)
    if isinstance(value, str):
        return value
    if value is None or value is UNKNOWN or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def scalar(node: yaml.ScalarNode) -> object:
    """The value of a scalar; UNKNOWN when its tag and its text contradict each other."""
    text, tag = node.value, node.tag
    if tag == "":
        return scalars.plain(text)
    if not tag.startswith(_TAG):
        return text
    match tag.removeprefix(_TAG):
        case "int":
            value = scalars.plain(text)
            return value if isinstance(value, int) else UNKNOWN
        case "float":
            value = scalars.plain(text)
            return value if isinstance(value, int | float) else UNKNOWN
        case "bool":
            value = scalars.plain(text)
            return value if isinstance(value, bool) else UNKNOWN
        case "null":
            return None if scalars.plain(text) is None else UNKNOWN
        case "binary":
            try:
                return base64.b64decode(text).decode()
            except (binascii.Error, UnicodeDecodeError):
                return UNKNOWN
        case _:
            return text
