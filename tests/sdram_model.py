"""An SDR SDRAM chip that refuses whatever its datasheet forbids, edge by edge of its clock.

It knows nothing of the controller: times are checked in nanoseconds against `SdramTiming`, not in the
controller's cycles. Where the standard allows more than a controller should use (interrupted bursts, automatic
precharge, power-down), it refuses.
"""

import random
from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from celosia.hdl.sdram_pins import SdramCommand
from celosia.hdl.sdram_timing import SdramGeometry, SdramTiming

BANKS = 4
BURST_LENGTHS = {0: 1, 1: 2, 2: 4, 3: 8}
READ_MASK_LATENCY = 2
ALL_BANKS_PIN = 1 << 10


class SdramViolation(AssertionError):
    """What the controller did wrong: the parameter of the datasheet first, then when and by how much."""


@dataclass(frozen=True, slots=True)
class PinState:
    """What the chip sees at a rising edge; all active high. `data` is None while the controller does not drive."""

    command: SdramCommand = SdramCommand.NOP
    bank: int = 0
    address: int = 0
    mask: int = 0
    data: int | None = None
    clock_enable: bool = True
    chip_select: bool = True


@dataclass(slots=True)
class _Bank:
    """State of a bank; instants in nanoseconds, None for never."""

    row: int | None = None
    activated: Fraction | None = None
    precharged: Fraction | None = None
    written: Fraction | None = None  # last data


