"""From what people call a thing to what can stand in an address."""

import re
import unicodedata

from windlass.core.errors import invalid
from windlass.core.languages import N_


def clean(name: str, what: str) -> str:
    """Normalised, without control characters or surrounding space (C-088)."""
    text = unicodedata.normalize("NFC", name).strip()
    if not text:
        raise invalid("name", N_("{what} name is required").format(what=what))
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in text):
        raise invalid("name", N_("Control characters are not allowed"))
    return text


def label(name: str, *, most: int, reserved: frozenset[str] = frozenset()) -> str:
    """A DNS label made of a name: "Café Ünïcode!" becomes `cafe-unicode`.

    Raises ValidationFailed when nothing is left of it, or the label is reserved.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:most].strip("-")
    if not slug:
        raise invalid("name", N_("Use at least one letter or digit; the address is made of it"))
    if slug in reserved:
        raise invalid("name", N_("“{slug}” is reserved. Choose another name").format(slug=slug))
    return slug
