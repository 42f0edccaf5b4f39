"""The top of a design for a board: clocks, accelerator, link and memory, at the board's pins."""

from typing import Any

from amaranth.hdl import ClockDomain, DomainRenamer, Elaboratable, Module, Signal
from amaranth.lib import io, wiring

from celosia.hdl.axi_block_ram import AxiBlockRam
from celosia.hdl.sdram_transfer import BEAT_BITS

from .accelerator_system import LINE_DOMAIN, AcceleratorSystem
from .board import BlockRamMemory, Board, Leds, SdramChip, Toolchain
from .board_clocks import CHIP_DOMAIN, BoardClocks, PllSettings, pll_domains
from .memory_module import MemoryInstance
from .sdram_io import SdramIo
from .sdram_memory import MEMORY_DOMAIN, SdramMemory


class BoardTop(Elaboratable):
    """What a platform of amaranth-boards builds.

        oscillator -> BoardClocks
        rx, tx ------ AcceleratorSystem -- bus -- SdramMemory -- SdramIo -- chip, or AxiBlockRam, or
                                            '- MemoryInstance, whose module is a file of its own

    LED 0: clocks are locked and the memory is ready. LED 1: the accelerator's interrupt. Every pin has a register, in
    the I/O cell but for the serial line's.

    Args:
        accelerator: as in `AcceleratorSystem`, with a memory port of `address_bits` and 64 data bits.
        clocks: from `choose_clocks`, or slower.
    """

    def __init__(
        self, board: Board, accelerator: wiring.Component, *, address_bits: int, clocks: PllSettings
    ) -> None:
        self._board = board
        self._address_bits = address_bits
        self._clocks = clocks
        self._system = AcceleratorSystem(
            accelerator,
            address_bits=address_bits,
            data_bits=BEAT_BITS,
            line_frequency=board.oscillator,
            baud=board.baud,
        )

    def elaborate(self, platform: Any) -> Module:
        """Ask the platform for pins, without the buffers that it would put there itself."""
        m = Module()
        memory = self._board.memory
        domains = pll_domains(memory)
        m.domains += [ClockDomain(name) for name in domains]
        # The line must not depend on the PLL: it starts with the bitstream and is never reset.
        m.domains += ClockDomain(LINE_DOMAIN, reset_less=True)
        m.submodules.clocks = clocks = BoardClocks(self._clocks, domains)
        m.submodules.system = system = self._system
        m.submodules.oscillator = oscillator = io.Buffer(
            io.Direction.Input, platform.request(platform.default_clk, dir="-")
        )
        m.d.comb += clocks.oscillator.eq(oscillator.i)
        self._serial_line(m, platform.request("uart", 0, dir="-"))
        ready = (
            self._sdram(m, platform, memory) if isinstance(memory, SdramChip) else self._block_ram(m, memory)
        )
        _light(m, platform, self._board.leds, (ready, system.interrupt))
        return m

    def _serial_line(self, m: Module, uart: Any) -> None:
        """The receiver synchronises what comes in; what goes out is a register of `line`."""
        m.submodules.rx = rx = io.Buffer(io.Direction.Input, uart.rx)
        m.submodules.tx = tx = io.Buffer(io.Direction.Output, uart.tx)
        m.d.comb += [self._system.receive.eq(rx.i), tx.o.eq(self._system.transmit)]

    def _block_ram(self, m: Module, memory: BlockRamMemory) -> Signal:
        if self._board.toolchain is Toolchain.VIVADO:
            m.submodules.memory = module = MemoryInstance(self._address_bits)
            wiring.connect(m, self._system.bus, module.bus)
            return module.ready
        m.submodules.memory = ram = AxiBlockRam(
            address_bits=self._address_bits, data_bits=BEAT_BITS, size=memory.size
        )
        wiring.connect(m, self._system.bus, ram.bus)
        ready = Signal()
        m.d.sync += ready.eq(1)
        return ready

    def _sdram(self, m: Module, platform: Any, chip: SdramChip) -> Signal:
        ports = platform.request("sdram", 0, dir="-")
        m.submodules.memory = memory = SdramMemory(
            chip.geometry, chip.timing, address_bits=self._address_bits, frequency=chip.least_frequency
        )
        memory_pins = SdramIo(chip.geometry, ports)
        m.submodules.memory_pins = DomainRenamer(MEMORY_DOMAIN)(memory_pins)
        wiring.connect(m, self._system.bus, memory.bus)
        wiring.connect(m, memory.pins, memory_pins.pins)
        # From an I/O cell like all other pins of the chip, so that only the PLL makes it earlier.
        m.submodules.memory_clock = clock = io.DDRBuffer(io.Direction.Output, ports.clk, o_domain=CHIP_DOMAIN)
        halves: Any = clock
        m.d.comb += [halves.o[0].eq(1), halves.o[1].eq(0)]
        return memory.initialized


def _light(m: Module, platform: Any, leds: Leds, values: tuple[Signal, ...]) -> None:
    """One light a value; the other colours of a light of several stay dark."""
    for index, value in enumerate(values):
        request = platform.request(leds.resource, index, dir="-")
        colours = (
            {"": request} if leds.subsignal is None else {"r": request.r, "g": request.g, "b": request.b}
        )
        for colour, port in colours.items():
            m.submodules[f"led_{index}{colour}"] = buffer = io.FFBuffer(io.Direction.Output, port)
            if colour == (leds.subsignal or ""):
                m.d.comb += buffer.o.eq(value)
