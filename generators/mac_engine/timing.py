"""The cycles of a whole command list on a MAC engine, exactly, without running it.

Every part of the engine has its model beside it; `chassis.timing.engine` puts them together. Here is the core, which
joins COMPUTE and ACTIVATE. Only the commands count, and the streams of coded weights: neither raw weights nor
activations change a cycle.
"""

from collections.abc import Mapping
from functools import partial

from ..chassis.command import Region
from ..chassis.memory import MemoryModel
from ..chassis.prediction import Prediction, TimingError
from ..chassis.tiles.core_timing import CoreTiming
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
        partial(CoreTiming, config, partial(ComputeTiming, config)),
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
