"""The PLL of Lattice ECP5 (EHXPLLL): which frequencies it can make, and the block itself.

    input / input_divider = feedback / feedback_divider
    oscillator = feedback * feedback_output_divider        the fourth output, CLKOS3, is the feedback
    output = oscillator / divider                          CLKOP, CLKOS and CLKOS2

With an output of its own for the feedback, the others are free to divide the oscillator as they need.
Sources: Lattice FPGA-DS-02012, "ECP5 and ECP5-5G Family", table "sysCLOCK PLL Timing", for the limits; FPGA-TN-02200,
"ECP5 and ECP5-5G sysCLOCK PLL/DLL Design and Usage Guide", for the dividers and phases.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from amaranth.hdl import Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

_MHZ = 1_000_000
INPUT_RANGE = (8 * _MHZ, 400 * _MHZ)
"""Hz of the input, least and greatest."""
DETECTOR_RANGE = (10 * _MHZ, 400 * _MHZ)
"""Hz of the divided input, which the phase detector sees."""
OSCILLATOR_RANGE = (400 * _MHZ, 800 * _MHZ)
"""Hz of the oscillator."""
OUTPUT_RANGE = (3_125_000, 400 * _MHZ)
"""Hz of every output, that of the feedback included."""
GREATEST_DIVIDER = 128

PLL_OUTPUTS = ("CLKOP", "CLKOS", "CLKOS2")
"""Ports of the outputs, in their order."""
_FEEDBACK = "CLKOS3"
_EIGHTHS = 8
"""Parts of an oscillator's cycle by which an output may be late."""


@dataclass(frozen=True, slots=True)
class Ecp5PllOutput:
    """One output.

    Attributes:
        divider: of the oscillator, 1..128.
        phase: eighths of an oscillator's cycle by which it lags behind phase 0; less than 8 * `divider`.

    Raises:
        TypeError, ValueError: an attribute is no int or outside its range.
    """

    divider: int
    phase: int = 0

    def __post_init__(self) -> None:
        _check_int("divider", self.divider, 1, GREATEST_DIVIDER)
        _check_int("phase", self.phase, 0, _EIGHTHS * self.divider - 1)


@dataclass(frozen=True, slots=True)
class Ecp5PllSettings:
    """Dividers, checked against the limits of the datasheet.

    Attributes:
        input_frequency: Hz.
        input_divider, feedback_divider, feedback_output_divider: 1..128.
        outputs: one to three.

    Raises:
        TypeError, ValueError: a frequency or divider is outside its limits; the message names it and them.
    """

    input_frequency: int
    input_divider: int
    feedback_divider: int
    feedback_output_divider: int
    outputs: tuple[Ecp5PllOutput, ...]

    def __post_init__(self) -> None:
        for name in ("input_divider", "feedback_divider", "feedback_output_divider"):
            _check_int(name, getattr(self, name), 1, GREATEST_DIVIDER)
        if not 1 <= len(self.outputs) <= len(PLL_OUTPUTS):
            raise ValueError(f"outputs must be 1..{len(PLL_OUTPUTS)}, not {len(self.outputs)}")
        _check_frequency("input_frequency", Fraction(self.input_frequency), INPUT_RANGE)
        _check_frequency("detector_frequency", self.detector_frequency, DETECTOR_RANGE)
        _check_frequency("oscillator_frequency", self.oscillator_frequency, OSCILLATOR_RANGE)
        _check_frequency(
            "the feedback's frequency",
            self.oscillator_frequency / self.feedback_output_divider,
            OUTPUT_RANGE,
        )
        for number, frequency in enumerate(self.frequencies):
            _check_frequency(f"the frequency of output {number}", frequency, OUTPUT_RANGE)

    @property
    def detector_frequency(self) -> Fraction:
        """Hz at the phase detector."""
        return Fraction(self.input_frequency, self.input_divider)

    @property
    def oscillator_frequency(self) -> Fraction:
        """Hz of the oscillator."""
        return self.detector_frequency * self.feedback_divider * self.feedback_output_divider

    @property
    def frequencies(self) -> tuple[Fraction, ...]:
        """Hz of the outputs."""
        return tuple(self.oscillator_frequency / output.divider for output in self.outputs)


