"""What a bus's answer means on the link."""

from amaranth.hdl import Mux, Value

from ..axi import is_error
from .protocol import Outcome


def outcome_of(response: Value) -> Value:
    """The `Outcome` of RRESP or BRESP."""
    return Mux(
        is_error(response),
        Mux(response[0], Outcome.DECODE_ERROR.value, Outcome.SLAVE_ERROR.value),
        Outcome.DONE.value,
    )
