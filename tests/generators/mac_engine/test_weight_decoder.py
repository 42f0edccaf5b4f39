"""WeightDecoder: exactly the model's words, in exactly the predicted cycles."""

import itertools
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.weight_code import (
    LIVE_LANES,
    CodedWeights,
    MalformedWeights,
    Record,
    encode,
    records,
)
from celosia.generators.mac_engine.weight_decoder import WeightDecoder, decoder_beats
from celosia.generators.mac_engine.weight_decoder_timing import WeightDecoderTiming
from tests.gateware import convert, simulate
from tests.generators.mac_engine.weight_samples import sample

CONFIG = MacEngineConfig(weight_kib=4, burst_beats=16, outstanding_reads=4)
QUEUE_BEATS = decoder_beats(CONFIG)
ADDRESS = 250


def command_of(coded: CodedWeights, **changes: int) -> dict[str, int]:
    return {"beats": len(coded.content) // 8, "address": 2 * ADDRESS, **coded.fields, **changes}


def _records(fields: Mapping[str, int], coded: CodedWeights) -> list[Record] | None:
    """Of legal streams alone."""
    if fields != command_of(coded):
        return None
    try:
        return records(coded.content, coded.code, coded.words)
    except MalformedWeights:
        return None


class Run:
    """Decodes streams one after the other, and predicts it; beats come ahead of their stream's start."""

    def __init__(
        self, streams: list[tuple[dict[str, int], CodedWeights]], gap: float = 0.0, seed: int = 1
    ) -> None:
        self.words: list[bytes] = []
        self.addresses: list[int] = []
        self.cycles: list[int] = []
        self.predicted: list[int] = []
        self.malformed = False
        decoder = WeightDecoder(CONFIG)
        port = decoder.port
        generator = random.Random(seed)
        found = [_records(*stream) for stream in streams]
        present = -1
        model = WeightDecoderTiming(lambda _: found[present] or [])
        beats = [
            int.from_bytes(coded.content[place : place + 8], "little")
            for _, coded in streams
            for place in range(0, len(coded.content), 8)
        ]

        async def watch(ctx: Any) -> None:
            while True:
                _, _, valid, word = await ctx.tick().sample(decoder.words.valid, decoder.words.payload)
                if valid:
                    self.words.append(word.data.to_bytes(16, "little"))
                    self.addresses.append(word.address)

        async def bench(ctx: Any) -> None:
            nonlocal present
            room, started = QUEUE_BEATS, 0
            for cycle in itertools.count():
                ctx.set(port.start, cycle == started)
                if cycle == started:
                    present += 1
                    ctx.set(port.command, streams[present][0])
                    if found[present]:
                        model.start(cycle, streams[present][0])
                sends = bool(beats) and room > 0 and generator.random() >= gap
                ctx.set(port.beats.valid, sends)
                if sends:
                    ctx.set(port.beats.payload, beats.pop(0))
                    model.beat(cycle)
                freed = bool(ctx.get(port.freed))
                room += freed - sends
                predicted = model.cycle(cycle)
                if found[present]:
                    assert freed == predicted, f"a beat left the queue, cycle {cycle}"
                finished, self.malformed = ctx.get(port.finished), bool(ctx.get(port.malformed))
                if finished:
                    self.cycles.append(cycle - started)
                    self.predicted.append((model.finished or 0) - started)
                    started = cycle + generator.choice([1, 2, 50])
                await ctx.tick()
                if self.malformed or (finished and present == len(streams) - 1):
                    return

        simulate(decoder, watch, testbenches=[bench])


@pytest.mark.parametrize("gap", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(6))
def test_words_and_cycles_are_those_of_the_model(seed: int, gap: float) -> None:
    generator = np.random.default_rng(seed)
    contents = [sample(generator, live_lanes) for live_lanes in LIVE_LANES]
    streams = [encode(content) for content in contents]
    run = Run([(command_of(coded), coded) for coded in streams], gap, seed)
    assert b"".join(run.words) == b"".join(contents)
    assert run.cycles == run.predicted
    assert len(run.cycles) == len(streams)
    assert run.addresses == [
        (ADDRESS + word) % CONFIG.weight_words for coded in streams for word in range(coded.words)
    ]


@pytest.mark.parametrize("scale", [2.0, 4.0, 5.0])
def test_at_least_twelve_weights_a_cycle_where_the_port_allows_it(scale: float) -> None:
    """Up to 5.33 bits a weight, where the 64 bits of the port become 12 weights."""
    values = np.rint(np.random.default_rng(1).laplace(0.0, scale, 16 * 1000))
    content = np.clip(values, -128, 127).astype(np.int8).tobytes()
    coded = encode(content)
    assert len(coded.content) * 8 < 5.33 * 16000
    run = Run([(command_of(coded), coded)])
    assert b"".join(run.words) == content
    assert run.cycles == run.predicted
    assert 16000 / run.cycles[0] >= 12


def coded_sample() -> CodedWeights:
    return encode(sample(np.random.default_rng(11), words=90))


@pytest.mark.parametrize(
    "changes",
    [
        {"live_lanes": 0},
        {"live_lanes": 5},
        {"unary_planes": 0},
        {"vectors": 0},
        {"unary_planes": 3, "remainder_bits": 7},
        {"words": 91},
        {"words": 200, "vectors": 200},
        {"words": 20, "vectors": 20},
    ],
    ids=str,
)
def test_fields_that_do_not_fit_the_stream_are_refused(changes: dict[str, int]) -> None:
    coded = coded_sample()
    assert Run([(command_of(coded, **changes), coded)]).malformed


def test_a_stream_that_is_cut_short_is_refused() -> None:
    coded = coded_sample()
    short = replace(coded, content=coded.content[:-16])
    run = Run([(command_of(short), short)])
    assert run.malformed
    assert not run.cycles


def test_a_stream_with_more_to_come_is_refused() -> None:
    coded = coded_sample()
    long = replace(coded, content=coded.content + bytes(8))
    assert Run([(command_of(long), long)]).malformed


@pytest.mark.parametrize("seed", range(10))
def test_damage_never_hangs(seed: int) -> None:
    generator = random.Random(seed)
    coded = coded_sample()
    content = generator.randbytes(len(coded.content))
    damaged = replace(coded, content=content)
    run = Run([(command_of(damaged), damaged)])
    assert run.malformed or run.cycles


def test_converts() -> None:
    assert "module" in convert(WeightDecoder(CONFIG))
