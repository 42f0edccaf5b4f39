"""Seeded single operators and whole random networks, compiled and executed by the interpreter of the command set.

Every one on a configuration of its own, most of them small, so that maps, weights and parameters are cut.
"""

import numpy as np
import pytest

from celosia.generators.families import FAMILIES, find_family
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.program import HostSection, Program
from celosia.host.program_file import program_from_bytes, program_to_bytes
from celosia.host.reference import trace_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.any_order import in_any_order
from tests.families import SIMULATED, is_for_engine, varied
from tests.interpreter_device import InterpreterDevice
from tests.network_writer import random_network
from tests.tflite_writer import BATCHED, OPERATORS, random_inputs, random_model

ON_ENGINE = sorted(set(OPERATORS) - {"DEQUANTIZE", "QUANTIZE", "RESHAPE"})
FILES = 30
NETWORKS = 150
NETWORKS_A_TEST = 10
CONFIGURATIONS = {
    family.name: [config for name, config in family.presets.items() if name in SIMULATED]
    for family in FAMILIES
}
every_family = pytest.mark.parametrize("family", CONFIGURATIONS)


def check(program: Program, graph: Graph, seed: int, description: str) -> None:
    """Every tensor that leaves a section has the reference kernel's value."""
    inputs = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], seed)
    expected = trace_graph(graph, inputs)
    values = Runtime(program, InterpreterDevice(program.config)).run(inputs)
    assert set(graph.outputs) <= set(values)
    for index, value in values.items():
        np.testing.assert_array_equal(value, expected[index], err_msg=f"{description}, tensor {index}")


@every_family
@pytest.mark.parametrize("operator", ON_ENGINE)
def test_single_operators(operator: str, family: str) -> None:
    on_engine = 0
    for seed in range(FILES):
        data, description = random_model(operator, seed)
        graph = parse_tflite(data, "model").graph
        if graph is None:
            continue
        program = compile_graph(graph, varied(CONFIGURATIONS[family], seed))
        check(program, graph, seed, description)
        on_engine += not program.host_operators
    assert on_engine > FILES // 2 if is_for_engine(operator, find_family(family)) else on_engine == 0


@every_family
@pytest.mark.parametrize("operator", BATCHED)
def test_batches(operator: str, family: str) -> None:
    for seed in range(FILES):
        data, description = random_model(operator, seed, more_images=1 + seed % 3)
        graph = parse_tflite(data, "model").graph
        if graph is None:
            continue
        program = compile_graph(graph, varied(CONFIGURATIONS[family], seed))
        check(program, graph, seed, description)
        reasons = [section.reasons for section in program.sections if isinstance(section, HostSection)]
        assert not any("batch" in reason for texts in reasons for reason in texts), description


@every_family
@pytest.mark.parametrize("first", range(0, NETWORKS, NETWORKS_A_TEST))
def test_networks(first: int, family: str) -> None:
    for seed in range(first, first + NETWORKS_A_TEST):
        data, description = random_network(seed)
        graph = parse_tflite(data, "model").graph
        if graph is None:
            continue
        program = compile_graph(graph, varied(CONFIGURATIONS[family], seed), keep_layers=seed % 4 == 0)
        check(program_from_bytes(program_to_bytes(program), "file"), graph, seed, description)


@every_family
@pytest.mark.parametrize("first", range(0, NETWORKS, NETWORKS_A_TEST))
def test_networks_in_any_order_that_the_tokens_allow(first: int, family: str) -> None:
    for seed in range(first, first + NETWORKS_A_TEST):
        data, description = random_network(seed)
        graph = parse_tflite(data, "model").graph
        if graph is None:
            continue
        program = compile_graph(graph, varied(CONFIGURATIONS[family], seed))
        check(in_any_order(program, seed), graph, seed, description)
