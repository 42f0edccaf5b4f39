"""What an SDR SDRAM asks for: its geometry, its times in nanoseconds, and these in cycles of a clock."""

from dataclasses import dataclass, fields

BURST_HALVES = 4
"""Columns a READ or WRITE covers: one 64-bit beat in words of 16 bits."""

_NANOSECONDS = 1_000_000_000
_LEAST_RECOVERY_CYCLES = 2
"""Some makers give tWR and tMRD in nanoseconds, some as 2 clocks: both are kept."""


def _round_up(nanoseconds: int, frequency: int) -> int:
    return -(-nanoseconds * frequency // _NANOSECONDS)


def _check_range(name: str, value: object, least: int, greatest: int | None) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if value < least or (greatest is not None and value > greatest):
        wanted = f"at least {least}" if greatest is None else f"in {least}..{greatest}"
        raise ValueError(f"{name} must be {wanted}, not {value}")


@dataclass(frozen=True, slots=True)
class SdramGeometry:
    """Rows and columns of a chip of four banks and 16 data pins.

    Attributes:
        row_bits: address pins that name a row, 11..13.
        column_bits: address pins that name a column, 8..10 (pin 10 chooses automatic precharge).

    Raises:
        TypeError, ValueError: an attribute is no int or outside its range.
    """

    row_bits: int = 13
    column_bits: int = 9

    def __post_init__(self) -> None:
        _check_range("row_bits", self.row_bits, 11, 13)
        _check_range("column_bits", self.column_bits, 8, 10)

    @property
    def bank_bits(self) -> int:
        """Address pins that name a bank."""
        return 2

    @property
    def banks(self) -> int:
        """Banks, each with a row of its own open."""
        return 1 << self.bank_bits

    @property
    def page_bytes(self) -> int:
        """Bytes of one row of one bank."""
        return 2 << self.column_bits

    @property
    def address_bits(self) -> int:
        """Bits of a byte address: row, bank, column, byte, from the top."""
        return self.row_bits + self.bank_bits + self.column_bits + 1


@dataclass(frozen=True, slots=True)
class SdramTiming:
    """Times of the datasheet in nanoseconds; its symbol follows each name below.

    Attributes:
        cas_latency: CL in clock cycles, 2 or 3.
        clock_period: tCK, the shortest at this CAS latency.
        row_cycle: tRC, ACTIVE to ACTIVE of one bank.
        row_active: tRAS, ACTIVE to PRECHARGE, the shortest.
        row_active_limit: tRAS, the longest.
        row_to_column: tRCD, ACTIVE to READ or WRITE.
        precharge: tRP, PRECHARGE to ACTIVE, REFRESH or LOAD MODE.
        row_to_row: tRRD, ACTIVE to ACTIVE of another bank.
        write_recovery: tWR (tDPL), last data written to PRECHARGE; two clocks at least.
        refresh: tRFC, REFRESH to ACTIVE, REFRESH or LOAD MODE.
        load_mode: tMRD, LOAD MODE to any command; two clocks at least.
        refresh_period: tREF, in which `refresh_commands` are due.
        refresh_commands: rows that have to be refreshed.
        power_up: from a stable clock to the first command.
        power_up_refreshes: REFRESH commands before the first ACTIVE.

    Raises:
        TypeError, ValueError: an attribute is no int or not positive, the CAS latency is not 2 or 3, or a row's least
            time exceeds its greatest.
    """

    cas_latency: int
    clock_period: int
    row_cycle: int
    row_active: int
    row_active_limit: int
    row_to_column: int
    precharge: int
    row_to_row: int
    write_recovery: int
    refresh: int
    load_mode: int
    refresh_period: int
    refresh_commands: int
    power_up: int
    power_up_refreshes: int

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_range(field.name, getattr(self, field.name), 1, None)
        _check_range("cas_latency", self.cas_latency, 2, 3)
        if self.row_active >= self.row_active_limit:
            raise ValueError(
                f"row_active must be below row_active_limit ({self.row_active_limit} ns), not {self.row_active} ns"
            )

    @property
    def fastest_clock(self) -> int:
        """Hz, the highest at this CAS latency."""
        return _NANOSECONDS // self.clock_period

    def cycles(self, frequency: int) -> "SdramCycles":
        """The least legal numbers of cycles at `frequency`, in Hz; legal at every lower frequency too.

        Raises:
            ValueError: the chip is not that fast at its CAS latency.
        """
        self._check_frequency(frequency)
        row_active = max(self.row_active, self.row_cycle - self.precharge)
        return SdramCycles(
            cas_latency=self.cas_latency,
            row_active=_round_up(row_active, frequency),
            row_to_column=_round_up(self.row_to_column, frequency),
            precharge=_round_up(self.precharge, frequency),
            row_to_row=_round_up(self.row_to_row, frequency),
            write_recovery=max(_LEAST_RECOVERY_CYCLES, _round_up(self.write_recovery, frequency)),
            refresh=_round_up(self.refresh, frequency),
            load_mode=max(_LEAST_RECOVERY_CYCLES, _round_up(self.load_mode, frequency)),
            power_up=_round_up(self.power_up, frequency),
            power_up_refreshes=self.power_up_refreshes,
        )

    def refresh_interval(self, frequency: int) -> int:
        """Cycles from one REFRESH to the next at `frequency`, in Hz; right at every higher frequency too.

        One less than the average that the datasheet allows: over `refresh_commands` of them that makes up for
        a REFRESH that has to wait for a burst, by as many cycles.

        Raises:
            ValueError: the chip is not that fast, or the clock is too slow to refresh it.
        """
        self._check_frequency(frequency)
        interval = self.refresh_period * frequency // (self.refresh_commands * _NANOSECONDS) - 1
        if interval < 1:
            raise ValueError(
                f"frequency must allow a REFRESH every {self.refresh_period} ns, not {frequency} Hz"
            )
        return interval

    def _check_frequency(self, frequency: int) -> None:
        _check_range("frequency", frequency, 1, None)
        if frequency * self.clock_period > _NANOSECONDS:
            raise ValueError(
                f"frequency must be at most {_NANOSECONDS // self.clock_period} Hz at CAS latency "
                f"{self.cas_latency}, not {frequency}"
            )


@dataclass(frozen=True, slots=True)
class SdramCycles:
    """`SdramTiming` in clock cycles: what the gateware counts. Names are the same, all at least 1.

    `row_active` is long enough that `row_active` + `precharge` cover tRC.

    Raises:
        TypeError, ValueError: an attribute is no int or not positive.
    """

    cas_latency: int
    row_active: int
    row_to_column: int
    precharge: int
    row_to_row: int
    write_recovery: int
    refresh: int
    load_mode: int
    power_up: int
    power_up_refreshes: int

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_range(field.name, getattr(self, field.name), 1, None)
        _check_range("cas_latency", self.cas_latency, 2, 3)

    @property
    def access_to_precharge(self) -> int:
        """Cycles from a READ or WRITE to the PRECHARGE of its bank, whatever came before.

        A READ's data are out by then, a WRITE's last data recovered, and tRAS has passed even if this access
        is the first.
        """
        return max(BURST_HALVES, BURST_HALVES - 1 + self.write_recovery, self.row_active - self.row_to_column)


AS4C16M16SA_7 = SdramTiming(
    cas_latency=3,
    clock_period=7,
    row_cycle=63,
    row_active=42,
    row_active_limit=120_000,
    row_to_column=21,
    precharge=21,
    row_to_row=14,
    write_recovery=14,
    refresh=63,
    load_mode=14,
    refresh_period=64_000_000,
    refresh_commands=8192,
    power_up=200_000,
    power_up_refreshes=8,
)
"""Alliance AS4C16M16SA-7, up to 143 MHz (datasheet revision 3.0, table 16); slow enough for IS42S16160G-7 too."""
