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
        weights_bits: width of the data of `m_axi_weights_*`, a second AXI4 master that only reads, with addresses as
            wide: 0 if there is none.
    """

    data_bits: int = 64
    address_bits: int = 32
    weights_bits: int = 0

    def __post_init__(self) -> None:
        for name in ("data_bits", "address_bits", "weights_bits"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an int, not {type(value).__name__}")
        if self.data_bits not in _DATA_BITS:
            raise ValueError(f"data_bits must be one of {_DATA_BITS}, not {self.data_bits}")
        if self.weights_bits and self.weights_bits not in _DATA_BITS:
            raise ValueError(f"weights_bits must be 0 or one of {_DATA_BITS}, not {self.weights_bits}")
        if not 16 <= self.address_bits <= 64:
            raise ValueError(f"address_bits must be 16..64, not {self.address_bits}")

    @property
    def beat_bytes(self) -> int:
        """Bytes a beat."""
        return self.data_bits // 8

    @property
    def weights_beat_bytes(self) -> int:
        """Bytes a beat on the port for weights; 0 if there is none."""
        return self.weights_bits // 8
