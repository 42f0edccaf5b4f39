"""Several clients on one AXI read port."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .axi import AxiReadBus, AxiReadSignature, ReadClient, ReadClientSignature, burst_layout, read_beat_layout
from .stream_queue import StreamQueue


class AxiReadArbiter(wiring.Component):
    """Grants bursts to `clients` in fixed order of priority (client 0 first) and hands their beats back.

    Bursts return in the order in which they were granted, as AXI does for one ID. At most `outstanding` are between
    grant and last beat. AR and R pass one register each: nothing is combinational from port to port.

    Timing: a request seen in cycle t, with AR free and a place left, is taken in t and on AR in t + 1. AR takes one
    burst every 2 cycles at most. A beat of R in cycle t reaches its client in t + 1. A last beat in cycle t makes
    room for a grant in t + 2.

    Members:
        clients: an array of `ReadClientSignature`, flipped.
        bus: `AxiReadSignature`; R is always ready.
        idle: no burst between its grant and its last beat at the client.
    """

    clients: list[ReadClient]
    bus: AxiReadBus
    idle: Signal

    def __init__(self, *, clients: int, address_bits: int, data_bits: int, outstanding: int) -> None:
        for name, value, least in (("clients", clients, 1), ("outstanding", outstanding, 1)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an int, not {value!r}")
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        self._outstanding = outstanding
        self._address_bits = address_bits
        self._data_bits = data_bits
        super().__init__(
            {
                "clients": In(ReadClientSignature(address_bits, data_bits)).array(clients),
                "bus": Out(AxiReadSignature(address_bits, data_bits)),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A queue of the granted clients' numbers says whose beats come next."""
        m = Module()
        m.submodules.owners = owners = StreamQueue(
            range(max(2, len(self.clients))), max(2, self._outstanding)
        )

        request = Signal(burst_layout(self._address_bits), reset_less=True)
        request_valid = Signal()
        in_flight = Signal(range(self._outstanding + 1))
        grant = Signal()
        finished = Signal()
        m.d.comb += [
            self.bus.ar.payload.eq(request),
            self.bus.ar.valid.eq(request_valid),
            self.idle.eq(in_flight == 0),
        ]
        m.d.sync += in_flight.eq(in_flight + grant - finished)
        with m.If(self.bus.ar.ready):
            m.d.sync += request_valid.eq(0)
        with m.If(~request_valid & (in_flight != self._outstanding)):
            # The last assignment wins, so the highest priority comes last.
            for index, client in reversed(list(enumerate(self.clients))):
                with m.If(client.request.valid):
                    m.d.comb += [grant.eq(1), owners.i.payload.eq(index)]
                    m.d.sync += request.eq(client.request.payload)
            blocked = 0
            for client in self.clients:
                m.d.comb += client.request.ready.eq(~blocked)
                blocked |= client.request.valid
            m.d.sync += request_valid.eq(grant)
            m.d.comb += owners.i.valid.eq(grant)

        beat = Signal(read_beat_layout(self._data_bits), reset_less=True)
        beat_valid = Signal()
        m.d.comb += [
            self.bus.r.ready.eq(1),
            finished.eq(beat_valid & beat.last),
            owners.o.ready.eq(finished),
        ]
        m.d.sync += [beat.eq(self.bus.r.payload), beat_valid.eq(self.bus.r.valid)]
        for index, client in enumerate(self.clients):
            m.d.comb += [
                client.beats.payload.eq(beat),
                client.beats.valid.eq(beat_valid & (owners.o.payload == index)),
            ]
        return m
