"""`python -m windlass.edge --home H --port P`"""

import argparse
import os
import sys
from pathlib import Path

# msgspec takes names from typing_extensions when it is there, and from typing otherwise. This
# process uses none of them, and the module costs it more than three megabytes.
sys.modules.setdefault("typing_extensions", None)  # pyright: ignore[reportArgumentType]

import uvloop  # noqa: E402

from windlass.core import launch  # noqa: E402
from windlass.core.runtime_log import Keep  # noqa: E402
from windlass.edge import run  # noqa: E402
from windlass.edge.config import PANEL_HOSTS, Config  # noqa: E402

_KEYS_MAY_BE_IN = ("WINDLASS_SECRETS__", "WINDLASS_CONFIG")


def main(arguments: list[str]) -> int:
    """Run until told to stop; 1 with one line on standard error when that is not possible."""
    config = run.raise_limits(_config(arguments))
    try:
        lock = run.hold_lock(config.home)
        run.sweep()
        uvloop.run(run.serve(config))
    except run.CannotStart as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    finally:
        sys.stderr.flush()
    del lock
    return 0


def _config(arguments: list[str]) -> Config:
    parser = argparse.ArgumentParser(prog="windlass-edge", description="Serves sites and apps.")
    default = Config(home=Path())
    parser.add_argument("--home", type=Path, required=True, help="WINDLASS_HOME")
    parser.add_argument("--port", type=int, default=default.port)
    parser.add_argument("--bind", action="append", help="address to listen on; may be repeated")
    parser.add_argument("--panel-host", action="append", default=[], help="may be repeated")
    parser.add_argument("--trust-proxy", action="append", default=[], help="network; repeatable")
    parser.add_argument("--cache-bytes", type=int, default=default.cache_bytes)
    parser.add_argument("--max-connections", type=int, default=default.max_connections)
    for name in ("bytes", "files", "rate"):
        option = {"bytes": "file_bytes", "files": "files", "rate": "bytes_per_second"}[name]
        parser.add_argument(f"--log-{name}", type=int, default=getattr(default.logs, option))
    parser.add_argument("--stop-seconds", type=float, default=default.stop_seconds)
    parser.add_argument("--engine", default="", help="address of the container engine")
    parser.add_argument(
        "--unsafe-apps", action="store_true", help="without bubblewrap, run apps all the same"
    )
    given = parser.parse_args(arguments)
    if given.unsafe_apps:
        launch.permit_unsafe()
    return Config(
        home=given.home.absolute(),
        port=given.port,
        bind=tuple(given.bind) if given.bind else default.bind,
        panel_hosts=(*PANEL_HOSTS, *(host.lower() for host in given.panel_host)),
        trusted_proxies=tuple(given.trust_proxy),
        cache_bytes=given.cache_bytes,
        max_connections=given.max_connections,
        stop_seconds=given.stop_seconds,
        logs=Keep(
            file_bytes=given.log_bytes, files=given.log_files, bytes_per_second=given.log_rate
        ),
        engine=given.engine,
        data_keys=_given_keys(given.home.absolute()),
    )


def _given_keys(home: Path) -> tuple[bytes, ...]:
    """Without any the ring of the home is enough, and settings cost memory: they stay unread."""
    is_named = any(name.startswith(_KEYS_MAY_BE_IN) for name in os.environ)
    if not is_named and not (home / "windlass.toml").exists():
        return ()
    from windlass.core import environment

    try:
        found = environment.load({**os.environ, "WINDLASS_HOME": str(home)}, needs_secrets=False)
    except environment.InvalidSettings as error:
        # Whoever made a slip there hears it from the control plane; sites are served on.
        print(error, file=sys.stderr)  # noqa: T201
        return ()
    return found.secrets.data_keys


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
