"""The cycles of a whole command list on a CNN array, exactly, without running it.

`chassis.timing.engine` puts the models of the chassis together, and `chassis.tiles.core_timing` COMPUTE and ACTIVATE.
Only the commands count: neither weights nor activations change a cycle.
"""

from functools import partial

from ..chassis.command import Opcode
from ..chassis.memory import MemoryModel
from ..chassis.prediction import Prediction
from ..chassis.tiles.core_timing import CoreTiming
from ..chassis.timing.engine import EngineTiming
from ..chassis.timing.weights_unit import NoDecoder
from .compute_timing import ComputeTiming
from .config import CnnArrayConfig
from .isa import LAYOUTS


def predict(
    words: bytes, queue_offset: int, config: CnnArrayConfig, memory: MemoryModel | None = None
) -> Prediction:
    """Predict the run of a command list that lies `queue_offset` bytes into region PROGRAM.

    Args:
        words: the commands, BEGIN to HALT; legal ones (see `Interpreter`).
        queue_offset: a multiple of 64.
        config: of the engine.
        memory: behind its port; the defaults if not given. Its `seed` is ignored.

    Raises:
        TimingError: the list never ends.
    """
    core = partial(CoreTiming, config, partial(ComputeTiming, config))
    layouts = {**LAYOUTS, Opcode.COMPUTE: config.compute}
    engine = EngineTiming(config, layouts, memory or MemoryModel(), core, NoDecoder(), config.burst_beats)
    return engine.run(words, queue_offset)
