"""Which toolchain each further language needs, and the refusal where this machine lacks it."""

import msgspec
from msgspec.structs import replace

from windlass.builds.detect.source import Source
from windlass.builds.errors import ToolchainMissing
from windlass.builds.paths import join
from windlass.builds.plan import Installed, Plan, Runtime
from windlass.core.languages import N_

HIDDEN = ".windlass"
"""Where a build keeps what only it needs; nothing below it becomes part of a release."""


class Toolchain(msgspec.Struct, frozen=True, kw_only=True):
    """One language: the programs a build needs, by the name they have on PATH."""

    runtime: Runtime
    name: str
    programs: tuple[str, ...]
    install: str
    """What a person can do about it, after “Install it: ”."""

    @property
    def title(self) -> str:
        return {"java": "Java", "dotnet": ".NET"}.get(self.runtime, self.name)


TOOLCHAINS = {
    each.runtime: each
    for each in (
        Toolchain(
            runtime="go",
            name="Go",
            programs=("go",),
            install=N_("apt-get install golang-go, or the archive of go.dev in /usr/local/go"),
        ),
        Toolchain(
            runtime="rust",
            name="Rust",
            programs=("cargo",),
            install=N_("apt-get install cargo, or rustup"),
        ),
        Toolchain(
            runtime="ruby",
            name="Ruby",
            programs=("ruby", "bundle"),
            install="apt-get install ruby-full bundler build-essential",
        ),
        Toolchain(runtime="php", name="PHP", programs=("php",), install="apt-get install php-cli"),
        Toolchain(
            runtime="java",
            name="a JDK",
            programs=("java", "javac"),
            install="apt-get install default-jdk-headless",
        ),
        Toolchain(
            runtime="dotnet",
            name="the .NET SDK",
            programs=("dotnet",),
            install=N_("the package dotnet-sdk-9.0, or Microsoft's dotnet-install.sh"),
        ),
        Toolchain(
            runtime="elixir",
            name="Elixir",
            programs=("mix",),
            install="apt-get install elixir erlang-dev",
        ),
        Toolchain(
            runtime="deno", name="Deno", programs=("deno",), install="npm install --global deno"
        ),
        Toolchain(runtime="bun", name="Bun", programs=("bun",), install="npm install --global bun"),
        Toolchain(
            runtime="hugo",
            name="Hugo",
            programs=("hugo",),
            install=N_("apt-get install hugo, or one of its releases in /usr/local/bin"),
        ),
        Toolchain(
            runtime="jekyll",
            name="Jekyll",
            programs=("jekyll",),
            install="apt-get install jekyll",
        ),
        Toolchain(
            runtime="zola",
            name="Zola",
            programs=("zola",),
            install=N_("one of its releases in /usr/local/bin"),
        ),
    )
}


def built_with(
    runtime: Runtime,
    source: Source,
    installed: Installed,
    plan: Plan,
    *,
    also: tuple[str, ...] = (),
) -> Plan:
    """The plan for this language. Raises ToolchainMissing where a program is not installed."""
    toolchain = TOOLCHAINS[runtime]
    needed = (*toolchain.programs, *also)
    missing = [program for program in needed if program not in installed.tools]
    if missing:
        more = missing[0] in also
        raise ToolchainMissing(
            what=plan.label,
            evidence="; ".join(plan.evidence[:2]),
            tool=missing[0] if more else toolchain.name,
            hint=f"apt-get install {missing[0]}" if more else toolchain.install,
        )
    version = installed.tools[toolchain.programs[0]]
    message = N_("built with {name} {version}") if version else N_("built with {name}")
    said = message.format(name=toolchain.title, version=version)
    return replace(
        plan,
        root_directory=source.root,
        runtime=runtime,
        evidence=(*plan.evidence, said),
    )


def running_on(runtime: Runtime) -> tuple[str, ...]:
    """The programs that a built program still needs; Go and Rust make one that runs alone."""
    if runtime in ("go", "rust") or runtime not in TOOLCHAINS:
        return ()
    return TOOLCHAINS[runtime].programs


def inside(source: Source, folder: str) -> str:
    """A folder of the root directory as the sandbox sees it."""
    return f"/app/{join(source.root, folder)}"
