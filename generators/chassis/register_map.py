"""The register map: one definition for the gateware, the host, the C header and the manual.

All registers are 32 bits wide, at byte offsets that are multiples of 4. Values of 64 bits take two, the low
half first. Nothing here has a side effect on reading.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from .command import Region

REGISTER_BITS = 32
ADDRESS_BITS = 12
"""Address bits of the AXI4-Lite slave: a block of 4 KiB."""


class Access(enum.Enum):
    """What a register does when it is written; all but COMMAND read as what they hold."""

    READ_ONLY = "read-only"
    """The engine drives it; a write is refused with SLVERR."""
    READ_WRITE = "read-write"
    """The host's own; the engine only reads it. Keeps its value through CONTROL.reset."""
    COMMAND = "command"
    """Bits written as 1 act once; reads as 0."""


@dataclass(frozen=True, slots=True)
class BitField:
    """Bits `low .. low + width - 1` of a register."""

    name: str
    low: int
    width: int
    doc: str

    def __post_init__(self) -> None:
        if self.width < 1 or self.low < 0 or self.low + self.width > REGISTER_BITS:
            raise ValueError(
                f"bit field {self.name!r} must lie within bits 0..{REGISTER_BITS - 1}, "
                f"not {self.low}..{self.low + self.width - 1}"
            )

    @property
    def mask(self) -> int:
        """The field's bits as a mask of the register."""
        return ((1 << self.width) - 1) << self.low


@dataclass(frozen=True, slots=True)
class Register:
    """One 32-bit register at byte `offset`; `reset` is its value after reset (READ_WRITE only)."""

    offset: int
    name: str
    access: Access
    doc: str
    fields: tuple[BitField, ...] = ()
    reset: int = 0

    def __post_init__(self) -> None:
        if self.offset % 4 or not 0 <= self.offset < 1 << ADDRESS_BITS:
            raise ValueError(
                f"offset of {self.name} must be a multiple of 4 in 0..{(1 << ADDRESS_BITS) - 4}, "
                f"not {self.offset}"
            )
        if not 0 <= self.reset < 1 << REGISTER_BITS:
            raise ValueError(f"reset of {self.name} must be in 0..2**32 - 1, not {self.reset}")
        taken = 0
        for entry in self.fields:
            if taken & entry.mask:
                raise ValueError(f"bit field {entry.name!r} of {self.name} overlaps another; move it")
            taken |= entry.mask

    def field(self, name: str) -> BitField:
        """The bit field called `name`; ValueError when there is none."""
        for entry in self.fields:
            if entry.name == name:
                return entry
        raise ValueError(f"{self.name} has no bit field {name!r}; it has {[f.name for f in self.fields]}")

    def mask(self, name: str) -> int:
        """The mask of the bit field called `name`."""
        return self.field(name).mask


