"""What a decoder core keeps of its lanes between their turns."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.memory import Memory

from ..fabric.pipeline import delay

__all__ = ["LaneState"]


class LaneState:
    """Each lane's state and position in the payload, and the check of both at a tile's end.

    State and position are there a clock after they are read; ``done`` and ``good`` a clock after
    the store.  One symbol per clock, from lanes in rotation.  Reset clears ``done`` alone: a
    tile's ``load`` sets the rest.

    Parameters
    ----------
    m:
        Module to add it to.
    core:
        Decoder core, whose ports are taken: ``lane``, ``code``, ``load``, ``position``, ``end``
        and ``last``; ``fetch``, ``done`` and ``good`` are driven.
    state_bits:
        Width of a state below its leading one.
    lanes:
        Lanes in rotation, more than ``store_at``.
    state_at, position_at, store_at:
        Clocks from the core's inputs to the reads of state and position, and to their store.

    Attributes
    ----------
    state:
        State of the lane, without its leading one.
    position:
        Position of the lane, or the one to load; also ``fetch``.
    load:
        The core's ``load`` by clocks from the inputs, to ``store_at``.
    """

    def __init__(
        self, m: Module, core, state_bits: int, lanes: int, *, state_at: int, position_at: int,
        store_at: int,
    ) -> None:  # fmt: skip
        self._m, self._core = m, core
        self._position_at, self._store_at = position_at, store_at
        address_bits = len(core.position)
        m.submodules.state = states = Memory(shape=state_bits, depth=lanes, init=[])
        m.submodules.position = positions = Memory(shape=address_bits, depth=lanes, init=[])
        m.submodules.end = ends = Memory(shape=address_bits, depth=lanes, init=[])
        state_read, state_write = states.read_port(domain="comb"), states.write_port()
        position_read = positions.read_port(domain="comb")
        position_write = positions.write_port()
        end_read, end_write = ends.read_port(domain="comb"), ends.write_port()
        self._end_read = end_read
        self._state_write, self._position_write = state_write, position_write

        self._lane, self.load = [core.lane], [core.load]
        for i in range(store_at):
            self._lane.append(delay(m, self._lane[-1], 1, name=f"lane{i}"))
            self.load.append(delay(m, self.load[-1], 1, name=f"load{i}"))
        m.d.comb += [
            state_read.addr.eq(self._lane[state_at]),
            position_read.addr.eq(self._lane[position_at]),
            end_write.addr.eq(core.lane),
            end_write.data.eq(core.end),
            end_write.en.eq(core.load),
        ]
        self.state = delay(m, state_read.data, 1, name="state")
        loaded = delay(m, core.position, position_at, name="position_in")
        self.position = position = Signal(address_bits, reset_less=True)
        m.d.sync += position.eq(Mux(self.load[position_at], loaded, position_read.data))
        m.d.comb += core.fetch.eq(position)

    def behind(self, count, at: int) -> Value:
        """Position behind ``count`` bits that are taken ``at`` clocks after the inputs.

        Latency of one clock.
        """
        before = delay(self._m, self.position, at - self._position_at - 1, name="position")
        behind = Signal(len(self.position), reset_less=True)
        self._m.d.sync += behind.eq(before + count)
        return behind

    def store(self, state, position) -> None:
        """Store state and position, ``store_at`` clocks after the inputs, and check them."""
        m, core, at = self._m, self._core, self._store_at
        store = Signal()
        m.d.comb += [
            store.eq(delay(m, core.code, at, name="code") | self.load[at]),
            self._state_write.addr.eq(self._lane[at]),
            self._state_write.data.eq(state),
            self._state_write.en.eq(store),
            self._position_write.addr.eq(self._lane[at]),
            self._position_write.data.eq(position),
            self._position_write.en.eq(store),
            self._end_read.addr.eq(self._lane[at]),
        ]
        end = delay(m, self._end_read.data, 1, name="end")
        m.d.sync += core.done.eq(delay(m, core.last & core.code, at, name="last"))
        # Compared a clock later, beside ``done``.
        final = delay(m, Cat(state, position), 1, name="final")
        m.d.comb += core.good.eq(final == Cat(Const(0, len(state)), end))
