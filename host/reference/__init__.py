"""NumPy kernels that are bit-exact with TensorFlow Lite Micro's reference kernels, and those of fixed-point numbers."""

from .interpreter import UNARY_KINDS, run_graph, run_operator, trace_graph, unary_table

__all__ = ["UNARY_KINDS", "run_graph", "run_operator", "trace_graph", "unary_table"]
