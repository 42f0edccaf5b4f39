"""Programs are compiled, and their cycles predicted, once for each memory."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig
from celosia.host.compiler import compile_graph
from celosia.host.errors import ModelError
from celosia.host.prediction import with_predictions
from celosia.host.program import Program
from celosia.host.program_cache import compiled, predicted
from celosia.host.program_file import program_to_bytes
from celosia.host.tflite import parse_tflite
from tests.host.models import mixed_graph, mixed_model

CONFIG = PRESETS["u55-128"]
MEMORY = MemoryModel()
SLOW = MemoryModel(latency=100)
START = """
import sys
from pathlib import Path
import celosia.host.commands.application
from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.program_cache import compiled
compiled(sys.argv[1], PRESETS["u55-128"], MemoryModel(), directory=Path(sys.argv[2]))
print(*sys.modules)
"""


@pytest.fixture
def program() -> Program:
    return compile_graph(mixed_graph(), CONFIG)


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
    assert steps == [("Compiling", 0, 1), ("Compiling", 1, 1)] * 2
    slow = predicted(program, SLOW, directory=tmp_path)
    assert slow.predicted_cycles > predicted(program, MEMORY, directory=tmp_path).predicted_cycles


def test_what_is_predicted_already_is_left_alone(program: Program, tmp_path: Path) -> None:
    known = with_predictions(program, MEMORY)
    assert predicted(known, MEMORY, directory=tmp_path / "none") is known
    assert not (tmp_path / "none").exists()


def test_a_model_is_compiled_once_for_each_content_configuration_and_memory(tmp_path: Path) -> None:
    steps = []
    file = tmp_path / "model.tflite"

    def compile_it(seed: int = 1, config: MacEngineConfig = CONFIG, memory: MemoryModel = MEMORY) -> Program:
        file.write_bytes(mixed_model(seed))
        return compiled(
            file, config, memory, directory=tmp_path / "cache", progress=lambda *step: steps.append(step)
        )

    first = compile_it()
    again = compile_it()
    assert len(steps) == 2
    graph = parse_tflite(mixed_model(), str(file)).require_graph()
    expected = program_to_bytes(with_predictions(compile_graph(graph, CONFIG), MEMORY))
    assert program_to_bytes(first) == program_to_bytes(again) == expected
    others = (
        compile_it(seed=2),
        compile_it(config=replace(CONFIG, buffer_kib=64)),
        compile_it(memory=SLOW),
    )
    assert len({program_to_bytes(program) for program in (first, *others)}) == 4


def test_a_model_that_cannot_be_used_is_refused_every_time(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(b"nothing")
    for _ in range(2):
        with pytest.raises(ModelError):
            compiled(file, CONFIG, MEMORY, directory=tmp_path / "cache")
    with pytest.raises(ModelError, match="cannot be read"):
        compiled(tmp_path / "none", CONFIG, MEMORY, directory=tmp_path / "cache")


def test_a_known_model_starts_without_importer_compiler_and_cycle_model(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(mixed_model())
    compiled(file, CONFIG, MEMORY, directory=tmp_path / "cache")
    known = subprocess.run(
        [sys.executable, "-c", START, file, tmp_path / "cache"], capture_output=True, text=True, check=True
    )
    modules = known.stdout.split()
    assert "celosia.host.session" in modules
    assert not {"tflite", "celosia.host.compiler", "celosia.generators.mac_engine.timing"} & set(modules)
