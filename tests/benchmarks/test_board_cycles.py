"""Cycles on the simulated board, and those that are predicted for its memory."""

from pathlib import Path

import pytest

from benchmarks.board_cycles import measure_board
from celosia.boards.board import BOARDS
from celosia.boards.memory_models import memory_model
from celosia.generators.mac_engine.config import PRESETS
from celosia.host.compiler import compile_graph
from celosia.host.prediction import with_predictions
from celosia.host.tflite import load_tflite

BOARD = BOARDS["ulx3s_85f"]


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
