"""Graph operators as integer layers for an engine."""

from .layers import EngineRefusal, layers_of
from .views import view

__all__ = ["EngineRefusal", "layers_of", "view"]
