"""The cycles of a whole command list on a MAC engine, exactly, without running it.

Every part of the engine has its model beside it; `chassis.timing.engine` puts them together. Here is the core, which
joins COMPUTE and ACTIVATE. Only the commands count, and the streams of coded weights: neither raw weights nor
activations change a cycle.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ..chassis.command import Region
from ..chassis.memory import MemoryModel
from ..chassis.prediction import Prediction, TimingError
from ..chassis.tiles.access_trace import DrainTrace, ReadTrace
from ..chassis.tiles.activate_timing import ActivateTiming
from ..chassis.tiles.command_fields import tile_count
from ..chassis.timing.command_flow import QueuedCommand, VerbQueue
from ..chassis.timing.engine import EngineTiming
from .compute_timing import ComputeTiming
from .config import MacEngineConfig
from .isa import LAYOUTS
from .weight_code import Record, code_of, records
from .weight_decoder import decoder_beats
from .weight_decoder_timing import WeightDecoderTiming


def predict(
    words: bytes,
    queue_offset: int,
    config: MacEngineConfig,
    memory: MemoryModel | None = None,
    constants: bytes = b"",
) -> Prediction:
    """Predict the run of a command list that lies `queue_offset` bytes into region PROGRAM.

    Args:
        words: the commands, BEGIN to HALT; legal ones (see `Interpreter`).
        queue_offset: a multiple of 64.
        config: of the engine.
        memory: behind its port; the defaults if not given. Its `seed` is ignored.
        constants: the beginning of region PROGRAM, as far as coded weights lie there.

    Raises:
        TimingError: the list never ends, or has coded weights that are not in `constants`.
        MalformedWeights: coded weights are not what their command says.
    """
    engine = EngineTiming(
        config,
        LAYOUTS,
        memory or MemoryModel(),
        partial(_Core, config),
        WeightDecoderTiming(_Records(constants).of),
        decoder_beats(config),
    )
    return engine.run(words, queue_offset)


class _Records:
    """The records of coded weights that lie in a program's constants."""

    def __init__(self, constants: bytes) -> None:
        self._constants = constants
        self._known: dict[tuple[int, int], list[Record]] = {}

    def of(self, fields: Mapping[str, int]) -> list[Record]:
        place = fields["offset"], fields["offset"] + 8 * fields["beats"]
        if fields["region"] != Region.PROGRAM or place[1] > len(self._constants):
            raise TimingError(
                f"coded weights must be in the constants of the program, not at byte {place[0]} of region "
                f"{Region(fields['region']).name}"
            )
        if place not in self._known:
            self._known[place] = records(self._constants[slice(*place)], code_of(fields), fields["words"])
        return self._known[place]


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


class _Core:
    """COMPUTE and ACTIVATE, joined by the two accumulator halves."""

    def __init__(self, config: MacEngineConfig, compute: VerbQueue, activate: VerbQueue) -> None:
        self._config = config
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
        timing = ComputeTiming(self._config, command.fields, cycle)
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
            self._compute_queue.complete(tile.filled)
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