def choose_pll(
    input_frequency: int, wanted: Sequence[int], least: Sequence[int] | None = None
) -> Ecp5PllSettings:
    """Settings whose outputs, all at phase 0, are the highest that are not above `wanted`, nor below `least`, in Hz.

    Where one must give way to another, the first is best served. Of equal settings the one with the fastest phase
    detector, which has the least jitter, and then the fastest oscillator is taken.

    Raises:
        ValueError: the input or one that is wanted is outside the limits, or there are more than three.
    """
    _check_frequency("input_frequency", Fraction(input_frequency), INPUT_RANGE)
    if not 1 <= len(wanted) <= len(PLL_OUTPUTS):
        raise ValueError(f"wanted must have 1..{len(PLL_OUTPUTS)} frequencies, not {len(wanted)}")
    for frequency in wanted:
        _check_frequency("wanted", Fraction(frequency), OUTPUT_RANGE)
    floors = least or [OUTPUT_RANGE[0]] * len(wanted)
    candidates = (
        settings
        for input_divider, factor in _oscillators(input_frequency)
        if (settings := _settings(input_frequency, input_divider, factor, wanted)) is not None
        and all(made >= floor for made, floor in zip(settings.frequencies, floors, strict=True))
    )
    best = max(
        candidates,
        key=lambda settings: (
            settings.frequencies,
            settings.detector_frequency,
            settings.oscillator_frequency,
        ),
        default=None,
    )
    if best is None:
        raise ValueError(
            f"no setting makes {', '.join(map(str, wanted))} Hz of {input_frequency} Hz"
            + (f", or not less than {', '.join(map(str, least))} Hz" if least else "")
            + ": ask for more or fewer"
        )
    return best


def with_phase(settings: Ecp5PllSettings, output: int, degrees: float) -> Ecp5PllSettings:
    """`settings` with the phase by which `output` lags nearest to `degrees`, 0 up to 360."""
    if not 0 <= degrees < 360:
        raise ValueError(f"degrees must be in 0..360, not {degrees}")
    steps = _EIGHTHS * settings.outputs[output].divider
    late = Ecp5PllOutput(settings.outputs[output].divider, round(degrees * steps / 360) % steps)
    outputs = (*settings.outputs[:output], late, *settings.outputs[output + 1 :])
    return Ecp5PllSettings(
        settings.input_frequency,
        settings.input_divider,
        settings.feedback_divider,
        settings.feedback_output_divider,
        outputs,
    )


def divider_parameters(settings: Ecp5PllSettings) -> dict[str, int]:
    """The parameters of EHXPLLL that frequencies and phases come from; all others are the same for any settings."""
    outputs = zip(PLL_OUTPUTS, settings.outputs, strict=False)
    feedback = (_FEEDBACK, Ecp5PllOutput(settings.feedback_output_divider))
    parameters = {"CLKI_DIV": settings.input_divider, "CLKFB_DIV": settings.feedback_divider}
    for name, output in (*outputs, feedback):
        parameters |= _output_parameters(name, output)
    return parameters


