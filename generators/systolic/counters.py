"""What a systolic engine counts besides what the chassis does.

Cycles are ACTIVE (the array multiplies), STALL_WEIGHTS, WEIGHT_SHIFT, and the rest: what the original calls non-matrix,
of which STALL_IFM are its input stalls and STALL_OFM its RAW stalls. USEFUL_MACS is a part of what the active cycles
could do.
"""

from ..chassis.counters import Cause
from ..chassis.register_map import OwnCounter
from .isa import MOST_MACS

COUNTERS = (
    OwnCounter(
        "WEIGHT_SHIFT", "cycles without a read in which the next tile of weights shifts into the array"
    ),
    OwnCounter("VECTOR", "cycles in which the vector unit gets a brick, not the array"),
    OwnCounter(
        "USEFUL_MACS",
        "products of rows and columns in use in the active cycles, each at most R x C",
        bits=MOST_MACS.bit_length(),
    ),
)

SHIFT_CAUSE = len(Cause)
VECTOR_CAUSE = len(Cause) + 1
