"""The loop of a sample of a colour image, see :mod:`.sample_loop`.

Rows are those of C planes in turn.  A row's own plane is in the rows C, 2 C and 3 C above it, and
the planes that it knows besides are in rows between (:mod:`lutgen.model.predictive.reference`).  As
all rows above are further ahead the higher they stand, a record takes along what those below will
want of the rows above its own: *slot* d of the records of the row above is the row d above.  So a
row reads one record per visit, as in gray images.
"""

from amaranth.hdl import Const, Mux, Value
from amaranth.lib.data import StructLayout

from lutgen.model.predictive.reference import LETTERS

from ..fabric.fabric import LUT6, Fabric
from ..fabric.pipeline import choose
from ..fabric.timeline import Timed, Timeline
from ..prediction.colour import ColourPrediction
from ..prediction.near import Near
from ..prediction.plane_models import PlaneModels
from ..prediction.quantities import DifferenceWidths
from .sample_loop import WINDOW, SampleLoop
from .walk import visit_layout

__all__ = ["ColourLoop"]

#: Entries of the window of a reference plane's row, relative to the sample's column.
_OTHER = {
    "n": range(-2, 4), "nn": range(-1, 4), "nnn": range(4), "en": range(-1, 4), "enn": range(4),
    "energy": range(4),
}  # fmt: skip
#: What stands left of the row's first sample: the first one of that row above of the same plane.
_LEFT = {"n": "nn", "en": "enn"}
#: Its quantities: window and entry of each.
_REFERENCE = {
    "X": ("n", 0), "W": ("n", -1), "E": ("n", 1), "WW": ("n", -2), "EE": ("n", 2),
    "N": ("nn", 0), "NW": ("nn", -1), "NE": ("nn", 1), "NN": ("nnn", 0),
    "eX": ("en", 0), "eW": ("en", -1), "eE": ("en", 1), "eEE": ("en", 2), "eN": ("enn", 0),
    "EX": ("energy", 0), "EEE": ("energy", 2),
}  # fmt: skip
#: Those of rows above, and what stands for them in the first row.
_STAND_INS = {"N": "W", "NW": "W", "NE": "W", "NN": "W", "eN": "eW"}


