"""Widths of the simulated accelerator's ports."""

from dataclasses import dataclass

_DATA_BITS = (64, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class SimulatedPorts:
    """Widths of the AXI4 master `m_axi_*` of the top module `celosia`.

    The rest is fixed: `aclk`, `aresetn` (active low, synchronous), `irq`, an AXI4-Lite slave `s_axil_*` of
    12 address and 32 data bits, AXI4 IDs of one bit.

    Attributes:
        data_bits: width of the data: 64, 128, 256 or 512.
        address_bits: width of the address: 16..64.
    """

    data_bits: int = 64
    address_bits: int = 32

    def __post_init__(self) -> None:
        for name in ("data_bits", "address_bits"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an int, not {type(value).__name__}")
        if self.data_bits not in _DATA_BITS:
            raise ValueError(f"data_bits must be one of {_DATA_BITS}, not {self.data_bits}")
        if not 16 <= self.address_bits <= 64:
            raise ValueError(f"address_bits must be 16..64, not {self.address_bits}")

    @property
    def beat_bytes(self) -> int:
        """Bytes a beat."""
        return self.data_bits // 8
