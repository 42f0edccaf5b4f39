"""The mixed-mode clock manager of Xilinx's 7 series (MMCME2_ADV): which frequencies it can make, and the block itself.

    oscillator = input * multiplier / input_divider
    output = oscillator / divider

Sources: Xilinx DS181, "Artix-7 FPGAs Data Sheet", and DS182, "Kintex-7 FPGAs Data Sheet", tables "MMCM Specification"
and "Global Clock Switching Characteristics", for the limits, which are those of the slowest speed grade, -1 and -1L, of
either family; UG472, "7 Series FPGAs Clocking Resources", for the dividers. Multiplier and dividers are whole numbers
here; the block could do eighths in some.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from amaranth.hdl import Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

_MHZ = 1_000_000
INPUT_RANGE = (10 * _MHZ, 800 * _MHZ)
"""Hz of the input, least and greatest."""
DETECTOR_RANGE = (10 * _MHZ, 450 * _MHZ)
"""Hz of the divided input, which the phase detector sees."""
OSCILLATOR_RANGE = (600 * _MHZ, 1200 * _MHZ)
"""Hz of the oscillator."""
OUTPUT_RANGE = (4_690_000, 464 * _MHZ)
"""Hz of every output: the least is the block's limit, the greatest that of the global buffer behind it."""
MULTIPLIERS = (2, 64)
INPUT_DIVIDERS = (1, 106)
OUTPUT_DIVIDERS = (1, 128)
GREATEST_OUTPUTS = 3
"""As many as any board here needs; the block has seven."""


@dataclass(frozen=True, slots=True)
class XilinxPllSettings:
    """Multiplier and dividers, checked against the limits of the datasheet.

    Attributes:
        input_frequency: Hz.
        multiplier: of the divided input, 2..64.
        input_divider: 1..106.
        dividers: of the oscillator, one for each output, 1..128; one to three.

    Raises:
        TypeError, ValueError: a frequency or divider is outside its limits; the message names it and them.
    """

    input_frequency: int
    multiplier: int
    input_divider: int
    dividers: tuple[int, ...]

    def __post_init__(self) -> None:
        _check_int("multiplier", self.multiplier, MULTIPLIERS)
        _check_int("input_divider", self.input_divider, INPUT_DIVIDERS)
        if not 1 <= len(self.dividers) <= GREATEST_OUTPUTS:
            raise ValueError(f"dividers must be 1..{GREATEST_OUTPUTS}, not {len(self.dividers)}")
        for divider in self.dividers:
            _check_int("divider", divider, OUTPUT_DIVIDERS)
        _check_frequency("input_frequency", Fraction(self.input_frequency), INPUT_RANGE)
        _check_frequency(
            "detector_frequency", Fraction(self.input_frequency, self.input_divider), DETECTOR_RANGE
        )
        _check_frequency("oscillator_frequency", self.oscillator_frequency, OSCILLATOR_RANGE)
        for number, frequency in enumerate(self.frequencies):
            _check_frequency(f"the frequency of output {number}", frequency, OUTPUT_RANGE)

    @property
    def oscillator_frequency(self) -> Fraction:
        """Hz of the oscillator."""
        return Fraction(self.input_frequency * self.multiplier, self.input_divider)

    @property
    def frequencies(self) -> tuple[Fraction, ...]:
        """Hz of the outputs."""
        return tuple(self.oscillator_frequency / divider for divider in self.dividers)


def choose_xilinx_pll(input_frequency: int, wanted: Sequence[int]) -> XilinxPllSettings:
    """Settings whose outputs are the highest that are not above `wanted`, in Hz.

    Where one must give way to another, the first is best served. Of equal settings the one with the least input
    divider, which has the least jitter, and then the fastest oscillator is taken.

    Raises:
        ValueError: the input or one that is wanted is outside the limits, there are more than three, or none is
            as slow.
    """
    _check_frequency("input_frequency", Fraction(input_frequency), INPUT_RANGE)
    if not 1 <= len(wanted) <= GREATEST_OUTPUTS:
        raise ValueError(f"wanted must have 1..{GREATEST_OUTPUTS} frequencies, not {len(wanted)}")
    for frequency in wanted:
        _check_frequency("wanted", Fraction(frequency), OUTPUT_RANGE)
    best = max(
        _candidates(input_frequency, wanted),
        key=lambda settings: (settings.frequencies, -settings.input_divider, settings.oscillator_frequency),
        default=None,
    )
    if best is None:
        raise ValueError(
            f"no setting makes {', '.join(map(str, wanted))} Hz of {input_frequency} Hz: ask for more"
        )
    return best


