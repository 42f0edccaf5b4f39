"""Predicted cycles of programs, from the engine's cycle model."""

from collections.abc import Sequence
from dataclasses import replace

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.timing import Prediction, predict

from .program import EngineSection, Program, ProgramLayer


def with_predictions(program: Program, memory: MemoryModel) -> Program:
    """`program` with the cycles of every layer and section, behind a memory of that timing (without its pauses)."""
    return replace(
        program,
        sections=tuple(
            _predicted(section, program.config, memory) if isinstance(section, EngineSection) else section
            for section in program.sections
        ),
        memory_latency=memory.latency,
        memory_bytes_per_cycle=str(memory.bytes_per_cycle),
    )


def _predicted(section: EngineSection, config: MacEngineConfig, memory: MemoryModel) -> EngineSection:
    constants, words = section.content[: section.queue_offset], section.content[section.queue_offset :]
    prediction = predict(words, section.queue_offset, config, memory, constants)
    layers = _layer_cycles(section.layers, prediction)
    return replace(section, layers=layers, predicted_cycles=prediction.cycles)


def _layer_cycles(layers: Sequence[ProgramLayer], prediction: Prediction) -> tuple[ProgramLayer, ...]:
    """What follows the last snapshot belongs to the last layer."""
    ends = [*prediction.snapshots[: len(layers) - 1], prediction.cycles]
    starts = [0, *ends[:-1]]
    return tuple(
        replace(layer, predicted_cycles=end - start)
        for layer, start, end in zip(layers, starts, ends, strict=True)
    )
