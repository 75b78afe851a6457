"""Netlist optimisation that never changes an output bit.

A pass rebuilds the netlist through `NetlistBuilder`, which folds constants, drops pins, merges
duplicates and bypasses buffers, and packs nodes into their readers while the pins allow it (LUT
packing). Unread nodes and inputs go. Passes repeat until nothing changes.

Packing always ends: it replaces a pin by pins of lower signals. It never adds a node.
"""

import numpy as np

from lutgen.model.netlist import Netlist
from lutgen.model.netlist_builder import NetlistBuilder
from lutgen.model.truth import cofactors, mux, remap

__all__ = ["optimise"]


def optimise(netlist: Netlist) -> Netlist:
    """Return a netlist with equal outputs for all features and no more nodes or levels.

    Optimising twice changes nothing.
    """
    while True:
        smaller = _optimise_once(netlist)
        if _same(smaller, netlist):
            return smaller
        netlist = smaller


def _same(a: Netlist, b: Netlist) -> bool:
    return (
        np.array_equal(a.inputs, b.inputs)
        and np.array_equal(a.fanin, b.fanin)
        and np.array_equal(a.tables, b.tables)
        and all(np.array_equal(ids, b.outputs[name]) for name, ids in a.outputs.items())
    )


def _optimise_once(netlist: Netlist) -> Netlist:
    first = 2 + netlist.n_inputs
    fanin, tables = netlist.fanin.tolist(), netlist.tables.tolist()
    inputs = netlist.inputs.tolist()
    readers, exported = _readers(netlist, fanin)
    packable = _packable(first, fanin, readers, exported)

    builder = NetlistBuilder(netlist.features)
    new = {0: 0, 1: 1}
    for feature, threshold, old in sorted(
        (*inputs[old - 2], old) for old in range(2, first) if old in readers or old in exported
    ):
        new[old] = builder.input(feature, threshold)
    done, used = {}, set()
    spent: set[int] = set()
    for old in range(first, first + len(fanin)):
        if old not in readers and old not in exported:
            continue
        node = builder.reduce(tuple(new[pin] for pin in fanin[old - first]), tables[old - first])
        if node not in done:
            # Equal nodes stay equal: what is packed into one is packed into all of them.
            done[node] = builder.intern(*_pack(builder, *node, spent))
        if done[node] in used:
            spent.discard(done[node])  # it has the readers of another node as well
        elif old in packable:
            spent.add(done[node])
        used.add(done[node])
        new[old] = done[node]
    for name, ids in netlist.outputs.items():
        builder.output(name, [new[signal] for signal in ids.tolist()])
    return builder.build()


def _readers(netlist: Netlist, fanin) -> tuple[dict[int, list[int]], set[int]]:
    """Return the live nodes that read each live signal, and the signals that outputs read."""
    first = 2 + netlist.n_inputs
    exported = {signal for ids in netlist.outputs.values() for signal in ids.tolist()}
    readers: dict[int, list[int]] = {}
    for node in range(first + len(fanin) - 1, first - 1, -1):
        if node in readers or node in exported:
            for pin in set(fanin[node - first]) - {0, 1}:
                readers.setdefault(pin, []).append(node)
    return readers, exported


def _packable(first: int, fanin, readers, exported) -> set[int]:
    """Return the nodes that disappear when each of their readers takes them in."""
    support = [set(pins) - {0, 1} for pins in fanin]
    return {
        signal
        for signal, nodes in readers.items()
        if signal >= first
        and signal not in exported
        and all(
            len(support[node - first] - {signal} | support[signal - first]) <= 6 for node in nodes
        )
    }


def _pack(builder: NetlistBuilder, pins, table, packable) -> tuple[tuple[int, ...], int]:
    """Replace pins that read nodes by the pins of these nodes.

    That is done for nodes in `packable` as long as six pins are enough, for inverters, and for
    nodes whose pins are all read anyway.
    """
    while True:
        best = None
        for place, pin in enumerate(pins):
            if not builder.is_node(pin):
                continue
            below, _ = builder.definition(pin)
            union = set(pins) - {pin} | set(below)
            if len(union) <= 6 and (len(union) < len(pins) or len(below) == 1 or pin in packable):
                best = min(best or (7,), (len(union), place, sorted(union)))
        if best is None:
            return pins, table
        pins, table = builder.reduce(*_compose(builder, pins, table, *best[1:]))


def _compose(builder: NetlistBuilder, pins, table, place, union) -> tuple[tuple[int, ...], int]:
    """Return the node on the pins `union` that computes the node at `place` as well."""
    spot = {pin: new for new, pin in enumerate(union)}
    outer = tuple(spot.get(pin, -1) for pin in pins)
    low, high = cofactors(table, place)
    below, inner = builder.definition(pins[place])
    select = remap(inner, tuple(spot[pin] for pin in below))
    return tuple(union), mux(select, remap(low, outer), remap(high, outer))
