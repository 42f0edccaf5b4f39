"""What every family's interpreter keeps: the order of commands, their tokens, LOAD and STORE."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from celosia.generators.chassis.command import BEGIN, HALT, LOAD, STORE, CommandLayout, Opcode, Region
from celosia.generators.chassis.interpreter import ChassisInterpreter, Fields, IllegalCommand
from tests.generators.abacus import AbacusConfig

LAYOUTS = {
    layout.opcode: layout
    for layout in (
        LOAD,
        STORE,
        BEGIN,
        HALT,
        *(CommandLayout(opcode, ()) for opcode in (Opcode.WEIGHTS, Opcode.COMPUTE, Opcode.ACTIVATE)),
    )
}
CONFIG = AbacusConfig(buffer_kib=1)
BRICKS = 128
NO_RING = {"ring_end": 0x1FFFF}

Words = Sequence[tuple[Opcode, Mapping[str, int]]]


class Recorder(ChassisInterpreter[AbacusConfig]):
    """Notes what it is told to do. ACTIVATE waits for the next COMPUTE."""

    def __init__(self, regions: Mapping[Region, np.ndarray] | None = None) -> None:
        super().__init__(CONFIG, LAYOUTS, regions or {region: np.zeros(64, np.uint8) for region in Region})
        self.done: list[str] = []
        self._waiting = 0

    def _load_weights(self, fields: Fields) -> None:
        self.done.append("WEIGHTS")

    def _compute(self, fields: Fields) -> bool:
        self.done.append("COMPUTE")
        if self._waiting:
            self._waiting -= 1
            self.done.append("ACTIVATE")
        return True

    def _activate(self, fields: Fields) -> bool:
        self._waiting += 1
        return False

    def _finish(self) -> None:
        if self._waiting:
            raise IllegalCommand("an ACTIVATE waits for ever")


def run(interpreter: Recorder, *commands: tuple[Opcode, Mapping[str, int]], begin: int = CONFIG.hash) -> None:
    words = [
        BEGIN.encode({"configuration_hash": begin}),
        *(LAYOUTS[opcode].encode(fields) for opcode, fields in commands),
        HALT.encode({}),
    ]
    interpreter.run(b"".join(words))


def rows(region: Region, offset: int, count: int, width: int, channels: int, row: int = 0) -> dict[str, int]:
    bricks = -(-channels // 8)
    return {
        "region": region,
        "offset": offset,
        "rows": count,
        "width": width,
        "channels": channels,
        "row": row,
        "row_pitch": bricks * width,
        "channel_pitch": width,
        **NO_RING,
    }


def test_commands_run_in_order_and_what_waits_runs_when_it_can() -> None:
    recorder = Recorder()
    run(recorder, (Opcode.ACTIVATE, {}), (Opcode.WEIGHTS, {}), (Opcode.COMPUTE, {}))
    assert recorder.done == ["WEIGHTS", "COMPUTE", "ACTIVATE"]


@pytest.mark.parametrize("channels", [8, 5, 13])
def test_load_and_store_keep_every_byte(channels: int) -> None:
    regions = {region: np.zeros(64, np.uint8) for region in Region}
    regions[Region.INPUT][:] = np.arange(64)
    size = 2 * 2 * channels
    recorder = Recorder(regions)
    run(
        recorder,
        (Opcode.LOAD, {**rows(Region.INPUT, 3, 2, 2, channels, row=40), "signal": 1 << 4}),
        (Opcode.STORE, {**rows(Region.OUTPUT, 1, 2, 2, channels, row=40), "wait_load": 1}),
    )
    np.testing.assert_array_equal(
        regions[Region.OUTPUT][1 : 1 + size], np.arange(3, 3 + size).astype(np.uint8)
    )
    lane = (channels - 1) % 8 + 1
    last = recorder.buffer[40 + 2 * (-(-channels // 8) - 1)]
    assert not last[lane:].any(), "lanes beyond the channels are zero"


def test_rows_of_a_ring_wrap() -> None:
    regions = {region: np.arange(64, dtype=np.uint8) for region in Region}
    ring = {**rows(Region.INPUT, 0, 3, 1, 8, row=21), "ring_end": 22, "ring_size": 2}
    recorder = Recorder(regions)
    run(recorder, (Opcode.LOAD, ring))
    np.testing.assert_array_equal(recorder.buffer[20], np.arange(8, 16))
    np.testing.assert_array_equal(recorder.buffer[21], np.arange(16, 24))


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        (
            [(Opcode.COMPUTE, {"wait_load": 1})],
            "command 1: COMPUTE waits for a token of LOAD that no earlier command gives",
        ),
        ([(Opcode.BEGIN, {})], "command 1: BEGIN in the middle of the list"),
        ([(Opcode.LOAD, rows(Region.INPUT, 60, 1, 1, 8))], r"command 1: bytes 60\.\.68 of 64"),
        ([(Opcode.LOAD, rows(Region.INPUT, 0, 1, 1, 8, row=BRICKS))], "command 1: brick 128 of 128"),
        (
            [(Opcode.WEIGHTS, {}), (Opcode.STORE, rows(Region.PROGRAM, 0, 1, 1, 8))],
            "command 2: STORE into region PROGRAM",
        ),
        ([(Opcode.ACTIVATE, {})], "an ACTIVATE waits for ever"),
    ],
)
def test_illegal_lists_are_refused_by_the_command_at_fault(commands: Words, message: str) -> None:
    with pytest.raises(IllegalCommand, match=message):
        run(Recorder(), *commands)


def test_a_list_for_another_configuration_is_refused() -> None:
    with pytest.raises(IllegalCommand, match="command 0: compiled for another configuration"):
        run(Recorder(), begin=CONFIG.hash ^ 1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (b"", "starts with BEGIN and ends with HALT"),
        (HALT.encode({}), "starts with BEGIN and ends with HALT"),
        (b"\x7f" + bytes(63), "command 0 has the unknown opcode 0x7f"),
        (bytes(63), "must be a multiple of 64 bytes"),
    ],
)
def test_what_is_no_list_is_refused(words: bytes, message: str) -> None:
    with pytest.raises(IllegalCommand, match=message):
        Recorder().run(words)
