"""NumPy kernels that are bit-exact with TensorFlow Lite Micro's reference kernels."""

from .interpreter import run_graph, run_operator, trace_graph

__all__ = ["run_graph", "run_operator", "trace_graph"]
