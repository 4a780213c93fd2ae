"""Go and Rust: what is built is one program that runs alone."""

import re
import shlex

from windlass.builds.detect.source import Source, Table, table, text, texts
from windlass.builds.detect.toolchains import HIDDEN, built_with, inside
from windlass.builds.paths import join
from windlass.builds.plan import Installed, Plan
from windlass.core.languages import N_

_PACKAGE_MAIN = re.compile(r"^package main\b", re.MULTILINE)
_FUNC_MAIN = re.compile(r"^func main\(\)", re.MULTILINE)
# What is never closed is a comment to the end: so each character is looked at once.
_COMMENT = re.compile(r"/\*(?:.*?\*/|.*\Z)|//[^\n]*", re.DOTALL)
_ASIDE = frozenset(["testdata", "vendor", "examples", "example", "internal", "tools", "scripts"])
_LIKELY = ("server", "web", "api", "app", "main")
_MOST_FILES = 200


def go(source: Source, installed: Installed) -> Plan | None:
    """A `package main`: at the top, else below cmd; of several the likeliest name."""
    marker = source.first("go.mod", "go.work", "main.go")
    if marker is None:
        return None
    programs = _go_programs(source)
    if not programs:
        return None
    module = re.search(r"^module\s+(\S+)", source.head(marker), re.MULTILINE)
    own = module[1].rpartition("/")[2] if module else ""
    chosen, *others = sorted(programs, key=lambda folder: _rank(folder, own))
    evidence = [
        N_("{file}: a Go program").format(file=source.named(marker)),
        N_("package main in {file}").format(file=source.named(chosen)),
    ]
    if others:
        rest = ", ".join(others[:4])
        evidence.append(
            N_("also found: {others} (a build command chooses another)").format(others=rest)
        )
    sums, vendored = source.has("go.sum"), source.has("vendor/modules.txt")
    target = "." if chosen == "." else f"./{chosen}"
    target = "main.go" if marker == "main.go" else target
    needs_c = "mattn/go-sqlite3" in source.head("go.mod", 64 << 10)
    modules = join(source.root, f"{HIDDEN}/go")
    plan = Plan(
        framework="go",
        label="Go",
        kind="server",
        install_command="go mod download" if sums and not vendored else None,
        build_command=f"go build -trimpath -o bin/app {shlex.quote(target)}",
        start_command="bin/app",
        lock_file=source.named("go.sum") if sums else None,
        cache_directories=(modules,) if sums and not vendored else (),
        build_only=(modules,),
        framework_caches=(join(source.root, f"{HIDDEN}/go-build"),),
        env={
            "GOMODCACHE": inside(source, f"{HIDDEN}/go"),
            "GOCACHE": inside(source, f"{HIDDEN}/go-build"),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-mod=vendor -buildvcs=false" if vendored else "-buildvcs=false",
            "CGO_ENABLED": "1" if needs_c else "0",
        },
        evidence=tuple(evidence),
    )
    return built_with("go", source, installed, plan)


def _go_programs(source: Source) -> list[str]:
    """The folders that hold a `package main` with a main function."""
    files = [path for path in source.files if path.endswith(".go") and path.count("/") < 4]
    found: dict[str, None] = {}
    for path in [each for each in files if not each.endswith("_test.go")][:_MOST_FILES]:
        folder = path.rpartition("/")[0] or "."
        if folder in found or _ASIDE.intersection(folder.split("/")):
            continue
        code = _COMMENT.sub("", source.code(path) or "")
        if _PACKAGE_MAIN.search(code) and _FUNC_MAIN.search(code):
            found[folder] = None
    return list(found)


def _rank(folder: str, own: str) -> tuple[int, bool, int, str]:
    """Less deep first, then the module's own name, then usual names."""
    name = folder.rpartition("/")[2]
    likely = _LIKELY.index(name) if name in _LIKELY else len(_LIKELY)
    return -1 if folder == "." else folder.count("/"), name != own, likely, folder


def rust(source: Source, installed: Installed) -> Plan | None:
    """A package with a program: its own, else that of the first member of the workspace."""
    if not source.has("Cargo.toml"):
        return None
    found = _rust_program(source, ".")
    manifest = source.toml("Cargo.toml")
    members = texts(table(manifest.get("workspace")).get("members"))
    homes = [path.rpartition("/")[0] for path in source.files if path.endswith("/Cargo.toml")]
    others = [
        name for home in homes if _belongs(home, members) and (name := _rust_program(source, home))
    ]
    name = found or (others[0] if others else None)
    if name is None:
        return None
    evidence = [
        N_("{file}: a Rust program").format(file=source.named("Cargo.toml")),
        N_("the program {name}").format(name=name),
    ]
    if others[1:] and not found:
        evidence.append(
            N_("also found: {others} (a build command chooses another)").format(
                others=", ".join(others[1:5])
            )
        )
    locked = source.has("Cargo.lock")
    home, made = join(source.root, f"{HIDDEN}/cargo"), join(source.root, f"{HIDDEN}/target")
    binary = shlex.quote(f"{HIDDEN}/target/release/{name}")
    plan = Plan(
        framework="rust",
        label="Rust",
        kind="server",
        install_command=f"cargo fetch{' --locked' if locked else ''}",
        build_command=(
            f"cargo build --release --offline --bin {shlex.quote(name)}"
            f" && mkdir -p bin && cp {binary} bin/app"
        ),
        start_command="bin/app",
        lock_file=source.named("Cargo.lock") if locked else None,
        cache_directories=(home,),
        build_only=(home,),
        framework_caches=(made,),
        env={
            "CARGO_HOME": inside(source, f"{HIDDEN}/cargo"),
            "CARGO_TARGET_DIR": inside(source, f"{HIDDEN}/target"),
        },
        evidence=tuple(evidence),
    )
    return built_with("rust", source, installed, plan)


def _rust_program(source: Source, folder: str) -> str | None:
    """The name of the program that a package makes."""
    manifest: Table = source.toml(join(folder, "Cargo.toml"))
    package = table(manifest.get("package"))
    listed = manifest.get("bin")
    for target in listed if isinstance(listed, list) else ():  # pyright: ignore[reportUnknownVariableType]
        if name := text(table(target).get("name")):  # pyright: ignore[reportUnknownArgumentType]
            return text(package.get("default-run")) or name
    return text(package.get("name")) if source.has(join(folder, "src/main.rs")) else None


def _belongs(folder: str, members: list[str]) -> bool:
    above = folder.rpartition("/")[0]
    return any(member in (folder, f"{above}/*") for member in members)
