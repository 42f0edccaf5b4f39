"""`DrainSequencer`: the order of reads, and what holds them up."""

from typing import NamedTuple

from amaranth.sim import Simulator

from celosia.generators.chassis.tiles.drain_sequencer import ELEMENT_LATENCY, DrainSequencer
from celosia.generators.mac_engine.config import MacEngineConfig
from tests.gateware import convert

TWO_CORES = MacEngineConfig(macs=128, lanes=4)


class Read(NamedTuple):
    cycle: int
    core: int
    address: int
    block: int
    part: int


class Element(NamedTuple):
    cycle: int
    address: int
    part: int
    last: int


def run(
    fields: dict[str, int], config: MacEngineConfig = TWO_CORES, stalled: tuple[int, ...] = ()
) -> tuple[list[Read], list[Element], list[int], list[int], list[int]]:
    """Reads, elements, cycles of `drained`, of `release` and of `freeing`, counted from `start`; a read in every cycle
    that is not in `stalled` while the sequencer has one left.
    """
    sequencer = DrainSequencer(config)
    reads, elements, drained, released, freeing = [], [], [], [], []

    async def bench(ctx) -> None:
        ctx.set(sequencer.command, fields)
        await ctx.tick()
        for cycle in range(60):
            ctx.set(sequencer.start, cycle == 0)
            ctx.set(sequencer.filled, 1)
            ctx.set(sequencer.available, cycle not in stalled)
            if ctx.get(sequencer.elements.valid):
                element = ctx.get(sequencer.elements.payload)
                elements.append(Element(cycle, element.address, element.part, element.last))
            request = (sequencer.core, sequencer.address, sequencer.block, sequencer.part)
            reads.append(Read(cycle, *(ctx.get(value) for value in request)))
            if ctx.get(sequencer.drained):
                drained.append(cycle)
            if ctx.get(sequencer.release):
                released.append(cycle)
            if ctx.get(sequencer.freeing):
                freeing.append(cycle)
            await ctx.tick()

    simulator = Simulator(sequencer)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    # A read is what became an element: the requests of other cycles mean nothing.
    read_cycles = {element.cycle - ELEMENT_LATENCY for element in elements}
    return [read for read in reads if read.cycle in read_cycles], elements, drained, released, freeing


LOOPS = {
    "pixel_cores_log2": 1,
    "height": 2,
    "width": 3,
    "tile_rows": 2,
    "tile_groups": 4,
    "output_blocks": 1,
    "ofm_row": 100,
    "ofm_row_pitch": 10,
    "ofm_ring_end": 0x1FFFF,
}


def test_rows_groups_cores_and_parts_from_the_outside_in() -> None:
    """Two cores on three pixels: the last group has one pixel; the second row's groups come after the first's."""
    reads, elements, drained, released, _ = run(LOOPS)
    assert [(read.core, read.address, read.part) for read in reads] == [
        (core, address, part)
        for core, address in ((0, 0), (1, 0), (0, 1), (0, 2), (1, 2), (0, 3))
        for part in range(2)
    ]
    assert [element.address for element in elements[::2]] == [100, 101, 102, 110, 111, 112]
    assert [element.last for element in elements] == [0] * 11 + [1]
    assert drained == released == [reads[-1].cycle]


def test_first_read_comes_two_cycles_after_start_and_then_one_a_cycle() -> None:
    reads, *_ = run(LOOPS)
    assert [read.cycle for read in reads] == list(range(2, 14))


def test_a_read_waits_for_its_parameters_and_loses_no_more_than_that() -> None:
    reads, *_ = run(LOOPS, stalled=(2, 3, 7, 9))
    assert [read.cycle for read in reads] == [4, 5, 6, 8, *range(10, 18)]


def test_blocks_of_a_group_on_cores_of_their_own() -> None:
    """Three blocks on two cores: the second group has one. Bricks of a block are a channel pitch apart."""
    split = {"pixel_cores_log2": 0, "block_cores_log2": 1, "output_blocks": 3, "width": 1, "height": 1}
    reads, elements, drained, released, _ = run(LOOPS | split | {"ofm_channel_pitch": 7})
    assert [(read.core, read.block) for read in reads[::2]] == [(0, 0), (1, 1), (0, 0)]
    assert [element.address for element in elements[::2]] == [100, 107, 114]
    assert drained == released == [reads[3].cycle, reads[5].cycle]


def test_two_blocks_of_four_outputs_share_a_brick_and_its_parameters() -> None:
    split = {"pixel_cores_log2": 0, "output_blocks": 3, "width": 1, "height": 1}
    config = MacEngineConfig(macs=32, lanes=4)
    reads, elements, drained, released, _ = run(LOOPS | split | {"ofm_channel_pitch": 7}, config)
    assert [(element.address, element.part) for element in elements] == [(100, 0), (100, 1), (107, 0)]
    assert [read.part for read in reads] == [0, 1, 0]
    assert drained == [read.cycle for read in reads]
    assert released == [reads[1].cycle]


def test_a_half_is_promised_with_a_pixel_of_its_last_row() -> None:
    """5 pixels of two parts each may be left, and no pixel of another row."""
    for width, left in ((1, 0), (3, 2), (6, 5), (8, 5)):
        fields = LOOPS | {"width": width}
        reads, _, drained, _, freeing = run(fields)
        assert len(reads) == 2 * width * 2
        assert freeing == [cycle - 2 * left for cycle in drained]


def test_converts() -> None:
    convert(DrainSequencer(TWO_CORES))
