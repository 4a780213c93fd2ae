"""The live log of a deployment, whatever happens to the connection.

The stream is resumed after the last line seen. Where streams do not pass (a proxy that buffers or
refuses them), the log is polled. A server that is away for a moment is waited for.
"""

import time
from collections.abc import Callable, Iterator

from windlass.cli.api import Api
from windlass.cli.client import ApiError, ConnectionLost, NotWindlass, Unreachable
from windlass.cli.errors import CliError
from windlass.cli.schemas import Deployment, LogLine

PATIENCE_SECONDS = 180.0
LONGEST_PAUSE_SECONDS = 5.0
POLL_SECONDS = 1.0
STREAMS_WITHOUT_NEWS = 3


class ServerAway(CliError):
    """The server has not answered for {seconds} s; the deployment may still go on."""

    fix = "Look again with: windlass logs {id} --follow"


def follow(
    api: Api,
    deployment_id: str,
    *,
    after: int | None = None,
    on_trouble: Callable[[str], None] = lambda text: None,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[LogLine | Deployment]:
    """Log lines in order, each once, and the deployment at every change; the last is the final one.

    Raises ApiError (no such deployment, token revoked) and ServerAway.
    """
    follower = _Follower(api, deployment_id, after)
    heard_at = clock()
    failures = 0
    while True:
        seen_before = follower.news
        try:
            yield from follower.look()
            heard_at, failures = clock(), 0
        except (Unreachable, ConnectionLost, NotWindlass, ApiError) as error:
            if isinstance(error, ApiError) and error.status < 500:
                raise
            if follower.news > seen_before:
                heard_at, failures = clock(), 0
            failures += 1
            if clock() - heard_at > PATIENCE_SECONDS:
                raise ServerAway(seconds=round(PATIENCE_SECONDS), id=deployment_id) from error
            if failures == 1:
                on_trouble("The connection was lost; trying again.")
        if follower.is_finished:
            return
        pause(min(LONGEST_PAUSE_SECONDS, 0.25 * 2**failures) if failures else follower.rest)


class _Follower:
    """Where we are in the log, and whether streams work here."""

    def __init__(self, api: Api, deployment_id: str, after: int | None) -> None:
        self.api = api
        self.id = deployment_id
        self.last = after
        self.state: tuple[str, int | None] = ("", None)
        self.news = 0
        self.is_finished = False
        self._fruitless = 0

    @property
    def rest(self) -> float:
        """Seconds until the next look."""
        return POLL_SECONDS if self._fruitless >= STREAMS_WITHOUT_NEWS else 0.1

    def look(self) -> Iterator[LogLine | Deployment]:
        """One stream until it ends (where streams work), then one poll to be sure of the state."""
        if self._fruitless < STREAMS_WITHOUT_NEWS:
            before = self.news
            try:
                yield from self._stream()
            except (ConnectionLost, NotWindlass):
                pass
            except ApiError as error:
                if error.status in {401, 403}:
                    raise
                self._fruitless = STREAMS_WITHOUT_NEWS
            self._fruitless = 0 if self.news > before else self._fruitless + 1
        if not self.is_finished:
            yield from self._poll()

    def _stream(self) -> Iterator[LogLine | Deployment]:
        with self.api.log_stream(self.id, after=self.last) as events:
            for event in events:
                yield from self._fresh(event)
                if self.is_finished:
                    return

    def _poll(self) -> Iterator[LogLine | Deployment]:
        # The state first: lines written before it was read are then certainly in the log.
        deployment = self.api.deployment(self.id)
        for line in self.api.logs(self.id, after=self.last):
            yield from self._fresh(line)
        yield from self._fresh(deployment)

    def _fresh(self, event: LogLine | Deployment) -> Iterator[LogLine | Deployment]:
        if isinstance(event, LogLine):
            if self.last is not None and event.seq <= self.last:
                return
            self.last = event.seq
        else:
            state = (event.status, event.queue.position if event.queue else None)
            if state == self.state:
                return
            self.state = state
            self.is_finished = event.is_finished
        self.news += 1
        yield event
