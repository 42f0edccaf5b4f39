"""Predictions are made once for each program and memory."""

from pathlib import Path

import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.prediction import with_predictions
from celosia.host.prediction_cache import predicted
from celosia.host.program import Program
from celosia.host.program_file import program_to_bytes
from tests.host.models import mixed_graph

MEMORY = MemoryModel()
SLOW = MemoryModel(latency=100)


@pytest.fixture
def program() -> Program:
    return compile_graph(mixed_graph(), PRESETS["u55-128"])


def test_it_is_what_predicting_gives(program: Program, tmp_path: Path) -> None:
    expected = program_to_bytes(with_predictions(program, MEMORY))
    for _ in range(2):
        assert program_to_bytes(predicted(program, MEMORY, directory=tmp_path)) == expected


def test_it_is_predicted_once_for_each_memory(program: Program, tmp_path: Path) -> None:
    steps = []

    def report(step: str, done: int, total: int) -> None:
        steps.append((step, done, total))

    for memory in (MEMORY, SLOW, MEMORY, SLOW):
        predicted(program, memory, directory=tmp_path, progress=report)
    assert steps == [("Predicting cycles", 0, 1), ("Predicting cycles", 1, 1)] * 2
    slow = predicted(program, SLOW, directory=tmp_path)
    assert slow.predicted_cycles > predicted(program, MEMORY, directory=tmp_path).predicted_cycles


def test_what_is_predicted_already_is_left_alone(program: Program, tmp_path: Path) -> None:
    known = with_predictions(program, MEMORY)
    assert predicted(known, MEMORY, directory=tmp_path / "none") is known
    assert not (tmp_path / "none").exists()