class ErrorCode(enum.IntEnum):
    """Why a run ended with STATUS.error: the value of ERROR_CODE.

    Attributes:
        meaning: what happened, for people.
    """

    meaning: str

    def __new__(cls, value: int, meaning: str) -> "ErrorCode":
        """A member with its value and meaning."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    NONE = 0, "no error"
    OUT_OF_REGION = 1, "the command reaches beyond its region's limit; the bus saw nothing of it"
    BUS_SLAVE_ERROR = 2, "the memory answered SLVERR"
    BUS_DECODE_ERROR = 3, "the memory answered DECERR: nothing lies at that address"
    ILLEGAL_COMMAND = (
        4,
        "an unknown opcode, reserved bits, BEGIN or HALT out of place, or an impossible QUEUE_OFFSET or QUEUE_COUNT",
    )
    CONFIGURATION_MISMATCH = 5, "the program was compiled for another configuration"
    WATCHDOG = 6, "nothing moved for WATCHDOG_CYCLES: the memory stopped answering, or tokens deadlock"
    MALFORMED_WEIGHTS = 7, "a coded WEIGHTS whose fields are illegal, or do not fit the stream that it names"


MAGIC_VALUE = int.from_bytes(b"CELO", "little")
CHASSIS_VERSION = 1
"""Raised whenever a register changes its meaning."""

MAGIC = Register(0x000, "MAGIC", Access.READ_ONLY, 'the bytes "CELO" in memory order: 0x4F4C4543')
VERSION = Register(0x004, "VERSION", Access.READ_ONLY, "version of this register map")
FAMILY = Register(
    0x008, "FAMILY", Access.READ_ONLY, "family of the accelerator, as its page in the manual says"
)
CONFIG_HASH_LO = Register(0x00C, "CONFIG_HASH_LO", Access.READ_ONLY, "configuration hash, low half")
CONFIG_HASH_HI = Register(0x010, "CONFIG_HASH_HI", Access.READ_ONLY, "configuration hash, high half")
MACS = Register(0x014, "MACS", Access.READ_ONLY, "int8 multiply-accumulates a cycle")
BUFFER_BYTES = Register(0x018, "BUFFER_BYTES", Access.READ_ONLY, "size of the unified buffer in bytes")
PROFILE_ENTRIES = Register(0x01C, "PROFILE_ENTRIES", Access.READ_ONLY, "entries of the profile memory")

CONTROL = Register(
    0x020,
    "CONTROL",
    Access.COMMAND,
    "starts and stops; one bit at a time",
    (
        BitField("start", 0, 1, "run the queue; ignored while running or resetting"),
        BitField(
            "reset", 1, 1, "end what runs, let the bus drain, return to idle; read-write registers stay"
        ),
        BitField("interrupt_clear", 2, 1, "lower the interrupt; done and error stay until the next start"),
    ),
)
STATUS = Register(
    0x024,
    "STATUS",
    Access.READ_ONLY,
    "what the engine does; exactly one of idle, running, done, error and resetting is set",
    (
        BitField("idle", 0, 1, "nothing was started since reset"),
        BitField("running", 1, 1, "a run is in progress, or an error is being drained"),
        BitField("done", 2, 1, "the last run reached HALT"),
        BitField("error", 3, 1, "the last run ended with ERROR_CODE"),
        BitField("resetting", 4, 1, "waiting for the bus to drain after CONTROL.reset"),
        BitField("interrupt", 5, 1, "level of the interrupt line"),
        BitField("bus_lost", 6, 1, "bursts were still unanswered at the end of the last run or reset"),
    ),
)
ERROR_CODE = Register(
    0x028, "ERROR_CODE", Access.READ_ONLY, "first error of the last run, see the error codes"
)
ERROR_INDEX = Register(0x02C, "ERROR_INDEX", Access.READ_ONLY, "index in the queue of the faulting command")
ERROR_ADDRESS_LO = Register(0x030, "ERROR_ADDRESS_LO", Access.READ_ONLY, "bus address of the error, low half")
ERROR_ADDRESS_HI = Register(
    0x034, "ERROR_ADDRESS_HI", Access.READ_ONLY, "bus address of the error, high half"
)
QUEUE_OFFSET = Register(
    0x038, "QUEUE_OFFSET", Access.READ_WRITE, "first command, bytes from REGION0_BASE; a multiple of 64"
)
QUEUE_COUNT = Register(0x03C, "QUEUE_COUNT", Access.READ_WRITE, "commands in the queue, 2..65536")
WATCHDOG_CYCLES = Register(
    0x040,
    "WATCHDOG_CYCLES",
    Access.READ_WRITE,
    "cycles without any progress after which a run (or a reset's drain) is given up; 0: never",
    reset=1 << 16,
)

_REGION_BASE = 0x080
_REGION_STRIDE = 0x10
REGION_BASE_LO = tuple(
    Register(
        _REGION_BASE + _REGION_STRIDE * region,
        f"REGION{region.value}_BASE_LO",
        Access.READ_WRITE,
        f"address of region {region.name}, low half; a multiple of 8",
    )
    for region in Region
)
REGION_BASE_HI = tuple(
    Register(
        _REGION_BASE + _REGION_STRIDE * region + 4,
        f"REGION{region.value}_BASE_HI",
        Access.READ_WRITE,
        f"address of region {region.name}, high half",
    )
    for region in Region
)
REGION_LIMIT = tuple(
    Register(
        _REGION_BASE + _REGION_STRIDE * region + 8,
        f"REGION{region.value}_LIMIT",
        Access.READ_WRITE,
        f"size of region {region.name} in bytes; no access reaches beyond it",
    )
    for region in Region
)

COUNTERS = tuple(
    Register(0x100 + 4 * place, name, Access.READ_ONLY, doc + "; stops at 2**32 - 1")
    for place, (name, doc) in enumerate(
        (
            ("CYCLES", "cycles from the start write to the interrupt"),
            ("ACTIVE", "cycles in which COMPUTE read a window"),
            ("STALL_WEIGHTS", "cycles in which COMPUTE waited for weights"),
            ("STALL_IFM", "cycles in which COMPUTE waited for LOAD"),
            ("STALL_OFM", "cycles in which COMPUTE waited for accumulators, ACTIVATE or STORE"),
            ("STALL_DMA", "all other cycles: fetch, command set-up, final drain"),
            ("BYTES_READ", "bytes read on the memory port, whole beats"),
            ("BYTES_WRITTEN", "bytes written on the memory port, enabled lanes only"),
        )
    )
)
"""Performance counters of the run that every family has; each stops at its end. ACTIVE, the four STALLs and the causes
that a family adds make up CYCLES. A profile entry holds the values of all counters in the order of their registers."""

_MOST_OWN_COUNTERS = 8


@dataclass(frozen=True, slots=True)
class OwnCounter:
    """A counter that a family has besides `COUNTERS`.

    Attributes:
        name: of its register.
        doc: one line for the manual.
        bits: 0 for one more cause that a cycle may have; else it counts amounts of so many bits a cycle, which are
            apart from the causes (a part of one of them, or work done).
    """

    name: str
    doc: str
    bits: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.bits < REGISTER_BITS:
            raise ValueError(
                f"bits of counter {self.name} must be in 0..{REGISTER_BITS - 1}, not {self.bits}"
            )

    @property
    def is_cause(self) -> bool:
        """Whether it counts cycles that are in no other counter but CYCLES."""
        return self.bits == 0


def counter_registers(own: Sequence[OwnCounter] = ()) -> tuple[Register, ...]:
    """Registers of all counters of a family, by rising offset, without gaps.

    Raises:
        ValueError: there are too many for their place in the register map, or a name is taken.
    """
    if len(own) > _MOST_OWN_COUNTERS:
        raise ValueError(
            f"a family must have at most {_MOST_OWN_COUNTERS} counters of its own, not {len(own)}"
        )
    first = COUNTERS[-1].offset + 4
    added = tuple(
        Register(first + 4 * place, entry.name, Access.READ_ONLY, entry.doc + "; stops at 2**32 - 1")
        for place, entry in enumerate(own)
    )
    names = [register.name for register in COUNTERS + added]
    if len(set(names)) != len(names):
        raise ValueError(f"counters must have different names, not {', '.join(names)}")
    return COUNTERS + added


def profile_stride(counters: int) -> int:
    """Words from one entry of the profile memory to the next: a power of two."""
    return 1 << (counters - 1).bit_length()


PROFILE_COUNT = Register(
    0x140, "PROFILE_COUNT", Access.READ_ONLY, "snapshots taken; those beyond PROFILE_ENTRIES are not kept"
)
PROFILE_INDEX = Register(
    0x144,
    "PROFILE_INDEX",
    Access.READ_WRITE,
    "word of the profile memory to show: entry * 8 + counter (entry * 16 for more than 8 counters)",
)
PROFILE_DATA = Register(0x148, "PROFILE_DATA", Access.READ_ONLY, "the word at PROFILE_INDEX")

REGISTERS: tuple[Register, ...] = (
    MAGIC,
    VERSION,
    FAMILY,
    CONFIG_HASH_LO,
    CONFIG_HASH_HI,
    MACS,
    BUFFER_BYTES,
    PROFILE_ENTRIES,
    CONTROL,
    STATUS,
    ERROR_CODE,
    ERROR_INDEX,
    ERROR_ADDRESS_LO,
    ERROR_ADDRESS_HI,
    QUEUE_OFFSET,
    QUEUE_COUNT,
    WATCHDOG_CYCLES,
    *(
        register
        for region in zip(REGION_BASE_LO, REGION_BASE_HI, REGION_LIMIT, strict=True)
        for register in region
    ),
    *COUNTERS,
    PROFILE_COUNT,
    PROFILE_INDEX,
    PROFILE_DATA,
)
"""Every register that all families have, by rising offset."""


def register_list(own: Sequence[OwnCounter] = ()) -> tuple[Register, ...]:
    """Every register of a family, by rising offset."""
    place = REGISTERS.index(COUNTERS[-1]) + 1
    return REGISTERS[:place] + counter_registers(own)[len(COUNTERS) :] + REGISTERS[place:]


def counter(name: str) -> Register:
    """The performance counter called `name`; ValueError when there is none."""
    for register in COUNTERS:
        if register.name == name:
            return register
    raise ValueError(f"counter must be one of {[register.name for register in COUNTERS]}, not {name!r}")


def markdown_table() -> str:
    """The register map as the manual prints it, bit fields below their register."""
    lines = ["| offset | register | access | reset | meaning |", "|---|---|---|---|---|"]
    for register in REGISTERS:
        reset = f"0x{register.reset:X}" if register.access is Access.READ_WRITE else ""
        lines.append(
            f"| 0x{register.offset:03X} | {register.name} | {register.access.value} | {reset} | {register.doc} |"
        )
        for entry in register.fields:
            bits = f"{entry.low}" if entry.width == 1 else f"{entry.low + entry.width - 1}:{entry.low}"
            lines.append(f"| | · {entry.name} [{bits}] | | | {entry.doc} |")
    return "\n".join(lines)
