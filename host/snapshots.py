"""Where a section takes snapshots of the performance counters, so that a profile can tell its layers apart."""

from collections.abc import Sequence

from .allocation import Chain

Layers = tuple[int, int]
"""Layers first..last-1 of a section."""


def place_snapshots(chains: Sequence[Chain], entries: int) -> list[dict[int, Layers]]:
    """By chain: the turns after which a snapshot is taken, and whose time has passed since the one before.

    Each time that another layer's turn comes, as long as that gives at most `entries` snapshots. Otherwise the chains
    with most turns are taken as a whole; and if there are too many chains, the last snapshot covers all that follows.
    """
    marks = [_turn_ends(chain) for chain in chains]
    while sum(map(len, marks)) > entries and any(len(ends) > 1 for ends in marks):
        longest = max(range(len(chains)), key=lambda place: len(marks[place]))
        chain = chains[longest]
        marks[longest] = {len(chain.order) - 1: (chain.first, chain.last)}
    for beyond in marks[entries:]:
        beyond.clear()
    if len(marks) > entries:
        last = chains[entries - 1]
        marks[entries - 1] = {len(last.order) - 1: (last.first, chains[-1].last)}
    return marks


def _turn_ends(chain: Chain) -> dict[int, Layers]:
    """After the last of each layer's successive stripes."""
    places = [place for place, _ in chain.order]
    return {
        turn: (chain.first + place, chain.first + place + 1)
        for turn, (place, following) in enumerate(zip(places, [*places[1:], None], strict=True))
        if place != following
    }
