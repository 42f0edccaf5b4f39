"""The MAC engine as `generators/families.py` lists it."""

from collections.abc import Sequence

from amaranth.lib import wiring

from ..chassis.area import Area
from ..chassis.constants import ConstantPool
from ..chassis.family import CommandInterpreter, Family, Regions, SectionLowering
from ..chassis.layer import Layer
from ..chassis.layer_plan import LayerPlan
from ..chassis.memory import MemoryModel
from ..chassis.prediction import Prediction
from .config import PRESETS, MacEngineConfig
from .isa import LAYOUTS
from .rules import RULES


def _engine(config: MacEngineConfig) -> wiring.Component:
    from .engine import MacEngine

    return MacEngine(config)


def _lowering(
    plans: Sequence[LayerPlan], constants: ConstantPool, config: MacEngineConfig, memory: MemoryModel
) -> SectionLowering:
    from .lowering import Lowering
    from .pass_sizes import choose_pass_words

    beat_cycles = memory.beat_cycles(config.data_bits // 8)
    return Lowering(config, constants, choose_pass_words(plans, config, beat_cycles), beat_cycles)


def _estimated_cycles(layer: Layer, rows: int, config: MacEngineConfig) -> int:
    from .tiling import estimated_cycles, likely_tilings

    return estimated_cycles(layer, rows, likely_tilings(layer, rows, config)[0], config)


def _predict(
    words: bytes, queue_offset: int, config: MacEngineConfig, memory: MemoryModel, constants: bytes
) -> Prediction:
    from .timing import predict

    return predict(words, queue_offset, config, memory, constants)


def _interpreter(config: MacEngineConfig, regions: Regions) -> CommandInterpreter:
    from .interpreter import Interpreter

    return Interpreter(config, regions)


def _area(config: MacEngineConfig) -> Area:
    from .area import area

    return area(config)


MAC_ENGINE = Family(
    title="MAC engine",
    follows="Arm Ethos-U55",
    config=MacEngineConfig,
    presets=PRESETS,
    default_preset="u55-128",
    layouts=LAYOUTS,
    rules=RULES,
    engine=_engine,
    lowering=_lowering,
    estimated_cycles=_estimated_cycles,
    predict=_predict,
    interpreter=_interpreter,
    area=_area,
)
