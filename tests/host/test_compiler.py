"""The compiler: sections, what crosses them, and the command lists of the engine's."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Verb
from celosia.generators.chassis.schedule import decode_commands
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import LAYOUTS
from celosia.host.compiler import compile_graph
from celosia.host.graph import Graph
from celosia.host.program import EngineSection, HostSection
from celosia.host.reference import trace_graph
from celosia.host.runtime import Runtime
from celosia.host.tflite import parse_tflite
from tests.host.models import mixed_graph
from tests.interpreter_device import InterpreterDevice
from tests.network_writer import random_network
from tests.tflite_builder import ModelBuilder

CONFIG = PRESETS["u55-128"]


def commands_of(section: EngineSection) -> list[tuple[Opcode, dict[str, int]]]:
    return decode_commands(section.content[section.queue_offset :], LAYOUTS)


def outputs_of(graph: Graph, inputs: list[np.ndarray], *, keep_layers: bool = False) -> list[np.ndarray]:
    program = compile_graph(graph, CONFIG, keep_layers=keep_layers)
    values = Runtime(program, InterpreterDevice(CONFIG)).run(inputs)
    return [values[index] for index in program.outputs]


def ramp(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(np.int8)


def test_sections_run_on_both_sides() -> None:
    program = compile_graph(mixed_graph(), CONFIG)
    kinds = [type(section) for section in program.sections]
    assert kinds == [EngineSection, HostSection, EngineSection]
    assert program.host_operators == ("QUANTIZE #1",)
    assert program.macs == 4 * 4 * 8 * 27 + 4 * 4 * 8


def test_compiling_twice_gives_the_same_bytes() -> None:
    one, other = (compile_graph(mixed_graph(), CONFIG) for _ in range(2))
    contents = [[section.content for section in program.engine_sections] for program in (one, other)]
    assert contents[0] == contents[1]


def test_a_command_list_begins_and_halts_and_names_its_configuration() -> None:
    for section in compile_graph(mixed_graph(), CONFIG).engine_sections:
        commands = commands_of(section)
        assert len(commands) == section.queue_count
        assert commands[0] == (Opcode.BEGIN, commands[0][1])
        assert commands[0][1]["configuration_hash"] == CONFIG.hash
        assert commands[-1][0] is Opcode.HALT
        assert section.queue_offset % COMMAND_BYTES == 0


@pytest.mark.parametrize("seed", range(20))
def test_every_token_given_is_taken_and_every_snapshot_is_taken(seed: int) -> None:
    graph = parse_tflite(random_network(seed)[0], "network").graph
    if graph is None:
        return
    config = replace(CONFIG, buffer_kib=8, weight_kib=4)
    for section in compile_graph(graph, config).engine_sections:
        commands = commands_of(section)[1:-1]
        given = {(giver, taker): 0 for giver in Verb for taker in Verb}
        taken = dict(given)
        for opcode, fields in commands:
            verb = Verb[opcode.name]
            for other in Verb:
                given[verb, other] += fields["signal"] >> other & 1
                taken[other, verb] += fields[f"wait_{other.name.lower()}"]
        assert given == taken
        snapshots = sum(fields.get("snapshot", 0) for _, fields in commands)
        assert snapshots == len(section.snapshots)
        covered = [range(snapshot.first, snapshot.last) for snapshot in section.snapshots]
        assert {layer for layers in covered for layer in layers} == set(range(len(section.layers)))


def test_keeping_layers_gives_every_operator_s_result() -> None:
    graph = mixed_graph()
    image = ramp(1, 4, 4, 3)
    program = compile_graph(graph, CONFIG, keep_layers=True)
    values = Runtime(program, InterpreterDevice(CONFIG)).run([image])
    expected = trace_graph(graph, [image])
    for operator in graph.operators:
        np.testing.assert_array_equal(values[operator.outputs[0]], expected[operator.outputs[0]])


def reshaped(model: ModelBuilder, source: int, shape: tuple[int, ...]) -> int:
    target = model.tensor(shape, scale=model.tensors[source].scale)
    constant = model.tensor((len(shape),), "int32", data=np.array(shape, np.int32))
    model.operator("RESHAPE", [source, constant], [target], "ReshapeOptions", newShape=list(shape))
    return target


def quantized(model: ModelBuilder, source: int) -> int:
    """QUANTIZE, which runs on the host."""
    result = model.tensor(model.tensors[source].shape, scale=1 / 4, zero_point=-20)
    model.operator("QUANTIZE", [source], [result])
    return result


def check(model: ModelBuilder, inputs: list[int], outputs: list[int]) -> None:
    graph = parse_tflite(model.pack(inputs, outputs), "model").require_graph()
    values = [ramp(*graph.tensor(index).shape) for index in graph.inputs]
    expected = trace_graph(graph, values)
    for keep in (False, True):
        for output, index in zip(outputs_of(graph, values, keep_layers=keep), graph.outputs, strict=True):
            np.testing.assert_array_equal(output, expected[index])


def test_an_input_reshaped_may_be_an_output() -> None:
    model = ModelBuilder()
    source = model.tensor((1, 2, 6), scale=0.5)
    check(model, [source], [reshaped(model, source, (3, 4))])


def test_a_reshaped_input_feeds_engine_and_host() -> None:
    model = ModelBuilder()
    source = model.tensor((1, 2, 6), scale=0.5)
    view = reshaped(model, source, (3, 4))
    doubled = model.tensor((3, 4), scale=0.5)
    model.operator("ADD", [view, view], [doubled], "AddOptions")
    check(model, [source], [doubled, quantized(model, view)])


def test_a_result_is_read_in_two_shapes_on_either_side() -> None:
    model = ModelBuilder()
    source = model.tensor((1, 4, 4, 3), scale=0.5)
    doubled = model.tensor((1, 4, 4, 3), scale=0.5)
    model.operator("ADD", [source, source], [doubled], "AddOptions")
    view = reshaped(model, doubled, (1, 2, 8, 3))
    finer = quantized(model, view)
    total = model.tensor((1, 2, 8, 3), scale=1.0)
    model.operator("ADD", [view, finer], [total], "AddOptions")
    back = reshaped(model, total, (1, 4, 4, 3))
    last = model.tensor((1, 4, 4, 3), scale=2.0)
    model.operator("SUB", [doubled, back], [last], "SubOptions")
    check(model, [source], [last, view])


def test_a_constant_may_be_reshaped_and_read_anywhere() -> None:
    model = ModelBuilder()
    source = model.tensor((1, 2, 2, 3), scale=0.5)
    constant = model.tensor((1, 12), scale=0.5, data=ramp(1, 12))
    view = reshaped(model, constant, (1, 2, 2, 3))
    total = model.tensor((1, 2, 2, 3), scale=0.5)
    model.operator("ADD", [source, view], [total], "AddOptions")
    check(model, [source], [total, view, quantized(model, view)])


def test_a_network_of_host_operators_needs_no_engine() -> None:
    model = ModelBuilder()
    source = model.tensor((1, 12), scale=0.5)
    graph_output = quantized(model, source)
    check(model, [source], [graph_output])


def test_an_operator_that_does_not_fit_leaves_the_rest_on_the_engine() -> None:
    config = replace(CONFIG, buffer_kib=4)
    model = ModelBuilder()
    source = model.tensor((1, 4, 4, 700), scale=0.5)
    options = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    ones = model.tensor((8, 3, 3, 700), scale=0.01, data=np.ones((8, 3, 3, 700), np.int8))
    convolved = model.tensor((1, 4, 4, 8), scale=0.5)
    model.operator("CONV_2D", [source, ones], [convolved], "Conv2DOptions", padding=0, **options)
    doubled = model.tensor((1, 4, 4, 8), scale=0.5)
    model.operator("ADD", [convolved, convolved], [doubled], "AddOptions")
    graph = parse_tflite(model.pack([source], [doubled]), "large").require_graph()
    program = compile_graph(graph, config)
    assert program.host_operators == ("CONV_2D #0",)
    (host,) = [section for section in program.sections if isinstance(section, HostSection)]
    assert "must fit the unified buffer" in host.reasons[0]
    inputs = [ramp(1, 4, 4, 700)]
    values = Runtime(program, InterpreterDevice(config)).run(inputs)
    np.testing.assert_array_equal(values[graph.outputs[0]], trace_graph(graph, inputs)[graph.outputs[0]])
