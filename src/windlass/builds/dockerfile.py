"""Reading a Dockerfile before an engine does: what it starts from, what it needs, what is refused.

Only as much as that takes. The engine parses it again, and builds what `rewritten` makes of it: the
same file, its images pinned to digests, and a label that says whose every layer is.
"""

import difflib
import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from windlass.builds.errors import DockerfileBroken, DockerfileRefused

MAX_BYTES = 256 << 10
_KNOWN = frozenset(
    [
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME"),
        "WORKDIR",
    ]
)
_DIRECTIVE = re.compile(r"#\s*([A-Za-z]+)\s*=\s*(\S.*?)\s*$")
_HEREDOC = re.compile(r"<<-?\s*([\"']?)([A-Za-z_][A-Za-z0-9_.]*)\1")
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?\s*")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::([-+])([^{}]*))?\}|(\w+))")
_NEEDS_BUILDKIT = {
    "RUN": ("mount", "network", "security"),
    "COPY": ("link", "chmod", "exclude", "parents"),
    "ADD": ("link", "chmod", "exclude", "checksum", "keep-git-dir"),
}
_FLAGGED = frozenset(["RUN", "COPY", "ADD", "FROM", "HEALTHCHECK"])


class Instruction(NamedTuple):
    """One instruction: where it stands (lines from 1, the last one included), and what it says."""

    first: int
    last: int
    name: str
    flags: tuple[tuple[str, str], ...]
    text: str

    def flag(self, name: str) -> str | None:
        return next((value for key, value in self.flags if key == name), None)


