"""What every port of the stream and AXI blocks does in every cycle.

A model has `outputs(inputs)`, the outputs of the current cycle, and `step(inputs)`, the clock edge that ends it.
Ports that mean nothing in a cycle (a payload without valid) are left out of the outputs.
"""

from collections import deque
from typing import Protocol

from celosia.hdl.burst_splitter import split

Ports = dict[str, int]


class BlockModel(Protocol):
    """A block, cycle by cycle."""

    def outputs(self, inputs: Ports) -> Ports:
        """Outputs in the current cycle."""
        ...

    def step(self, inputs: Ports) -> None:
        """The end of the current cycle."""
        ...


def offered(stream: str, payload: int | None) -> Ports:
    """The outputs of a stream that offers `payload`, or nothing."""
    return (
        {f"{stream}__valid": 0} if payload is None else {f"{stream}__valid": 1, f"{stream}__payload": payload}
    )


class QueueModel:
    """StreamQueue: a list, behind one more register when it is in block RAM."""

    def __init__(self, depth: int, has_output_register: bool) -> None:
        self._depth = depth
        self._has_output_register = has_output_register
        self._rows: deque[int] = deque()
        self._register: int | None = None

    def outputs(self, inputs: Ports) -> Ports:
        head = self._register if self._has_output_register else next(iter(self._rows), None)
        level = len(self._rows) + (self._register is not None)
        return {"i__ready": int(len(self._rows) < self._depth), "level": level, **offered("o", head)}

    def step(self, inputs: Ports) -> None:
        ready = len(self._rows) < self._depth
        taken = inputs["o__ready"]
        if not self._has_output_register:
            if taken and self._rows:
                self._rows.popleft()
        elif self._register is None or taken:
            self._register = self._rows.popleft() if self._rows else None
        if ready and inputs["i__valid"]:
            self._rows.append(inputs["i__payload"])


class SkidModel:
    """SkidBuffer: a list of at most two entries; what arrives is offered from the next cycle on."""

    def __init__(self) -> None:
        self._entries: deque[int] = deque()

    def outputs(self, inputs: Ports) -> Ports:
        return {"i__ready": int(len(self._entries) < 2), **offered("o", next(iter(self._entries), None))}

    def step(self, inputs: Ports) -> None:
        ready = len(self._entries) < 2
        if self._entries and inputs["o__ready"]:
            self._entries.popleft()
        if ready and inputs["i__valid"]:
            self._entries.append(inputs["i__payload"])


class SplitterModel:
    """BurstSplitter (`stop` low): the bursts that are left, and the first cycle in which the next can be on offer."""

    def __init__(self, burst_beats: int) -> None:
        self._burst_beats = burst_beats
        self._cycle = 0
        self._left: deque[tuple[int, int]] = deque()
        self._next_from = 0
        self._free_from = 0
        self._on_offer: int | None = None

    def outputs(self, inputs: Ports) -> Ports:
        is_free = not self._left and self._cycle >= self._free_from
        return {
            "transfer__ready": int(is_free),
            "idle": int(is_free and self._on_offer is None),
            **offered("burst", self._on_offer),
        }

    def step(self, inputs: Ports) -> None:
        is_free = self.outputs(inputs)["transfer__ready"]
        offers_none = self._on_offer is None
        if inputs["burst__ready"]:
            self._on_offer = None
        if offers_none and self._left and self._cycle + 1 >= self._next_from:
            address, beats = self._left.popleft()
            self._on_offer = address | beats - 1 << 32
            self._next_from = self._cycle + 3
        if is_free and inputs["transfer__valid"]:
            transfer = inputs["transfer__payload"]
            self._left.extend(split(transfer & 0xFFFF_FFFF, transfer >> 32, self._burst_beats))
            self._next_from = self._cycle + 3
            self._free_from = self._cycle + 2
        self._cycle += 1


