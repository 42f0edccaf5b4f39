"""Runs the cocotb bench on every family: compiled networks, cocotbext-axi on both buses, random back-pressure."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from celosia.generators.families import family_of, find_preset
from celosia.generators.generate import engine_verilog
from celosia.host.compiler import compile_graph
from celosia.host.driver import region_places
from celosia.host.reference import run_graph
from celosia.host.tflite.importer import parse_tflite
from celosia.sim.cocotb_runner import run_bench
from tests.families import SMALLEST, often
from tests.tflite_writer import random_inputs, random_model

DENSITIES = (0.0, 0.3, 0.7)


@cache
def verilog(preset: str) -> str:
    return engine_verilog(find_preset(preset)).text


@pytest.mark.parametrize("preset", often(SMALLEST))
@pytest.mark.parametrize("seed", [3, 2])
def test_networks_are_bit_exact_under_back_pressure(preset: str, tmp_path: Path, seed: int) -> None:
    content, description = random_model("NETWORK", seed)
    graph = parse_tflite(content, description).graph
    assert graph is not None
    program = compile_graph(graph, find_preset(preset))
    (section,) = program.engine_sections
    assert len(program.sections) == 1
    assert [binding.tensor for binding in section.inputs] == list(graph.inputs)
    cases = []
    for case in range(2):
        arrays = random_inputs([(graph.tensor(i).shape, graph.tensor(i).dtype) for i in graph.inputs], case)
        region = np.zeros(section.input_bytes, np.uint8)
        for binding, array in zip(section.inputs, arrays, strict=True):
            region[binding.offset : binding.offset + array.nbytes] = np.frombuffer(array.tobytes(), np.uint8)
        results = dict(zip(graph.outputs, run_graph(graph, arrays), strict=True))
        outputs = [(binding.offset, results[binding.tensor].tobytes().hex()) for binding in section.outputs]
        cases.append({"input": region.tobytes().hex(), "outputs": outputs})
    run_bench(
        verilog(preset),
        "celosia",
        "tests.generators.cocotb_engine",
        seed=seed,
        directory=tmp_path,
        parameters={
            "regions": {
                region.name: (place.address, place.size)
                for region, place in region_places(section, 0).items()
            },
            "program": section.content.hex(),
            "queue_offset": section.queue_offset,
            "queue_count": section.queue_count,
            "cases": cases,
            "densities": DENSITIES,
            "causes": [entry.name for entry in family_of(find_preset(preset)).counters if entry.is_cause],
            "counters": [entry.name for entry in family_of(find_preset(preset)).counters],
        },
    )
