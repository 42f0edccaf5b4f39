"""A program crosses the line once: what a second inference moves is its inputs, its outputs and some registers."""

from collections.abc import Sequence

import pytest

from celosia.generators.chassis.command import Region
from celosia.generators.mac_engine.config import PRESETS
from celosia.hdl.link.protocol import REPLY_BIT, REQUEST_HEADER, Kind, size, unpack
from celosia.host.compiler import compile_graph
from celosia.host.driver import region_places
from celosia.host.graph import Graph
from celosia.host.graph_builder import GraphBuilder
from celosia.host.reference import run_graph
from celosia.host.runtime import Runtime
from celosia.host.transports.framing import FrameDecoder
from celosia.host.transports.link import Link
from celosia.host.transports.messages import Request
from celosia.host.transports.serial_device import SerialDevice
from tests.built_graphs import int8
from tests.link_bench.endpoint_twin import EndpointTwin
from tests.link_bench.line import DirectPort
from tests.link_bench.machine import Machine

CONFIG = PRESETS["u55-32"]
WIDTH = 128
CLASSES = 10
_OF_REGISTERS = (Kind.READ_REGISTER, Kind.WRITE_REGISTER)


class Tap:
    """A wire that keeps what passes."""

    def __init__(self) -> None:
        self.heard = b""

    def __call__(self, line: bytes) -> bytes:
        self.heard += line
        return line

    def take(self) -> bytes:
        heard, self.heard = self.heard, b""
        return heard


class TappedBoard:
    """A program on a board, with a tap on each wire."""

    def __init__(self, graph: Graph) -> None:
        self.to_board, self.to_host = Tap(), Tap()
        port = DirectPort(EndpointTwin(Machine(CONFIG)), self.to_board, self.to_host)
        device = SerialDevice(Link(lambda: port, clock=port.clock))
        self.graph = graph
        self.program = compile_graph(graph, CONFIG)
        self.runtime = Runtime(self.program, device)

    def infer(self, seed: int) -> tuple[list[Request], int]:
        """One inference, which must be right: its requests, and the bytes on both wires."""
        image = int8((1, WIDTH), seed)
        values = self.runtime.run([image])
        assert (values[self.program.outputs[0]] == run_graph(self.graph, [image])[0]).all()
        sent = self.to_board.take()
        return requests(sent), len(sent) + len(self.to_host.take())


def dense_graph() -> Graph:
    builder = GraphBuilder("dense")
    image = builder.input((1, WIDTH), scale=0.5)
    hidden = builder.fully_connected(image, int8((WIDTH, WIDTH)), 0.01, scale=0.5)
    return builder.build([builder.fully_connected(hidden, int8((CLASSES, WIDTH)), 0.01, scale=0.5)])


def requests(line: bytes) -> list[Request]:
    """What was asked for in `line`."""
    asked = []
    for content in FrameDecoder().feed(line):
        header = unpack(REQUEST_HEADER, content)
        payload = content[size(REQUEST_HEADER) :]
        assert not header["kind"] & REPLY_BIT
        asked.append(Request(Kind(header["kind"]), header["address"], header["length"], payload))
    return asked


def ranges(asked: Sequence[Request], kind: Kind) -> list[tuple[int, int]]:
    """The memory that requests of `kind` reach: (address, bytes)."""
    return [
        (request.address, max(request.length, len(request.data))) for request in asked if request.kind is kind
    ]


@pytest.fixture
def board() -> TappedBoard:
    return TappedBoard(dense_graph())


def test_loading_writes_the_program_once(board: TappedBoard) -> None:
    (section,) = board.program.engine_sections
    program = region_places(section, 0)[Region.PROGRAM]
    written = ranges(requests(board.to_board.take()), Kind.WRITE_MEMORY)
    assert sum(count for _, count in written) == program.size > WIDTH * (WIDTH + CLASSES) / 2
    assert all(program.address <= place < program.address + program.size for place, _ in written)


def test_the_second_inference_moves_inputs_outputs_and_registers_alone(board: TappedBoard) -> None:
    (section,) = board.program.engine_sections
    places = region_places(section, 0)
    board.to_board.take()
    board.to_host.take()
    board.infer(1)
    asked, line_bytes = board.infer(2)
    written, read = ranges(asked, Kind.WRITE_MEMORY), ranges(asked, Kind.READ_MEMORY)
    assert sum(count for _, count in written) == WIDTH
    assert sum(count for _, count in read) == section.output_bytes
    for moved, place in ((written, places[Region.INPUT]), (read, places[Region.OUTPUT])):
        assert min(address for address, _ in moved) == place.address
        assert max(address + count for address, count in moved) <= place.address + place.size
    # What is left are registers and the frames around it all: less than the weights are, coded as they are.
    assert (
        line_bytes
        < sum(request.line_bytes for request in asked) + len(asked)
        < places[Region.PROGRAM].size / 2
    )


def test_every_later_inference_uses_the_same_registers(board: TappedBoard) -> None:
    board.infer(1)
    second, third = (
        [(request.kind, request.address) for request in board.infer(seed)[0] if request.kind in _OF_REGISTERS]
        for seed in (2, 3)
    )
    assert second == third != []
