"""`WeightStore`: beats in, words out."""

from typing import Any

from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import Destination
from celosia.generators.mac_engine.weight_store import WeightStore
from tests.gateware import convert, simulate

CONFIG = MacEngineConfig(weight_kib=4)


def test_two_beats_make_a_word_and_other_destinations_are_ignored() -> None:
    store = WeightStore(CONFIG)
    words = []

    async def bench(ctx: Any) -> None:
        ctx.set(store.writes.valid, 1)
        last = 2 * CONFIG.weight_words - 1
        for address in (0, 1, 2, 3, last):
            for destination in (Destination.WEIGHT_STORE, Destination.PARAMETER_STORE):
                beat = {
                    "destination": destination,
                    "address": address,
                    "data": 100 * destination + address + 1,
                }
                ctx.set(store.writes.payload, beat)
                await ctx.tick()
        ctx.set(store.writes.valid, 0)
        for word in (0, 1, CONFIG.weight_words - 1):
            ctx.set(store.reads.address, word)
            await ctx.tick()
            words.append(ctx.get(store.reads.data))

    simulate(store, testbenches=[bench])
    assert words == [1 | 2 << 64, 3 | 4 << 64, 2 * CONFIG.weight_words << 64]


def test_converts() -> None:
    assert "endmodule" in convert(WeightStore(CONFIG))
