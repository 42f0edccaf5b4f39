"""Components of which a design has many alike: one module in the netlist, many instances of it."""

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

from amaranth.hdl import ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal, Value
from amaranth.lib import wiring

# Amaranth's public way to RTLIL, which its type stubs do not know.
_rtlil: Any = importlib.import_module("amaranth.back.rtlil")

MODULE_PREFIX = "celosia."
"""Of the modules' names, which share one namespace with whatever else a design has."""

_CLOCK, _RESET = "clk", "rst"
_OF_AMARANTH = ("_MustUse__", "_Component__")
"""How the names of attributes begin in which Amaranth keeps its own notes about a component."""

Elaborate: TypeAlias = Callable[[Any, object], Module]
ElaborateT = TypeVar("ElaborateT", bound=Elaborate)


def shared_module(elaborate: ElaborateT) -> ElaborateT:
    """Decorates the `elaborate` of a component of which a design has many alike.

    A platform with a method `get_shared_module(component, elaborate)` puts an instance there of a module that is
    elaborated once for all components that are alike: of one class, with equal signatures and equal attributes.
    Everywhere else, in simulation above all, nothing changes. What differs between instances must be a member.

    Of all clock domains only "sync" reaches into such a module, its clock and its reset. `ResetInserter` and
    `EnableInserter` do not: reset the domain, which may be renamed as ever.
    """

    @wraps(elaborate)
    def elaborate_or_share(component: wiring.Component, platform: object) -> Module | Instance:
        if (get_shared_module := getattr(platform, "get_shared_module", None)) is not None:
            return get_shared_module(component, elaborate)
        return elaborate(component, platform)

    return cast(ElaborateT, elaborate_or_share)


@dataclass(frozen=True, slots=True)
class _SharedModule:
    name: str
    signature: wiring.Signature
    attributes: dict[str, object]

    def stands_for(self, component: wiring.Component) -> bool:
        return self.signature == component.signature and self.attributes == _attributes(component)


class SharedModules:
    """The modules of one design that stand for components decorated with `hdl.shared_module`.

    They are called like the component's class, with a number if there are several kinds of it. Their ports are
    `clk`, `rst` and the members of the component's signature, nested names joined by `__`.
    """

    def __init__(self) -> None:
        self._modules: dict[type[wiring.Component], list[_SharedModule]] = {}
        self._designs: list[str] = []

    def instance(self, component: wiring.Component, elaborate: Elaborate, platform: object) -> Instance:
        """An instance that is connected to the members of `component`; the first of a kind makes the module."""
        alike = self._modules.setdefault(type(component), [])
        module = next((module for module in alike if module.stands_for(component)), None)
        if module is None:
            number = f"_{len(alike) + 1}" if alike else ""
            name = f"{MODULE_PREFIX}{_snake_case(type(component).__name__)}{number}"
            module = _SharedModule(name, component.signature, _attributes(component))
            alike.append(module)
            self._designs.append(_convert(component, elaborate(component, platform), name, platform))
        connections = {
            f"{'i' if flow is wiring.In else 'o'}_{name}": signal for name, flow, signal in _ports(component)
        }
        connections |= {f"i_{_CLOCK}": ClockSignal(), f"i_{_RESET}": ResetSignal()}
        return Instance(module.name, **connections)

    def rtlil(self) -> str:
        """All of these modules, with what is inside them."""
        return "\n".join(self._designs)


def _convert(component: wiring.Component, body: Module, name: str, platform: object) -> str:
    domain: Any = ClockDomain("sync")
    body.domains += domain
    ports = {_CLOCK: (domain.clk, None), _RESET: (domain.rst, None)}
    ports |= {name: (signal, None) for name, _, signal in _ports(component)}
    return _rtlil.convert(body, name=name, platform=platform, ports=ports, emit_src=False)


def _ports(component: wiring.Component) -> Iterator[tuple[str, wiring.Flow, Signal]]:
    """Name, direction and signal of every member; an always-ready stream's `ready` is a constant and no port."""
    for path, member, value in component.signature.flatten(component):
        signal = Value.cast(value)
        if isinstance(signal, Signal) and len(signal):
            yield "__".join(map(str, path)), member.flow, signal


def _attributes(component: wiring.Component) -> dict[str, object]:
    """What a component keeps beside its interface: what it was made with."""
    members = component.signature.members
    return {
        name: value
        for name, value in vars(component).items()
        if name not in members and not name.startswith(_OF_AMARANTH)
    }


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
