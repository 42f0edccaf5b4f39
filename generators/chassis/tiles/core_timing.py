"""The cycles of COMPUTE and ACTIVATE where every tile of a COMPUTE is known once its accumulator half is."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..timing.command_flow import QueuedCommand, VerbQueue
from .access_trace import DrainTrace, ReadTrace
from .activate_timing import ActivateTiming
from .command_fields import tile_count
from .filled_tile import FilledTile
from .tile_config import TileConfig


class ComputeTiming(Protocol):
    """One COMPUTE, tile by tile."""

    def fill(self, half_free: int) -> FilledTile:
        """The next tile.

        Args:
            half_free: first cycle in which an accumulator half is free for it, which is one after the cycle of the
                half's `freeing`. No matter for `accumulate`.
        """
        ...


@dataclass(slots=True)
class _Computing:
    command: QueuedCommand
    timing: ComputeTiming
    tiles_left: int
    tile: int = 0


@dataclass(slots=True)
class _Activating:
    command: QueuedCommand
    timing: ActivateTiming
    tiles_left: int
    tile: int = 0


class CoreTiming:
    """COMPUTE and ACTIVATE, joined by the two accumulator halves.

    Args:
        config: of the engine.
        compute_timing: of a COMPUTE with these fields that is presented in this cycle.
        compute, activate: the queues of both.
    """

    def __init__(
        self,
        config: TileConfig,
        compute_timing: Callable[[Mapping[str, int], int], ComputeTiming],
        compute: VerbQueue,
        activate: VerbQueue,
    ) -> None:
        self._config = config
        self._compute_timing = compute_timing
        self._compute_queue = compute
        self._activate_queue = activate
        self._computing: _Computing | None = None
        self._activating: _Activating | None = None
        self._filled: deque[int] = deque()
        self._handed_over = 0
        self._freeing: list[int] = []
        self.snapshots: list[int] = []
        self._drains = DrainTrace(config)
        self._reads = ReadTrace()
        self.written_bank = self._drains.written_bank
        self.bank_taken = self._reads.bank_taken
        compute.start = self._start_compute
        activate.start = self._start_activate

    def _start_compute(self, cycle: int, command: QueuedCommand) -> None:
        timing = self._compute_timing(command.fields, cycle)
        self._computing = _Computing(command, timing, tile_count(command.fields))
        self._advance()

    def _start_activate(self, cycle: int, command: QueuedCommand) -> None:
        timing = ActivateTiming(self._config, command.fields, cycle)
        self._activating = _Activating(command, timing, tile_count(command.fields))
        self._advance()

    def _advance(self) -> None:
        """Fill and drain tiles as far as is known."""
        while self._fill() or self._drain():
            pass

    def _fill(self) -> bool:
        work = self._computing
        if work is None:
            return False
        before = self._handed_over - 2
        if before >= len(self._freeing):
            return False
        half_free = self._freeing[before] + 1 if before >= 0 else 0
        tile = work.timing.fill(half_free)
        self._reads.add(work.command.fields, work.tile, tile)
        work.tile += 1
        if not work.command.fields["partial"]:
            self._filled.append(tile.filled)
            self._handed_over += 1
        if work.tile == work.tiles_left:
            self._computing = None
            self._compute_queue.complete(tile.complete or tile.filled)
        return True

    def _drain(self) -> bool:
        work = self._activating
        if work is None or not self._filled:
            return False
        work.timing.drain(self._filled.popleft())
        self._freeing.append(work.timing.freeing)
        if not work.command.fields["softmax_lanes"]:
            self._drains.add(work.command.fields, work.tile, work.timing.block_reads)
        work.tile += 1
        if work.tile == work.tiles_left:
            self._activating = None
            completed = work.timing.completed
            self._activate_queue.complete(completed)
            if work.command.fields["softmax_lanes"]:
                self._drains.add_softmax(work.command.fields, work.timing.softmax_writes)
            if work.command.fields["snapshot"]:
                self.snapshots.append(completed)
        return True
