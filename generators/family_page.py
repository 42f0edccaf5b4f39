"""The tables of a family's page in the manual, made from what the family says of itself."""

from typing import Any

from .chassis.command import Opcode
from .chassis.family import Family
from .chassis.register_map import counter_registers
from .command_table import field_tables

_OWN = (Opcode.WEIGHTS, Opcode.COMPUTE, Opcode.ACTIVATE)


def parameter_table(family: Family[Any]) -> str:
    """Markdown: every choice with its default, those of the core first.

    Raises:
        ValueError: the docstring of the configuration leaves one out.
    """
    meanings: dict[str, str] = {}
    for kind in reversed(family.config.__mro__):
        meanings |= _attributes(kind)
    default = family.presets[family.default_preset]
    untold = [name for name in default.values if name not in meanings]
    if untold:
        raise ValueError(f"{family.config.__name__} must say under 'Attributes:' what {untold[0]} is")
    return "\n".join(
        [
            f"| parameter | {family.default_preset} | meaning |",
            "|---|---|---|",
            *(f"| {name} | {value} | {meanings[name]} |" for name, value in default.values.items()),
        ]
    )


def preset_table(family: Family[Any]) -> str:
    """Markdown: what each preset computes a cycle and takes of an FPGA."""
    lines = [
        f"The register FAMILY reads {family.config.family_id}.",
        "",
        "| preset | MACs a cycle | unified buffer | LUT4, estimated | multipliers 18 x 18 | block RAMs of 18 kbit |",
        "|---|---|---|---|---|---|",
    ]
    for name, config in family.presets.items():
        area = family.area(config)
        lines.append(
            f"| {name} | {config.peak_macs:,} | {config.buffer_kib} KiB | {area.luts:,.0f} | "
            f"{area.multipliers:,} | {area.block_rams:,} |"
        )
    return "\n".join(lines)


def counter_table(family: Family[Any]) -> str:
    """Markdown: the counters that the family has besides those of the chassis, a sentence if there are none."""
    if not family.counters:
        return "It has none but those of the chassis."
    lines = ["| offset | counter | a cause of cycles | meaning |", "|---|---|---|---|"]
    registers = counter_registers(family.counters)[-len(family.counters) :]
    for register, counter in zip(registers, family.counters, strict=True):
        is_cause = "yes" if counter.is_cause else "no"
        lines.append(f"| 0x{register.offset:03X} | {counter.name} | {is_cause} | {counter.doc} |")
    return "\n".join(lines)


def family_command_tables(family: Family[Any]) -> str:
    """Markdown: the fields of the commands that the family defines."""
    return field_tables(family.layouts[opcode] for opcode in _OWN)


def _attributes(kind: type) -> dict[str, str]:
    """What the docstring of a class says of its attributes."""
    _, _, attributes = (kind.__doc__ or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    name = ""
    for line in attributes.splitlines():
        indent = len(line) - len(line.lstrip())
        if indent == 8:
            name, _, line = line.strip().partition(": ")
            found[name] = ""
        if name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return {name: text.rstrip(".") for name, text in found.items()}
