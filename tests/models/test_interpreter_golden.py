"""Compiled networks, executed by the interpreter of the command set, give the golden outputs bit for bit."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.families import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.program import Program
from celosia.host.runtime import Runtime
from celosia.host.tflite import load_tflite
from tests.any_order import in_any_order
from tests.families import SIMULATED
from tests.interpreter_device import InterpreterDevice
from tests.models.networks import NETWORKS, golden_cases


@cache
def graph_of(folder: Path) -> Graph:
    return load_tflite(folder / "model.tflite")


def run(program: Program, inputs: list[np.ndarray]) -> list[np.ndarray]:
    values = Runtime(program, InterpreterDevice(program.config)).run(inputs)
    return [values[index] for index in program.outputs]


def check_first_case(program: Program, folder: Path) -> None:
    case = next(golden_cases(folder, len(program.inputs), len(program.outputs)))
    for index, output in enumerate(run(program, case.inputs)):
        np.testing.assert_array_equal(
            output, case.outputs[index], err_msg=f"case {case.name}, output {index}"
        )


@pytest.mark.parametrize("kib", [32, 64, 256])
@pytest.mark.parametrize("preset", SIMULATED)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_first_case_on_every_preset_and_buffer(
    shared_models: Path, network: str, preset: str, kib: int
) -> None:
    folder = shared_models / network
    config = replace(PRESETS[preset], buffer_kib=kib)
    check_first_case(compile_graph(graph_of(folder), config), folder)


@pytest.mark.parametrize("macs", [512, 1024])
@pytest.mark.parametrize("network", NETWORKS)
def test_the_first_case_with_more_cores_than_any_preset(shared_models: Path, network: str, macs: int) -> None:
    folder = shared_models / network
    config = replace(PRESETS["u55-256"], macs=macs)
    check_first_case(compile_graph(graph_of(folder), config), folder)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_case_on_the_default_preset(shared_models: Path, network: str) -> None:
    folder = shared_models / network
    graph = graph_of(folder)
    config = PRESETS["u55-128"]
    runtime = Runtime(compile_graph(graph, config), InterpreterDevice(config))
    for case in golden_cases(folder, len(graph.inputs), len(graph.outputs)):
        values = runtime.run(case.inputs)
        for place, index in enumerate(graph.outputs):
            np.testing.assert_array_equal(values[index], case.outputs[place], err_msg=case.name)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("network", NETWORKS)
def test_any_order_that_the_tokens_allow_gives_the_same(shared_models: Path, network: str, seed: int) -> None:
    folder = shared_models / network
    config = replace(PRESETS["u55-128"], buffer_kib=32)
    program = compile_graph(graph_of(folder), config)
    check_first_case(in_any_order(program, seed), folder)


def test_a_smaller_buffer_moves_more_through_memory(shared_models: Path) -> None:
    scratch = {}
    for kib in (32, 128):
        config = replace(PRESETS["u55-128"], buffer_kib=kib)
        sections = compile_graph(graph_of(shared_models / "cfu_mbv2_035_160"), config).engine_sections
        assert max(section.peak_bricks for section in sections) <= config.buffer_bricks
        scratch[kib] = sum(section.scratch_bytes for section in sections)
    assert scratch[32] > scratch[128] == 0
