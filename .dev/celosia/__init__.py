"""Celosia generates neural accelerators for FPGAs and runs quantised networks on them.

This file is the whole package `celosia`; its sub-packages are the folders `hdl`, `generators`, `sim`, `boards`
and `host` at the top of the repository.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celosia.generators.chassis.device import DeviceError
    from celosia.host.device_spec import DeviceSpecError
    from celosia.host.errors import ModelError
    from celosia.host.graph_builder import GraphBuilder
    from celosia.host.session import InferenceSession

__all__ = ["DeviceError", "DeviceSpecError", "GraphBuilder", "InferenceSession", "ModelError"]


def __getattr__(name: str) -> object:
    """Hand on the host's public names when first asked for, so that gateware never imports the host (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'celosia' has no attribute {name!r}; it offers {', '.join(__all__)}")
    import celosia.host

    value = getattr(celosia.host, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names beside what is loaded already, so that completion shows them."""
    return sorted({*globals(), *__all__})
