"""Cycles on the simulated board: how they are counted, and those that are predicted for its memory."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.board_cycles import BackDoorDevice, BoardCycles, measure, measure_board
from celosia.boards.board import BOARDS
from celosia.boards.memory_models import memory_model
from celosia.generators.chassis.command import COMMAND_BYTES
from celosia.generators.chassis.device import DeviceError
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.prediction import with_predictions
from celosia.host.program_cache import compiled
from celosia.host.simulated_board import board_design
from celosia.host.tflite import load_tflite
from tests.interpreter_device import CYCLES_A_COMMAND, InterpreterDevice
from tests.sim.board.inverting_board import inverting_board

BOARD = BOARDS["ulx3s_85f"]
DESIGN = board_design(BOARD, PRESETS["u55-32"])
NETWORK = "tflm_hello_world"


def interpreted(models: Path, device: InterpreterDevice) -> BoardCycles:
    return measure(NETWORK, models / NETWORK, DESIGN, device)


def test_a_row_has_what_the_engine_counted_and_what_was_predicted(shared_models: Path) -> None:
    row = interpreted(shared_models, InterpreterDevice(DESIGN.config))
    program = compiled(shared_models / NETWORK / "model.tflite", DESIGN.config, DESIGN.memory_model)
    (section,) = program.engine_sections
    assert (row.network, row.is_right) == (NETWORK, True)
    assert row.cycles == section.queue_count * CYCLES_A_COMMAND
    assert (row.bytes_read, row.bytes_written) == (section.queue_count * COMMAND_BYTES, section.queue_count)
    assert row.predicted_cycles == program.predicted_cycles > 0
    assert row.inferences_per_second == pytest.approx(DESIGN.frequency / row.cycles)


def test_a_wrong_output_is_seen(shared_models: Path) -> None:
    device = InterpreterDevice(DESIGN.config)
    device.flip = 0
    assert not interpreted(shared_models, device).is_right


def test_another_engine_than_the_design_s_is_refused(shared_models: Path) -> None:
    with pytest.raises(DeviceError, match="the program was compiled for"):
        interpreted(shared_models, InterpreterDevice(PRESETS["u55-64"]))


def test_the_back_door_is_the_memory_that_the_accelerator_sees_and_takes_no_time() -> None:
    content = np.arange(100, 116, dtype=np.uint8)
    with inverting_board() as board:
        device = BackDoorDevice(board)
        before = board.seconds
        device.write_memory(0x1008, content)
        device.write_memory(0x2000, b"bytes")
        assert device.read_memory(0x2000, 5).tobytes() == b"bytes"
        assert board.seconds == before
        device.write_register(0x010, 0x1008)
        device.wait_for_interrupt(100_000)
        assert board.seconds > before
        assert device.read_memory(0x1008, 16).tolist() == [*content[:8], *(255 - content[:8])]


@pytest.mark.slow
def test_the_memory_that_is_compiled_for_is_about_the_board_s(shared_models: Path) -> None:
    """Small networks: what a REFRESH more or less takes is up to 3 % of the smallest."""
    networks = ("tflm_hello_world", "cfu_magic_wand", "tflm_micro_speech")
    rows = list(measure_board(BOARD, PRESETS["u55-32"], networks, models=shared_models))
    assert [row.network for row in rows] == list(networks)
    for row in rows:
        assert row.is_right
        assert row.cycles == pytest.approx(row.predicted_cycles, rel=0.03)
        assert row.inferences_per_second == pytest.approx(80e6 / row.cycles)


@pytest.mark.slow
def test_compiling_for_the_board_s_memory_pays_where_weights_are_dear(shared_models: Path) -> None:
    graph = load_tflite(shared_models / "mlperf_sww_strm" / "model.tflite")
    config, memory = PRESETS["u55-64"], memory_model(BOARD)
    default, aware = (
        with_predictions(program, memory).predicted_cycles
        for program in (compile_graph(graph, config), compile_graph(graph, config, memory))
    )
    assert aware < 0.9 * default
