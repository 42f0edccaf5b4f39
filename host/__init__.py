"""The host: model importers, reference kernels, compiler, sessions and the command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from celosia.generators.chassis.device import DeviceError, DeviceTimeout

    from .device_spec import DeviceSpecError
    from .driver import EngineError
    from .errors import DataError, ModelError
    from .fixed_point_builder import FixedPointBuilder
    from .graph_builder import GraphBuilder
    from .session import InferenceSession, NodeArg

__all__ = [
    "DataError",
    "DeviceError",
    "DeviceSpecError",
    "DeviceTimeout",
    "EngineError",
    "FixedPointBuilder",
    "GraphBuilder",
    "InferenceSession",
    "ModelError",
    "NodeArg",
]

_HOMES = {
    "DataError": "celosia.host.errors",
    "DeviceError": "celosia.generators.chassis.device",
    "DeviceSpecError": "celosia.host.device_spec",
    "DeviceTimeout": "celosia.generators.chassis.device",
    "EngineError": "celosia.host.driver",
    "FixedPointBuilder": "celosia.host.fixed_point_builder",
    "GraphBuilder": "celosia.host.graph_builder",
    "InferenceSession": "celosia.host.session",
    "ModelError": "celosia.host.errors",
    "NodeArg": "celosia.host.session",
}


def __getattr__(name: str) -> object:
    """Hand on a public name when first asked for, so that the command line starts before all of it is loaded."""
    if name not in _HOMES:
        raise AttributeError(
            f"module 'celosia.host' has no attribute {name!r}; it offers {', '.join(__all__)}"
        )
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
