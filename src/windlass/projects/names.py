"""From what people call a project to what a host name can be (C-101, C-109, C-110, C-164)."""

import re
import unicodedata

from windlass.core.errors import invalid

SLUG_LENGTH = 63
_PREVIEW_LETTERS = 9  # a dash and eight letters
RESERVED = frozenset(
    """www api admin app apps dashboard console mail smtp imap ftp ns ns1 ns2 panel windlass auth
    login status new docs blog cdn static assets support help billing root localhost""".split()  # noqa: SIM905
)
_REF = re.compile(r"(?!.*(\.\.|@\{|//|\\))(?![-/.])[A-Za-z0-9._/@+#-]{1,255}(?<![/.])")


def slug_of(name: str) -> str:
    """A DNS label made of a name: "Café Ünïcode!" becomes `cafe-unicode`.

    Raises ValidationFailed when nothing is left of it, or the label is reserved.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[: SLUG_LENGTH - _PREVIEW_LETTERS].strip("-")
    if not slug:
        raise invalid("name", "Use at least one letter or digit; the address is made of it")
    if slug in RESERVED:
        raise invalid("name", f"“{slug}” is reserved. Choose another name")
    return slug


def clean_name(name: str) -> str:
    """Normalised, without control characters or surrounding space (C-088)."""
    text = unicodedata.normalize("NFC", name).strip()
    if not text:
        raise invalid("name", "Project name is required")
    if any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in text):
        raise invalid("name", "Control characters are not allowed")
    return text


def check_branch(branch: str) -> str:
    """A branch name in the characters that Git hosts allow (C-109)."""
    if not _REF.fullmatch(branch) or branch.endswith(".lock"):
        raise invalid("repositoryBranch", "This is not a branch name")
    return branch


def preview_host_label(slug: str, letters: str) -> str:
    """`<slug>-<eight letters>`, a label of at most 63 characters (C-164)."""
    return f"{slug[: SLUG_LENGTH - _PREVIEW_LETTERS].rstrip('-')}-{letters}"
