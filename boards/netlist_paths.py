"""The longest paths of a netlist before it is placed: in seconds, where a route takes the better part of an hour.

Every cell takes what it takes on ECP5 at speed grade 6, every wire a guess by its fan-out. So the times are no promise,
but their order is worth a look: what is long here is long after routing as well, and the names say what has to be cut.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from .errors import BuildError
from .nextpnr_report import component

_STARTS = {"TRELLIS_FF": 0.52, "DP16KD": 5.7, "MULT18X18D": 1.5}
"""Nanoseconds from the clock to the outputs; a multiplier's with its output register."""
_UNREGISTERED_MULTIPLIER = 6.0
_LOGIC = {"LUT4": 0.24, "PFUMX": 0.35, "L6MUX21": 0.35, "TRELLIS_DPR16X4": 0.3}
"""Nanoseconds from any input to any output."""
_CARRY = "CCU2C"
_CARRY_OUTPUTS = {"S0": ("0", 0.45, 0.44), "S1": ("01", 0.6, 0.48), "COUT": ("01", 0.45, 0.07)}
"""By output: which of the two bits' inputs reach it, nanoseconds from those and from the carry."""
_READ_ADDRESS = "RAD"
"""The inputs of TRELLIS_DPR16X4 that reach its outputs; its others are clocked."""


@dataclass(frozen=True, slots=True)
class TimingPath:
    """One way from a clocked cell to another.

    Attributes:
        end: where it ends, `component:input`, the input `D`, `CE`, `LSR` or a block's own name of it.
        nanoseconds: an estimate of all of it.
        components: what it leads through, from the register or memory it starts from, by hierarchical name.
        fan_outs: how many inputs each of these drives.
    """

    end: str
    nanoseconds: float
    components: tuple[str, ...]
    fan_outs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """When a wire settles, which wire decides that, and the cell that drives it."""

    nanoseconds: float
    before: int | None
    cell: str


def wire_nanoseconds(fan_out: int) -> float:
    """A guess: a few neighbours are near; a hundred are all over the device."""
    return 0.55 + 0.25 * min(fan_out, 4) ** 0.5 + 0.012 * min(fan_out, 150)