class Ecp5Pll(wiring.Component):
    """The block EHXPLLL.

    Members:
        reference: the input clock.
        clocks: one wire for each output, in their order.
        locked: the outputs have their frequencies.
    """

    reference: Signal
    clocks: Signal
    locked: Signal

    def __init__(self, settings: Ecp5PllSettings) -> None:
        self.settings = settings
        super().__init__({"reference": In(1), "clocks": Out(len(settings.outputs)), "locked": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """The feedback stays inside the block; nothing is changed while it runs."""
        m = Module()
        settings = self.settings
        feedback = Signal()
        parameters: dict[str, object] = {
            **{f"p_{name}": value for name, value in divider_parameters(settings).items()},
            "p_FEEDBK_PATH": "INT_OS3",
            **{f"p_{name}": "DISABLED" for name in ("PLLRST_ENA", "INTFB_WAKE", "STDBY_ENABLE")},
            "p_DPHASE_SOURCE": "DISABLED",
            f"p_{_FEEDBACK}_ENABLE": "ENABLED",
            # The loop filter, as Project Trellis's ecppll sets it.
            "a_FREQUENCY_PIN_CLKI": _megahertz(Fraction(settings.input_frequency)),
            "a_ICP_CURRENT": "12",
            "a_LPF_RESISTOR": "8",
            "a_MFG_ENABLE_FILTEROPAMP": "1",
            "a_MFG_GMCREF_SEL": "2",
        }
        # nextpnr switches on what is not said to be off.
        parameters |= {f"p_{name}_ENABLE": "DISABLED" for name in PLL_OUTPUTS}
        outputs: dict[str, object] = {}
        for index, name in enumerate(PLL_OUTPUTS[: len(settings.outputs)]):
            parameters[f"p_{name}_ENABLE"] = "ENABLED"
            parameters[f"a_FREQUENCY_PIN_{name}"] = _megahertz(settings.frequencies[index])
            outputs[f"o_{name}"] = self.clocks[index]
        low = (
            "RST",
            "STDBY",
            "PHASESEL0",
            "PHASESEL1",
            "PHASEDIR",
            "PHASESTEP",
            "PHASELOADREG",
            "PLLWAKESYNC",
        )
        m.submodules.block = Instance(
            "EHXPLLL",
            **parameters,
            **outputs,
            **{f"i_{name}": Const(0) for name in low},
            **{f"i_EN{name}": Const(0) for name in (*PLL_OUTPUTS, _FEEDBACK)},
            i_CLKI=self.reference,
            i_CLKFB=feedback,
            o_CLKINTFB=feedback,
            o_LOCK=self.locked,
        )
        return m


def _oscillators(input_frequency: int) -> Iterator[tuple[int, int]]:
    """Every legal divider of the input with every factor from the detector to the oscillator."""
    for input_divider in range(1, GREATEST_DIVIDER + 1):
        detector = Fraction(input_frequency, input_divider)
        if DETECTOR_RANGE[0] <= detector <= DETECTOR_RANGE[1]:
            least, greatest = (limit / detector for limit in OSCILLATOR_RANGE)
            for factor in range(-(-least // 1), int(greatest) + 1):
                yield input_divider, factor


def _settings(
    input_frequency: int, input_divider: int, factor: int, wanted: Sequence[int]
) -> Ecp5PllSettings | None:
    """The outputs nearest below `wanted`; nothing if an output would have to be divided by too much."""
    oscillator = Fraction(input_frequency, input_divider) * factor
    split = _split(factor, oscillator)
    dividers = [-(-oscillator // frequency) for frequency in wanted]
    if split is None or max(dividers) > GREATEST_DIVIDER:
        return None
    if any(oscillator / divider < OUTPUT_RANGE[0] for divider in dividers):
        return None
    outputs = tuple(Ecp5PllOutput(divider) for divider in dividers)
    return Ecp5PllSettings(input_frequency, input_divider, factor // split, split, outputs)


def _split(factor: int, oscillator: Fraction) -> int | None:
    """The least divider of the feedback's output with which both parts of `factor` are legal."""
    for divider in range(1, min(factor, GREATEST_DIVIDER) + 1):
        within = OUTPUT_RANGE[0] <= oscillator / divider <= OUTPUT_RANGE[1]
        if factor % divider == 0 and factor // divider <= GREATEST_DIVIDER and within:
            return divider
    return None


def _output_parameters(name: str, output: Ecp5PllOutput) -> dict[str, int]:
    """An output at phase 0 rises one cycle before its divider is through, so that all dividers agree."""
    coarse, fine = divmod(output.phase, _EIGHTHS)
    return {
        f"{name}_DIV": output.divider,
        f"{name}_CPHASE": (output.divider - 1 + coarse) % output.divider,
        f"{name}_FPHASE": fine,
    }


def _megahertz(frequency: Fraction) -> str:
    return f"{float(frequency / _MHZ):.6g}"


def _check_int(name: str, value: object, least: int, greatest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if not least <= value <= greatest:
        raise ValueError(f"{name} must be in {least}..{greatest}, not {value}")


def _check_frequency(name: str, frequency: Fraction, limits: tuple[int, int]) -> None:
    least, greatest = limits
    if not least <= frequency <= greatest:
        raise ValueError(
            f"{name} must be {least / _MHZ:g}..{greatest / _MHZ:g} MHz, not {float(frequency / _MHZ):.6g}"
        )
