"""Random models of every operator on the generated RTL against the reference kernels, bits and cycles."""

import random
from fractions import Fraction

import numpy as np
import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import family_of, find_preset
from celosia.host.reference import run_graph
from celosia.host.tflite.importer import parse_tflite
from tests.engine_bench import EngineBench
from tests.families import DEFAULTS, SIMULATED, is_for_engine
from tests.tflite_writer import BATCHED, OPERATORS, random_inputs, random_model

HOST_ONLY = {"DEQUANTIZE", "QUANTIZE", "RESHAPE"}
ON_ENGINE = tuple(operator for operator in OPERATORS if operator not in HOST_ONLY)
MODELS = 50
BATCHES = 10
MEMORIES = (
    MemoryModel(),
    MemoryModel(latency=100),
    MemoryModel(bytes_per_cycle=Fraction(2)),
    MemoryModel(latency=7, bytes_per_cycle=Fraction(7, 3)),
)


def check(operator: str, seed: int, preset: str, more_images: int = 0) -> bool:
    """Run one random model; False if none of it runs on the engine."""
    content, description = random_model(operator, seed, more_images)
    graph = parse_tflite(content, description).graph
    if graph is None:
        return False
    memory = random.Random(seed).choice(MEMORIES)
    bench = EngineBench(graph, find_preset(preset), memory)
    if not bench.program.engine_sections:
        return False
    inputs = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], seed)
    for actual, expected in zip(bench.run(inputs), run_graph(graph, inputs), strict=True):
        np.testing.assert_array_equal(actual, expected, err_msg=f"{description} on {preset}")
    return True


@pytest.mark.parametrize("preset", DEFAULTS)
@pytest.mark.parametrize("operator", ON_ENGINE)
def test_random_models_are_bit_exact_and_take_the_predicted_cycles(operator: str, preset: str) -> None:
    if not is_for_engine(operator, family_of(find_preset(preset))):
        assert not any(check(operator, seed, preset) for seed in range(BATCHES))
        return
    ran, seed = 0, 0
    while ran < MODELS:
        ran += check(operator, seed, preset)
        seed += 1
        assert seed < 2 * MODELS, "too few of the random models run on the engine"


@pytest.mark.parametrize("preset", DEFAULTS)
@pytest.mark.parametrize("operator", BATCHED)
def test_batches_are_bit_exact_and_take_the_predicted_cycles(operator: str, preset: str) -> None:
    least = BATCHES // 2 if is_for_engine(operator, family_of(find_preset(preset))) else -1
    assert sum(check(operator, seed, preset, 1 + seed % 3) for seed in range(BATCHES)) > least


@pytest.mark.slow
@pytest.mark.parametrize("preset", SIMULATED)
@pytest.mark.parametrize("operator", ON_ENGINE)
def test_many_random_models_on_every_preset(operator: str, preset: str) -> None:
    least = MODELS if is_for_engine(operator, family_of(find_preset(preset))) else 0
    assert sum(check(operator, seed, preset) for seed in range(1000, 1100)) >= least
