"""What a systolic engine counts besides what the chassis does.

Cycles are ACTIVE (the array multiplies), STALL_WEIGHTS, WEIGHT_SHIFT, and the rest: what the original calls non-matrix,
of which STALL_IFM are its input stalls and STALL_OFM its RAW stalls.
"""

from ..chassis.counters import Cause
from ..chassis.register_map import OwnCounter

COUNTERS = (
    OwnCounter(
        "WEIGHT_SHIFT", "cycles without a read in which the next tile of weights shifts into the array"
    ),
    OwnCounter("VECTOR", "cycles in which the vector unit gets a brick, not the array"),
)

SHIFT_CAUSE = len(Cause)
VECTOR_CAUSE = len(Cause) + 1
