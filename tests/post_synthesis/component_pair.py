"""A component twice in one simulation: its generic Verilog, and the netlist that Yosys makes of it for ECP5."""

import importlib
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import wiring

from celosia.boards.ecp5_synthesis import Netlist, synthesize
from celosia.generators.verilog import verilog_from_rtlil
from celosia.hdl.ecp5_platform import Ecp5Platform
from celosia.hdl.verilog_platform import VerilogPlatform
from tests.post_synthesis.netlist_verilog import netlist_verilog
from tests.post_synthesis.stepper import Part, Port, Stepper
from tests.post_synthesis.twins import twin_text

# Amaranth's public way to RTLIL, which its type stubs do not know.
_rtlil: Any = importlib.import_module("amaranth.back.rtlil")

_RTL, _NETLIST = "rtl", "netlist"
_STIMULUS = "both"
_RESET_STEPS = 2


class ComponentPair:
    """Both, given the same inputs in every cycle.

    Args:
        make: the component, which is made anew for each.
        folder: for the files of synthesis.

    Attributes:
        netlist: what was synthesized.
    """

    def __init__(self, make: Callable[[], wiring.Component], folder: Path) -> None:
        self._signals = _members(make())
        ports = (Port("clk", 1, is_clock=True), Port("rst", 1), *(port for port, _ in self._signals))
        rtl = _verilog(make(), _RTL, VerilogPlatform())
        source = _verilog(make(), _NETLIST, Ecp5Platform())
        self.netlist: Netlist = synthesize([(f"{_NETLIST}.v", source)], _NETLIST, folder)
        text = "\n".join((rtl, netlist_verilog(self.netlist, _NETLIST), twin_text()))
        self._stepper = Stepper(text, [Part(name, name, ports, {}, _STIMULUS) for name in (_RTL, _NETLIST)])

    def run(self, inputs: Sequence[Mapping[str, int]]) -> list[tuple[dict[str, int], dict[str, int]]]:
        """Outputs of the RTL and of the netlist in each cycle after a reset; inputs that are not named are 0."""
        names = [port.name for port, _ in self._signals if not port.is_output]
        for values in inputs:
            assert values.keys() <= set(names), f"inputs are {names}"
        rows = [dict[str, int]()] * _RESET_STEPS + list(inputs)
        stimulus = {(_STIMULUS, name): [values.get(name, 0) for values in rows] for name in names}
        stimulus[_STIMULUS, "rst"] = [int(step < _RESET_STEPS) for step in range(len(rows))]
        response = self._stepper.run(stimulus)
        outputs = [port.name for port, _ in self._signals if port.is_output]
        sides = [
            [
                {name: response[side, name][step] for name in outputs}
                for step in range(_RESET_STEPS, len(rows))
            ]
            for side in (_RTL, _NETLIST)
        ]
        return list(zip(*sides, strict=True))

    def random_inputs(self, generator: random.Random) -> dict[str, int]:
        """Any value for every input."""
        return {
            port.name: generator.getrandbits(port.width) for port, _ in self._signals if not port.is_output
        }


def _members(component: wiring.Component) -> list[tuple[Port, Value]]:
    members = []
    for path, member, value in component.signature.flatten(component):
        signal = Value.cast(value)
        if isinstance(signal, Signal) and not isinstance(signal, Const):
            name = "__".join(map(str, path))
            members.append((Port(name, len(signal), member.flow is wiring.Out), signal))
    return members


def _verilog(component: wiring.Component, name: str, platform: VerilogPlatform) -> str:
    top = Module()  # a component that is a shared module is an instance of it
    part: Any = component
    top.submodules.component = part
    ports = {port.name: (signal, None) for port, signal in _members(component)}
    design = _rtlil.convert(top, name=name, platform=platform, ports=ports, emit_src=False)
    text = verilog_from_rtlil(f"{design}\n{platform.shared_modules.rtlil()}")
    return f"{text}\n{platform.memories.modules()}"
