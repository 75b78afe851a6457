"""What files of version 2 a build of strips takes, and what it tells of each."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Value
from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from lutgen.codec.coder import RANS
from lutgen.codec.predictive.container import SLABS_AT, raw_bits
from lutgen.codec.predictive.planes import FIRST_CFA, ORDERS
from lutgen.model.cfa import CFAS
from lutgen.model.header import VERSION_2, HeaderTable
from lutgen.model.samples import SampleFormat

from ..files.header import BuildHeader
from .slabs import slab_bits

__all__ = ["GRAY", "Channels", "coder_field", "file_layout", "near_table", "strip_header"]

_PER_FILE = ("image width", "image height", "shift", "near", "strip height")


@dataclass(frozen=True)
class Channels:
    """Samples of a pixel, and what files say of the planes that they are coded as.

    Parameters
    ----------
    count:
        Planes, 1 to 4.
    first_order, orders:
        Number of the first order of planes that files may have, and of how many; orders have three
        bits.
    """

    count: int = 1
    first_order: int = 0
    orders: int = 1

    @classmethod
    def of(cls, count: int, *, mosaic: bool = False) -> "Channels":
        """Those of gray or colour, or of a colour filter array."""
        if mosaic:
            return cls(count, FIRST_CFA, len(CFAS))
        return cls(count, 0, len(ORDERS) if count > 2 else 1)

    @property
    def order_bits(self) -> int:
        """Bits of an order, counted from the first; 0 if there is just one."""
        return (self.orders - 1).bit_length()

    def field(self, order: Value) -> Value:
        """The field ``channels`` of files of an order, counted from the first."""
        return Cat(Const(self.count, 4), (order + self.first_order)[:4])


#: Gray images.
GRAY = Channels()


def coder_field(slabs: int) -> int:
    """The field ``coder`` of files of so many slabs."""
    return RANS.code | slab_bits(slabs) << SLABS_AT


def strip_header(
    model_hash: bytes, depth: int, channels: Channels = GRAY, slabs: int = 1
) -> BuildHeader:
    """Header of files of one image of ``depth`` bits whose units are groups of rows."""
    per_file = _PER_FILE + (("channels",) if channels.order_bits else ())
    fields = tuple(field._replace(per_file=field.name in per_file) for field in VERSION_2.fields)
    constants: dict[str, int | bytes] = {
        "model hash": model_hash, "bit depth": depth, "channels": channels.count,
        "coder": coder_field(slabs), "tile width": 0, "images": 1,
    }  # fmt: skip
    return BuildHeader(HeaderTable(VERSION_2.version, fields), {
        name: value for name, value in constants.items() if name not in per_file
    })  # fmt: skip


def file_layout(
    depth: int, max_width: int, max_height: int, channels: Channels = GRAY
) -> StructLayout:
    """Sizes of an image, what its samples are, and the greatest index of its samples."""
    return StructLayout({
        "width": bits_for(max_width), "height": bits_for(max_height),
        "strip_height": bits_for(max_height), "near": 8, "shift": bits_for(16 - depth),
        "greatest": depth,
        **({"order": channels.order_bits} if channels.order_bits else {}),
    })  # fmt: skip


def near_table(depth: int, most: int) -> list[tuple[int, int]]:
    """Of each near from 0 to ``most``: greatest index, and bits of one."""
    levels = [SampleFormat(depth, near=near).levels for near in range(most + 1)]
    return [(count - 1, raw_bits(count)) for count in levels]
