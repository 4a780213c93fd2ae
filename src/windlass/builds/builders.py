"""The two builders of an engine, and how each is kept within bounds.

The classic one takes limits and any network, so it builds what it can. BuildKit behind the same API
takes neither: its steps are met from outside (`buildkit.py`).
"""

import secrets as randomness
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from windlass.builds import buildkit, guarding
from windlass.builds.dockerfile import Dockerfile
from windlass.builds.steps import BuildFailed, Log
from windlass.core import netns
from windlass.core.egress import Egress, EgressPolicy
from windlass.core.engine import About, Engine
from windlass.core.languages import N_
from windlass.core.launch_spec import Limits

_PERIOD = 100_000
OWN_ARGUMENT = "WINDLASS_CACHE"
"""Its value is part of what BuildKit knows a step by, and different for each project."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One build, as far as a builder has to know."""

    engine: Engine
    about: About
    instance: str
    deployment: str
    mark: str
    """Words that nobody outside the project knows: what they are part of is its own cache."""
    limits: Limits
    egress: EgressPolicy
    is_open: bool
    """The operator gave up the guard of networks."""
    log: Log


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine is asked for besides what both builders know."""

    query: dict[str, str | int]
    arguments: dict[str, str]


@asynccontextmanager
async def classic(order: Order) -> AsyncGenerator[Asked]:
    """Within limits, in a network that leads to the guarded proxy alone."""
    query: dict[str, str | int] = {
        "memory": order.limits.memory_bytes,
        "memswap": order.limits.memory_bytes,
        "cpuperiod": _PERIOD,
        "cpuquota": int(order.limits.cpus * _PERIOD),
        "networkmode": "default" if order.is_open else "none",
    }
    if not (order.engine.is_local and netns.can_enter()):
        if not order.is_open:
            order.log.say("RUN steps have no network: it cannot be guarded here", "warn")
        yield Asked(query=query, arguments={})
        return
    guard = guarding.guarded_network(
        order.engine,
        order.instance,
        order.deployment,
        architecture=order.about.architecture,
        egress=Egress(order.egress),
        on_refusal=lambda line: order.log.say(line, "warn"),
    )
    async with AsyncExitStack() as stack:
        try:
            query["networkmode"] = await stack.enter_async_context(guard)
        except OSError as error:
            raise BuildFailed("NO_GUARD", f"The build's network: {error}") from None
        yield Asked(query=query, arguments=guarding.arguments())


@asynccontextmanager
async def with_buildkit(
    order: Order, found: Dockerfile, secrets: Mapping[str, bytes]
) -> AsyncGenerator[Asked]:
    """With secrets in a session, and a watch on its steps. Raises BuildFailed without BuildKit."""
    log, word = order.log, f"{randomness.token_hex(12)}.invalid"
    if not order.about.has_buildkit:
        text = N_("The Dockerfile needs BuildKit for {reason}, which {engine} has not.").format(
            reason=found.buildkit_reason, engine=order.about.name
        )
        raise BuildFailed("NEEDS_BUILDKIT", text)
    log.say(f"Built with BuildKit, for {found.buildkit_reason}")
    query: dict[str, str | int] = {
        "version": "2",
        "networkmode": "default" if order.is_open else "none",
    }
    arguments = {OWN_ARGUMENT: order.mark, "BUILDKIT_CACHE_MOUNT_NS": order.mark}
    async with AsyncExitStack() as stack:
        if secrets:
            # HTTP/2 is in memory only where something speaks it.
            from windlass.builds import offering

            query["session"] = await stack.enter_async_context(
                offering.offered(order.engine, secrets)
            )
        steps = await stack.enter_async_context(
            buildkit.watched(
                order.engine,
                word,
                order.limits,
                egress=None if order.is_open else Egress(order.egress),
                on_refusal=lambda line: log.say(line, "warn"),
            )
        )
        if steps is None:
            log.say("BuildKit heeds no limits of memory and processors here", "warn")
            if not order.is_open:
                log.say("RUN steps have no network: it cannot be guarded here", "warn")
        proxies = guarding.arguments() if steps is not None and not order.is_open else {}
        # No build is known by these: the engine leaves them out of what a step is cached by.
        for name in ("no_proxy", "NO_PROXY"):
            proxies[name] = ",".join(filter(None, (proxies.get(name), word)))
        yield Asked(query=query, arguments=arguments | proxies)
    if steps is not None and steps.missed:
        log.say(f"{len(steps.missed)} steps ran without limits: their group was not found", "warn")
