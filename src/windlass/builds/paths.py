"""Directories that a user names: below the source, written plainly, no tricks (C-147)."""

import re
import unicodedata

from windlass.core.errors import invalid
from windlass.core.languages import N_

_LOOKALIKES = "\u2044\u2215\u29f8\u29f9\uff0f\uff3c\ufe68\u2024\u2025\u2026\ufe52\uff0e\u3002\uff5e"
_LONGEST = 512


def check_directory(field: str, value: str) -> str:
    """A directory below the source in its plain form ("." is the top). 422 names the field."""
    reason = problem_with(value)
    if reason:
        raise invalid(field, f"{reason} Write a directory of the project, such as `apps/web`.")
    return plain(value)


def plain(value: str) -> str:
    """`./apps//web/` is `apps/web`."""
    return join(".", value.strip())


def join(folder: str, path: str) -> str:
    """Both are plain: "." and "a" make "a"."""
    parts = [part for part in f"{folder}/{path}".split("/") if part not in ("", ".")]
    return "/".join(parts) or "."


def normal(path: str) -> str | None:
    """`a/../b` becomes `b`; None when it leaves the folder it starts in."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or "."


def problem_with(value: str) -> str | None:
    """Why a directory is refused, as a sentence; None when it is fine."""
    text = value.strip()
    if len(text) > _LONGEST:
        return N_("This is longer than {longest} characters.").format(longest=_LONGEST)
    if "\x00" in text:
        return N_("This contains a NUL character.")
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in text):
        return N_("This contains invisible characters.")
    if text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
        return N_("This is an absolute path.")
    if "\\" in text:
        return N_("This contains a backslash.")
    if re.search(r"%[0-9a-fA-F]{2}", text):
        return N_("This contains percent-encoded characters.")
    if any(char in _LOOKALIKES for char in text) or _hides_separators(text):
        return N_("This contains characters that only look like dots or slashes.")
    if ".." in text.split("/"):
        return N_("`..` leaves the project.")
    return None


def _hides_separators(text: str) -> bool:
    folded = unicodedata.normalize("NFKC", text)
    return any(folded.count(char) != text.count(char) for char in "./\\~%")


def below(root: str, folder: str | None) -> str:
    """A folder of the root directory, from the top of the source."""
    parts = [part for part in (root, folder or ".") if part not in {".", "./", ""}]
    return "/".join(part.strip("/").removeprefix("./") for part in parts) or "."


def is_hidden(path: str) -> bool:
    """What no site should show: dot files, but .well-known."""
    return any(part.startswith(".") and part != ".well-known" for part in path.split("/"))
