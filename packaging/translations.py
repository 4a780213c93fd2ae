"""Brings the catalogues below src/windlass/i18n in line with the source: `make translations`.

Collected are `_()`, `gettext`, `ngettext` and `N_` in Python, `_()` and `{% trans %}` in templates,
`t()` and `tn()` in islands, the docstrings of errors, and what forms say about their fields.
Translations that exist stay, messages that are gone go. The files name places without line numbers,
so that a change elsewhere changes nothing here.

With `--check` nothing is written: exit status 1 and the list, when a catalogue does not agree.
"""

import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
from babel.messages.extract import extract
from jinja2.ext import babel_extract

import windlass
from windlass.core import catalogues, languages
from windlass.core.errors import AppError
from windlass.core.schemas import In, title_of

SOURCE = Path(windlass.__file__).parent
KEYWORDS: dict[str, object] = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}
PLURALS = {
    "zh": "nplurals=1; plural=0;",
    "ja": "nplurals=1; plural=0;",
    "ko": "nplurals=1; plural=0;",
    "de": "nplurals=2; plural=(n != 1);",
}
NEWLINE = "\n"
_SCRIPT = re.compile(r'\bt\(\s*"((?:[^"\\]|\\.)*)"')
_SCRIPT_PLURAL = re.compile(r'\btn\(\s*"((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)"')
Message = tuple[str, str | None]  # singular, plural


def collect() -> dict[Message, set[str]]:
    """Every message and the files that say it."""
    found: dict[Message, set[str]] = {}
    for message, place in (*_templates(), *_python(), *_scripts(), *_declared()):
        found.setdefault(message, set()).add(place)
    plural = {one for one, many in found if many}
    for one in plural:
        # The same message with and without a plural is one entry.
        found_alone = found.pop((one, None), set())
        next(places for (id, many), places in found.items() if id == one and many).update(
            found_alone
        )
    return found


def _templates() -> Iterator[tuple[Message, str]]:
    options = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for path in [*SOURCE.glob("*/templates/**/*.html"), *SOURCE.glob("*/templates/**/*.txt")]:
        with path.open("rb") as file:
            for _, _, said, _ in babel_extract(file, list(KEYWORDS), [], options):
                yield _message(said), _place(path)


def _python() -> Iterator[tuple[Message, str]]:
    for path in SOURCE.rglob("*.py"):
        if "cli" in path.parts or "node_modules" in path.parts or path.name == "languages.py":
            continue
        with path.open("rb") as file:
            for _, said, _, _ in extract("python", file, KEYWORDS):
                yield _message(said), _place(path)


def _scripts() -> Iterator[tuple[Message, str]]:
    for path in (SOURCE / "web" / "assets" / "islands").rglob("*.ts"):
        text = path.read_text("utf-8")
        for found in _SCRIPT.finditer(text):
            yield (json.loads(f'"{found[1]}"'), None), _place(path)
        for found in _SCRIPT_PLURAL.finditer(text):
            yield (json.loads(f'"{found[1]}"'), json.loads(f'"{found[2]}"')), _place(path)


def _declared() -> Iterator[tuple[Message, str]]:
    """Docstrings of errors; names and rules of the fields of forms."""
    for every_area in ("windlass.app", "windlass.worker"):
        importlib.import_module(every_area)
    for kind in _below(AppError):
        place = f"src/{kind.__module__.replace('.', '/')}.py"
        is_raised = not kind.__subclasses__() or kind.__module__ == AppError.__module__
        if is_raised and kind.__module__.startswith("windlass."):
            yield (kind.template(), None), place
    for kind in _below(In):
        place = f"src/{kind.__module__.replace('.', '/')}.py"
        hints = get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            if field.required:
                yield (title_of(field.encode_name), None), place
            for rule in (hints[field.name], *get_args(hints[field.name])):
                for meta in getattr(rule, "__metadata__", ()):
                    if isinstance(meta, msgspec.Meta) and meta.pattern and meta.description:
                        yield (meta.description, None), place


def _below(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _message(said: object) -> Message:
    if not isinstance(said, tuple):
        return str(said), None
    # What is filled in comes along as further arguments, of which nothing is known.
    one, many = said[0], said[1] if len(said) > 1 else None
    return str(one), str(many) if isinstance(many, str) else None


def _place(path: Path) -> str:
    return str(Path("src/windlass") / path.relative_to(SOURCE))


def written(language: str, found: dict[Message, set[str]]) -> str:
    """The whole file for a language, with the translations that it has."""
    path = catalogues.path_of(language)
    text = path.read_text("utf-8") if path.exists() else ""
    said = {entry.texts["msgid"]: entry.said for entry in catalogues.entries(text)}
    count = int(PLURALS[language].partition("nplurals=")[2][0])
    header = ("Content-Type: text/plain; charset=UTF-8", f"Plural-Forms: {PLURALS[language]}")
    blocks = [f'msgid ""\nmsgstr {_quoted("".join(line + NEWLINE for line in header))}']
    for (one, many), places in sorted(
        found.items(), key=lambda item: item[0][0].lower() + item[0][0]
    ):
        known = said.get(one, ())
        lines = [f"#: {' '.join(sorted(places))}", f"msgid {_quoted(one)}"]
        if many:
            forms = (*known, *[""] * count)[:count]
            lines += [f"msgid_plural {_quoted(many)}"]
            lines += [f"msgstr[{n}] {_quoted(form)}" for n, form in enumerate(forms)]
        else:
            lines += [f"msgstr {_quoted(known[0] if known else '')}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def main() -> int:
    found, wrong = collect(), 0
    for language in languages.LANGUAGES:
        if language == languages.DEFAULT:
            continue
        path, text = catalogues.path_of(language), written(language, found)
        missing = sum(1 for e in catalogues.entries(text) if not all(e.said))
        print(f"{language}: {len(found)} messages, {missing} without a translation")
        if "--check" in sys.argv:
            wrong += not path.exists() or path.read_text("utf-8") != text
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
