"""The PLL's dividers in a routed design: changing them there takes no second route.

nextpnr writes a device's configuration as text (Project Trellis's form), in which dividers and phases of an EHXPLLL are
words of bits, most significant first:

    .tile_group MIB_R4C0:PLL0_UL MIB_R5C0:PLL1_UL
    word: CLKI_DIV 0000000          divider - 1, as for every ..._DIV
    word: CLKOP_CPHASE 0001001
    word: CLKOP_FPHASE 000

Everything else in the text is the same for any settings with as many outputs; a test routes a design with other
settings to show it.
"""

import re

from .ecp5_pll import Ecp5PllSettings, divider_parameters
from .errors import BuildError

_FINE_BITS = 3
_BITS = 7


def pll_words(settings: Ecp5PllSettings) -> dict[str, str]:
    """The words that `settings` are, by their names."""
    words: dict[str, str] = {}
    for name, value in divider_parameters(settings).items():
        bits = _FINE_BITS if name.endswith("_FPHASE") else _BITS
        words[name] = f"{value - name.endswith('_DIV'):0{bits}b}"
    return words


def with_pll(config: str, settings: Ecp5PllSettings) -> str:
    """`config`, a design with one PLL of as many outputs as `settings` have, with its dividers changed to `settings`.

    Raises:
        BuildError: there is no or more than one such PLL.
    """
    if config.count("enum: MODE EHXPLLL\n") != 1:
        raise BuildError("the routed design must have one PLL: has nextpnr-ecp5 changed its format?")
    outputs = len(re.findall(r"^enum: CLKO\w+_ENABLE ENABLED$", config, re.MULTILINE))
    if outputs != len(settings.outputs) + 1:
        raise BuildError(f"the routed PLL has {outputs} outputs on, not {len(settings.outputs) + 1}")
    for name, bits in pll_words(settings).items():
        config, found = re.subn(rf"^word: {name} [01]+$", f"word: {name} {bits}", config, flags=re.MULTILINE)
        if found != 1:
            raise BuildError(
                f"the routed design has {found} words {name}: has nextpnr-ecp5 changed its format?"
            )
    return config


def sed_script(settings: Ecp5PllSettings) -> str:
    """What `with_pll` does, for the program sed."""
    return "".join(
        f"s/^word: {name} [01]*$/word: {name} {bits}/\n" for name, bits in pll_words(settings).items()
    )
