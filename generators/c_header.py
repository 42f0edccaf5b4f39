"""The C header of an accelerator: registers, error codes, and how command words are laid out."""

from collections.abc import Iterable, Sequence

from .chassis import register_map as registers
from .chassis.command import COMMAND_BYTES, CommandLayout, Region, Verb

_PREFIX = "CELOSIA"

_HELPERS = f"""\
/* Put `value` into the bits from `low` on of a command of {COMMAND_BYTES} bytes; the bits must be zero before. */
static inline void celosia_set_field(uint8_t *command, unsigned low, unsigned width, uint64_t value)
{{
    for (unsigned bit = 0; bit < width; bit++)
        if ((value >> bit) & 1u)
            command[(low + bit) / 8u] |= (uint8_t)(1u << ((low + bit) % 8u));
}}

/* The bits from `low` on of a command, not sign-extended. */
static inline uint64_t celosia_get_field(const uint8_t *command, unsigned low, unsigned width)
{{
    uint64_t value = 0;
    for (unsigned bit = 0; bit < width; bit++)
        value |= (uint64_t)((command[(low + bit) / 8u] >> ((low + bit) % 8u)) & 1u) << bit;
    return value;
}}
"""


def write_c_header(
    title: str,
    configuration_hash: int,
    layouts: Iterable[CommandLayout],
    own_counters: Sequence[registers.OwnCounter] = (),
) -> str:
    """C99 text: register offsets and masks, error codes, regions, command fields and two helpers."""
    every_register = registers.register_list(own_counters)
    sections = [
        f"/* {title} */",
        f"#ifndef {_PREFIX}_H\n#define {_PREFIX}_H\n\n#include <stdint.h>",
        _defines(
            "What this accelerator answers in its identity registers.",
            [
                ("MAGIC_VALUE", f"0x{registers.MAGIC_VALUE:08X}u", "MAGIC"),
                ("VERSION_VALUE", f"{registers.CHASSIS_VERSION}u", "VERSION"),
                ("HASH_LO", f"0x{configuration_hash & 0xFFFFFFFF:08X}u", "CONFIG_HASH_LO"),
                ("HASH_HI", f"0x{configuration_hash >> 32:08X}u", "CONFIG_HASH_HI"),
            ],
        ),
        _defines(
            "Registers: byte offsets from the start of the AXI4-Lite slave.",
            [(entry.name, f"0x{entry.offset:03X}u", entry.doc) for entry in every_register],
        ),
        _defines(
            "Bits of registers.",
            [
                (f"{register.name}_{entry.name.upper()}", f"0x{entry.mask:08X}u", entry.doc)
                for register in every_register
                for entry in register.fields
            ],
        ),
        _defines(
            "Regions of memory: n of the REGIONn registers, and of the command field `region`.",
            [(f"REGION_{region.name}", f"{region.value}u", "") for region in Region],
        ),
        _error_codes(),
        _defines(
            "Verbs: the bits of a command's `signal`.",
            [(f"VERB_{verb.name}", f"{verb.value}u", "") for verb in Verb],
        ),
        _defines("Bytes of a command in memory.", [("COMMAND_BYTES", f"{COMMAND_BYTES}u", "")]),
        *(_command(layout) for layout in layouts),
        _HELPERS.rstrip(),
        f"#endif /* {_PREFIX}_H */",
    ]
    return "\n\n".join(sections) + "\n"


def _defines(comment: str, entries: Sequence[tuple[str, str, str]]) -> str:
    width = max(len(name) for name, _, _ in entries)
    lines = [f"/* {comment} */"]
    for name, value, doc in entries:
        line = f"#define {_PREFIX}_{name:<{width}} {value}"
        lines.append(f"{line} /* {doc} */" if doc else line)
    return "\n".join(lines)


def _error_codes() -> str:
    lines = ["/* Values of ERROR_CODE. */", "enum celosia_error {"]
    lines += [
        f"    {_PREFIX}_ERROR_{code.name} = {code.value}, /* {code.meaning} */"
        for code in registers.ErrorCode
    ]
    return "\n".join([*lines, "};"])


def _command(layout: CommandLayout) -> str:
    """Opcode, and of every field its lowest bit and width as the two arguments that the helpers take."""
    name = layout.opcode.name
    entries = [(f"{name}_OPCODE", f"0x{layout.opcode.value:02X}u", "")]
    low = 0
    for entry in layout.all_fields:
        # The header's first field is called like the constant that goes into it.
        suffix = "_FIELD" if entry.name == "opcode" else ""
        entries.append((f"{name}_{entry.name.upper()}{suffix}", f"{low}u, {entry.bits}u", entry.doc))
        low += entry.bits
    return _defines(f"Command {name}: opcode; of each field the lowest bit and the width.", entries)
