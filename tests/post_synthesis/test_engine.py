"""The whole engine, as the netlist that Yosys makes of it for ECP5, runs networks: every bit, every cycle."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from celosia.boards.ecp5_synthesis import synthesize
from celosia.generators.generate import engine_design
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.top import TOP_NAME, CelosiaTop
from celosia.generators.verilog import write_verilog
from celosia.hdl.ecp5_platform import Ecp5Platform
from celosia.host.tflite import load_tflite
from celosia.sim import SimulatedDevice, SimulatedPorts
from tests.engine_bench import MEMORY_BYTES, EngineBench
from tests.models.networks import golden_cases
from tests.post_synthesis.netlist_verilog import driven_resets, simulated

CONFIG = PRESETS["u55-32"]
IMAGES = 3


@pytest.fixture(scope="module")
def netlist_device(tmp_path_factory: pytest.TempPathFactory) -> SimulatedDevice:
    folder = tmp_path_factory.mktemp("netlist")
    design = engine_design(CONFIG)
    top = CelosiaTop(design.engine, design.address_bits, design.data_bits)
    verilog = write_verilog(top, design.title, Ecp5Platform())
    netlist = synthesize([(f"{TOP_NAME}.v", verilog.text)], TOP_NAME, folder)
    assert driven_resets(netlist.file) == []
    ports = SimulatedPorts(data_bits=CONFIG.data_bits, address_bits=CONFIG.address_bits)
    return SimulatedDevice(simulated(netlist, TOP_NAME), ports, memory_bytes=MEMORY_BYTES)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "cases"), [("tflm_hello_world", None)])
def test_every_bit_and_cycle(
    netlist_device: SimulatedDevice, shared_models: Path, network: str, cases: int | None
) -> None:
    """The bench compares the cycles of the run and of each layer with the prediction, which is the RTL's."""
    graph = load_tflite(shared_models / network / "model.tflite")
    bench = EngineBench(graph, CONFIG, device=netlist_device)
    golden = golden_cases(shared_models / network, len(graph.inputs), len(graph.outputs))
    for case in islice(golden, cases):
        for actual, expected in zip(bench.run(case.inputs), case.outputs, strict=True):
            np.testing.assert_array_equal(actual, expected, err_msg=f"{network}, case {case.name}")


@pytest.mark.slow
def test_digits(netlist_device: SimulatedDevice, repository: Path) -> None:
    folder = repository / "examples" / "digits"
    bench = EngineBench(load_tflite(folder / "digits.tflite"), CONFIG, device=netlist_device)
    with np.load(folder / "test_images.npz") as held_out, np.load(folder / "golden.npz") as reference:
        images, golden = held_out["images"][:IMAGES], reference["logits"][:IMAGES]
    for image, logits in zip(images, golden, strict=True):
        (answer,) = bench.run([image[np.newaxis]])
        np.testing.assert_array_equal(answer[0], logits)
