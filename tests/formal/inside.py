"""Registers and memories inside a component, for invariants that a proof by induction needs."""

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Const, Elaboratable, Fragment, Signal, Value


class Inside:
    """A component, elaborated; take `fragment` as the submodule, once everything was looked up."""

    def __init__(self, component: Elaboratable) -> None:
        self.fragment: Any = Fragment.get(component, None)

    def signal(self, name: str, place: int = 0) -> Signal:
        """The signal of that name; of several, the one at `place` from the top down.

        Raises:
            LookupError: there is none.
        """
        found: dict[int, Signal] = {}
        for fragment in _fragments(self.fragment):
            for statements in fragment.statements.values():
                for signal in statements._lhs_signals():
                    if signal.name == name:
                        found.setdefault(id(signal), signal)
        if place >= len(found):
            raise LookupError(f"no signal {name!r} (number {place}) is driven inside")
        return list(found.values())[place]

    def row(self, address: Value) -> Signal:
        """What the only memory inside holds at `address`, now."""
        memory = self._memory()
        data = Signal(memory._data.shape)
        memory.read_port(domain="comb", addr=address, data=data, en=Const(1, 1), transparent_for=())
        return data

    def _memory(self) -> Any:
        (memory,) = (fragment for fragment in _fragments(self.fragment) if hasattr(fragment, "_write_ports"))
        return memory

    @property
    def write_address(self) -> Value:
        """Of the only memory's write port."""
        return self._memory()._write_ports[0]._addr

    @property
    def read_address(self) -> Value:
        """Of the only memory's read port."""
        return self._memory()._read_ports[0]._addr

    @property
    def read_data(self) -> Value:
        """Of the only memory's read port."""
        return self._memory()._read_ports[0]._data


def _fragments(fragment: Any) -> Iterator[Any]:
    yield fragment
    for inner, *_ in fragment.subfragments:
        yield from _fragments(inner)
