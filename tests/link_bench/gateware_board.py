"""The endpoint's gateware in Amaranth's simulator, with a `Machine` behind it."""

import random
from collections import deque
from typing import Any

from amaranth.hdl import Cat, Elaboratable, Module, Signal, Value
from amaranth.sim import Simulator

from celosia.generators.chassis.device import DeviceError
from celosia.generators.chassis.register_map import ADDRESS_BITS
from celosia.hdl.axi import Response
from celosia.hdl.link.endpoint import LinkEndpoint
from tests.link_bench.machine import Machine

_CYCLES_A_STEP = 40


class _Bundle:
    """Values side by side in one signal: one access a cycle instead of twenty."""

    def __init__(self, values: dict[str, Value]) -> None:
        self.concatenated = Cat(values.values())
        self.signal = Signal(len(self.concatenated))
        self._places = {}
        low = 0
        for name, value in values.items():
            self._places[name] = (low, (1 << len(value)) - 1)
            low += len(value)

    def unpack(self, bits: int) -> dict[str, int]:
        return {name: bits >> low & mask for name, (low, mask) in self._places.items()}

    def pack(self, values: dict[str, int]) -> int:
        return sum(value << self._places[name][0] for name, value in values.items())


class _Bench(Elaboratable):
    """An endpoint, all of its ports bundled."""

    def __init__(self, endpoint: LinkEndpoint) -> None:
        top: Any = endpoint
        self._endpoint = endpoint
        csr, bus = top.csr, top.bus
        self.inputs = _Bundle(
            {
                "i_valid": top.i.valid,
                "i": top.i.payload,
                "o_ready": top.o.ready,
                "interrupt": top.interrupt,
                "csr_ar_ready": csr.ar.ready,
                "csr_r_valid": csr.r.valid,
                "csr_r_data": csr.r.payload.data,
                "csr_r_response": csr.r.payload.response,
                "csr_aw_ready": csr.aw.ready,
                "csr_w_ready": csr.w.ready,
                "csr_b_valid": csr.b.valid,
                "csr_b_response": csr.b.payload.response,
                "ar_ready": bus.ar.ready,
                "r_valid": bus.r.valid,
                "r_data": bus.r.payload.data,
                "r_response": bus.r.payload.response,
                "r_last": bus.r.payload.last,
                "aw_ready": bus.aw.ready,
                "w_ready": bus.w.ready,
                "b_valid": bus.b.valid,
                "b_response": bus.b.payload.response,
            }
        )
        self.outputs = _Bundle(
            {
                "o_valid": top.o.valid,
                "o": top.o.payload,
                "csr_ar_valid": csr.ar.valid,
                "csr_ar_address": csr.ar.payload.address,
                "csr_r_ready": csr.r.ready,
                "csr_aw_valid": csr.aw.valid,
                "csr_aw_address": csr.aw.payload.address,
                "csr_w_valid": csr.w.valid,
                "csr_w_data": csr.w.payload.data,
                "csr_b_ready": csr.b.ready,
                "ar_valid": bus.ar.valid,
                "ar_address": bus.ar.payload.address,
                "aw_valid": bus.aw.valid,
                "aw_address": bus.aw.payload.address,
                "w_valid": bus.w.valid,
                "w_data": bus.w.payload.data,
                "w_strobe": bus.w.payload.strobe,
                "b_ready": bus.b.ready,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.endpoint = self._endpoint
        m.d.comb += [
            self.inputs.concatenated.eq(self.inputs.signal),
            self.outputs.signal.eq(self.outputs.concatenated),
        ]
        return m


class GatewareBoard:
    """A board: `step` takes bytes from the line, lets cycles pass and gives the bytes for the line.

    Each side of the endpoint pauses at random with probability `pause` a cycle. Beyond the machine's memory every
    access answers DECERR.
    """

    def __init__(
        self, machine: Machine, pause: float = 0.0, seed: int = 0, receive_bytes: int = 4096
    ) -> None:
        self.machine = machine
        self._bench = _Bench(
            LinkEndpoint(register_address_bits=ADDRESS_BITS, address_bits=32, receive_bytes=receive_bytes)
        )
        self._pause = pause
        self._random = random.Random(seed)
        self._incoming: deque[int] = deque()
        self._outgoing = bytearray()
        self._simulator = Simulator(self._bench)
        self._simulator.add_clock(1e-6)
        self._simulator.add_testbench(self._serve, background=True)

    def step(self, line: bytes) -> bytes:
        self._incoming.extend(line)
        end = self.machine.cycles + _CYCLES_A_STEP
        while self._incoming or self.machine.cycles < end:
            self._simulator.advance()
        answer = bytes(self._outgoing)
        self._outgoing.clear()
        return answer

    def restart(self, machine: Machine) -> None:
        """Power off and on, with another machine behind it; elaborating anew takes a second."""
        if self.machine.cycles:
            self._simulator.reset()
        self.machine = machine
        self._incoming.clear()
        self._outgoing.clear()

    def _goes(self) -> bool:
        return not self._pause or self._random.random() >= self._pause

    async def _serve(self, ctx: Any) -> None:
        """Every cycle: choose the inputs, let the clock tick, look at what was transferred."""
        inputs, outputs = self._bench.inputs, self._bench.outputs
        answers: dict[str, dict[str, int]] = {}  # responses on their way, by channel
        writing: dict[str, int] = {}
        while True:
            given = self._choose(answers)
            ctx.set(inputs.signal, inputs.pack(given))
            _, _, bits = await ctx.tick().sample(outputs.signal)
            seen = outputs.unpack(bits)
            self.machine.cycles += 1
            if "i" in given:
                self._incoming.popleft()
            if seen["o_valid"] and given["o_ready"]:
                self._outgoing.append(seen["o"])
            for channel in ("csr_r", "csr_b", "b"):
                if given.get(f"{channel}_valid") and seen[f"{channel}_ready"]:
                    del answers[channel]
            if given.get("r_valid"):
                del answers["r"]
            if seen["csr_ar_valid"] and given["csr_ar_ready"]:
                answers["csr_r"] = self._read_register(seen["csr_ar_address"])
            if seen["ar_valid"] and given["ar_ready"]:
                answers["r"] = self._read_beat(seen["ar_address"])
            for prefix in ("csr_", ""):
                for channel in ("aw", "w"):
                    name = f"{prefix}{channel}"
                    if seen[f"{name}_valid"] and given[f"{name}_ready"]:
                        assert name not in writing, "one write at a time"
                        writing |= {key: value for key, value in seen.items() if key.startswith(f"{name}_")}
                        writing[name] = 1
            if "csr_aw" in writing and "csr_w" in writing:
                answers["csr_b"] = self._write_register(writing["csr_aw_address"], writing["csr_w_data"])
                writing = {}
            if "aw" in writing and "w" in writing:
                answers["b"] = self._write_beat(writing["aw_address"], writing["w_data"], writing["w_strobe"])
                writing = {}

    def _choose(self, answers: dict[str, dict[str, int]]) -> dict[str, int]:
        given = {"interrupt": int(self.machine.interrupt)}
        for ready in (
            "o_ready",
            "csr_ar_ready",
            "csr_aw_ready",
            "csr_w_ready",
            "ar_ready",
            "aw_ready",
            "w_ready",
        ):
            given[ready] = int(self._goes())
        if self._incoming and self._goes():
            given |= {"i_valid": 1, "i": self._incoming[0]}
        for channel, answer in answers.items():
            # A response stays once it is offered.
            if answer.get(f"{channel}_valid") or self._goes():
                answer[f"{channel}_valid"] = 1
                given |= answer
        return given

    def _read_register(self, address: int) -> dict[str, int]:
        try:
            return {"csr_r_data": self.machine.read_register(address)}
        except DeviceError:
            return {"csr_r_response": Response.SLAVE_ERROR.value}

    def _write_register(self, address: int, value: int) -> dict[str, int]:
        try:
            self.machine.write_register(address, value)
        except DeviceError:
            return {"csr_b_response": Response.SLAVE_ERROR.value}
        return {"csr_b_response": Response.OKAY.value}

    def _read_beat(self, address: int) -> dict[str, int]:
        assert address % 8 == 0
        beat = self.machine.memory[address : address + 8].tobytes()
        response = Response.OKAY if len(beat) == 8 else Response.DECODE_ERROR
        return {"r_data": int.from_bytes(beat, "little"), "r_response": response.value, "r_last": 1}

    def _write_beat(self, address: int, data: int, strobe: int) -> dict[str, int]:
        assert address % 8 == 0
        if address + 8 > self.machine.memory.size:
            return {"b_response": Response.DECODE_ERROR.value}
        for lane in range(8):
            if strobe >> lane & 1:
                self.machine.memory[address + lane] = data >> 8 * lane & 0xFF
        return {"b_response": Response.OKAY.value}
