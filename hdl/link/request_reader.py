"""Cuts a request into its header and its data."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .frame_receiver import frame_byte_layout
from .protocol import REQUEST_HEADER, layout, size


def request_layout() -> data.StructLayout:
    """A request's `header`; `has_data`: bytes of it are still to come on `data`."""
    return data.StructLayout({"header": layout(REQUEST_HEADER), "has_data": 1})


class RequestReader(wiring.Component):
    """Frames in, requests out; data that nobody has taken by the time the request is done with is dropped.

    A frame too short for a header is dropped. Timing: the header's last byte in cycle t: `request` is offered from
    t + 1 on; the next frame's first byte is taken in the cycle after the request, or what was left of it.

    Members:
        i: `frame_byte_layout`.
        request: `request_layout`; taken when it is done with. `has_data` falls with the data's last byte.
        data: `frame_byte_layout`; offered while `request` is.
    """

    i: stream.Interface
    request: stream.Interface
    data: stream.Interface

    def __init__(self) -> None:
        super().__init__(
            {
                "i": In(stream.Signature(frame_byte_layout())),
                "request": Out(stream.Signature(request_layout())),
                "data": Out(stream.Signature(frame_byte_layout())),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Shift the header in, offer it, drop what is left."""
        m = Module()
        header = Signal(8 * size(REQUEST_HEADER), reset_less=True)
        count = Signal(range(size(REQUEST_HEADER)))
        has_data = Signal()
        ends = Signal()  # the frame's last byte moves
        m.d.comb += [
            ends.eq(self.i.valid & self.i.ready & self.i.payload.last),
            self.request.payload.header.eq(header),
            self.request.payload.has_data.eq(has_data),
            self.data.payload.eq(self.i.payload),
        ]
        with m.FSM():
            with m.State("HEADER"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += [
                        header.eq(Cat(header[8:], self.i.payload.byte)),
                        has_data.eq(~self.i.payload.last),
                        count.eq(count + 1),
                    ]
                    with m.If(count == size(REQUEST_HEADER) - 1):
                        m.d.sync += count.eq(0)
                        m.next = "OFFER"
                    with m.Elif(self.i.payload.last):
                        m.d.sync += count.eq(0)
            with m.State("OFFER"):
                m.d.comb += [
                    self.request.valid.eq(1),
                    self.data.valid.eq(self.i.valid & has_data),
                    self.i.ready.eq(self.data.ready & has_data),
                ]
                with m.If(ends):
                    m.d.sync += has_data.eq(0)
                with m.If(self.request.ready):
                    m.next = "HEADER"
                    with m.If(has_data & ~ends):
                        m.next = "DROP"
            with m.State("DROP"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(ends):
                    m.next = "HEADER"
        return m
