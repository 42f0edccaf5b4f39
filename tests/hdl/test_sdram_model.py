"""The models of the SDRAM chip, the strict one and the fast one of the board simulation, by the same tests.

They work as the datasheet says, and name the rule that is broken otherwise.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from celosia.hdl.sdram_pins import ALL_BANKS, SdramCommand, mode_register
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry, SdramTiming
from tests.sdram_model import PinState, SdramModel, SdramViolation
from tests.sim.board.native_sdram import NativeSdramModel

Model = SdramModel | NativeSdramModel

FREQUENCY = 100_000_000
TIMING = replace(AS4C16M16SA_7, power_up=100)
"""In cycles of 10 ns: tRCD 3, tRP 3, tRAS 5, tRC 7, tRRD 2, tWR 2, tRFC 7, tMRD 2."""
MODE = mode_register(3)

NOP = PinState()
PRECHARGE_ALL = PinState(SdramCommand.PRECHARGE, address=ALL_BANKS)
REFRESH = PinState(SdramCommand.REFRESH)
LOAD_MODE = PinState(SdramCommand.LOAD_MODE, address=MODE)


def wait(cycles: int) -> list[PinState]:
    """What lies between two commands that are `cycles` apart."""
    return [NOP] * (cycles - 1)


def active(bank: int, row: int) -> PinState:
    return PinState(SdramCommand.ACTIVE, bank, row)


def read(bank: int, column: int) -> PinState:
    return PinState(SdramCommand.READ, bank, column)


def precharge(bank: int) -> PinState:
    return PinState(SdramCommand.PRECHARGE, bank)


def write(bank: int, column: int, words: Iterable[int], mask: int = 0) -> list[PinState]:
    """The command with its data and the three words after it."""
    first, *others = words
    head = PinState(SdramCommand.WRITE, bank, column, mask=mask, data=first)
    return [head, *(PinState(data=word, mask=mask) for word in others)]


def masked(pins: Iterable[PinState]) -> list[PinState]:
    return [replace(state, mask=3) for state in pins]


def initialization(timing: SdramTiming = TIMING) -> list[PinState]:
    refreshes = [REFRESH, *wait(7)] * timing.power_up_refreshes
    return masked([*[NOP] * 10, PRECHARGE_ALL, *wait(3), *refreshes, LOAD_MODE]) + wait(2)


Models = Callable[..., Model]


@pytest.fixture(params=[SdramModel, NativeSdramModel])
def model(request: pytest.FixtureRequest) -> Models:
    def make(timing: SdramTiming = TIMING, frequency: int = FREQUENCY) -> Model:
        return request.param(SdramGeometry(), timing, frequency)

    return make


@pytest.fixture
def ready_model(model: Models) -> Models:
    def make(timing: SdramTiming = TIMING, frequency: int = FREQUENCY) -> Model:
        chip = model(timing, frequency)
        run(chip, initialization(timing))
        assert chip.initialized
        return chip

    return make


def run(chip: Model, pins: Iterable[PinState]) -> list[int | None]:
    """What the chip drives after each edge."""
    return [chip.edge(state) for state in pins]


def test_keeps_what_is_written(ready_model: Models) -> None:
    chip = ready_model()
    run(chip, [active(2, 77), *wait(3), *write(2, 8, [1, 2, 3, 4]), *wait(2)])
    driven = run(chip, [read(2, 8), *wait(8)])
    assert driven == [None, None, 1, 2, 3, 4, None, None]


def test_masks_bytes_that_are_written(ready_model: Models) -> None:
    chip = ready_model()
    words = [active(0, 0), *wait(3), *write(0, 0, [0x1111] * 4), *write(0, 0, [0x2222] * 4, mask=0b10)]
    run(chip, words)
    assert list(chip.row(0, 0)[:4]) == [0x1122] * 4


def test_masks_data_that_are_read_two_edges_later(ready_model: Models) -> None:
    chip = ready_model()
    run(chip, [active(0, 0), *wait(3), *write(0, 0, [0x1111, 0x2222, 0x3333, 0x4444])])
    driven = run(chip, [read(0, 0), NOP, replace(NOP, mask=3), *wait(6)])
    assert [driven[2], driven[4], driven[5]] == [0x1111, 0x3333, 0x4444]
    assert driven[3] != 0x2222


def test_a_burst_wraps_within_its_length(ready_model: Models) -> None:
    chip = ready_model()
    run(chip, [active(0, 0), *wait(3), *write(0, 0, [1, 2, 3, 4])])
    assert run(chip, [read(0, 2), *wait(8)])[2:6] == [3, 4, 1, 2]


def test_reads_noise_where_nothing_was_written(ready_model: Models) -> None:
    chip = ready_model()
    driven = run(chip, [active(0, 0), *wait(3), read(0, 0), *wait(8)])
    assert len(set(driven[5:9])) == 4


OPEN = [active(1, 5), *wait(3)]
DATA = [10, 20, 30, 40]
WRITE = write(1, 0, DATA)[0]

Violation = tuple[str, list[PinState], str]
AFTER_INITIALIZATION: list[Violation] = [
    ("tRCD", [active(1, 5), *wait(2), read(1, 0)], "20.0 ns from ACTIVE to READ, at least 21 ns"),
    ("tRCD", [active(1, 5), *wait(2), WRITE], "20.0 ns from ACTIVE to WRITE, at least 21 ns"),
    ("tRAS", [active(1, 5), *wait(4), precharge(1)], "40.0 ns from ACTIVE to PRECHARGE, at least 42 ns"),
    (
        "tRP",
        [active(1, 5), *wait(6), precharge(1), *wait(2), active(1, 6)],
        "20.0 ns from PRECHARGE to ACTIVE",
    ),
    ("tRP", [active(1, 5), *wait(6), precharge(1), *wait(2), REFRESH], "20.0 ns from PRECHARGE to REFRESH"),
    (
        "tRP",
        [active(1, 5), *wait(6), precharge(1), *wait(2), LOAD_MODE],
        "20.0 ns from PRECHARGE to LOAD_MODE",
    ),
    ("tRRD", [active(1, 5), active(2, 5)], "10.0 ns from ACTIVE to ACTIVE of another bank, at least 14 ns"),
    ("tRFC", [REFRESH, *wait(6), REFRESH], "60.0 ns from REFRESH to REFRESH, at least 63 ns"),
    ("tRFC", [REFRESH, *wait(6), active(0, 0)], "60.0 ns from REFRESH to ACTIVE, at least 63 ns"),
    ("tRFC", [REFRESH, *wait(6), PRECHARGE_ALL], "60.0 ns from REFRESH to PRECHARGE, at least 63 ns"),
    ("tMRD", [LOAD_MODE, active(0, 0)], "10.0 ns from LOAD_MODE to ACTIVE, at least 14 ns"),
    (
        "tWR",
        [*OPEN, *write(1, 0, DATA), precharge(1)],
        "10.0 ns from the last data to PRECHARGE, at least 14 ns",
    ),
    ("burst", [*OPEN, *write(1, 0, DATA)[:3], precharge(1)], "PRECHARGE interrupts a WRITE"),
    ("burst", [*OPEN, *wait(3), read(1, 0), *wait(3), precharge(1)], "PRECHARGE interrupts a READ"),
    ("burst", [*OPEN, read(1, 0), *wait(3), read(1, 4)], "READ interrupts a READ"),
    ("burst", [*OPEN, *write(1, 0, DATA)[:3], read(1, 4)], "READ interrupts a WRITE"),
    ("burst", [*OPEN, *write(1, 0, DATA)[:3], WRITE], "WRITE interrupts a WRITE"),
    (
        "tHZ",
        [*OPEN, read(1, 0), *wait(7), WRITE],
        "WRITE before the data of a READ have left the pins",
    ),
    (
        "data pins",
        [*OPEN, read(1, 0), *wait(4), replace(NOP, data=0)],
        "driven by the controller and by the chip",
    ),
    ("data pins", [*OPEN, *write(1, 0, DATA)[:3], NOP], "nobody drives the data of a WRITE"),
    ("bank state", [read(1, 0)], "READ while no row of bank 1 is open"),
    ("bank state", [WRITE], "WRITE while no row of bank 1 is open"),
    ("bank state", [*OPEN, *wait(7), active(1, 5)], "ACTIVE while row 5 of bank 1 is open"),
    ("bank state", [*OPEN, REFRESH], "REFRESH while row 5 of bank 1 is open"),
    ("bank state", [*OPEN, LOAD_MODE], "LOAD_MODE while row 5 of bank 1 is open"),
    ("BURST_TERMINATE", [PinState(SdramCommand.BURST_TERMINATE)], "bursts are not to be interrupted"),
    ("A10", [*OPEN, read(1, ALL_BANKS)], "READ with automatic precharge is not modelled"),
    ("address", [*OPEN, read(1, 512)], "column 512 does not exist"),
    ("address", [active(1, 1 << 13)], "row 8192 does not exist"),
    (
        "mode",
        [replace(LOAD_MODE, address=mode_register(2))],
        "CAS latency 2, the datasheet's times are for 3",
    ),
    ("mode", [replace(LOAD_MODE, address=MODE | 1 << 9)], "0001000110010 is reserved or not modelled"),
    ("CKE", [replace(NOP, clock_enable=False)], "low: power-down and self refresh are not modelled"),
]


@pytest.mark.parametrize(("parameter", "pins", "text"), AFTER_INITIALIZATION)
def test_names_the_rule_that_is_broken(
    ready_model: Models, parameter: str, pins: list[PinState], text: str
) -> None:
    chip = ready_model()
    *legal, last = pins
    run(chip, legal)
    with pytest.raises(SdramViolation, match=f"^{parameter}: .*{text}"):
        chip.edge(last)


def test_row_cycle_is_refused_by_name_where_it_is_not_covered_by_the_others(ready_model: Models) -> None:
    chip = ready_model(replace(TIMING, row_cycle=90))
    run(chip, [active(1, 5), *wait(5), precharge(1), *wait(3)])
    with pytest.raises(SdramViolation, match=r"^tRC: 80.0 ns from ACTIVE to ACTIVE, at least 90 ns"):
        chip.edge(active(1, 6))


def test_row_cycle_holds_for_refresh_as_well(ready_model: Models) -> None:
    chip = ready_model(replace(TIMING, row_cycle=90))
    run(chip, [active(1, 5), *wait(5), precharge(1), *wait(3)])
    with pytest.raises(SdramViolation, match=r"^tRC: 80.0 ns from ACTIVE to REFRESH, at least 90 ns"):
        chip.edge(REFRESH)


@pytest.mark.parametrize("use", [lambda: read(1, 0), lambda: precharge(1)])
def test_a_row_may_not_stay_open_for_ever(ready_model: Models, use: Callable[[], PinState]) -> None:
    chip = ready_model(replace(TIMING, row_active_limit=1000))
    run(chip, [active(1, 5), *wait(101)])
    with pytest.raises(SdramViolation, match=r"^tRAS: a row was open for 1010 ns, at most 1000 ns"):
        chip.edge(use())


def test_refresh_may_be_late_once_but_not_more(ready_model: Models) -> None:
    chip = ready_model()
    run(chip, [NOP] * 1500)
    assert chip.worst_refresh_debt > 0
    with pytest.raises(SdramViolation, match=r"^tREF: 1563. ns to be refreshed, 7812.5 ns each"):
        run(chip, [NOP] * 100)


def test_refresh_has_to_keep_its_average(ready_model: Models) -> None:
    chip = ready_model()
    for _ in range(20):
        run(chip, [REFRESH, *[NOP] * 780])  # 781 cycles of 10 ns, just within 7812.5 ns
    assert chip.refreshes == 20
    with pytest.raises(SdramViolation, match="tREF"):
        run(chip, [REFRESH, *[NOP] * 830] * 20)


def test_two_clocks_are_kept_where_nanoseconds_would_allow_one(ready_model: Models) -> None:
    chip = ready_model(frequency=50_000_000)
    run(chip, [*OPEN, *write(1, 0, DATA)])
    with pytest.raises(SdramViolation, match=r"^tWR: one clock from the last data to PRECHARGE, at least 2"):
        chip.edge(precharge(1))
    chip = ready_model(frequency=50_000_000)
    chip.edge(LOAD_MODE)
    with pytest.raises(SdramViolation, match=r"^tMRD: one clock from LOAD_MODE to ACTIVE, at least 2"):
        chip.edge(active(1, 0))


PREPARED = [*[NOP] * 10, PRECHARGE_ALL, *wait(3)]
DURING_INITIALIZATION: list[Violation] = [
    ("power-up", [*[NOP] * 9, PRECHARGE_ALL], "PRECHARGE after 90 ns, at least 100"),
    ("DQM", [replace(NOP, mask=0)], "00 before the end of initialisation, must be 11"),
    ("initialisation", [*[NOP] * 10, REFRESH], "REFRESH before PRECHARGE of all banks"),
    ("initialisation", [*[NOP] * 10, LOAD_MODE], "LOAD_MODE before PRECHARGE of all banks"),
    ("initialisation", [*PREPARED, active(0, 0)], "ACTIVE before PRECHARGE all, REFRESH and LOAD_MODE"),
    (
        "initialisation",
        [*PREPARED, LOAD_MODE, *wait(2), *[REFRESH, *wait(7)] * 7, active(0, 0)],
        "ACTIVE before",
    ),
    (
        "tRP",
        [*[NOP] * 10, PRECHARGE_ALL, *wait(2), REFRESH],
        "20.0 ns from PRECHARGE to REFRESH, at least 21 ns",
    ),
]


@pytest.mark.parametrize(("parameter", "pins", "text"), DURING_INITIALIZATION)
def test_names_what_is_wrong_with_the_initialisation(
    model: Models, parameter: str, pins: list[PinState], text: str
) -> None:
    chip = model()
    legal, last = masked(pins[:-1]), pins[-1]
    run(chip, legal)
    with pytest.raises(SdramViolation, match=f"^{parameter}: .*{text}"):
        chip.edge(last if parameter == "DQM" else replace(last, mask=3))


def test_the_mode_may_be_loaded_before_or_after_the_refreshes(model: Models) -> None:
    chip = model()
    run(chip, masked([*PREPARED, LOAD_MODE, *wait(2), *[REFRESH, *wait(7)] * 8]))
    assert chip.initialized


def test_a_clock_too_fast_for_the_cas_latency_is_refused(model: Models) -> None:
    with pytest.raises(SdramViolation, match=r"^tCK: 6.67 ns, at least 7 ns"):
        run(model(frequency=150_000_000), masked([*[NOP] * 20, PRECHARGE_ALL, *wait(4), LOAD_MODE]))
