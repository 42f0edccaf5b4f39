"""AcceleratorInstance has the ports of the module that is generated."""

import re

from celosia.boards.accelerator_instance import AcceleratorInstance
from celosia.generators.top import CelosiaTop
from tests.gateware import convert

ADDRESS_BITS, DATA_BITS = 40, 64
CONSTANT = ("id", "size", "burst", "lock", "cache", "prot")


def test_every_port_is_connected_but_constant_outputs() -> None:
    instance = AcceleratorInstance(ADDRESS_BITS, DATA_BITS)
    (connections,) = re.findall(
        r"^  celosia accelerator \((.*?)\n  \);", convert(instance), re.DOTALL | re.MULTILINE
    )
    top = CelosiaTop(instance, ADDRESS_BITS, DATA_BITS)
    top.elaborate(None)
    constant = {f"m_axi_{channel}{name}" for channel in ("aw", "ar") for name in CONSTANT}
    assert set(re.findall(r"\.(\w+)\(", connections)) == set(top.ports) - constant
