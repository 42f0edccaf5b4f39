"""A memory with two ports, each of which reads or writes: what block RAM is at half its width."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out


class DualPort(wiring.Signature):
    """One port. Seen from its user.

    Members
    -------
    address : Out(range(depth))
        Row to read or write.
    write_enable : Out(1)
        Write the row.
    write_data : Out(width)
        What to write.
    read_data : In(width)
        The row, a cycle after its address; undefined after a write, and where the other port writes that row.
    """

    def __init__(self, depth: int, width: int) -> None:
        super().__init__(
            {
                "address": Out(range(depth)),
                "write_enable": Out(1),
                "write_data": Out(width),
                "read_data": In(width),
            }
        )

    def create(self, *, path: tuple[str | int, ...] = (), src_loc_at: int = 0) -> "DualPortInterface":
        """The interface with these members."""
        return DualPortInterface(self, path=path, src_loc_at=1 + src_loc_at)


class DualPortInterface(wiring.PureInterface):
    """Interface of `DualPort`."""

    address: Signal
    write_enable: Signal
    write_data: Signal
    read_data: Signal


class DualPortMemory(wiring.Component):
    """`depth` rows of `width` bits and two ports; contents are never reset.

    A platform with a method `get_dual_port_memory(memory)`, which returns an elaboratable that drives both ports,
    puts its own memory there.

    Cost: on ECP5 a DP16KD for every 18 bits of 1024 rows, half of what two copies with a port each take.

    Members:
        ports: two of `DualPort`.
    """

    ports: list[DualPortInterface]

    def __init__(self, depth: int, width: int) -> None:
        self.depth = depth
        self.width = width
        super().__init__({"ports": In(DualPort(depth, width)).array(2)})

    def elaborate(self, platform: object) -> Module:
        """A read and a write port that share an address, twice."""
        if (get_memory := getattr(platform, "get_dual_port_memory", None)) is not None:
            return get_memory(self)
        m = Module()
        m.submodules.rows = rows = Memory(shape=self.width, depth=self.depth, init=[])
        for port in self.ports:
            write, read = rows.write_port(), rows.read_port()
            m.d.comb += [
                write.addr.eq(port.address),
                write.data.eq(port.write_data),
                write.en.eq(port.write_enable),
                read.addr.eq(port.address),
                read.en.eq(~port.write_enable),
                port.read_data.eq(read.data),
            ]
        return m