class ColourLoop(SampleLoop):
    """Contexts and predictions of staggered rows of planes, one sample per clock; no stall.

    Parameters, members and resets as those of `SampleLoop`, but for the models of all planes, in
    the order of coding, instead of a model.
    """

    def __init__(
        self, planes: PlaneModels, depth: int, lanes: int, max_width: int, *,
        sample_after: int | None = None, fabric: Fabric = LUT6, near: Near | None = None,
    ) -> None:  # fmt: skip
        self._references = [model.references for model in planes.models]
        self._count = len(planes.models)
        self._settle(
            DifferenceWidths(depth), ColourPrediction(planes, depth, fabric=fabric, near=near),
            sample_after,
            lambda least: visit_layout(lanes, max_width, least, 0, self._count), lanes, fabric,
            near,
        )  # fmt: skip

    @property
    def _slots(self) -> range:
        """Rows above by their distance, but for that of the own plane."""
        return range(1, self._count)

    @property
    def _record_layout(self) -> StructLayout:
        """What a sample leaves, and what those above it have left, by slot."""
        own = super()._record_layout.members
        return StructLayout(own | {
            _of(name, d): shape for d in self._slots for name, shape in own.items()
        })  # fmt: skip

    @property
    def _window_layout(self) -> StructLayout:
        """Windows of the own plane, and of the rows between."""
        shapes = self._record_layout.members
        return StructLayout(super()._window_layout.members | {
            f"{_of(name, d)}_{i}": shapes[name]
            for d in self._slots for name, entries in _OTHER.items()
            for i in range(len(entries) - 1)
        })  # fmt: skip

    def _shift(self, m, visit, new, stored, stored_next) -> dict[str, dict[int, Value]]:
        """The same of all slots; windows of rows between have names with the slot's number."""
        own_slot, top = self._count, visit["top"].at(3)
        own = {name: new[_of(name, own_slot - 1)] for name in WINDOW}
        windows = super()._shift(m, visit, own, stored, stored_next)
        beyond, begin, plane = (visit[name].at(3) for name in ("beyond", "begin", "plane"))
        for d in self._slots:
            for name, entries in _OTHER.items():
                key, last = _of(name, d), len(entries) - 2
                newest = new[_of(name, d - 1)]
                window = {k: stored[f"{key}_{i}"] for i, k in enumerate(entries[:-1])}
                window[entries[-1]] = Mux(beyond, stored[f"{key}_{last}"], newest)
                windows[key] = window
                # In the first row the middle stands there, of the first plane, or 0.
                first = Mux(plane == d, super()._middle(visit), 0) if name == "n" else Const(0, 1)
                left = newest
                if name in _LEFT:
                    left = Mux(top, first, new[_of(_LEFT[name], d - 1)])
                for i, k in enumerate(entries[1:]):
                    m.d.sync += stored_next[f"{key}_{i}"].eq(
                        Mux(begin, newest if i == last else left, window[k])
                    )
        return windows

    def _middle(self, visit) -> Value:
        """The middle of the range, and 0 where values are differences."""
        return Mux(self._of_plane(visit, [int(r > 0) for r in self._references], 3), 0,
                   super()._middle(visit))  # fmt: skip

    def _of_plane(self, visit, values, clock: int) -> Value:
        """What the row's plane has of these values."""
        return choose([Value.cast(value) for value in values], visit["plane"].at(clock))

    def _quantities(self, line: Timeline, visit, windows, west) -> dict[str, Timed]:
        """All quantities of the context, those of reference planes, the level and the plane."""
        found = super()._quantities(line, visit, windows, west)
        kinds = self._record_layout.members
        counts = self._references
        for nearest, letter in zip((True, False), LETTERS, strict=True):
            # The first of all planes is as many rows above as the plane's number says.
            slots = [1 if nearest else max(plane, 1) for plane in range(len(counts))]
            values = {}
            for name, (window, entry) in _REFERENCE.items():
                by_plane = [windows[_of(window, d)][entry] for d in slots]
                same = len(set(slots)) == 1
                values[name] = by_plane[0] if same else self._of_plane(visit, by_plane, 3)
            top = visit["top"].at(3)
            for name, (window, _) in _REFERENCE.items():
                value = values[name]
                if name in _STAND_INS:
                    value = Mux(top, values[_STAND_INS[name]], value)
                found[letter + name] = line.register(letter + name, value, 3, kinds[window])
        level = self._of_plane(visit, [
            (Const(0), found["aX"].now, found["bX"].now)[count] for count in counts
        ], 4)  # fmt: skip
        found["level"] = line.given("sample_level", level[: self._widths.depth], 4)
        found["number"] = line.given("plane", visit["plane"].at(4), 4)
        return found

    def _value(self, line: Timeline, quantities) -> Timed:
        """What rows below see of the sample: its difference to the first plane."""
        at = self.sample_clock
        value = self.sample - quantities["level"].at(at)
        return line.register("value", value, at, self._widths.value)

    def _complete(self, m, line: Timeline, visit, quantities, windows, write, record) -> None:
        """The sample's record, with those of the rows above it."""
        super()._complete(m, line, visit, quantities, windows, write, record)
        for d in self._slots:
            for name, shape in super()._record_layout.members.items():
                key = _of(name, d)
                passed = line.register(f"passed_{key}", windows[key][0], 3, shape)
                m.d.comb += record[key].eq(passed.at(self.written))


def _of(name: str, slot: int) -> str:
    """Name of a value of the row that is so many rows above the record's own, which is 0."""
    return f"{name}_{slot}" if slot else name
