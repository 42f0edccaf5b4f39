"""Runs the whole engine's cocotb bench: compiled networks, cocotbext-axi on both buses, random back-pressure."""

from pathlib import Path

import numpy as np
import pytest

from celosia.generators.generate import engine_verilog
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.driver import region_places
from celosia.host.reference import run_graph
from celosia.host.tflite.importer import parse_tflite
from celosia.sim.cocotb_runner import run_bench
from tests.tflite_writer import random_inputs, random_model

CONFIG = PRESETS["u55-32"]
DENSITIES = (0.0, 0.3, 0.7)


@pytest.fixture(scope="module")
def verilog() -> str:
    return engine_verilog(CONFIG).text


@pytest.mark.parametrize("seed", [3, 2])
def test_networks_are_bit_exact_under_back_pressure(verilog: str, tmp_path: Path, seed: int) -> None:
    content, description = random_model("NETWORK", seed)
    graph = parse_tflite(content, description).graph
    assert graph is not None
    program = compile_graph(graph, CONFIG)
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
        verilog,
        "celosia",
        "tests.generators.mac_engine.cocotb_engine",
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
        },
    )
