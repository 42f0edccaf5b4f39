"""The behavioural twins of what Yosys' own models of ECP5 leave out, and their ports."""

from pathlib import Path

from tests.post_synthesis.stepper import Port

_FOLDER = Path(__file__).parent
BLOCK_RAM = "DP16KD"
MULTIPLIER = "MULT18X18D"


def twin_text() -> str:
    """Verilog of both."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in ("dp16kd.v", "mult18x18d.v"))


def _bits(name: str, width: int, *, is_output: bool = False) -> list[Port]:
    return [Port(f"{name}{bit}", 1, is_output) for bit in range(width)]


BLOCK_RAM_PORTS: tuple[Port, ...] = tuple(
    port
    for side in "AB"
    for port in (
        *_bits(f"DI{side}", 18),
        *_bits(f"AD{side}", 14),
        *_bits(f"CS{side}", 3),
        *(Port(f"{name}{side}", 1) for name in ("CE", "OCE", "CLK", "WE", "RST")),
        *_bits(f"DO{side}", 18, is_output=True),
    )
)
MULTIPLIER_PORTS: tuple[Port, ...] = (
    *_bits("A", 18),
    *_bits("B", 18),
    *(Port(name, 1) for name in ("SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB")),
    *_bits("CLK", 4),
    *_bits("CE", 4),
    *_bits("RST", 4),
    *_bits("P", 36, is_output=True),
)
