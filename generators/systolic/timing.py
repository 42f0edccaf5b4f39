"""The cycles of a whole command list on a systolic engine, exactly, without running it.

`chassis.timing.engine` puts the models of the chassis together; here is the core: COMPUTE, ACTIVATE and the weight
FIFO. Only the commands count: neither weights nor activations change a cycle.
"""

from collections import deque
from dataclasses import dataclass

from ..chassis.memory import MemoryModel
from ..chassis.prediction import Prediction
from ..chassis.tiles.access_trace import DrainTrace, ReadTrace
from ..chassis.tiles.activate_timing import ActivateTiming
from ..chassis.tiles.command_fields import tile_count
from ..chassis.timing.command_flow import QueuedCommand, VerbQueue
from ..chassis.timing.engine import EngineTiming
from ..chassis.timing.weights_unit import WeightsUnit
from .compute_timing import ComputeTiming
from .config import SystolicConfig
from .isa import LAYOUTS
from .weight_fifo import READ_DELAY
from .weight_fifo_timing import WeightFifoTiming


def predict(
    words: bytes, queue_offset: int, config: SystolicConfig, memory: MemoryModel | None = None
) -> Prediction:
    """Predict the run of a command list that lies `queue_offset` bytes into region PROGRAM.

    Args:
        words: the commands, BEGIN to HALT; legal ones (see `Interpreter`).
        queue_offset: a multiple of 64.
        config: of the engine.
        memory: behind its ports; the defaults if not given. Its `seed` is ignored.

    Raises:
        TimingError: the list never ends.
    """
    fifo = WeightFifoTiming(config)
    cores: list[_Core] = []

    def core(compute: VerbQueue, activate: VerbQueue) -> _Core:
        cores.append(_Core(config, compute, activate, fifo))
        return cores[0]

    def connect(weights: WeightsUnit) -> None:
        cores[0].weights = weights

    engine = EngineTiming(config, LAYOUTS, memory or MemoryModel(), core, fifo, config.fifo_beats, connect)
    return engine.run(words, queue_offset)


@dataclass(slots=True)
class _Activating:
    command: QueuedCommand
    timing: ActivateTiming
    tiles_left: int
    tile: int = 0


class _Core:
    """COMPUTE and ACTIVATE, joined by the two accumulator halves."""

    weights: WeightsUnit

    def __init__(
        self, config: SystolicConfig, compute: VerbQueue, activate: VerbQueue, fifo: WeightFifoTiming
    ) -> None:
        self._config = config
        self._compute_queue = compute
        self._activate_queue = activate
        self._fifo = fifo
        self._computing: tuple[QueuedCommand, ComputeTiming] | None = None
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
        fifo.arrived = self._row_arrived

    def _start_compute(self, cycle: int, command: QueuedCommand) -> None:
        self._computing = command, ComputeTiming(self._config, command.fields, cycle, self._took_row)
        self._advance()

    def _start_activate(self, cycle: int, command: QueuedCommand) -> None:
        timing = ActivateTiming(self._config, command.fields, cycle)
        self._activating = _Activating(command, timing, tile_count(command.fields))
        self._advance()

    def _row_arrived(self, cycle: int) -> None:
        self._advance()

    def _took_row(self, cycle: int) -> None:
        self.weights.free(cycle + READ_DELAY, self._config.row_beats)

    def _advance(self) -> None:
        """Fill and drain tiles as far as is known."""
        while self._fill() or self._drain():
            pass

    def _fill(self) -> bool:
        """One step."""
        if self._computing is None:
            return False
        command, timing = self._computing
        half_free = 0
        if timing.needs_half:
            before = self._handed_over - 2
            if before >= len(self._freeing):
                timing.load(self._fifo.rows)
                return False
            half_free = self._freeing[before] + 1 if before >= 0 else 0
        tile = timing.tile
        step = timing.advance(self._fifo.rows, half_free)
        if step is None:
            return False
        self._reads.add(command.fields, tile, step)
        if timing.tile > tile:
            if not command.fields["partial"]:
                self._filled.append(step.filled)
                self._handed_over += 1
            if timing.tile == timing.tiles:
                self._computing = None
                self._compute_queue.complete(step.filled)
        return True

    def _drain(self) -> bool:
        work = self._activating
        if work is None or not self._filled:
            return False
        work.timing.drain(self._filled.popleft())
        self._freeing.append(work.timing.freeing)
        self._drains.add(work.command.fields, work.tile, work.timing.block_reads)
        work.tile += 1
        if work.tile == work.tiles_left:
            self._activating = None
            completed = work.timing.completed
            self._activate_queue.complete(completed)
            if work.command.fields["snapshot"]:
                self.snapshots.append(completed)
        return True