class Dockerfile:
    """A Dockerfile with the values that its arguments will have."""

    def __init__(self, text: str, arguments: Mapping[str, str], *, file: str) -> None:
        """Raises DockerfileBroken or DockerfileRefused."""
        self.file = file
        self._lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        self._escape = "\\"
        self._dropped = self._directives()
        self.instructions = self._read()
        self.arguments: dict[str, str] = {}
        self.declared: set[str] = set()
        self.stages: list[str] = []
        self.images: dict[int, str] = {}
        """The images it starts from, by the line of their FROM."""
        self.copied: set[str] = set()
        """Further images that files are taken from."""
        self.secrets: dict[str, int] = {}
        """The secrets that RUN steps mount, and the first line that does."""
        self.required_secrets: set[str] = set()
        """Those that their step cannot do without."""
        self.buildkit_reason: str | None = None
        self._given = dict(arguments)
        self._look()

    @property
    def ports(self) -> list[int]:
        """What EXPOSE says in the last stage, as far as it is plain."""
        found: list[int] = []
        for each in self.instructions:
            if each.name == "FROM":
                found = []
            elif each.name == "EXPOSE":
                for word in each.text.split():
                    port, _, kind = self._filled(word).partition("/")
                    if port.isdigit() and kind in ("", "tcp"):
                        found.append(int(port))
        return found

    def rewritten(
        self, pins: Mapping[str, str], labels: Mapping[str, str], arguments: tuple[str, ...] = ()
    ) -> str:
        """The text for the engine: `pins` say what stands for an image; labels and arguments are
        added to every stage."""
        own = " ".join(f"{json.dumps(name)}={json.dumps(value)}" for name, value in labels.items())
        lines = list(self._lines)
        for number in self._dropped:
            lines[number - 1] = "#"
        for each in self.instructions:
            if each.name == "FROM":
                further = [f"LABEL {own}", *(f"ARG {name}" for name in arguments)]
                lines[each.first - 1] = "\n".join([self._pinned_from(each, pins), *further])
                for number in range(each.first, each.last):
                    lines[number] = "#"
            elif "from" in dict(each.flags) or "mount" in dict(each.flags):
                self._pin_sources(each, pins, lines)
        return "\n".join(lines)

    def _pinned_from(self, each: Instruction, pins: Mapping[str, str]) -> str:
        words = each.text.split()
        image = self.images.get(each.first)
        words[0] = pins.get(image, image) if image else self._filled(words[0])
        flags = [f"--{name}={self._filled(value)}" for name, value in each.flags]
        return " ".join(["FROM", *flags, *words])

    def _pin_sources(self, each: Instruction, pins: Mapping[str, str], lines: list[str]) -> None:
        for image, pin in pins.items():
            pattern = re.compile(rf"(\bfrom=){re.escape(image)}(?=[\s,]|$)")
            for number in range(each.first - 1, each.last):
                lines[number] = pattern.sub(lambda found: found[1] + pin, lines[number])  # noqa: B023

    # Reading

    def _directives(self) -> list[int]:
        """`# escape=` is heeded; `# syntax=` names a program of somebody else's, and is dropped."""
        dropped: list[int] = []
        for number, line in enumerate(self._lines, 1):
            found = _DIRECTIVE.fullmatch(line)
            if not found:
                break
            if found[1].lower() == "escape" and found[2] in ("\\", "`"):
                self._escape = found[2]
            elif found[1].lower() in ("syntax", "check"):
                dropped.append(number)
        return dropped

    def _read(self) -> list[Instruction]:
        found: list[Instruction] = []
        number = 0
        while number < len(self._lines):
            line = self._lines[number].strip()
            if not line or line.startswith("#"):
                number += 1
                continue
            first = number + 1
            text, number = self._logical(number)
            name, _, rest = text.strip().partition(" ")
            each = self._instruction(first, number, name, rest.strip())
            found.append(each)
        if not found:
            raise self._broken(1, "it is empty")
        return found

    def _logical(self, number: int) -> tuple[str, int]:
        """The text of an instruction with its continuations and here-documents, and the number of
        its last line."""
        parts: list[str] = []
        while number < len(self._lines):
            line = self._lines[number]
            number += 1
            if parts and (not line.strip() or line.lstrip().startswith("#")):
                continue
            bare = line.rstrip()
            if bare.endswith(self._escape):
                parts.append(bare[:-1])
                continue
            parts.append(bare)
            break
        text = " ".join(part.strip() if i else part for i, part in enumerate(parts))
        if not text.strip():
            raise self._broken(number, "a continuation continues nothing")
        if text.split(maxsplit=1)[0].upper() in ("RUN", "COPY", "ADD"):
            for _, end in _HEREDOC.findall(text):
                start = number
                while number < len(self._lines) and self._lines[number].strip() != end:
                    number += 1
                if number >= len(self._lines):
                    raise self._broken(start, f"the here-document {end} has no end")
                number += 1
        return text, number

    def _instruction(self, first: int, last: int, name: str, rest: str) -> Instruction:
        upper = name.upper()
        if upper not in _KNOWN:
            near = difflib.get_close_matches(upper, _KNOWN, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise self._broken(first, f"there is no instruction {name[:40]}{hint}")
        if not rest:
            raise self._broken(first, f"{upper} says nothing")
        flags: list[tuple[str, str]] = []
        while upper in _FLAGGED and (found := _FLAG.match(rest)):
            flags.append((found[1], found[2] or ""))
            rest = rest[found.end() :]
        return Instruction(first, last, upper, tuple(flags), rest)

    # What it means

    def _look(self) -> None:
        is_global = True
        for each in self.instructions:
            if is_global and each.name not in ("ARG", "FROM"):
                raise self._broken(each.first, f"{each.name} comes before the first FROM")
            if each.name == "FROM":
                is_global = False
                self._from(each)
            elif each.name == "ARG":
                self._arg(each, is_global=is_global)
            self._look_at(each)
        if not self.stages:
            raise self._broken(1, "there is no FROM")

    def _look_at(self, each: Instruction) -> None:
        if each.name == "ONBUILD":
            name, _, rest = each.text.partition(" ")
            inner = self._instruction(each.first, each.last, name, rest.strip())
            self._look_at(inner)
            return
        for flag in _NEEDS_BUILDKIT.get(each.name, ()):
            if flag in dict(each.flags):
                self._needs(f"{each.name} --{flag} in line {each.first}")
        is_long = each.name in ("RUN", "COPY", "ADD") and each.last > each.first
        if is_long and _HEREDOC.search(each.text):
            self._needs(f"the here-document in line {each.first}")
        if each.name == "ADD":
            refuse_remote_add(each, self.file)
        if each.name in ("COPY", "ADD") and (source := each.flag("from")):
            self._copy_from(each, source)
        if each.name == "RUN":
            self._run(each)

    def _run(self, each: Instruction) -> None:
        if each.flag("network") not in (None, "none", "default") or each.flag("security"):
            raise DockerfileRefused(
                file=self.file,
                line=each.first,
                what="RUN --network=host and RUN --security reach out of the build",
                hint="Leave the flag out.",
            )
        for name, value in each.flags:
            if name != "mount":
                continue
            options = _options(value)
            if options.get("type") == "secret":
                id = options.get("id") or options.get("source") or options.get("target", "")
                id = id.rsplit("/", 1)[-1]
                self.secrets.setdefault(id, each.first)
                if options.get("required") in ("", "true", "1"):
                    self.required_secrets.add(id)
            elif options.get("type") == "ssh":
                raise DockerfileRefused(
                    file=self.file,
                    line=each.first,
                    what="there is no SSH agent in a build",
                    hint="Mount a key as a secret instead: --mount=type=secret,id=NAME.",
                )
            elif "from" in options:
                self._copy_from(each, options["from"])

    def _from(self, each: Instruction) -> None:
        words = each.text.split()
        named = len(words) == 3 and words[1].upper() == "AS"
        if len(words) != 1 and not named:
            raise self._broken(each.first, "FROM is `FROM image` or `FROM image AS name`")
        platform = each.flag("platform")
        if platform and "$" in platform:
            self._needs(f"FROM --platform={platform} in line {each.first}")
        image = self._filled(words[0])
        if "$" in image or not image:
            raise self._broken(each.first, f"{words[0]} has no value: give the ARG a default")
        if image not in self.stages and image != "scratch":
            self.images[each.first] = image
        self.stages.append(words[2].lower() if named else str(len(self.stages)))

    def _arg(self, each: Instruction, *, is_global: bool) -> None:
        for word in each.text.split():
            name, _, default = word.partition("=")
            self.declared.add(name)
            value = self._given.get(name, self._filled(default.strip("\"'")))
            if is_global:
                self.arguments[name] = value

    def _copy_from(self, each: Instruction, source: str) -> None:
        if "$" in source:
            raise self._broken(each.first, f"{source}: name the stage or the image")
        if not source.isdigit() and source.lower() not in self.stages:
            self.copied.add(source)

    def _filled(self, text: str) -> str:
        """With the values of global arguments; what has none stays as it is written."""

        def value(found: re.Match[str]) -> str:
            name = found[1] or found[4]
            known = self.arguments.get(name)
            if found[2] == "-":
                return known or found[3]
            if found[2] == "+":
                return found[3] if known else ""
            return found[0] if known is None else known

        return _VARIABLE.sub(value, text).strip("\"'")

    def _needs(self, what: str) -> None:
        self.buildkit_reason = self.buildkit_reason or what

    def _broken(self, line: int, problem: str) -> DockerfileBroken:
        return DockerfileBroken(file=self.file, line=line, problem=problem)


def _options(mount: str) -> dict[str, str]:
    """`type=secret,id=x` as a table."""
    found: dict[str, str] = {}
    for part in mount.split(","):
        key, _, value = part.partition("=")
        found[key] = value
    return found


def refuse_remote_add(each: Instruction, file: str) -> None:
    """The engine itself fetches what ADD names, past every guard: only files may be named."""
    try:
        words = json.loads(each.text) if each.text.startswith("[") else each.text.split()
    except ValueError:
        words = each.text.split()
    for word in [str(word) for word in words[:-1]]:
        first = word.strip("\"'").partition("/")[0]
        if word.startswith("<<"):
            continue
        if ":" in first or "$" in first:
            raise DockerfileRefused(
                file=file,
                line=each.first,
                what=f"ADD fetches {word[:80]} with the engine's own network",
                hint="Fetch it in a RUN step; a file of the source is ./name.",
            )