class SdramModel:
    """`edge` once per clock cycle: takes the pins, returns what the chip drives until the next edge.

    Content is random until written.

    Attributes:
        refreshes: REFRESH commands after initialisation.
        commands: how often each command was seen.
        worst_refresh_debt: the furthest, in nanoseconds, that refreshing lagged behind its schedule.
    """

    def __init__(
        self,
        geometry: SdramGeometry,
        timing: SdramTiming,
        frequency: int,
        *,
        postponed_refreshes: int = 1,
        seed: int = 0,
    ) -> None:
        self._geometry = geometry
        self._timing = timing
        self._period = Fraction(1_000_000_000, frequency)
        self._refresh_interval = Fraction(timing.refresh_period, timing.refresh_commands)
        self._postponed_refreshes = postponed_refreshes
        self._garbage = random.Random(seed)
        self._rows: dict[tuple[int, int], np.ndarray] = {}
        self._banks = [_Bank() for _ in range(BANKS)]
        self._edge = 0
        self._burst_length: int | None = None
        self._cas_latency = 0
        self._was_precharged = False  # all banks, once
        self._initial_refreshes = 0
        self._last_activated: Fraction | None = None
        self._last_refresh: Fraction | None = None
        self._last_load_mode: Fraction | None = None
        self._initialized_at: Fraction | None = None
        self._debt = Fraction(0)
        self._masks: deque[int] = deque([3] * (READ_MASK_LATENCY + 1), maxlen=READ_MASK_LATENCY + 1)
        self._reads: dict[int, tuple[int, int, int]] = {}  # edge of the data -> bank, row, column
        self._writes: dict[int, tuple[int, int, int]] = {}
        self.refreshes = 0
        self.worst_refresh_debt = Fraction(0)
        self.commands = dict.fromkeys(SdramCommand, 0)

    @property
    def now(self) -> Fraction:
        """Nanoseconds since the clock is stable."""
        return self._edge * self._period

    @property
    def initialized(self) -> bool:
        """Whether rows may be opened."""
        return self._initialized_at is not None

    def row(self, bank: int, row: int) -> np.ndarray:
        """The words of a row, `uint16`; a view."""
        if (bank, row) not in self._rows:
            words = [self._garbage.randrange(1 << 16) for _ in range(1 << self._geometry.column_bits)]
            self._rows[bank, row] = np.array(words, dtype=np.uint16)
        return self._rows[bank, row]

    def edge(self, pins: PinState) -> int | None:
        """One rising edge. The word to be sampled at the next edge, or None while the chip drives nothing.

        Raises:
            SdramViolation: the pins break a rule.
        """
        self._masks.append(pins.mask)
        self._check_static(pins)
        command = pins.command if pins.chip_select else SdramCommand.NOP
        self.commands[command] += 1
        handlers = {
            SdramCommand.NOP: lambda _: None,
            SdramCommand.BURST_TERMINATE: self._burst_terminate,
            SdramCommand.READ: self._read,
            SdramCommand.WRITE: self._write,
            SdramCommand.ACTIVE: self._active,
            SdramCommand.PRECHARGE: self._precharge,
            SdramCommand.REFRESH: self._refresh,
            SdramCommand.LOAD_MODE: self._load_mode,
        }
        if command is not SdramCommand.NOP:
            self._check_between_commands(command)
        handlers[command](pins)
        self._take_data(pins)
        self._check_refresh()
        self._edge += 1
        return self._drive()

    # Rules

    def _violate(self, parameter: str, text: str) -> None:
        raise SdramViolation(f"{parameter}: {text} (edge {self._edge}, {float(self.now):.1f} ns)")

    def _at_least(self, parameter: str, since: Fraction | None, least: int, what: str) -> None:
        if since is not None and self.now - since < least:
            self._violate(parameter, f"{float(self.now - since):.1f} ns {what}, at least {least} ns")

    def _check_static(self, pins: PinState) -> None:
        if not pins.clock_enable:
            self._violate("CKE", "low: power-down and self refresh are not modelled")
        if not self.initialized and pins.mask != 3:
            self._violate("DQM", f"{pins.mask:02b} before the end of initialisation, must be 11")

    def _check_between_commands(self, command: SdramCommand) -> None:
        if self.now < self._timing.power_up:
            self._violate(
                "power-up", f"{command.name} after {float(self.now):.0f} ns, at least {self._timing.power_up}"
            )
        self._at_least(
            "tMRD", self._last_load_mode, self._timing.load_mode, f"from LOAD_MODE to {command.name}"
        )
        if self._last_load_mode is not None and self.now - self._last_load_mode < 2 * self._period:
            self._violate("tMRD", f"one clock from LOAD_MODE to {command.name}, at least 2")
        self._at_least("tRFC", self._last_refresh, self._timing.refresh, f"from REFRESH to {command.name}")

    def _burst_terminate(self, pins: PinState) -> None:
        self._violate("BURST_TERMINATE", "bursts are not to be interrupted")

    def _active(self, pins: PinState) -> None:
        if not self.initialized:
            self._violate("initialisation", "ACTIVE before PRECHARGE all, REFRESH and LOAD_MODE")
        bank = self._banks[pins.bank]
        if bank.row is not None:
            self._violate("bank state", f"ACTIVE while row {bank.row} of bank {pins.bank} is open")
        self._at_least("tRP", bank.precharged, self._timing.precharge, "from PRECHARGE to ACTIVE")
        self._at_least("tRC", bank.activated, self._timing.row_cycle, "from ACTIVE to ACTIVE")
        self._at_least(
            "tRRD", self._last_activated, self._timing.row_to_row, "from ACTIVE to ACTIVE of another bank"
        )
        if pins.address >> self._geometry.row_bits:
            self._violate("address", f"row {pins.address} does not exist")
        bank.row = pins.address
        bank.activated = self._last_activated = self.now

    def _access(self, pins: PinState, name: str) -> tuple[int, int, int]:
        bank = self._banks[pins.bank]
        if bank.row is None:
            self._violate("bank state", f"{name} while no row of bank {pins.bank} is open")
        assert bank.row is not None
        self._at_least("tRCD", bank.activated, self._timing.row_to_column, f"from ACTIVE to {name}")
        self._check_row_limit(pins.bank)
        if pins.address & ALL_BANKS_PIN:
            self._violate("A10", f"{name} with automatic precharge is not modelled")
        if pins.address >> self._geometry.column_bits:
            self._violate("address", f"column {pins.address} does not exist")
        if any(edge >= self._edge for edge in self._writes):
            self._violate("burst", f"{name} interrupts a WRITE")
        return pins.bank, bank.row, pins.address

    def _columns(self, first: int) -> list[int]:
        """A burst wraps within its own length."""
        assert self._burst_length is not None
        start = first & -self._burst_length
        return [start + (first + n) % self._burst_length for n in range(self._burst_length)]

    def _read(self, pins: PinState) -> None:
        bank, row, first = self._access(pins, "READ")
        for n, column in enumerate(self._columns(first)):
            edge = self._edge + self._cas_latency + n
            if edge in self._reads:
                self._violate("burst", "READ interrupts a READ")
            self._reads[edge] = bank, row, column

    def _write(self, pins: PinState) -> None:
        bank, row, first = self._access(pins, "WRITE")
        # The chip lets go of the pins within a cycle after its last data: that cycle has to stay free.
        if any(edge + 1 >= self._edge for edge in self._reads):
            self._violate("tHZ", "WRITE before the data of a READ have left the pins")
        for n, column in enumerate(self._columns(first)):
            self._writes[self._edge + n] = bank, row, column

    def _precharge(self, pins: PinState) -> None:
        every = bool(pins.address & ALL_BANKS_PIN)
        for number in range(BANKS) if every else (pins.bank,):
            bank = self._banks[number]
            if bank.row is not None:
                self._check_closing(number, bank)
            bank.row = None
            bank.precharged = self.now
        self._was_precharged = self._was_precharged or every

    def _check_closing(self, number: int, bank: _Bank) -> None:
        if any(number == at for edge, (at, _, _) in self._writes.items() if edge >= self._edge):
            self._violate("burst", "PRECHARGE interrupts a WRITE")
        self._at_least("tRAS", bank.activated, self._timing.row_active, "from ACTIVE to PRECHARGE")
        self._check_row_limit(number)
        self._at_least("tWR", bank.written, self._timing.write_recovery, "from the last data to PRECHARGE")
        if bank.written is not None and self.now - bank.written < 2 * self._period:
            self._violate("tWR", "one clock from the last data to PRECHARGE, at least 2")
        last_read = max((edge for edge, (at, _, _) in self._reads.items() if at == number), default=0)
        if last_read >= self._edge + self._cas_latency:
            self._violate("burst", "PRECHARGE interrupts a READ")

    def _idle(self, name: str) -> None:
        for number, bank in enumerate(self._banks):
            if bank.row is not None:
                self._violate("bank state", f"{name} while row {bank.row} of bank {number} is open")
            self._at_least("tRP", bank.precharged, self._timing.precharge, f"from PRECHARGE to {name}")

    def _refresh(self, pins: PinState) -> None:
        if not self._was_precharged:
            self._violate("initialisation", "REFRESH before PRECHARGE of all banks")
        self._idle("REFRESH")
        self._at_least("tRC", self._last_activated, self._timing.row_cycle, "from ACTIVE to REFRESH")
        self._last_refresh = self.now
        if self.initialized:
            self.refreshes += 1
            self._debt = max(Fraction(0), self._debt - self._refresh_interval)
        else:
            self._initial_refreshes += 1
            self._complete_initialization()

    def _load_mode(self, pins: PinState) -> None:
        if not self._was_precharged:
            self._violate("initialisation", "LOAD_MODE before PRECHARGE of all banks")
        self._idle("LOAD_MODE")
        burst, latency = pins.address & 0xF, pins.address >> 4 & 7
        if burst not in BURST_LENGTHS or pins.address >> 7 or pins.bank:
            self._violate("mode", f"{pins.address:013b} is reserved or not modelled")
        if latency != self._timing.cas_latency:
            self._violate(
                "mode", f"CAS latency {latency}, the datasheet's times are for {self._timing.cas_latency}"
            )
        if self._period < self._timing.clock_period:
            self._violate("tCK", f"{float(self._period):.2f} ns, at least {self._timing.clock_period} ns")
        self._burst_length = BURST_LENGTHS[burst]
        self._cas_latency = latency
        self._last_load_mode = self.now
        self._complete_initialization()

    def _complete_initialization(self) -> None:
        enough = self._initial_refreshes >= self._timing.power_up_refreshes
        if enough and self._burst_length is not None and self._initialized_at is None:
            self._initialized_at = self.now

    def _check_row_limit(self, number: int) -> None:
        activated = self._banks[number].activated
        assert activated is not None
        if self.now - activated > self._timing.row_active_limit:
            self._violate(
                "tRAS",
                f"a row was open for {float(self.now - activated):.0f} ns, at most {self._timing.row_active_limit} ns",
            )

    def _check_refresh(self) -> None:
        """Debt grows with time, a REFRESH pays an average interval of it."""
        if not self.initialized:
            return
        self._debt += self._period
        self.worst_refresh_debt = max(self.worst_refresh_debt, self._debt - self._refresh_interval)
        if self._debt > (1 + self._postponed_refreshes) * self._refresh_interval:
            self._violate(
                "tREF",
                f"{float(self._debt):.0f} ns to be refreshed, {float(self._refresh_interval):.1f} ns each",
            )

    # Data

    def _take_data(self, pins: PinState) -> None:
        place = self._writes.pop(self._edge, None)
        if pins.data is not None and self._edge in self._reads:
            self._violate("data pins", "driven by the controller and by the chip")
        if place is None:
            return
        if pins.data is None:
            self._violate("data pins", "nobody drives the data of a WRITE")
        assert pins.data is not None
        bank, row, column = place
        self._banks[bank].written = self.now
        kept = sum(0xFF << 8 * byte for byte in range(2) if pins.mask >> byte & 1)
        words = self.row(bank, row)
        words[column] = int(words[column]) & kept | pins.data & ~kept & 0xFFFF

    def _drive(self) -> int | None:
        self._reads.pop(self._edge - 2, None)
        place = self._reads.get(self._edge)
        if place is None:
            return None
        bank, row, column = place
        mask = self._masks[1]  # of the edge two before the one at which the word is sampled
        noise = sum(self._garbage.randrange(256) << 8 * byte for byte in range(2) if mask >> byte & 1)
        kept = sum(0xFF << 8 * byte for byte in range(2) if not mask >> byte & 1)
        return int(self.row(bank, row)[column]) & kept | noise
