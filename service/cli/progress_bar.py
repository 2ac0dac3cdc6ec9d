"""The bar of a terminal that shows how far a job or a sweep is."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from service.cli import terminal


class ProgressBar:
    """A state, a bar, how much is done of all, and figures; nothing where there is no screen."""

    def __init__(self, console: Console, state: str) -> None:
        self.is_shown = terminal.is_screen(console)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[figures]}", markup=False),
            console=console,
            disable=not self.is_shown,
            expand=True,
        )
        self._task = self._bar.add_task(state, total=1, figures="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, state: str, *, done: int, total: int, figures: str) -> None:
        """Show another state; control characters of a text are shown as escapes."""
        self._bar.update(
            self._task,
            description=terminal.visible(state),
            completed=done,
            total=total,
            figures=terminal.visible(figures),
        )
