"""What commands print, and where: reports on stdout, progress and errors on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from celosia.sim.verilator import Progress as ReportProgress

_WIDTH_OF_PIPES = 200
"""Columns for a report that goes to a file or another program: no table is cut there."""


def output() -> Console:
    """The console of reports."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_OF_PIPES, highlight=False)


def print_json(value: Mapping[str, object]) -> None:
    """`value` alone on stdout, indented."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
    sys.stdout.flush()


def table(columns: Sequence[str], *, left: Sequence[str] = ()) -> Table:
    """An empty table; columns not named in `left` hold numbers."""
    result = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        is_text = column in left
        result.add_column(
            column, justify="left" if is_text else "right", overflow="fold", no_wrap=not is_text
        )
    return result


def print_line(console: Console, text: str) -> None:
    """A line as it is: neither wrapped nor searched for markup."""
    console.print(text, markup=False, soft_wrap=True)


@contextmanager
def progress_bars() -> Iterator[ReportProgress]:
    """Bars on stderr for as long as the block runs, one for each step that is reported; they vanish at the end.

    Nothing where stderr is no terminal.
    """
    console = Console(stderr=True)
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    bars: dict[str, TaskID] = {}
    hidden = not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True, disable=hidden) as progress:

        def report(step: str, done: int, total: int) -> None:
            if step not in bars:
                bars[step] = progress.add_task(step, total=total)
            progress.update(bars[step], completed=done, total=total)

        yield report
