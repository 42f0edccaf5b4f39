"""Latencies of the parts of COMPUTE, which the gateware keeps and the cycle model tells."""

ARRAY_DELAY = 3
"""Cycles from a brick to the array: so late do its units write to registers that ACTIVATE still reads."""

VECTOR_VISIT = 5
"""Cycles from a brick to the visit of the vector tiles, likewise."""
