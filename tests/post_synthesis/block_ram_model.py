"""DP16KD bit by bit: the second implementation that its twin is compared with."""

from dataclasses import dataclass, field

WORD_BITS, SLOT_BITS, WORDS_AN_INITVAL = 18, 20, 16
BYTE_BITS = 9
BYTES = 2048
SIDES = "AB"


@dataclass(frozen=True, slots=True)
class BlockRamMode:
    """Parameters of both ports, A first."""

    widths: tuple[int, int] = (18, 18)
    write_modes: tuple[str, str] = ("NORMAL", "NORMAL")
    output_registers: tuple[bool, bool] = (False, False)
    asynchronous_reset: bool = False
    selects: tuple[int, int] = (0, 0)
    inverted_clocks: tuple[bool, bool] = (False, False)
    contents: tuple[int, ...] = field(default=(0,) * 1024)
    """Words of 18 bits."""

    @property
    def parameters(self) -> dict[str, str | int]:
        """As an instance has them."""
        parameters: dict[str, str | int] = {"RESETMODE": '"ASYNC"' if self.asynchronous_reset else '"SYNC"'}
        for port, side in enumerate(SIDES):
            parameters |= {
                f"DATA_WIDTH_{side}": self.widths[port],
                f"WRITEMODE_{side}": f'"{self.write_modes[port]}"',
                f"REGMODE_{side}": '"OUTREG"' if self.output_registers[port] else '"NOREG"',
                f"CSDECODE_{side}": f'"0b{self.selects[port]:03b}"',
                f"CLK{side}MUX": '"INV"' if self.inverted_clocks[port] else f'"CLK{side}"',
            }
        for number in range(len(self.contents) // WORDS_AN_INITVAL):
            words = self.contents[WORDS_AN_INITVAL * number :][:WORDS_AN_INITVAL]
            value = sum(word << SLOT_BITS * place for place, word in enumerate(words))
            parameters[f"INITVAL_{number:02X}"] = f"320'h{value:080x}"
        return parameters


@dataclass(frozen=True, slots=True)
class PortInputs:
    """What one port is given at an edge; 36 bits of data are given to port A."""

    data: int
    address: int
    selects: int
    enable: bool
    output_enable: bool
    write: bool
    reset: bool


class BlockRamModel:
    """The memory as single bits, each known by its byte and its place there."""

    def __init__(self, mode: BlockRamMode) -> None:
        self._mode = mode
        self._bits = {
            (2 * word + bit // BYTE_BITS, bit % BYTE_BITS): value >> bit & 1
            for word, value in enumerate(mode.contents)
            for bit in range(WORD_BITS)
        }
        self._latches = [0, 0]
        self._registers = [0, 0]

    def is_active(self, port: int, inputs: PortInputs) -> bool:
        """Whether the port is enabled and selected."""
        return inputs.enable and inputs.selects == self._mode.selects[port]

    def written(self, port: int, inputs: PortInputs) -> dict[tuple[int, int], int]:
        """The bits that the port writes at an edge."""
        if not (self.is_active(port, inputs) and inputs.write):
            return {}
        places = self._places(port, inputs.address)
        enables_bytes = self._mode.widths[port] > BYTE_BITS
        return {
            place: inputs.data >> bit & 1
            for bit, place in enumerate(places)
            if not enables_bytes or inputs.address >> bit // BYTE_BITS & 1
        }

    def settle(self, inputs: tuple[PortInputs, PortInputs]) -> None:
        """What an asynchronous reset does without a clock."""
        for port in range(2):
            if self._mode.asynchronous_reset and inputs[port].reset:
                self._latches[port] = self._registers[port] = 0

    def step(self, rises: tuple[bool, bool], inputs: tuple[PortInputs, PortInputs]) -> None:
        """An edge of one clock or both."""
        writes = [self.written(port, inputs[port]) if rises[port] else {} for port in range(2)]
        for port in range(2):
            if rises[port]:
                self._read(port, inputs[port], writes[port], writes[1 - port])
        for written in writes:
            self._bits |= written

    @property
    def outputs(self) -> tuple[int, int]:
        """What the pins DOA and DOB show."""
        shown = [
            self._registers[port] if self._mode.output_registers[port] else self._latches[port]
            for port in range(2)
        ]
        if self._mode.widths[1] == 36:
            return shown[1] & (1 << WORD_BITS) - 1, shown[1] >> WORD_BITS
        if self._mode.widths[0] == 36:
            return 0, shown[1]
        return shown[0] & (1 << WORD_BITS) - 1, shown[1]

    def _read(
        self,
        port: int,
        inputs: PortInputs,
        own: dict[tuple[int, int], int],
        others: dict[tuple[int, int], int],
    ) -> None:
        if inputs.reset:
            self._latches[port] = self._registers[port] = 0
            return
        if inputs.output_enable:
            self._registers[port] = self._latches[port]
        mode = self._mode.write_modes[port]
        if not self.is_active(port, inputs) or (inputs.write and mode == "NORMAL"):
            return
        latch = 0
        for bit, place in enumerate(self._places(port, inputs.address)):
            seen = own.get(place, self._bits[place]) if mode == "WRITETHROUGH" else self._bits[place]
            latch |= (seen ^ (place in others)) << bit
        self._latches[port] = latch

    def _places(self, port: int, address: int) -> list[tuple[int, int]]:
        """Byte and bit of each bit of the port's word."""
        width = self._mode.widths[port]
        if width >= BYTE_BITS:
            bytes_wide = width // BYTE_BITS
            first = (address >> 3) // bytes_wide * bytes_wide
            return [(first + bit // BYTE_BITS, bit % BYTE_BITS) for bit in range(width)]
        first = address % 8 // width * width
        return [(address >> 3, first + bit) for bit in range(width)]