def longest_paths(netlist: Path, top: str) -> list[TimingPath]:
    """The longest path to each component's inputs, the longest first.

    Args:
        netlist: a JSON file from `synthesize`.
        top: its top module, in which all hierarchy is dissolved.

    Raises:
        BuildError: the file is no such netlist, or has a combinational loop.
    """
    try:
        cells = json.loads(netlist.read_text(encoding="utf-8"))["modules"][top]["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BuildError(f"{netlist} is no netlist of {top!r}: {error!r}") from error
    design = _Design(cells)
    arrivals = design.arrivals()
    worst: dict[str, tuple[float, int]] = {}
    for name, port, bit in design.ends():
        end = f"{component(name)}:{port}"
        time = design.at_input(arrivals, bit)
        if end not in worst or worst[end][0] < time:
            worst[end] = time, bit
    paths = (_path(design, arrivals, end, time, bit) for end, (time, bit) in worst.items())
    return sorted(paths, key=lambda path: (-path.nanoseconds, path.end))


class _Design:
    """Cells by name, and who drives which wire. Constants are no wires."""

    def __init__(self, cells: Mapping[str, Mapping[str, Any]]) -> None:
        self._cells = cells
        self._drivers: dict[int, tuple[str, str]] = {}
        self._fan_outs: Counter[int] = Counter()
        for name, cell in cells.items():
            for port, bits in cell["connections"].items():
                wires = [bit for bit in bits if isinstance(bit, int)]
                if cell["port_directions"].get(port) == "output":
                    self._drivers |= dict.fromkeys(wires, (name, port))
                else:
                    self._fan_outs.update(wires)

    def fan_out(self, bit: int) -> int:
        """Inputs on a wire."""
        return self._fan_outs[bit]

    def ends(self) -> Iterator[tuple[str, str, int]]:
        """(cell, input, wire) of all clocked inputs."""
        for name, cell in self._cells.items():
            for port, bits in self._inputs(name):
                if self._is_combinational(cell["type"], port):
                    continue
                is_data = cell["type"] == "TRELLIS_FF" and port not in ("CE", "LSR")
                for bit in bits:
                    yield name, "D" if is_data else port, bit

    def arrivals(self) -> dict[int, _Arrival]:
        """Of all wires but those that come from outside.

        Raises:
            BuildError: combinational cells form a loop.
        """
        found: dict[int, _Arrival] = {}
        graph: dict[str, set[str]] = {}
        for name, cell in self._cells.items():
            if cell["type"] not in _LOGIC and cell["type"] != _CARRY:
                for bit in self._outputs(name):
                    found[bit] = _Arrival(_start(cell), None, name)
                continue
            sources = (self._drivers[bit][0] for bit in self._through(name) if bit in self._drivers)
            graph[name] = {source for source in sources if self._cells[source]["type"] in (*_LOGIC, _CARRY)}
        try:
            for name in TopologicalSorter(graph).static_order():
                found |= self._settle(found, name)
        except CycleError as error:
            names = ", ".join(dict.fromkeys(component(name) for name in error.args[1]))
            raise BuildError(f"the netlist has a combinational loop through {names}") from error
        return found

    def at_input(self, arrivals: Mapping[int, _Arrival], bit: int) -> float:
        """When a wire has settled at the inputs it drives."""
        driven = arrivals.get(bit)
        return 0.0 if driven is None else driven.nanoseconds + wire_nanoseconds(self._fan_outs[bit])

    def _settle(self, arrivals: Mapping[int, _Arrival], name: str) -> dict[int, _Arrival]:
        kind = self._cells[name]["type"]
        result: dict[int, _Arrival] = {}
        if kind == _CARRY:
            for port, (halves, logic, carry) in _CARRY_OUTPUTS.items():
                ways: list[tuple[float, int | None]] = [(0.0, None)]
                for source, bits in self._inputs(name):
                    for bit in bits:
                        if source == "CIN":
                            driven = arrivals.get(bit)
                            ways.append((carry + (driven.nanoseconds if driven else 0.0), bit))
                        elif source[-1] in halves:
                            ways.append((logic + self.at_input(arrivals, bit), bit))
                time, before = max(ways, key=lambda way: way[0])
                for bit in self._outputs(name, port):
                    result[bit] = _Arrival(time, before, name)
            return result
        ways = [(_LOGIC[kind] + self.at_input(arrivals, bit), bit) for bit in self._through(name)]
        time, before = max(ways, key=lambda way: way[0], default=(0.0, None))
        return {bit: _Arrival(time, before, name) for bit in self._outputs(name)}

    def _inputs(self, name: str) -> Iterator[tuple[str, list[int]]]:
        cell = self._cells[name]
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "input":
                yield port, [bit for bit in bits if isinstance(bit, int)]

    def _through(self, name: str) -> list[int]:
        kind = self._cells[name]["type"]
        return [
            bit for port, bits in self._inputs(name) if self._is_combinational(kind, port) for bit in bits
        ]

    def _outputs(self, name: str, only: str | None = None) -> Iterator[int]:
        cell = self._cells[name]
        for port, bits in cell["connections"].items():
            if cell["port_directions"].get(port) == "output" and only in (None, port):
                yield from (bit for bit in bits if isinstance(bit, int))

    @staticmethod
    def _is_combinational(kind: str, port: str) -> bool:
        if kind == "TRELLIS_DPR16X4":
            return port == _READ_ADDRESS
        return kind in _LOGIC or kind == _CARRY


def _start(cell: Mapping[str, Any]) -> float:
    registered = cell.get("parameters", {}).get("REG_OUTPUT_CLK", "NONE") != "NONE"
    if cell["type"] == "MULT18X18D" and not registered:
        return _UNREGISTERED_MULTIPLIER
    return _STARTS.get(cell["type"], 0.0)


def _path(
    design: _Design, arrivals: Mapping[int, _Arrival], end: str, time: float, bit: int | None
) -> TimingPath:
    components: list[str] = []
    fan_outs: list[int] = []
    while bit is not None and bit in arrivals:
        arrival = arrivals[bit]
        name = component(arrival.cell)
        if not components or components[-1] != name:
            components.append(name)
            fan_outs.append(design.fan_out(bit))
        bit = arrival.before
    return TimingPath(end, time, tuple(reversed(components)), tuple(reversed(fan_outs)))
