"""CommandFetch: every command reaches its verb's queue with its index, and a wrong queue is named by index."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from celosia.generators.chassis.command import BEGIN, COMMAND_BYTES, HALT, OPCODE_OF_VERB, Verb
from celosia.generators.chassis.fetch import CommandFetch
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.mac_engine.isa import LAYOUTS
from celosia.hdl.axi import Response
from tests.gateware import Gaps, convert, simulate

HASH = 0x0123456789ABCDEF
BASE = 0x4000_0000
OFFSET = 0xF80
LATENCY = 6
BY_VERB = {verb: LAYOUTS[OPCODE_OF_VERB[verb]] for verb in Verb}
FIRST = BEGIN.encode({"configuration_hash": HASH})
LAST = HALT.encode({})


class Run:
    """A fetch of `commands` from a memory that answers `responses[burst]`, and what came out of it."""

    def __init__(
        self,
        commands: Sequence[bytes],
        *,
        limit: int = 1 << 20,
        offset: int = OFFSET,
        count: int | None = None,
        responses: dict[int, Response] | None = None,
        gap: float = 0.0,
        burst_beats: int = 32,
    ) -> None:
        self.fetch = CommandFetch(BY_VERB, HASH, 32, burst_beats)
        self.memory = b"".join(commands)
        self.responses = responses or {}
        self.bursts: list[tuple[int, int]] = []
        self.received: dict[Verb, list[int]] = {verb: [] for verb in Verb}
        self._limit = limit
        self._offset = offset
        self._count = len(commands) if count is None else count
        self._gap = gap
        simulate(
            self.fetch,
            self._serve,
            *(self._sink(verb) for verb in Verb),
            testbenches=[self._start],
        )

    async def _serve(self, ctx: Any) -> None:
        read = self.fetch.read
        ctx.set(read.request.ready, 1)
        due: list[tuple[int, int, Response, int]] = []
        cycle = 0
        while True:
            *_, valid, request = await ctx.tick().sample(read.request.valid, read.request.payload)
            cycle += 1
            if valid:
                for beat in range(request.length + 1):
                    response = self.responses.get(len(self.bursts), Response.OKAY)
                    due.append(
                        (cycle + LATENCY, request.address + 8 * beat, response, beat == request.length)
                    )
                self.bursts.append((request.address, request.length + 1))
            ctx.set(read.beats.valid, 0)
            if due and due[0][0] <= cycle:
                _, address, response, last = due.pop(0)
                place = address - BASE - self._offset
                data = int.from_bytes(self.memory[place : place + 8], "little")
                ctx.set(read.beats.payload, {"data": data, "response": response.value, "last": last})
                ctx.set(read.beats.valid, 1)

    def _sink(self, verb: Verb) -> Any:
        async def sink(ctx: Any) -> None:
            gaps = Gaps(int(verb), self._gap)
            stream = self.fetch.beats[verb]
            while True:
                await gaps(ctx)
                ctx.set(stream.ready, 1)
                *_, valid, payload = await ctx.tick().sample(stream.valid, stream.payload)
                if valid:
                    self.received[verb].append(payload)
                ctx.set(stream.ready, 0)

        return sink

    async def _start(self, ctx: Any) -> None:
        fetch = self.fetch
        ctx.set(fetch.base, BASE)
        ctx.set(fetch.limit, self._limit)
        ctx.set(fetch.offset, self._offset)
        ctx.set(fetch.count, self._count)
        ctx.set(fetch.start, 1)
        await ctx.tick()
        ctx.set(fetch.start, 0)
        for _ in range(5000):
            if ctx.get(fetch.halted) or ctx.get(fetch.error.valid):
                break
            await ctx.tick()
        await ctx.tick().repeat(5)
        self.halted = bool(ctx.get(fetch.halted))
        self.error = ctx.get(fetch.error.code) if ctx.get(fetch.error.valid) else None
        self.index = ctx.get(fetch.error.index)
        self.address = ctx.get(fetch.error.address)


def random_commands(seed: int, count: int) -> list[tuple[Verb, bytes]]:
    rng = random.Random(seed)
    commands = []
    for _ in range(count):
        verb = rng.choice(list(Verb))
        layout = BY_VERB[verb]
        values = {entry.name: rng.randint(entry.low, entry.high) for entry in layout.fields}
        commands.append((verb, layout.encode({**values, "signal": rng.randrange(32)})))
    return commands


@pytest.mark.parametrize(("gap", "burst_beats"), [(0.0, 32), (0.0, 2), (0.7, 32)])
def test_every_command_reaches_its_verb_with_its_index(gap: float, burst_beats: int) -> None:
    commands = random_commands(5, 30)
    run = Run([FIRST, *(command for _, command in commands), LAST], gap=gap, burst_beats=burst_beats)
    assert run.halted
    assert run.error is None
    expected: dict[Verb, list[int]] = {verb: [] for verb in Verb}
    for index, (verb, command) in enumerate(commands, start=1):
        layout = BY_VERB[verb]
        word = layout.encode({**layout.decode(command), "index": index})
        expected[verb] += [
            int.from_bytes(word[8 * beat : 8 * beat + 8], "little") for beat in range(layout.beats)
        ]
    assert run.received == expected


def test_bursts_cover_the_queue_once_and_stay_within_their_pages() -> None:
    run = Run([FIRST, *(command for _, command in random_commands(6, 9)), LAST])
    place = BASE + OFFSET
    for address, beats in run.bursts:
        assert address == place
        assert address // 4096 == (address + 8 * beats - 1) // 4096
        place += 8 * beats
    assert place == BASE + OFFSET + 11 * COMMAND_BYTES


def test_first_request_and_first_beat_come_in_the_stated_cycles() -> None:
    fetch = CommandFetch(BY_VERB, HASH, 32, 32)
    command = next(command for verb, command in random_commands(1, 50) if verb is Verb.STORE)

    async def bench(ctx: Any) -> None:
        ctx.set(fetch.limit, 1 << 20)
        ctx.set(fetch.count, 3)
        ctx.set(fetch.start, 1)
        await ctx.tick()
        ctx.set(fetch.start, 0)
        waited = 1
        while not ctx.get(fetch.read.request.valid):
            await ctx.tick()
            waited += 1
        assert waited == 5
        words = FIRST + command
        for place in range(0, len(words), 8):
            data = int.from_bytes(words[place : place + 8], "little")
            ctx.set(fetch.read.beats.payload, {"data": data, "response": 0, "last": 0})
            ctx.set(fetch.read.beats.valid, 1)
            # The command's beat n, the bench's beat 8 + n, is offered three cycles after it arrived.
            arrived = place // 8 - 3 - COMMAND_BYTES // 8
            offered = fetch.beats[Verb.STORE]
            ctx.set(offered.ready, 1)
            assert ctx.get(offered.valid) == (0 <= arrived < BY_VERB[Verb.STORE].beats)
            await ctx.tick()

    simulate(fetch, testbenches=[bench])


def illegal_at(place: int) -> list[bytes]:
    """A queue whose command at `place` is illegal."""
    commands = [FIRST, *(command for _, command in random_commands(7, 6)), LAST]
    commands[place] = bytes([0x7F]) + commands[place][1:]
    return commands


def with_reserved_bit(commands: list[bytes], place: int) -> list[bytes]:
    changed = bytearray(commands[place])
    changed[5] |= 0x80
    return [*commands[:place], bytes(changed), *commands[place + 1 :]]


LOAD = random_commands(8, 1)[0][1]


@pytest.mark.parametrize(
    ("commands", "code", "index"),
    [
        (illegal_at(0), ErrorCode.ILLEGAL_COMMAND, 0),
        (illegal_at(4), ErrorCode.ILLEGAL_COMMAND, 4),
        ([bytes(64), LAST], ErrorCode.ILLEGAL_COMMAND, 0),
        ([LOAD, LAST], ErrorCode.ILLEGAL_COMMAND, 0),
        ([FIRST, FIRST, LAST], ErrorCode.ILLEGAL_COMMAND, 1),
        ([FIRST, LAST, LAST], ErrorCode.ILLEGAL_COMMAND, 1),
        ([FIRST, LOAD], ErrorCode.ILLEGAL_COMMAND, 1),
        (with_reserved_bit([FIRST, LOAD, LAST], 1), ErrorCode.ILLEGAL_COMMAND, 1),
        (
            [BEGIN.encode({"configuration_hash": HASH ^ 1}), LOAD, LAST],
            ErrorCode.CONFIGURATION_MISMATCH,
            0,
        ),
    ],
)
def test_a_wrong_queue_is_named_with_its_command(commands: list[bytes], code: ErrorCode, index: int) -> None:
    run = Run(commands)
    assert not run.halted
    assert (run.error, run.index) == (code, index)


@pytest.mark.parametrize(
    ("keywords", "code"),
    [
        ({"count": 0}, ErrorCode.ILLEGAL_COMMAND),
        ({"count": 65537}, ErrorCode.ILLEGAL_COMMAND),
        ({"offset": OFFSET + 8}, ErrorCode.ILLEGAL_COMMAND),
        ({"limit": OFFSET + 3 * COMMAND_BYTES - 1}, ErrorCode.OUT_OF_REGION),
    ],
)
def test_a_queue_that_cannot_be_is_refused_before_the_bus(keywords: dict[str, Any], code: ErrorCode) -> None:
    run = Run([FIRST, LOAD, LAST], **keywords)
    assert run.error == code
    assert run.bursts == []


def test_a_queue_up_to_the_last_byte_of_its_region_is_fetched() -> None:
    assert Run([FIRST, LOAD, LAST], limit=OFFSET + 3 * COMMAND_BYTES).halted


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response.SLAVE_ERROR, ErrorCode.BUS_SLAVE_ERROR),
        (Response.DECODE_ERROR, ErrorCode.BUS_DECODE_ERROR),
    ],
)
def test_a_bus_error_names_the_command_and_the_address(response: Response, code: ErrorCode) -> None:
    commands = [FIRST, *(command for _, command in random_commands(9, 6)), LAST]
    run = Run(commands, responses={2: response})
    address = run.bursts[2][0]
    assert (run.error, run.address) == (code, address)
    assert run.index == (address - BASE - OFFSET) // COMMAND_BYTES


def test_converts() -> None:
    assert "module" in convert(CommandFetch(BY_VERB, HASH, 32, 32))


def test_refuses_missing_layouts() -> None:
    with pytest.raises(ValueError, match="layouts must have one for every verb"):
        CommandFetch({Verb.LOAD: BY_VERB[Verb.LOAD]}, HASH, 32, 32)
