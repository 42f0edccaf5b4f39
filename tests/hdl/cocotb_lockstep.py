"""What the cocotb benches of `blocks_top` share: clock and reset, random traffic, and the comparison with a model."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge

from tests.hdl.block_models import (
    BlockModel,
)
from tests.hdl.blocks_top import (
    BlocksTop,
)

CYCLES = 3000


async def start(dut: Any) -> None:
    """Clock and reset; every input that a bench leaves alone is 0."""
    for name in BlocksTop().inputs:
        dut[name].value = 0
    dut.rst.value = 1
    cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
    for _ in range(4):
        await RisingEdge(dut.clk)
    dut.rst.value = 0


def pauses() -> Iterator[bool]:
    """Endless random pauses whose density changes now and then, from none to nearly always."""
    while True:
        density = random.choice((0.0, 0.2, 0.5, 0.9))
        for _ in range(random.randrange(20, 200)):
            yield random.random() < density


async def offer(dut: Any, stream: str, payload: Callable[[], int], longest_rest: int = 0) -> None:
    """Endless: random payloads on a block's input stream, held until they are taken.

    After each, nothing is offered for up to `longest_rest` cycles and a random pause.
    """
    valid, ready, data = (dut[f"{stream}__{part}"] for part in ("valid", "ready", "payload"))
    pause = pauses()
    while True:
        while next(pause):
            await RisingEdge(dut.clk)
        data.value = payload()
        valid.value = 1
        taken = False
        while not taken:
            await FallingEdge(dut.clk)
            taken = bool(ready.value)
            await RisingEdge(dut.clk)
        valid.value = 0
        for _ in range(random.randint(0, longest_rest)):
            await RisingEdge(dut.clk)


async def accept(dut: Any, stream: str) -> None:
    """Endless: a random `ready`."""
    for is_paused in pauses():
        dut[f"{stream}__ready"].value = not is_paused
        await RisingEdge(dut.clk)


async def lockstep(
    dut: Any, block: str, model: BlockModel, inputs: Sequence[str], cycles: int = CYCLES
) -> None:
    """Compare every output that the model names in each of `cycles` cycles."""

    def handle(name: str) -> Any:
        return dut[f"{block}_{name}" if name.startswith("axi_") else f"{block}__{name}"]

    input_handles = {name: handle(name) for name in inputs}
    handles: dict[str, Any] = {}
    for cycle in range(cycles):
        await FallingEdge(dut.clk)
        values = {name: int(port.value) for name, port in input_handles.items()}
        for name, expected in model.outputs(values).items():
            if name not in handles:
                handles[name] = handle(name)
            got = int(handles[name].value)
            assert got == expected, f"cycle {cycle}: {block} {name} is {got:#x}, the model says {expected:#x}"
        model.step(values)


async def drive(
    dut: Any, block: str, values: Callable[[], dict[str, int]], strobe: str | None = None
) -> None:
    """Endless: random values on ports without back-pressure; `strobe` is high unless there is a pause."""
    pause = pauses()
    while True:
        for name, value in values().items():
            dut[f"{block}__{name}"].value = value
        if strobe is not None:
            dut[f"{block}__{strobe}"].value = not next(pause)
        await RisingEdge(dut.clk)
