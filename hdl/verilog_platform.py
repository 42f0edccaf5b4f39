"""What gateware is elaborated for on its way to one Verilog file."""

from amaranth.hdl import Instance, MemoryInstance, Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory

from .dual_port_memory import DualPortMemory
from .shared_module import Elaborate, SharedModules
from .verilog_memory import VerilogMemories


class VerilogPlatform:
    """Large memories, and components that are alike, become instances of modules beside the design.

    Attributes:
        memories: modules of large memories, as Verilog.
        shared_modules: modules of components, as RTLIL.
    """

    def __init__(self) -> None:
        self.memories = VerilogMemories()
        self.shared_modules = SharedModules()

    def get_memory(self, memory: Memory) -> Instance | Module | MemoryInstance:
        """What stands for `memory` in the netlist; called by `Memory.elaborate`."""
        return self.memories.get_memory(memory)

    def get_dual_port_memory(self, memory: DualPortMemory) -> Instance:
        """What stands for `memory` in the netlist; called by `DualPortMemory.elaborate`."""
        return self.memories.get_dual_port_memory(memory)

    def get_shared_module(self, component: wiring.Component, elaborate: Elaborate) -> Instance:
        """What stands for `component` in the netlist; called where `shared_module` decorates its `elaborate`."""
        return self.shared_modules.instance(component, elaborate, self)
