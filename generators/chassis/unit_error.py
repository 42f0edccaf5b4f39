"""How the data-moving units report an error to the run control."""

from amaranth.hdl import Module, Mux, Value
from amaranth.lib import data

from ...hdl.axi import Response
from .register_map import ErrorCode


def report(m: Module, error: data.View, *, code: ErrorCode, index: Value, address: Value) -> None:
    """Raise `error` (`error_layout`) in the next cycle; the unit lowers `error.valid` again by default."""
    m.d.sync += [
        error.valid.eq(1),
        error.code.eq(code),
        error.index.eq(index),
        error.address.eq(address),
    ]


def report_response(m: Module, error: data.View, *, response: Value, index: Value, address: Value) -> None:
    """As `report`, with the code that belongs to an erroneous response of the bus."""
    is_slave_error = response == Response.SLAVE_ERROR.value
    m.d.sync += [
        error.valid.eq(1),
        error.code.eq(Mux(is_slave_error, ErrorCode.BUS_SLAVE_ERROR.value, ErrorCode.BUS_DECODE_ERROR.value)),
        error.index.eq(index),
        error.address.eq(address),
    ]
