"""Latencies of the parts of COMPUTE, which the gateware keeps and the cycle model tells."""

from ..chassis.tiles.brick_reader import BRICK_LATENCY

ROW_LATENCY = BRICK_LATENCY
"""Cycles from a row being taken from the weight FIFO to its being in front of the array."""

VECTOR_VISIT = 8
"""Cycles from a brick to the visit of its accumulators, where the array has no part in it."""
