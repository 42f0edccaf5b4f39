"""A profile takes the turns of a layer together and loses no cycle."""

from dataclasses import replace

from celosia.generators.chassis.command import COMMAND_BYTES
from celosia.host.commands.profile_table import profile_table
from celosia.host.driver import Counters, SectionRun
from celosia.host.profile import profile_of
from celosia.host.program import EngineSection, ProgramLayer, Snapshot

FIRST = ProgramLayer("CONV_2D #0", 0, "convolution", 640)
SECOND = ProgramLayer("ADD #1", 1, "add", 0)


def counted(cycles: int) -> Counters:
    """So many cycles, a quarter of them each: active, waiting for weights, ifm and DMA."""
    quarter = cycles // 4
    return Counters(cycles, quarter, quarter, quarter, 0, quarter, 2 * cycles, cycles)


def section(*snapshots: Snapshot) -> EngineSection:
    return EngineSection(
        content=bytes(2 * COMMAND_BYTES),
        queue_offset=0,
        queue_count=2,
        input_bytes=0,
        output_bytes=0,
        scratch_bytes=0,
        inputs=(),
        outputs=(),
        layers=(FIRST, SECOND),
        snapshots=snapshots,
        predicted_cycles=0,
        peak_bricks=0,
    )


TURNS = section(Snapshot(0, 1, 40), Snapshot(1, 2, 8), Snapshot(0, 1, 20), Snapshot(1, 2, 12))
RUN = SectionRun(counted(80), tuple(counted(cycles) for cycles in (40, 48, 68, 76)))


def test_turns_of_a_layer_add_up_and_the_last_has_the_rest() -> None:
    first, second = profile_of([(TURNS, RUN)], 16, 80).layers
    assert (first.name, first.cycles, first.predicted_cycles) == ("CONV_2D #0", 60, 60)
    assert (second.name, second.cycles, second.predicted_cycles) == ("ADD #1", 20, 20)
    assert (first.active, first.stall_dma, first.bytes_read, first.bytes_written) == (15, 15, 120, 60)
    assert first.mac_utilization == 640 / (16 * 60)


def test_layers_that_share_a_snapshot_share_a_row() -> None:
    (row,) = profile_of([(section(Snapshot(0, 2, 80)), RUN)], 16, 80).layers
    assert (row.name, row.cycles, row.macs) == ("CONV_2D #0 and 1 more", 80, 640)


def test_snapshots_that_did_not_come_lose_no_cycle() -> None:
    profile = profile_of([(TURNS, SectionRun(counted(80), RUN.snapshots[:1]))], 16, 80)
    assert sum(layer.cycles for layer in profile.layers) == profile.cycles == 80


def test_counters_of_the_family_add_up_by_name() -> None:
    def with_own(cycles: int) -> Counters:
        return replace(counted(cycles), own=(cycles // 2, 3 * cycles))

    run = SectionRun(with_own(80), tuple(with_own(cycles) for cycles in (40, 48, 68, 76)))
    first, second = profile_of([(TURNS, run)], 16, 80, ("shift", "useful")).layers
    assert first.own == {"shift": 30, "useful": 180}
    assert second.own == {"shift": 10, "useful": 60}


def test_the_table_has_a_column_for_every_counter_of_the_family() -> None:
    run = SectionRun(replace(counted(80), own=(44,)), ())
    profile = profile_of([(section(Snapshot(0, 2, 80)), run)], 16, 80, ("weight_shift",))
    table = profile_table(profile)
    assert [column.header for column in table.columns][-2:] == ["DMA", "weight shift"]
    assert list(table.columns[-1].cells) == ["44", "44"]
