"""The CNN array as `generators/families.py` lists it."""

from collections.abc import Sequence

from amaranth.lib import wiring

from ..chassis.area import Area
from ..chassis.constants import ConstantPool
from ..chassis.family import CommandInterpreter, Family, Regions, SectionLowering
from ..chassis.layer import Layer
from ..chassis.layer_plan import LayerPlan
from ..chassis.memory import MemoryModel
from ..chassis.prediction import Prediction
from .config import PRESETS, CnnArrayConfig
from .isa import LAYOUTS
from .rules import RULES


def _engine(config: CnnArrayConfig) -> wiring.Component:
    from .engine import CnnArrayEngine

    return CnnArrayEngine(config)


def _lowering(
    plans: Sequence[LayerPlan], constants: ConstantPool, config: CnnArrayConfig, memory: MemoryModel
) -> SectionLowering:
    from .lowering import PASSES_IN_STORE, Lowering
    from .round_lowering import RoundLowering

    kind = RoundLowering if config.has_rounds else Lowering
    return kind(config, constants, [config.weight_words // PASSES_IN_STORE] * len(plans))


def _estimated_cycles(layer: Layer, rows: int, config: CnnArrayConfig) -> int:
    from .tiling import estimated_cycles

    return estimated_cycles(layer, rows, config)


def _predict(
    words: bytes, queue_offset: int, config: CnnArrayConfig, memory: MemoryModel, constants: bytes
) -> Prediction:
    from .timing import predict

    return predict(words, queue_offset, config, memory)


def _interpreter(config: CnnArrayConfig, regions: Regions) -> CommandInterpreter:
    from .interpreter import Interpreter

    return Interpreter(config, regions)


def _area(config: CnnArrayConfig) -> Area:
    from .area import area

    return area(config)


CNN_ARRAY = Family(
    title="CNN array",
    follows="Microsoft Catapult CNN",
    config=CnnArrayConfig,
    presets=PRESETS,
    default_preset="catapult-8x8",
    layouts=LAYOUTS,
    rules=RULES,
    engine=_engine,
    lowering=_lowering,
    estimated_cycles=_estimated_cycles,
    predict=_predict,
    interpreter=_interpreter,
    area=_area,
    folds_columns=True,
)
