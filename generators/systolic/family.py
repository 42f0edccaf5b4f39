"""The systolic array as `generators/families.py` lists it."""

from collections.abc import Sequence

from amaranth.lib import wiring

from ..chassis.area import Area
from ..chassis.constants import ConstantPool
from ..chassis.family import CommandInterpreter, Family, Regions, SectionLowering
from ..chassis.layer import Layer
from ..chassis.layer_plan import LayerPlan
from ..chassis.memory import MemoryModel
from ..chassis.prediction import Prediction
from .config import PRESETS, SystolicConfig
from .counters import COUNTERS
from .isa import LAYOUTS
from .rules import RULES


def _engine(config: SystolicConfig) -> wiring.Component:
    from .engine import SystolicEngine

    return SystolicEngine(config)


def _lowering(
    plans: Sequence[LayerPlan], constants: ConstantPool, config: SystolicConfig, memory: MemoryModel
) -> SectionLowering:
    from .lowering import Lowering

    return Lowering(config, constants)


def _estimated_cycles(layer: Layer, rows: int, config: SystolicConfig) -> int:
    from .tiling import estimated_cycles

    return estimated_cycles(layer, rows, config)


def _predict(
    words: bytes, queue_offset: int, config: SystolicConfig, memory: MemoryModel, constants: bytes
) -> Prediction:
    from .timing import predict

    return predict(words, queue_offset, config, memory)


def _interpreter(config: SystolicConfig, regions: Regions) -> CommandInterpreter:
    from .interpreter import Interpreter

    return Interpreter(config, regions)


def _area(config: SystolicConfig) -> Area:
    from .area import area

    return area(config)


SYSTOLIC = Family(
    title="systolic array",
    follows="Google TPU v1",
    config=SystolicConfig,
    presets=PRESETS,
    default_preset="tpu-16x16",
    layouts=LAYOUTS,
    rules=RULES,
    engine=_engine,
    lowering=_lowering,
    estimated_cycles=_estimated_cycles,
    predict=_predict,
    interpreter=_interpreter,
    area=_area,
    counters=COUNTERS,
    folds_columns=True,
)
