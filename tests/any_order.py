"""Command lists in another order that the tokens allow: what concurrent queues may make of them."""

from dataclasses import replace

import numpy as np

from celosia.generators.chassis.command import COMMAND_BYTES, Opcode, Verb
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.schedule import decode_commands
from celosia.generators.families import family_of
from celosia.host.program import EngineSection, Program
from tests.families import traits_of

__all__ = ["any_order", "in_any_order"]


class _Queues:
    """Where each verb stands in its queue, and the tokens given so far."""

    def __init__(self, commands: list[tuple[Opcode, dict[str, int]]], config: EngineConfig) -> None:
        self.commands = commands
        self.waiting = {
            verb: [index for index, (opcode, _) in enumerate(commands) if opcode.name == verb.name]
            for verb in Verb
        }
        self._tokens = {(giver, taker): 0 for giver in Verb for taker in Verb}
        self._config = config
        self._traits = traits_of(config)
        self._tiles = self._rows = 0

    def ready(self) -> list[Verb]:
        """Verbs whose next command may start and will end."""
        return [verb for verb, queue in self.waiting.items() if queue and self._may_run(verb, queue[0])]

    def _may_run(self, verb: Verb, index: int) -> bool:
        fields = self.commands[index][1]
        if any(self._tokens[giver, verb] < fields[f"wait_{giver.name.lower()}"] for giver in Verb):
            return False
        if verb is Verb.COMPUTE and self._rows < self._traits.taken(fields, self._config):
            return False
        return verb is not Verb.ACTIVATE or self._tiles >= self._traits.drained(fields)

    def run(self, verb: Verb) -> int:
        """Start and end the next command of `verb`; its index."""
        index = self.waiting[verb].pop(0)
        fields = self.commands[index][1]
        for other in Verb:
            self._tokens[other, verb] -= fields[f"wait_{other.name.lower()}"]
            self._tokens[verb, other] += fields["signal"] >> other & 1
        if verb is Verb.COMPUTE:
            self._tiles += self._traits.filled(fields)
            self._rows -= self._traits.taken(fields, self._config)
        if verb is Verb.WEIGHTS:
            self._rows += self._traits.streamed(fields)
        if verb is Verb.ACTIVATE:
            self._tiles -= self._traits.drained(fields)
        return index


def any_order(words: bytes, config: EngineConfig, generator: np.random.Generator) -> bytes:
    """The commands of `words` in a random order in which queues that run side by side may end them.

    Some verbs are favoured for the whole list, so that one runs far ahead of another. AssertionError if the
    tokens deadlock.
    """
    commands = decode_commands(words, family_of(config).layouts)
    queues = _Queues(commands, config)
    favour = {verb: float(generator.exponential()) + 0.01 for verb in Verb}
    order = [0]
    while any(queues.waiting.values()):
        ready = queues.ready()
        assert ready, f"deadlock: waiting are {queues.waiting}"
        weights = np.array([favour[verb] for verb in ready])
        order.append(queues.run(ready[generator.choice(len(ready), p=weights / weights.sum())]))
    order.append(len(commands) - 1)
    return b"".join(words[index * COMMAND_BYTES : (index + 1) * COMMAND_BYTES] for index in order)


def in_any_order(program: Program, seed: int) -> Program:
    """`program` with the commands of each engine section in a random order that the tokens allow."""
    generator = np.random.default_rng(seed)
    return replace(
        program,
        sections=tuple(
            replace(
                section,
                content=section.content[: section.queue_offset]
                + any_order(section.content[section.queue_offset :], program.config, generator),
            )
            if isinstance(section, EngineSection)
            else section
            for section in program.sections
        ),
    )
