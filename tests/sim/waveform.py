"""Reads the VCD files of the simulator: one dictionary of port values per clock cycle."""

from pathlib import Path


def read_cycles(path: Path, clock: str = "aclk") -> list[dict[str, int]]:
    """Values of the top's ports at every rising edge of `clock`, just before it."""
    names: dict[str, list[str]] = {}  # of each code; equal signals share one
    values: dict[str, int] = {}
    cycles: list[dict[str, int]] = []
    depth = 0
    settled = False  # the clock is low, and what follows the next time stamp is its rising edge
    for line in path.read_text().splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "$scope":
            depth += 1
        elif words[0] == "$upscope":
            depth -= 1
        elif words[0] == "$var":
            if depth == 1:
                names.setdefault(words[3], []).append(words[4])
        elif line[0] == "#":
            if settled and values[clock] == 0:
                cycles.append(dict(values))
            settled = True
        elif line[0] in "01" and line[1:] in names:
            values.update(dict.fromkeys(names[line[1:]], int(line[0])))
        elif line[0] == "b" and words[1] in names:
            values.update(dict.fromkeys(names[words[1]], int(words[0][1:], 2)))
    return cycles
