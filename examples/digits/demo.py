"""Classify 360 handwritten digits on the simulated engine and hold every answer against the reference kernels.

Called by `make demo`. The first run generates the engine's Verilog and compiles a simulator for it, which takes
minutes; later runs find both in the cache. Exits with 1 if any answer differs from the golden one.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
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

import celosia

FOLDER = Path(__file__).parent
DEVICE = "sim:u55-128"


@dataclass(frozen=True)
class Answers:
    """What the engine answered: int8 logits (N x 10), and the seconds that running took."""

    logits: np.ndarray
    seconds: float


@contextmanager
def progress_bars(console: Console) -> Iterator[Progress]:
    """Show progress bars for as long as the block runs."""
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        yield progress


def open_session(progress: Progress) -> celosia.InferenceSession:
    """Compile the network and prepare the engine, one bar for each step that reports itself."""
    bars: dict[str, TaskID] = {}

    def report(step: str, done: int, total: int) -> None:
        if step not in bars:
            bars[step] = progress.add_task(step, total=total)
        progress.update(bars[step], completed=done, total=total)

    return celosia.InferenceSession(FOLDER / "digits.tflite", device=DEVICE, progress=report)


def classify(session: celosia.InferenceSession, images: np.ndarray, progress: Progress) -> Answers:
    """Run the network on each image (N x 8 x 8 x 1, int8)."""
    name = session.get_inputs()[0].name
    bar = progress.add_task("classifying", total=len(images))
    logits = []
    started = time.perf_counter()
    for image in images:
        (answer,) = session.run(None, {name: image[np.newaxis]})
        logits.append(answer[0])
        progress.advance(bar)
    return Answers(np.stack(logits), time.perf_counter() - started)


def report(
    session: celosia.InferenceSession, answers: Answers, golden: np.ndarray, labels: np.ndarray
) -> Table:
    """Lay out what was found: accuracy, equality with the golden logits, cycles."""
    profile = session.profile()
    accuracy = np.mean(np.argmax(answers.logits, axis=1) == labels)
    equal = np.all(answers.logits == golden, axis=1).sum()
    speed = profile.cycles * len(labels) / answers.seconds
    table = Table(show_header=False, box=None)
    table.add_row("device", DEVICE)
    table.add_row("accuracy", f"{accuracy:.2%} of {len(labels)} held-out images")
    table.add_row("against TensorFlow Lite Micro", f"{equal}/{len(labels)} bit-exact")
    table.add_row("cycles per inference", f"{profile.cycles:,}")
    table.add_row("MAC utilisation", f"{profile.mac_utilization:.1%} ({profile.macs:,} MACs)")
    table.add_row("simulated cycles per second", f"{speed:,.0f}")
    return table


def main() -> int:
    """Run the demonstration; return the exit code."""
    console = Console()
    with np.load(FOLDER / "test_images.npz") as held_out:
        images, labels = held_out["images"], held_out["labels"]
    with np.load(FOLDER / "golden.npz") as reference:
        golden = reference["logits"]
    with progress_bars(console) as progress:
        session = open_session(progress)
        answers = classify(session, images, progress)
    console.print(report(session, answers, golden, labels))
    console.print(f" generated Verilog: {session.verilog_path}", soft_wrap=True, highlight=False)
    return 0 if np.array_equal(answers.logits, golden) else 1


if __name__ == "__main__":
    sys.exit(main())
