"""Toolchains of further languages: what this machine has, and what the sandbox must see of it.

Whatever lies below /usr is in every sandbox already. A toolchain elsewhere (rustup, /opt) is bound
by its own folder, and configuration without which a program does not start by its files alone:
a settings.xml or php.ini of the host may hold passwords.
"""

import glob
import os
import re
import shutil
import subprocess
from functools import lru_cache

import msgspec

from windlass.core.launch import Bind

_VERSION = re.compile(r"\d+(\.\d+)+")


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """A program that builds: how it says its version, and where its toolchain lies."""

    program: str
    version: tuple[str, ...] = ("--version",)
    home: tuple[str, ...] = ()
    """Prints the toolchain's folder; without it, two levels above the program itself."""
    alone: bool = False
    """One file that needs nothing beside it."""
    needs: tuple[str, ...] = ()
    """Files outside /usr without which it does not start; patterns as in a shell."""


LANGUAGES = (
    Language(program="go", version=("version",), home=("go", "env", "GOROOT")),
    Language(program="cargo", home=("rustc", "--print", "sysroot")),
    Language(program="ruby", home=("ruby", "-e", "print RbConfig::CONFIG['prefix']")),
    Language(program="bundle", needs=("/var/lib/gems",)),
    Language(
        program="php",
        home=("php", "-r", "echo dirname(PHP_BINDIR);"),
        needs=("/etc/php/*/cli/conf.d", "/etc/php/*/mods-available"),
    ),
    Language(program="composer"),
    Language(program="java", version=("-version",), needs=("/etc/java-*-openjdk",)),
    Language(program="javac", version=("-version",)),
    Language(program="mvn", version=(), needs=("/etc/maven/m2.conf", "/etc/maven/logging")),
    Language(program="gradle", version=()),
    Language(program="dotnet"),
    Language(program="mix", version=()),
    Language(program="hugo", version=("version",), alone=True),
    Language(program="jekyll"),
    Language(program="zola", alone=True),
    Language(program="deno", alone=True),
    Language(program="bun", alone=True),
)

_ARGUMENTS = {language.program: language.version for language in LANGUAGES}


class Seen(msgspec.Struct, frozen=True):
    """One toolchain of this machine."""

    program: str
    place: str
    changed_at: int
    binds: tuple[Bind, ...]
    path: str
    """The folder inside in which the program is."""

    @property
    def version(self) -> str | None:
        """Asked when somebody wants to know it: Java and Jekyll take half a second to say it.
        Empty for a program that is not asked, None for one that does not run. Blocks."""
        return _version(self.program, self.place, self.changed_at)


def languages() -> tuple[Seen, ...]:
    """Those that PATH has now; what was just installed is seen without a restart. Blocks."""
    places = [(each, shutil.which(each.program)) for each in LANGUAGES]
    here = [(each, place, os.stat(place).st_mtime_ns) for each, place in places if place]
    return tuple(seen for each in here if (seen := _look(*each)))


@lru_cache(maxsize=4 * len(LANGUAGES))
def _look(language: Language, place: str, changed_at: int) -> Seen | None:
    """None for a program that does not run, such as a shim of a version that is gone."""
    real = os.path.realpath(place)
    home = os.path.dirname(os.path.dirname(real))
    if not is_packaged(real, language.program):
        if _version(language.program, place, changed_at) is None:
            return None
        said = _said(*language.home) if language.home else ""
        home = os.path.realpath(said) if os.path.isabs(said) else home
        if not _is_seen(home) and home.count("/") < 2:
            return None
    binds = [Bind(path, path) for pattern in language.needs for path in sorted(glob.glob(pattern))]
    if _is_seen(home):
        path = os.path.dirname(place) if _is_seen(place) else f"{home}/bin"
    elif language.alone:
        path = "/opt/windlass/bin"
        binds.append(Bind(real, f"{path}/{language.program}"))
    else:
        path = f"{home}/bin"
        binds.append(Bind(home, home))
    return Seen(language.program, place, changed_at, tuple(binds), path)


@lru_cache(maxsize=4 * len(LANGUAGES))
def _version(program: str, place: str, changed_at: int) -> str | None:
    arguments = _ARGUMENTS[program]
    if not arguments:
        return ""
    found = _VERSION.search(_said(place, *arguments))
    return found and found[0]


def is_packaged(real: str, program: str) -> bool:
    """Whether a package of the system put it there: then it is itself and not a shim, which has
    another's name or is a script of somebody's, and it need not be asked where it lies."""
    name = os.path.basename(real)
    return real.startswith("/usr/") and "/local/" not in real and name.startswith(program)


def _is_seen(path: str) -> bool:
    return path == "/usr" or path.startswith(("/usr/", "/bin/", "/sbin/"))


def _said(*argv: str) -> str:
    """What it prints about itself; some (Java) do so on standard error."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=20, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout.strip() or done.stderr.strip()) if done.returncode == 0 else ""