class UnpackerModel:
    """ByteUnpacker: a window of two beats, a register of the next request, and one of output."""

    def __init__(self) -> None:
        self._low: bytes | None = None
        self._high: bytes | None = None
        self._position = 0
        self._request: tuple[int, int] | None = None
        self._piece: int | None = None

    def _cuts(self, inputs: Ports) -> bool:
        if self._request is None:
            return False
        has_bytes = self._low is not None and (
            self._high is not None or self._position + self._request[0] <= 8
        )
        has_place = self._piece is None or inputs["o__ready"]
        return bool(has_bytes and has_place and not inputs["start"])

    def _moves(self, inputs: Ports) -> bool:
        if self._low is None:
            return True
        return self._request is not None and self._cuts(inputs) and self._position + self._request[0] >= 8

    def _asks(self, inputs: Ports) -> bool:
        return (self._request is None or self._cuts(inputs)) and not inputs["start"]

    def outputs(self, inputs: Ports) -> Ports:
        wants_beat = (self._moves(inputs) or self._high is None) and not inputs["start"]
        return {
            "request__ready": int(self._asks(inputs)),
            "i__ready": int(wants_beat),
            **offered("o", self._piece),
        }

    def step(self, inputs: Ports) -> None:
        cuts, moves, asks = self._cuts(inputs), self._moves(inputs), self._asks(inputs)
        arrived = inputs["i__payload"].to_bytes(8, "little") if inputs["i__valid"] else None
        if inputs["o__ready"]:
            self._piece = None
        if cuts:
            assert self._low is not None
            assert self._request is not None
            count, tag = self._request
            window = (self._low + (self._high or bytes(8)))[self._position :][:count]
            self._piece = int.from_bytes(window, "little") | tag << 64
            self._position = (self._position + count) % 8
            self._request = None
        if asks and inputs["request__valid"]:
            self._request = inputs["request__payload"] & 15, inputs["request__payload"] >> 4
        if moves:
            self._low, self._high = self._high, arrived
        elif self._high is None:
            self._high = arrived
        if inputs["start"]:
            self._low = self._high = self._request = None
            self._position = inputs["offset"]


class PackerModel:
    """BytePacker: the open beat's lanes, and the piece that is about to join them."""

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._piece: tuple[dict[int, int], bool] | None = None
        self._flushes = False
        self._position = 0

    def _beat(self) -> tuple[dict[int, int], bool]:
        """The lanes of the beat on offer, and whether it is on offer."""
        if self._flushes:
            return self._open, True
        if self._piece is None:
            return {}, False
        lanes, is_last = self._piece
        joined = self._open | lanes
        return {lane: byte for lane, byte in joined.items() if lane < 8}, is_last or max(lanes) >= 7

    def _merges(self, inputs: Ports) -> bool:
        return (
            self._piece is not None and not self._flushes and bool(inputs["o__ready"] or not self._beat()[1])
        )

    def outputs(self, inputs: Ports) -> Ports:
        lanes, is_offered = self._beat()
        word = sum(byte << 8 * lane | 1 << 64 + lane for lane, byte in lanes.items())
        has_place = self._piece is None or self._merges(inputs)
        return {
            "i__ready": int(has_place and not inputs["start"]),
            "idle": int(self._piece is None and not self._flushes),
            **offered("o", word if is_offered else None),
        }

    def step(self, inputs: Ports) -> None:
        takes = inputs["i__valid"] and self.outputs(inputs)["i__ready"]
        if self._flushes:
            if inputs["o__ready"]:
                self._flushes, self._open = False, {}
        elif self._merges(inputs):
            assert self._piece is not None
            lanes, is_last = self._piece
            joined = self._open | lanes
            if max(lanes) >= 7:
                self._open = {lane - 8: byte for lane, byte in joined.items() if lane >= 8}
                self._flushes = is_last and bool(self._open)
            else:
                self._open = {} if is_last else joined
            self._piece = None
        if takes:
            word = (inputs["i__payload"] & (1 << 64) - 1).to_bytes(8, "little")
            count = inputs["i__payload"] >> 64 & 15
            lanes = {self._position + lane: word[lane] for lane in range(count)}
            self._piece = lanes, bool(inputs["i__payload"] >> 68)
            self._position = (self._position + count) % 8
        if inputs["start"]:
            self._position, self._open = inputs["offset"], {}


class ArbiterModel:
    """AxiReadArbiter: a queue of owners between grant and last beat."""

    def __init__(self, clients: int, outstanding: int) -> None:
        self._clients = clients
        self._outstanding = outstanding
        self._request: int | None = None
        self._owners: deque[int] = deque()
        self._beat: tuple[int, int] | None = None  # payload, last

    def _granted(self, inputs: Ports) -> int | None:
        if self._request is not None or len(self._owners) == self._outstanding:
            return None
        asking = (index for index in range(self._clients) if inputs[f"clients__{index}__request__valid"])
        return next(asking, None)

    def outputs(self, inputs: Ports) -> Ports:
        ports = {
            "idle": int(not self._owners),
            "axi_rready": 1,
            "axi_arvalid": int(self._request is not None),
        }
        if self._request is not None:
            ports |= {"axi_araddr": self._request & 0xFFFF_FFFF, "axi_arlen": self._request >> 32}
        for index in range(self._clients):
            is_owner = self._beat is not None and self._owners[0] == index
            ports |= offered(f"clients__{index}__beats", self._beat[0] if self._beat and is_owner else None)
        granted = self._granted(inputs)
        if granted is not None:
            ports[f"clients__{granted}__request__ready"] = 1
        return ports

    def step(self, inputs: Ports) -> None:
        granted = self._granted(inputs)
        if inputs["axi_arready"]:
            self._request = None
        if granted is not None:
            self._request = inputs[f"clients__{granted}__request__payload"]
        if self._beat is not None and self._beat[1]:
            self._owners.popleft()
        if granted is not None:
            self._owners.append(granted)
        self._beat = None
        if inputs["axi_rvalid"]:
            last = inputs["axi_rlast"]
            payload = inputs["axi_rdata"] | inputs["axi_rresp"] << 64 | last << 66
            self._beat = payload, last


