"""A bar for bytes on their way: only on a terminal, and only when there is much to send."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from windlass.cli.session import Session

if TYPE_CHECKING:
    import rich.progress

WORTH_A_BAR_BYTES = 1 << 20


class Progress:
    """`expect` as soon as an amount is known, `advance` as it travels. Thread-safe."""

    def __init__(self, session: Session) -> None:
        self._may_draw = session.has_colour and not session.json
        self._expected = 0
        self._bar: rich.progress.Progress | None = None
        self._task: rich.progress.TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def expect(self, size_bytes: int) -> None:
        """So much more will be sent."""
        self._expected += size_bytes
        if self._bar is None and self._may_draw and self._expected >= WORTH_A_BAR_BYTES:
            self._bar = _started()
            self._task = self._bar.add_task("Uploading", total=self._expected)
        if self._bar and self._task is not None:
            self._bar.update(self._task, total=self._expected)

    def advance(self, size_bytes: int) -> None:
        """So much has been sent."""
        if self._bar and self._task is not None:
            self._bar.advance(self._task, size_bytes)


def _started() -> "rich.progress.Progress":
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("Uploading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    bar.start()
    return bar
