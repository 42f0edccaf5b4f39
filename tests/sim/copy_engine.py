"""The smallest accelerator with all ports of the simulated top: it copies memory.

The reads run ahead of the writes through a FIFO. Pauses on R and B and an early write address can be switched
on, so that every handshake of the memory is seen both with and without waiting.
"""

from typing import Any

from amaranth.back import verilog
from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, Mux, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

IDENTITY = 0xC0FFEE01

REGISTER_IDENTITY = 0x00
REGISTER_CONTROL = 0x04  # bit 0: start, bit 1: clear the interrupt
REGISTER_ERRORS = 0x08  # responses other than OKAY since the start
REGISTER_SOURCE = 0x0C
REGISTER_DESTINATION = 0x10
REGISTER_BURSTS = 0x14
REGISTER_BURST_BEATS = 0x18
REGISTER_MODE = 0x1C
REGISTER_CYCLES = 0x20  # clocks with busy high
REGISTER_STUCK = 0x7FC  # never answers

MODE_PAUSE_READ_DATA = 1
MODE_PAUSE_RESPONSES = 2
MODE_EARLY_WRITE_ADDRESS = 4
MODE_STROBE_EVEN_BYTES = 8
MODE_WRONG_LAST = 16

_FIFO_DEPTH = 64


class CopyEngine(wiring.Component):
    """Copies `bursts * burst_beats` beats from source to destination, then raises `irq`.

    Parameters
    ----------
    data_bits : int
        Width of the memory port, 64..512.
    """

    def __init__(self, data_bits: int = 64):
        self.data_bits = data_bits
        lite = {
            **{"awaddr": In(12), "awprot": In(3), "awvalid": In(1), "awready": Out(1)},
            **{"wdata": In(32), "wstrb": In(4), "wvalid": In(1), "wready": Out(1)},
            **{"bresp": Out(2), "bvalid": Out(1), "bready": In(1)},
            **{"araddr": In(12), "arprot": In(3), "arvalid": In(1), "arready": Out(1)},
            **{"rdata": Out(32), "rresp": Out(2), "rvalid": Out(1), "rready": In(1)},
        }
        address = {"id": 1, "addr": 32, "len": 8, "size": 3, "burst": 2, "lock": 1, "cache": 4, "prot": 3}
        memory = {
            **{f"aw{name}": Out(width) for name, width in address.items()},
            **{"awvalid": Out(1), "awready": In(1)},
            **{"wdata": Out(data_bits), "wstrb": Out(data_bits // 8), "wlast": Out(1)},
            **{"wvalid": Out(1), "wready": In(1)},
            **{"bid": In(1), "bresp": In(2), "bvalid": In(1), "bready": Out(1)},
            **{f"ar{name}": Out(width) for name, width in address.items()},
            **{"arvalid": Out(1), "arready": In(1)},
            **{"rid": In(1), "rdata": In(data_bits), "rresp": In(2), "rlast": In(1)},
            **{"rvalid": In(1), "rready": Out(1)},
        }
        super().__init__(
            {
                **{"aclk": In(1), "aresetn": In(1), "irq": Out(1)},
                **{f"s_axil_{name}": port for name, port in lite.items()},
                **{f"m_axi_{name}": port for name, port in memory.items()},
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        top: Any = self  # its ports come from a table
        m.domains.sync = ClockDomain()
        m.d.comb += [ClockSignal().eq(top.aclk), ResetSignal().eq(~top.aresetn)]

        source, destination = Signal(32), Signal(32)
        bursts, burst_beats = Signal(16), Signal(9)
        mode, errors, cycles = Signal(5), Signal(16), Signal(32)
        start, busy = Signal(), Signal()
        writable = {
            REGISTER_SOURCE: source,
            REGISTER_DESTINATION: destination,
            REGISTER_BURSTS: bursts,
            REGISTER_BURST_BEATS: burst_beats,
            REGISTER_MODE: mode,
        }
        readable = {**writable, REGISTER_ERRORS: errors, REGISTER_CYCLES: cycles}

        m.d.comb += [
            top.s_axil_awready.eq(
                top.s_axil_wvalid & (top.s_axil_awaddr != REGISTER_STUCK) & ~top.s_axil_bvalid
            ),
            top.s_axil_wready.eq(top.s_axil_awready & top.s_axil_awvalid),
            top.s_axil_arready.eq((top.s_axil_araddr != REGISTER_STUCK) & ~top.s_axil_rvalid),
        ]
        with m.If(top.s_axil_bvalid & top.s_axil_bready):
            m.d.sync += top.s_axil_bvalid.eq(0)
        with m.If(top.s_axil_wvalid & top.s_axil_wready):
            m.d.sync += [top.s_axil_bvalid.eq(1), top.s_axil_bresp.eq(0)]
            with m.Switch(top.s_axil_awaddr):
                for offset, register in writable.items():
                    with m.Case(offset):
                        m.d.sync += register.eq(top.s_axil_wdata)
                with m.Case(REGISTER_CONTROL):
                    m.d.comb += start.eq(top.s_axil_wdata[0])
                    with m.If(top.s_axil_wdata[1]):
                        m.d.sync += top.irq.eq(0)
                with m.Default():
                    m.d.sync += top.s_axil_bresp.eq(2)
        with m.If(top.s_axil_rvalid & top.s_axil_rready):
            m.d.sync += top.s_axil_rvalid.eq(0)
        with m.If(top.s_axil_arvalid & top.s_axil_arready):
            m.d.sync += top.s_axil_rvalid.eq(1)
            with m.Switch(top.s_axil_araddr):
                with m.Case(REGISTER_IDENTITY):
                    m.d.sync += top.s_axil_rdata.eq(IDENTITY)
                for offset, register in readable.items():
                    with m.Case(offset):
                        m.d.sync += top.s_axil_rdata.eq(register)

        m.submodules.fifo = fifo = SyncFIFOBuffered(width=self.data_bits, depth=_FIFO_DEPTH)
        noise = Signal(16, init=0xACE1)
        m.d.sync += noise.eq(Cat(noise[15] ^ noise[13] ^ noise[12] ^ noise[10], noise))
        size = (self.data_bits // 8).bit_length() - 1
        step = Signal(16)
        m.d.comb += step.eq(burst_beats << size)

        reads_left, writes_left, responses_left = Signal(16), Signal(16), Signal(16)
        reserved = Signal(range(_FIFO_DEPTH + 1))  # beats requested or in the FIFO
        popped = top.m_axi_wvalid & top.m_axi_wready
        requested = top.m_axi_arvalid & top.m_axi_arready
        m.d.sync += reserved.eq(reserved + Mux(requested, burst_beats, 0) - popped)
        with m.If(requested):
            m.d.sync += [top.m_axi_arvalid.eq(0), top.m_axi_araddr.eq(top.m_axi_araddr + step)]
            m.d.sync += reads_left.eq(reads_left - 1)
        with m.Elif((reads_left != 0) & (reserved + burst_beats <= _FIFO_DEPTH)):
            m.d.sync += top.m_axi_arvalid.eq(1)
        read_pause = mode.matches("----1") & (noise[3:5] == 0)
        m.d.comb += [
            top.m_axi_rready.eq(fifo.w_rdy & ~read_pause),
            fifo.w_en.eq(top.m_axi_rvalid & top.m_axi_rready),
            fifo.w_data.eq(top.m_axi_rdata),
        ]

        beats_left = Signal(9)
        addressed = top.m_axi_awvalid & top.m_axi_awready
        enough = (fifo.r_level >= burst_beats) | mode.matches("--1--")
        last = beats_left == 1
        m.d.comb += [
            top.m_axi_wvalid.eq((beats_left != 0) & fifo.r_rdy),
            top.m_axi_wdata.eq(fifo.r_data),
            top.m_axi_wlast.eq(last ^ mode.matches("1----")),
            top.m_axi_wstrb.eq(Mux(mode.matches("-1---"), int("01" * (self.data_bits // 16), 2), -1)),
            fifo.r_en.eq(popped),
        ]
        with m.If(popped):
            m.d.sync += beats_left.eq(beats_left - 1)
        with m.If(addressed):
            m.d.sync += [top.m_axi_awvalid.eq(0), top.m_axi_awaddr.eq(top.m_axi_awaddr + step)]
            m.d.sync += [writes_left.eq(writes_left - 1), beats_left.eq(burst_beats)]
        with m.Elif((writes_left != 0) & (beats_left == 0) & ~top.m_axi_awvalid & enough):
            m.d.sync += top.m_axi_awvalid.eq(1)

        response_pause = mode.matches("---1-") & (noise[7:9] != 0)
        answered = top.m_axi_bvalid & top.m_axi_bready
        m.d.comb += top.m_axi_bready.eq(~response_pause)
        with m.If(answered):
            m.d.sync += responses_left.eq(responses_left - 1)
        read_error = fifo.w_en & (top.m_axi_rresp != 0)
        m.d.sync += errors.eq(errors + read_error + (answered & (top.m_axi_bresp != 0)))

        with m.If(busy):
            m.d.sync += cycles.eq(cycles + 1)
            with m.If(responses_left == 0):
                m.d.sync += [busy.eq(0), top.irq.eq(1)]
        with m.If(start):
            m.d.sync += [busy.eq(1), cycles.eq(0), errors.eq(0)]
            m.d.sync += [top.m_axi_araddr.eq(source), top.m_axi_awaddr.eq(destination)]
            m.d.sync += [reads_left.eq(bursts), writes_left.eq(bursts), responses_left.eq(bursts)]
        m.d.comb += [
            *(port.eq(burst_beats - 1) for port in (top.m_axi_arlen, top.m_axi_awlen)),
            *(port.eq(size) for port in (top.m_axi_arsize, top.m_axi_awsize)),
            *(port.eq(1) for port in (top.m_axi_arburst, top.m_axi_awburst)),
        ]
        return m


def copy_engine_verilog(data_bits: int = 64) -> str:
    """The engine as Verilog with top module `celosia`; the same text on every call."""
    return verilog.convert(CopyEngine(data_bits), name="celosia", strip_internal_attrs=True, emit_src=False)


def weights_copy_engine_verilog(data_bits: int = 64) -> str:
    """The same with reads over a second port, `m_axi_weights_*`; `m_axi_*` never reads."""
    inner = CopyEngine(data_bits)
    text = verilog.convert(inner, name="copy_engine", strip_internal_attrs=True, emit_src=False)
    ports, pins, wires = [], [], []
    for name, member in inner.signature.members.items():
        channel = name.removeprefix("m_axi_")
        reads = name.startswith(("m_axi_ar", "m_axi_r"))
        direction = "output" if member.flow is Out else "input"
        width = f"[{max(len(getattr(inner, name)), 1) - 1}:0]"
        ports.append(f"{direction} {width} {name}")
        if reads:
            ports.append(f"{direction} {width} m_axi_weights_{channel}")
        if reads and member.flow is Out:
            wires.append(f"assign {name} = 0;")
        pins.append(f".{name}({f'm_axi_weights_{channel}' if reads else name})")
    return (
        f"{text}\nmodule celosia({', '.join(ports)});\n"
        + "\n".join([f"copy_engine engine({', '.join(pins)});", *wires])
        + "\nendmodule\n"
    )
