"""Lane decoder: folded residuals of payloads, one per clock from lanes in rotation."""

from functools import partial

import numpy as np
from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.codec.rans import STATE_BITS
from lutgen.model.head import PROB_BITS

from ..coders.rans_step import pop_step
from ..fabric.pipeline import choose, delay
from ..streams.lut_fifo import step
from .payload_queue import payload_layout
from .token_search import TokenSearch

__all__ = ["LaneDecoder"]


def shifted(value: Value, count: Value) -> Value:
    """``value << count`` of the value's width: two bits of the count in each LUT level."""
    for low in range(0, len(count), 2):
        select = count[low : low + 2]
        moved = [
            (value << (j << low))[: len(value)] if j << low < len(value) else Const(0, len(value))
            for j in range(1 << len(select))
        ]  # fmt: skip
        value = choose(moved, select)
    return value


class LaneDecoder(wiring.Component):
    """Each lane has one payload and takes a residual of it at each request.

    One request per clock; ``folded`` comes ten clocks later.  A lane's state is read one clock
    after its request and stored eleven clocks after that, so its requests may be twelve clocks
    apart.  Its first one takes the next payload.  Payloads end in the order in which they were
    taken, lane after lane: each lane must have its payloads in turn.  Reset forgets which payloads
    have ended; the first request of each payload sets the rest.

    Parameters
    ----------
    cumulative:
        int32, shape (rows, 65): the model's tables.
    depth:
        Bits of a sample, 8 to 16.
    lanes:
        Lanes, at least :attr:`spacing`.
    address_bits:
        Bits of a word's address in the payload ring.
    lossless:
        Whether no file is near-lossless: all residuals have ``depth`` bits.

    Attributes
    ----------
    window_bits:
        Bits that a symbol takes at most, which the ring must show.

    Members
    -------
    valid : In(1)
        A residual is wanted ...
    lane, row : In(...)
        ... of this lane, in this row of the tables.
    first, last : In(1)
        It is the first of the lane's payload, or its last; with ``valid``.
    folded : Out(depth)
        The residual; the greatest one of the file, if it would be greater.
    damaged : Out(1)
        It would; registered, a clock after ``folded``.
    pop : Out(1)
        Take a payload from the queue ...
    payload : In(payload_layout)
        ... which is here from the next clock on, until the next one is taken.
    fetch : Out(address_bits + 5)
        Bit address ...
    window : In(window_bits)
        ... of these bits, five clocks later.
    free_to : Out(address_bits)
        Word behind the payloads that have ended.
    active : Out(1)
        A payload has been taken that has not ended.
    """

    #: Clocks from a request to its residual.
    latency = 10
    #: Clocks from a lane's request to its next one, at least.
    spacing = 12

    def __init__(
        self, cumulative: np.ndarray, *, depth: int, lanes: int, address_bits: int,
        lossless: bool = False,
    ) -> None:  # fmt: skip
        if lanes < self.spacing:
            raise ValueError(f"lanes must be at least {self.spacing}, not {lanes!r}")
        self._lanes, self._depth, self._lossless = lanes, depth, lossless
        self._search = TokenSearch(cumulative, depth)
        self.window_bits = depth - 3 + PROB_BITS
        super().__init__({
            "valid": In(1),
            "lane": In(bits_for(lanes - 1)),
            "row": In(bits_for(len(cumulative) - 1)),
            "first": In(1),
            "last": In(1),
            "folded": Out(depth),
            "damaged": Out(1),
            "pop": Out(1),
            "payload": In(payload_layout(address_bits, depth, lossless=lossless)),
            "fetch": Out(address_bits + 5),
            "window": In(self.window_bits),
            "free_to": Out(address_bits),
            "active": Out(1),
        })

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.search = search = self._search
        depth, payload = self._depth, self.payload
        lane, valid, first, last = (
            [value] for value in (self.lane, self.valid, self.valid & self.first, self.last)
        )
        for values, name, most in (
            (lane, "lane", 12), (valid, "valid", 12), (first, "first", 4), (last, "last", 12)
        ):  # fmt: skip
            for k in range(most):
                values.append(delay(m, values[-1], 1, name=f"{name}{k}", reset=name == "valid"))

        memory = partial(self._memory, m, lane)
        # 0: the payload is taken; it stays at hand longer than it is needed.
        m.d.comb += self.pop.eq(first[0])
        of_payload = {"write_at": 1, "en": first[1]}
        ends, end = memory("ends", payload.end, read_at=2, **of_payload)
        known = self._lossless
        _, kind = memory(
            "kinds", Cat(payload.plain, payload.empty, *([] if known else [payload.bits])),
            read_at=6, **of_payload,
        )  # fmt: skip
        greatest = Const((1 << depth) - 1, depth)
        if not known:
            _, greatest = memory("greatest", payload.greatest, read_at=8, **of_payload)
            greatest = delay(m, greatest, 1, name="greatest")
        # 1: the state.
        stored_state = Signal(STATE_BITS, reset_less=True)
        of_symbol = {"write_at": 12, "en": valid[12]}
        _, state = memory("states", stored_state, read_at=1, **of_symbol)
        state = delay(m, Mux(first[1], payload.state, state), 1, name="state")
        m.d.comb += [search.row.eq(self.row), search.slot.eq(state)]
        # 2: the position, and whether only zeros are left.
        stored_position = Signal(len(self.fetch), reset_less=True)
        _, position = memory("positions", stored_position, read_at=2, **of_symbol)
        position = delay(m, Mux(first[2], payload.position, position), 1, name="position")
        end = delay(m, end, 1, name="end")
        m.d.comb += self.fetch.eq(position)
        ended = delay(m, position[5:] == end, 5, name="ended")
        position = delay(m, position, 5, name="position_late")
        # 7: token to prefix and number of raw bits.
        kind = delay(m, kind, 1, name="kind")
        plain, empty = kind[0], kind[1]
        bits = depth if known else kind[2:]
        token = search.token
        exact = ~token[4:].any()
        prefix = Signal(4, reset_less=True)
        raw = Signal(range(depth + 1), reset_less=True)
        beyond = Signal(reset_less=True)
        m.d.sync += [
            prefix.eq(Mux(plain | empty, 0, Mux(exact, token[:4], Cat(token[:2], Const(1, 2))))),
            raw.eq(Mux(plain, bits, Mux(empty | exact, 0, token[2:] - 2))),
            beyond.eq(search.beyond & ~plain & ~empty),
        ]
        codes = delay(m, ~plain, 1, name="codes")
        # 8: the residual, the bits behind its raw ones, and the state before renormalisation.
        folded = Signal(depth, reset_less=True)
        renewal = Signal(PROB_BITS, reset_less=True)
        behind_raw = Signal.like(position)
        number = Cat(self.window[len(self.window) - depth :], prefix, Const(0, depth - 4))
        rest = shifted(self.window, raw[: (depth - 3).bit_length()])
        m.d.sync += [
            folded.eq(shifted(number, raw)[depth:]),
            renewal.eq(rest[depth - 3 :]),
            behind_raw.eq(position + Mux(ended, 0, raw)),
        ]
        product, lesser, fewer, more = pop_step(
            m, delay(m, state, 6, name="state_late"), search.start, search.freq, code=codes
        )
        # 9: no residual is above the greatest.
        above = delay(m, beyond, 1, name="beyond")
        if not known:
            above = above | (folded > greatest)
        m.d.sync += [
            self.folded.eq(Mux(above, greatest, folded)),
            self.damaged.eq(delay(m, above, 1, name="above") & valid[10]),
        ]
        # 10 to 12: the state's bits.
        count = Signal(4, reset_less=True)
        m.d.sync += count.eq(Mux(lesser, more, fewer))
        both = Cat(delay(m, renewal, 2, name="renewal"), product)
        still = Mux(delay(m, ended, 3, name="ended_late"), 0, count)
        m.d.sync += [
            stored_state.eq(shifted(both, count)[PROB_BITS:]),
            stored_position.eq(delay(m, behind_raw, 2, name="behind_raw") + still),
        ]
        self._free(m, ends, lane[12], valid[12] & last[12])
        return m

    def _memory(
        self, m: Module, lane: list, name: str, data, *, write_at: int, en, read_at: int
    ) -> tuple[Memory, Value]:
        """A value of each lane, and what is read of it; ``lane`` by clocks from a request."""
        m.submodules[name] = cells = Memory(shape=len(data), depth=self._lanes, init=[])
        store, load = cells.write_port(), cells.read_port(domain="comb")
        m.d.comb += [
            store.addr.eq(lane[write_at]), store.en.eq(en), store.data.eq(data),
            load.addr.eq(lane[read_at]),
        ]  # fmt: skip
        return cells, load.data

    def _free(self, m: Module, ends: Memory, lane, ends_now) -> None:
        """Free payloads that have ended, in order."""
        lanes = self._lanes
        over = Signal(lanes)  # lanes whose payload has ended, and not been freed
        oldest = Signal(range(lanes))
        load = ends.read_port(domain="comb")
        frees = Signal()
        m.d.comb += load.addr.eq(oldest)
        m.d.sync += frees.eq(Array(over)[oldest] & ~frees)
        for k in range(lanes):
            with m.If(ends_now & (lane == k)):
                m.d.sync += over[k].eq(1)
            with m.Elif(frees & (oldest == k)):
                m.d.sync += over[k].eq(0)
        with m.If(frees):
            m.d.sync += [
                self.free_to.eq(load.data), oldest.eq(Mux(oldest == lanes - 1, 0, oldest + 1)),
            ]  # fmt: skip
        taken = Signal(range(lanes + 1))
        m.d.sync += [taken.eq(step(taken, self.pop, frees)), self.active.eq(taken.any())]
