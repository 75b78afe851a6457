"""Tree walker: the lower part of a context tree, two binary tests per stage."""

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout, StructLayout, View
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from lutgen.model.walker import Walker as Parameters
from lutgen.model.walker import WalkerStage

from ..fabric.blockmem import add_rom
from ..fabric.pipeline import choose, delay

__all__ = ["Walker"]

#: Clocks per stage: memory, its output register, selection of the three features.
_STAGE_CLOCKS = 3
#: Records of a stage above which its memories are so many that they are far apart.
_NEAR_RECORDS = 1024


def _more_clocks(stage: WalkerStage, registers: int) -> int:
    """Clocks of a stage that registers add: for the comparisons, and for words from far away."""
    return (registers > 0) + (registers > 1 or (registers and stage.records > _NEAR_RECORDS))


class Walker(wiring.Component):
    """Walk of a context tree through one small memory per stage.

    Latency of ``3 * stages`` clocks, with registers four for a stage and five for one whose words
    are registered, too; one window per clock.  ``o`` is chosen by the comparisons and is not
    registered, so that it can be the address of the next memory.

    Parameters
    ----------
    walker:
        The stages.
    features:
        Number of features of the window.
    registers:
        1 if comparisons, and words of large stages, are registered, 2 if all words are, where
        latency is free; see `lutgen.gateware.fabric.fabric.Fabric`.

    Members
    -------
    index : In(...)
        Record of stage 0 to begin with.
    features : In(8 * features)
        Window, feature 0 in the low byte, at the same clock as ``index``.
    o : Out(...)
        Class.
    """

    def __init__(self, walker: Parameters, *, features: int, registers: int = 0) -> None:
        self._walker = walker
        self._count = features
        self._registers = registers
        self.latency = self.latency_of(walker, registers)
        super().__init__({
            "index": In(bits_for(walker.entries - 1)),
            "features": In(8 * features),
            "o": Out(bits_for(walker.classes - 1)),
        })

    @staticmethod
    def latency_of(walker: Parameters, registers: int = 0) -> int:
        """Latency in clocks of a walker."""
        more = sum(_more_clocks(stage, registers) for stage in walker.stages)
        return _STAGE_CLOCKS * len(walker.stages) + more

    def _table(self, stage: WalkerStage) -> tuple[StructLayout, list[int]]:
        select = bits_for(self._count - 1)
        target = bits_for(int(stage.child.max()))
        layout = StructLayout({
            "feature": ArrayLayout(select, 3),
            "threshold": ArrayLayout(8, 3),
            "child": ArrayLayout(target, 4 if stage.last else 1),
        })
        fields = [(stage.feature, select), (stage.threshold, 8), (stage.child, target)]
        words = np.zeros(stage.records, dtype=object)
        at = 0
        for values, width in fields:
            for column in values.reshape(stage.records, -1).T:
                words |= column.astype(object) << at
                at += width
        return layout, words.tolist()

    def elaborate(self, platform) -> Module:
        m = Module()
        address = self.index
        window = self.features
        for s, stage in enumerate(self._walker.stages):
            layout, words = self._table(stage)
            (word,) = add_rom(m, f"stage{s}", words, layout.size, [address], platform)
            far = max(0, _more_clocks(stage, self._registers) - 1)
            record = View(layout, delay(m, word, far, name=f"word{s}"))
            window = delay(m, window, 2 + far, name=f"window{s}")
            pixel = [Signal(8, name=f"pixel{s}_{k}", reset_less=True) for k in range(3)]
            pixels = [window.word_select(f, 8) for f in range(self._count)]
            threshold = Signal(ArrayLayout(8, 3), name=f"threshold{s}", reset_less=True)
            child = Signal(layout["child"].shape, name=f"child{s}", reset_less=True)
            m.d.sync += [pixel[k].eq(choose(pixels, record.feature[k])) for k in range(3)]
            m.d.sync += [threshold.eq(record.threshold), child.eq(record.child)]
            window = delay(m, window, 1, name=f"window{s}_3")
            test = [Signal(name=f"test{s}_{k}") for k in range(3)]
            domain = m.d.sync if self._registers else m.d.comb
            domain += [test[k].eq(pixel[k] > threshold[k]) for k in range(3)]
            if self._registers:
                window = delay(m, window, 1, name=f"window{s}_4")
                child = [delay(m, word, 1, name=f"child{s}_{k}") for k, word in enumerate(child)]
            choice = Cat(Mux(test[0], test[2], test[1]), test[0])
            if stage.last:
                low = Mux(choice[0], child[1], child[0])
                high = Mux(choice[0], child[3], child[2])
                m.d.comb += self.o.eq(Mux(choice[1], high, low))
            else:
                address = Cat(choice, child[0])
        return m
