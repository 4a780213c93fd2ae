"""Asks an app whether it answers: two consecutive answers below 500 make it ready."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from windlass.core.launch_spec import NotYet
from windlass.edge import response
from windlass.edge.upstream import Pool
from windlass.edge.wire import Broken

PROBE_SECONDS = 10.0
NEEDED = 2
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
_DEAF = "it did not listen"

Dial = Callable[[], Awaitable[socket.socket]]


class Probe:
    """One app's health. `last` says in words what it answered last."""

    def __init__(self, dial: Dial, *, path: str, host: str) -> None:
        self._pool = Pool(dial)
        self._path = path
        self._host = host
        self.last = _DEAF

    async def until_ready(self) -> None:
        """Returns after two good answers in a row; runs until then."""
        good, pause = 0, _FIRST_PAUSE
        while True:
            good = good + 1 if await self.is_good() else 0
            if good >= NEEDED:
                return
            await asyncio.sleep(_FIRST_PAUSE if good else pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    async def is_good(self) -> bool:
        """Ask once."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                status = await self._ask()
        except TimeoutError:
            self.last = f"it did not answer a request within {PROBE_SECONDS:.0f} s"
        except Broken:
            self.last = "it ended the connection without an HTTP answer"
        except NotYet as error:
            self.last = str(error)
        except OSError:
            self.last = _DEAF
        else:
            self.last = f"its last answer was {status}"
            return status < 500
        return False

    async def _ask(self) -> int:
        wire = await self._pool.open()
        if self.last == _DEAF:
            self.last = f"it took a request for {self._path} and has not answered it"
        try:
            path = self._path if self._path.startswith("/") else f"/{self._path}"
            await wire.write(
                f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nUser-Agent: windlass-health\r\n"
                "Accept: */*\r\nX-Forwarded-Proto: http\r\nConnection: close\r\n\r\n".encode()
            )
            while True:
                head = await wire.inbox.read_until(b"\r\n\r\n", 64 * 1024)
                answer = response.parse(head, method=b"GET")
                if answer.status >= 200:
                    return answer.status
        finally:
            wire.close()
