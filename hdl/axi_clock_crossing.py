"""AXI4 from one clock to another, so that a memory may run faster than what uses it."""

from amaranth.hdl import Module, Shape
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import AsyncFIFO
from amaranth.lib.wiring import In, Out

from .axi import AxiBus, AxiSignature

_LEAST_DEPTH = 4


class AxiClockCrossing(wiring.Component):
    """Five asynchronous queues, one a channel, each in its own direction.

    Full rate of the slower clock. An entry is offered 2 to 3 cycles of its new domain after it was taken. Reset both
    domains together.

    Args:
        bus_domain: clock domain of `bus`.
        memory_domain: clock domain of `memory`.
        depth: entries of each queue, a power of two of 4 or more; 8 keep the full rate at equal clocks.

    Members:
        bus: `AxiSignature`, flipped: where the bursts come from.
        memory: `AxiSignature`: where they go to.

    Raises:
        TypeError, ValueError: `depth` is not such a power, or both domains are the same.
    """

    bus: AxiBus
    memory: AxiBus

    def __init__(
        self, *, address_bits: int, data_bits: int, bus_domain: str, memory_domain: str, depth: int = 16
    ) -> None:
        if isinstance(depth, bool) or not isinstance(depth, int):
            raise TypeError(f"depth must be an int, not {depth!r}")
        if depth < _LEAST_DEPTH or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two from {_LEAST_DEPTH} on, not {depth}")
        if bus_domain == memory_domain:
            raise ValueError(f"memory_domain must be another than bus_domain, not {memory_domain!r} for both")
        self._bus_domain = bus_domain
        self._memory_domain = memory_domain
        self._depth = depth
        signature = AxiSignature(address_bits, data_bits)
        super().__init__({"bus": In(signature), "memory": Out(signature)})

    def elaborate(self, platform: object) -> Module:
        """Addresses and data written go to the memory, data read and responses come back."""
        m = Module()
        there, back = (self._bus_domain, self._memory_domain), (self._memory_domain, self._bus_domain)
        self._cross(m, "ar", self.bus.ar, self.memory.ar, there)
        self._cross(m, "aw", self.bus.aw, self.memory.aw, there)
        self._cross(m, "w", self.bus.w, self.memory.w, there)
        self._cross(m, "r", self.memory.r, self.bus.r, back)
        self._cross(m, "b", self.memory.b, self.bus.b, back)
        return m

    def _cross(
        self, m: Module, name: str, source: stream.Interface, sink: stream.Interface, domains: tuple[str, str]
    ) -> None:
        width = Shape.cast(source.payload.shape()).width
        w_domain, r_domain = domains
        queue = AsyncFIFO(width=width, depth=self._depth, w_domain=w_domain, r_domain=r_domain)
        m.submodules[name] = queue
        m.d.comb += [
            queue.w_data.eq(source.payload),
            queue.w_en.eq(source.valid),
            source.ready.eq(queue.w_rdy),
            sink.payload.eq(queue.r_data),
            sink.valid.eq(queue.r_rdy),
            queue.r_en.eq(sink.ready),
        ]
