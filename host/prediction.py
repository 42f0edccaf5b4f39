"""Predicted cycles of programs, from the engine's cycle model."""

from collections.abc import Sequence
from dataclasses import replace

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.chassis.prediction import Prediction
from celosia.generators.families import family_of

from .program import EngineSection, Program, Snapshot


def with_predictions(program: Program, memory: MemoryModel) -> Program:
    """`program` with the cycles of every snapshot and section, behind a memory of that timing (without its pauses)."""
    return replace(
        program,
        sections=tuple(
            _predicted(section, program.config, memory) if isinstance(section, EngineSection) else section
            for section in program.sections
        ),
        memory_latency=memory.latency,
        memory_bytes_per_cycle=str(memory.bytes_per_cycle),
        memory_weights_bytes_per_cycle=str(memory.weights_bytes_per_cycle or ""),
    )


def _predicted(section: EngineSection, config: EngineConfig, memory: MemoryModel) -> EngineSection:
    constants, words = section.content[: section.queue_offset], section.content[section.queue_offset :]
    prediction = family_of(config).predict(words, section.queue_offset, config, memory, constants)
    snapshots = _between(section.snapshots, prediction)
    return replace(section, snapshots=snapshots, predicted_cycles=prediction.cycles)


def _between(snapshots: Sequence[Snapshot], prediction: Prediction) -> tuple[Snapshot, ...]:
    """What follows the last snapshot belongs to it."""
    ends = [*prediction.snapshots[: len(snapshots) - 1], prediction.cycles]
    starts = [0, *ends[:-1]]
    return tuple(
        replace(snapshot, predicted_cycles=end - start)
        for snapshot, start, end in zip(snapshots, starts, ends, strict=True)
    )
