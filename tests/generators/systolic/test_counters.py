"""What the engine counts of a network: every cycle has one cause, and useful MACs are the network's, from the RTL."""

from collections.abc import Iterator

import numpy as np
from rich.console import Console

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode
from celosia.generators.chassis.tiles.command_fields import reads_of_tiles
from celosia.generators.chassis.tiles.commands import Mode
from celosia.generators.systolic.config import PRESETS
from celosia.generators.systolic.isa import COMPUTE
from celosia.generators.systolic.useful_macs import useful_macs
from celosia.host.commands.profile_table import profile_table
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from tests.built_graphs import int8
from tests.engine_bench import EngineBench

CONFIG = PRESETS["tpu-8x8"]
MACS = 9 * 7 * 11 * (3 * 3 * 13) + 9 * 7 * 22 * (3 * 3) + 5 * 4 * 22 * (2 * 2) + 21 * (4 * 3 * 22)
"""Of the convolutions, the average pool and the classifier."""
OUTSIDE = 22 * (5 * 4 * 4 - 9 * 7)
"""Places outside of its map that the average pool reads: the network's count leaves them out."""


def network() -> Graph:
    """Bricks and columns that are partly in use, a multiplied depthwise layer, pools."""
    builder = GraphBuilder("parts")
    image = builder.input((1, 9, 7, 13), scale=0.5)
    convolved = builder.convolution(image, int8((11, 3, 3, 13)), 0.01, scale=0.4)
    multiplied = builder.depthwise_convolution(convolved, int8((3, 3, 22)), 0.01, scale=0.4)
    averaged = builder.average_pool(multiplied, (2, 2), stride=(2, 2), padding="SAME")
    largest = builder.max_pool(averaged, (2, 2), stride=(1, 1), padding="VALID")
    return builder.build([builder.fully_connected(largest, int8((21, 4 * 3 * 22)), 0.01, scale=1.0)])


def computations(bench: EngineBench) -> Iterator[dict[str, int]]:
    """The fields of every COMPUTE that the engine runs."""
    for section in bench.program.engine_sections:
        words = section.content[section.queue_offset :]
        for first in range(0, len(words), COMMAND_BYTES):
            if words[first] == Opcode.COMPUTE:
                yield COMPUTE.decode(words[first : first + COMMAND_BYTES])


def reads(fields: dict[str, int]) -> int:
    steps = fields["kernel_height"] * fields["kernel_width"] * fields["channel_bricks"]
    return steps * sum(reads_of_tiles(fields))


def test_every_cycle_has_one_cause_and_useful_macs_are_those_of_the_network() -> None:
    bench = EngineBench(network(), CONFIG)
    bench.run([int8((1, 9, 7, 13))])
    layers = bench.profile.layers
    matrix = {
        "active": sum(layer.active for layer in layers),
        "stall": sum(layer.stall_weights for layer in layers),
        "shift": sum(layer.own["weight_shift"] for layer in layers),
    }
    parts = {
        "input": sum(layer.stall_ifm for layer in layers),
        "raw": sum(layer.stall_ofm for layer in layers),
        "vector": sum(layer.own["vector"] for layer in layers),
        "other": sum(layer.stall_dma for layer in layers),
    }
    non_matrix = bench.cycles - sum(matrix.values())
    assert non_matrix == sum(parts.values())
    assert all(count > 0 for count in (matrix | parts).values()), (matrix, parts)

    dense = [fields for fields in computations(bench) if fields["mode"] == Mode.DENSE]
    others = [fields for fields in computations(bench) if fields["mode"] != Mode.DENSE]
    assert matrix["active"] == sum(map(reads, dense))
    assert parts["vector"] == sum(map(reads, others)) > 0

    useful = sum(layer.own["useful_macs"] for layer in layers)
    assert useful == sum(useful_macs(fields, CONFIG) for fields in dense)
    assert useful == MACS == bench.profile.macs + OUTSIDE
    for layer in layers:
        assert layer.own["useful_macs"] <= layer.active * CONFIG.peak_macs


def test_a_profile_shows_them() -> None:
    bench = EngineBench(network(), CONFIG)
    bench.run([np.zeros((1, 9, 7, 13), np.int8)])
    console = Console(width=200, record=True)
    console.print(profile_table(bench.profile))
    text = " ".join(console.export_text().split())
    assert "weight shift vector useful macs" in text
    assert f"{MACS:,}" in text  # which no other column shows: the network's own count is less
