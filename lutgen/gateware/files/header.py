"""The header of a file in gateware, made from its table (:mod:`lutgen.model.header`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value, ValueLike

from lutgen.model.header import VERSION_1, HeaderField, HeaderTable

__all__ = ["BuildHeader", "HeaderCheck", "little_endian"]


def little_endian(value: ValueLike, count: int) -> list[Value]:
    """A value as ``count`` bytes, with zeros above it."""
    value = Value.cast(value)
    wide = value if len(value) >= 8 * count else Cat(value, Const(0, 8 * count - len(value)))
    return [wide[8 * k : 8 * k + 8] for k in range(count)]


@dataclass(frozen=True)
class BuildHeader:
    """The header that all files of one build have.

    Parameters
    ----------
    table:
        Its fields.
    constants:
        Values of the fields that a build fixes: all but those that are ``per_file``.
    """

    table: HeaderTable
    constants: Mapping[str, int | bytes]

    @classmethod
    def of(cls, config) -> "BuildHeader":
        """The header of a core's files, from its `lutgen.gateware.core.config.CoreConfig`."""
        return cls(VERSION_1, {
            "model hash": config.model_hash,
            "tile width": config.tile_width,
            "tile height": config.tile_height,
            "levels": config.model.levels,
            "coder": config.coder.code,
        })  # fmt: skip

    @property
    def size(self) -> int:
        """Bytes of the header."""
        return self.table.size

    def bytes(self, per_file: Mapping[str, ValueLike]) -> list[Value]:
        """The header's bytes; ``per_file`` has the values of other fields, 0 where it has none."""
        others = {field.name: 0 for field in self.table.fields if field.per_file}
        packed = self.table.pack({**self.constants, **others})
        return [
            byte
            for field in self.table.fields
            for byte in (
                little_endian(per_file[field.name], field.size) if field.name in per_file
                else [Const(value, 8) for value in field.of(packed)]
            )
        ]  # fmt: skip


class HeaderCheck:
    """What a reader keeps of a header that passes byte by byte.

    Parameters
    ----------
    header:
        The header that its files must have.

    Attributes
    ----------
    fields:
        Registers of the fields that are ``per_file``, by the fields' names.
    wrong_header, wrong_model:
        Registers: a byte of another constant, or of the model's hash, was not as it must be.
    """

    def __init__(self, header: BuildHeader) -> None:
        self._header = header
        self.fields = {
            # In waveforms "width" for "image width".
            field.name: Signal(8 * field.size, name=field.name.split()[-1])
            for field in header.table.fields if field.per_file
        }  # fmt: skip
        self.wrong_header = Signal()
        self.wrong_model = Signal()

    def take(self, m: Module, at: Signal, byte: Value) -> None:
        """Byte number ``at`` of a header, where the statement stands; registered a clock later."""
        for name, register in self.fields.items():
            field = self._header.table[name]
            for k in range(field.size):
                with m.If(at == field.offset + k):
                    m.d.sync += register.word_select(k, 8).eq(byte)
        right = byte == Array(self._header.bytes({}))[at]
        model = [self._header.table["model hash"]]
        others = [
            field for field in self._header.table.fields
            if not field.per_file and field not in model
        ]  # fmt: skip
        for wrong, fields in ((self.wrong_header, others), (self.wrong_model, model)):
            with m.If(_within(at, fields)):
                m.d.sync += wrong.eq(wrong | ~right)

    def forget(self, m: Module) -> None:
        """Make ready for the next header, where the statement stands."""
        m.d.sync += [self.wrong_header.eq(0), self.wrong_model.eq(0)]


def _within(at: Signal, fields: list[HeaderField]) -> Value:
    """Whether a byte is in one of these fields."""
    runs: list[tuple[int, int]] = []
    for field in fields:
        if runs and runs[-1][1] == field.offset:
            runs[-1] = runs[-1][0], field.end
        else:
            runs.append((field.offset, field.end))
    return reduce(or_, (
        (at >= begin) & (at < end) if begin else at < end for begin, end in runs
    ))  # fmt: skip
