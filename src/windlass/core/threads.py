"""Blocking work off the event loop, and tasks beside: never left running behind one's back."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run it in a thread. When we are cancelled the thread is waited for, then we end.

    `asyncio.to_thread` would end at once, and a clean-up would race with work still going on.
    """
    task = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def end(task: asyncio.Task[None]) -> None:
    """Cancel it and wait until it has ended; raises what it failed with.

    To await it and suppress its `CancelledError` would suppress one that is meant for us, too.
    """
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