class WriterModel:
    """AxiWriter (`stop` low): splitter, queue of beats, and the lengths of the bursts that W owes."""

    _LENGTHS = 4

    def __init__(self, burst_beats: int, queue_beats: int, outstanding: int) -> None:
        self._splitter = SplitterModel(burst_beats)
        self._queue = QueueModel(queue_beats, has_output_register=True)
        self._lengths = QueueModel(self._LENGTHS, has_output_register=False)
        self._outstanding = outstanding
        self._announced: int | None = None
        self._awaited = 0
        self._available = 0
        self._complete = False  # a cycle ago all of the burst on offer was here, and a place for its response
        self._left: int | None = None  # beats after the one on W
        self._response: int | None = None

    def _claimed(self) -> int | None:
        """The burst whose address is issued at the end of this cycle."""
        return (
            self._splitter.outputs({})["burst__payload"]
            if self._complete and self._announced is None
            else None
        )

    def _is_complete(self) -> bool:
        """Whether all beats of the burst on offer are here, and a place for its response."""
        burst = self._splitter.outputs({}).get("burst__payload")
        has_room = self._lengths.outputs({})["i__ready"] and self._awaited < self._outstanding
        return burst is not None and bool(has_room) and self._available > burst >> 32

    def _word(self) -> int | None:
        """The beat on W."""
        return None if self._left is None else self._queue.outputs({}).get("o__payload")

    def outputs(self, inputs: Ports) -> Ports:
        splitter, queue, word = self._splitter.outputs({}), self._queue.outputs({}), self._word()
        is_idle = splitter["idle"] and not queue["level"] and not self._awaited and self._announced is None
        ports = {
            "transfer__ready": splitter["transfer__ready"],
            "beats__ready": queue["i__ready"],
            "idle": int(is_idle),
            "failed": int(self._response is not None and self._response >= 2),
            "axi_bready": 1,
            "axi_awvalid": int(self._announced is not None),
            "axi_wvalid": int(word is not None),
        }
        if self._announced is not None:
            ports |= {"axi_awaddr": self._announced & 0xFFFF_FFFF, "axi_awlen": self._announced >> 32}
        if word is not None:
            ports |= {
                "axi_wdata": word & (1 << 64) - 1,
                "axi_wstrb": word >> 64,
                "axi_wlast": int(self._left == 0),
            }
        return ports

    def step(self, inputs: Ports) -> None:
        claimed, length = self._claimed(), self._lengths.outputs({}).get("o__payload")
        self._complete = claimed is None and self._is_complete()
        is_sent = self._word() is not None and inputs["axi_wready"]
        takes_length = self._left is None or (is_sent and self._left == 0)
        arrives = inputs["beats__valid"] and self._queue.outputs({})["i__ready"]
        self._splitter.step(inputs | {"burst__ready": int(claimed is not None)})
        self._queue.step(
            {
                "i__valid": inputs["beats__valid"],
                "i__payload": inputs["beats__payload"],
                "o__ready": int(self._left is not None and inputs["axi_wready"]),
            }
        )
        self._lengths.step(
            {
                "i__valid": int(claimed is not None),
                "i__payload": 0 if claimed is None else claimed >> 32,
                "o__ready": int(takes_length),
            }
        )
        if takes_length:
            self._left = length
        elif is_sent and self._left is not None:
            self._left -= 1
        self._available += int(arrives) - (0 if claimed is None else (claimed >> 32) + 1)
        self._awaited += (claimed is not None) - inputs["axi_bvalid"]
        if claimed is not None:
            self._announced = claimed
        elif inputs["axi_awready"]:
            self._announced = None
        self._response = inputs["axi_bresp"] if inputs["axi_bvalid"] else None
