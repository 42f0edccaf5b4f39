"""Which clocks a routed ECP5 design gets: the fastest legal ones that it reached, without a second route."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from .accelerator_system import LINE_DOMAIN
from .board import Board, SdramChip
from .board_clocks import choose_ecp5_clocks, pll_domains
from .build_result import ClockResult
from .ecp5_pll import OUTPUT_RANGE, Ecp5PllSettings
from .errors import BuildError
from .nextpnr_report import ClockReport, RouteReport
from .sdram_memory import MEMORY_DOMAIN

_MHZ = 1_000_000


def clocks_of(
    board: Board, report: RouteReport, pll_nets: Sequence[frozenset[str]]
) -> dict[str, ClockReport]:
    """What nextpnr says of each domain, `sync` first; all but the nets at the PLL's outputs is the oscillator.

    Raises:
        BuildError: a clock is not there, or there are more.
    """
    domains = (*pll_domains(board.memory), LINE_DOMAIN)
    found: dict[str, ClockReport] = {}
    for clock in report.clocks:
        outputs = [index for index, names in enumerate(pll_nets) if clock.name in names]
        found[domains[outputs[0]] if outputs else LINE_DOMAIN] = clock
    if set(found) != set(domains) or len(report.clocks) != len(domains):
        names = ", ".join(clock.name for clock in report.clocks)
        raise BuildError(
            f"nextpnr-ecp5 reports the clocks {names}; those of the board are {', '.join(domains)}"
        )
    return {domain: found[domain] for domain in domains}


def settle_clocks(board: Board, reached: Mapping[str, ClockReport], asked: int | None) -> Ecp5PllSettings:
    """The PLL for a design that `reached` this: the accelerator's clock first, then the SDRAM's, at most as fast.

    With `asked`, in Hz, the accelerator gets what `choose_ecp5_clocks` makes of that.

    Raises:
        BuildError: a clock missed what is asked for, or what the board needs; the message says by how much and where.
    """
    _require(board, reached, LINE_DOMAIN, Fraction(board.oscillator))
    memory = None
    if isinstance(board.memory, SdramChip):
        _require(board, reached, MEMORY_DOMAIN, Fraction(board.memory.least_frequency))
        memory = _hertz(reached[MEMORY_DOMAIN])
    promised = None if asked is None else choose_ecp5_clocks(board, asked).frequencies[0]
    if promised is not None:
        _require(board, reached, "sync", promised)
    try:
        settings = choose_ecp5_clocks(board, asked or _hertz(reached["sync"]), memory)
    except ValueError as error:
        raise BuildError(f"{board.name} has no legal clocks for what was reached: {error}") from error
    if promised is not None and settings.frequencies[0] < promised:
        raise BuildError(
            f"{_megahertz(promised)} MHz go with no SDRAM clock up to "
            f"{reached[MEMORY_DOMAIN].fmax_mhz:.1f} MHz, which is what that reached; {_path(reached[MEMORY_DOMAIN])}"
        )
    for domain, frequency in _frequencies(board, settings).items():
        _require(board, reached, domain, frequency)
    return settings


def clock_results(
    board: Board, reached: Mapping[str, ClockReport], settings: Ecp5PllSettings | None = None
) -> tuple[ClockResult, ...]:
    """What each domain reached, and what `settings` give it."""
    given = {} if settings is None else _frequencies(board, settings)
    return tuple(
        ClockResult(
            domain, clock.fmax_mhz, float(given[domain] / _MHZ) if given else None, clock.critical_path
        )
        for domain, clock in reached.items()
    )


def _frequencies(board: Board, settings: Ecp5PllSettings) -> dict[str, Fraction]:
    made = dict(zip(pll_domains(board.memory), settings.frequencies, strict=True))
    return {**made, LINE_DOMAIN: Fraction(board.oscillator)}


def _require(board: Board, reached: Mapping[str, ClockReport], domain: str, frequency: Fraction) -> None:
    clock = reached[domain]
    if clock.fmax_mhz * _MHZ < frequency:
        raise BuildError(
            f"the clock {domain} reached {clock.fmax_mhz:.2f} MHz, not the {_megahertz(frequency)} MHz "
            f"that it must have on {board.name}; {_path(clock)}"
        )


def _path(clock: ClockReport) -> str:
    path = clock.critical_path
    return (
        f"its slowest path takes {path.nanoseconds:.1f} ns from {path.components[0]} to {path.components[-1]}, "
        f"{path.routing_nanoseconds:.1f} of them in wires"
    )


def _hertz(clock: ClockReport) -> int:
    """At most what the PLL can make."""
    return min(int(clock.fmax_mhz * _MHZ), OUTPUT_RANGE[1])


def _megahertz(frequency: Fraction) -> str:
    return f"{float(frequency / _MHZ):.6g}"
