"""What the RTL counts at its memory port: a chain of layers whose maps fit moves no map between them."""

from dataclasses import replace

import numpy as np

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode
from celosia.generators.chassis.schedule import decode_commands
from celosia.generators.chassis.tiles.commands import BIAS_BEATS, PARAMETER_BEATS, Destination
from celosia.generators.cnn_array.config import PRESETS, CnnArrayConfig
from celosia.generators.cnn_array.isa import LAYOUTS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from celosia.host.program import EngineSection
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from tests.built_graphs import int8, int32
from tests.engine_bench import engine

LAYERS, SIDE, CHANNELS = 4, 12, 16
CONFIG = PRESETS["catapult-8x8"]


def chain() -> Graph:
    """Convolutions of 3 x 3, one after the other, with a pool at the end."""
    builder = GraphBuilder("chain")
    value = builder.input((1, SIDE, SIDE, CHANNELS), scale=0.5)
    for layer in range(LAYERS):
        weights = int8((CHANNELS, 3, 3, CHANNELS), layer)
        value = builder.convolution(value, weights, 0.01, scale=0.5, bias=int32(CHANNELS), activation="RELU")
    return builder.build([builder.max_pool(value, (2, 2))])


def traffic(config: CnnArrayConfig) -> tuple[EngineSection, int, int]:
    """The section, and bytes read and written by a run of it that was bit exact."""
    graph = chain()
    program = compile_graph(graph, config)
    (section,) = program.engine_sections
    image = np.random.default_rng(1).integers(-128, 128, (1, SIDE, SIDE, CHANNELS), np.int8)
    runtime = Runtime(program, engine(config))
    values = runtime.run([image])
    (expected,) = run_graph(graph, [image])
    np.testing.assert_array_equal(values[graph.outputs[0]], expected)
    profile = runtime.profile()
    return section, profile.bytes_read, profile.bytes_written


def test_a_chain_that_fits_moves_inputs_weights_and_outputs_alone() -> None:
    section, read, written = traffic(CONFIG)
    image = SIDE * SIDE * CHANNELS
    commands = section.queue_count * COMMAND_BYTES
    weights = LAYERS * 9 * CHANNELS * CHANNELS
    parameters = sum(
        8 * fields["beats"]
        for opcode, fields in decode_commands(section.content[section.queue_offset :], LAYOUTS)
        if opcode is Opcode.WEIGHTS and fields["destination"] == Destination.PARAMETER_STORE
    )
    assert section.scratch_bytes == 0
    assert read == image + weights + parameters + commands
    assert parameters == 8 * (LAYERS * (PARAMETER_BEATS + BIAS_BEATS) + PARAMETER_BEATS)
    assert written == image // 4


def test_a_chain_that_does_not_fit_is_told_by_the_program() -> None:
    section, read, written = traffic(replace(CONFIG, buffer_kib=2))
    fitting, least_read, least_written = traffic(CONFIG)
    assert section.scratch_bytes > 0 == fitting.scratch_bytes
    assert read > least_read
    assert written > least_written