def _candidates(input_frequency: int, wanted: Sequence[int]) -> Iterator[XilinxPllSettings]:
    for input_divider in range(INPUT_DIVIDERS[0], INPUT_DIVIDERS[1] + 1):
        detector = Fraction(input_frequency, input_divider)
        if not DETECTOR_RANGE[0] <= detector <= DETECTOR_RANGE[1]:
            continue
        for multiplier in range(MULTIPLIERS[0], MULTIPLIERS[1] + 1):
            oscillator = detector * multiplier
            if not OSCILLATOR_RANGE[0] <= oscillator <= OSCILLATOR_RANGE[1]:
                continue
            dividers = tuple(-(-oscillator // frequency) for frequency in wanted)
            if all(
                divider <= OUTPUT_DIVIDERS[1] and oscillator / divider >= OUTPUT_RANGE[0]
                for divider in dividers
            ):
                yield XilinxPllSettings(input_frequency, multiplier, input_divider, dividers)


class XilinxPll(wiring.Component):
    """The block MMCME2_ADV, and a global buffer behind each output.

    Members:
        reference: the input clock, straight from its pin.
        clocks: one wire for each output, in their order.
        locked: the outputs have their frequencies.
    """

    reference: Signal
    clocks: Signal
    locked: Signal

    def __init__(self, settings: XilinxPllSettings) -> None:
        self.settings = settings
        super().__init__({"reference": In(1), "clocks": Out(len(settings.dividers)), "locked": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """The feedback stays inside the block, since nothing depends on the phase between input and outputs."""
        m = Module()
        settings = self.settings
        feedback = Signal()
        outputs = Signal(len(settings.dividers))
        arguments: dict[str, object] = {
            "p_BANDWIDTH": "OPTIMIZED",
            "p_CLKIN1_PERIOD": float(10**9 / Fraction(settings.input_frequency)),
            "p_CLKFBOUT_MULT_F": float(settings.multiplier),
            "p_DIVCLK_DIVIDE": settings.input_divider,
        }
        for index, divider in enumerate(settings.dividers):
            arguments[f"p_CLKOUT{index}_DIVIDE" + ("_F" if index == 0 else "")] = (
                float(divider) if index == 0 else divider
            )
            arguments[f"o_CLKOUT{index}"] = outputs[index]
            m.submodules[f"buffer_{index}"] = Instance("BUFG", i_I=outputs[index], o_O=self.clocks[index])
        m.submodules.mmcm = Instance(
            "MMCME2_ADV",
            **arguments,
            i_CLKIN1=self.reference,
            i_CLKIN2=Const(0),
            i_CLKINSEL=Const(1),
            i_CLKFBIN=feedback,
            o_CLKFBOUT=feedback,
            o_LOCKED=self.locked,
            i_RST=Const(0),
            i_PWRDWN=Const(0),
            # Neither dividers nor phases are changed while it runs.
            i_DADDR=Const(0, 7),
            i_DCLK=Const(0),
            i_DEN=Const(0),
            i_DI=Const(0, 16),
            i_DWE=Const(0),
            i_PSCLK=Const(0),
            i_PSEN=Const(0),
            i_PSINCDEC=Const(0),
        )
        return m


def _check_int(name: str, value: object, limits: tuple[int, int]) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if not limits[0] <= value <= limits[1]:
        raise ValueError(f"{name} must be in {limits[0]}..{limits[1]}, not {value}")


def _check_frequency(name: str, frequency: Fraction, limits: tuple[int, int]) -> None:
    least, greatest = limits
    if not least <= frequency <= greatest:
        raise ValueError(
            f"{name} must be {least / _MHZ:g}..{greatest / _MHZ:g} MHz, not {float(frequency / _MHZ):.6g}"
        )
