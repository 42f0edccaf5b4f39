"""The parts of the manual that list command words, made from their layouts."""

from collections.abc import Iterable

from .chassis.command import BEGIN, HALT, HEADER, LOAD, STORE, CommandLayout, Field


def chassis_command_tables() -> str:
    """Markdown: the header that all commands share, then the commands that every family has, with their bits."""
    return "\n".join(["## Header", "", *_table(HEADER, 0), "", field_tables((LOAD, STORE, BEGIN, HALT))])


def field_tables(layouts: Iterable[CommandLayout]) -> str:
    """Markdown: the fields of each command behind its header, with their bits."""
    sections = []
    first = sum(entry.bits for entry in HEADER)
    for layout in layouts:
        title = f"## {layout.opcode.name} (opcode 0x{layout.opcode.value:02X})"
        fields = _table(layout.fields, first) if layout.fields else ["Nothing but the header."]
        sections.append("\n".join([title, "", *fields]))
    return "\n\n".join(sections)


def _table(fields: Iterable[Field], low: int) -> list[str]:
    lines = ["| bits | field | meaning |", "|---|---|---|"]
    for entry in fields:
        high = low + entry.bits - 1
        bits = f"{high}" if entry.bits == 1 else f"{high}:{low}"
        sign = ", two's complement" if entry.is_signed else ""
        lines.append(f"| {bits} | {entry.name} | {entry.doc}{sign} |")
        low = high + 1
    return lines
