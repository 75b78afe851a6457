"""Model, codec and file of any profile, each found by the other: what api, commands and eval use.

Profile ``predictive`` codes groups of rows or tiles into version 2 of the format
(:mod:`.predictive`), the others code tiles into version 1 (:mod:`.codec`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from lutgen.model.header import MAGIC, TABLES, VERSION_2, magic_and_version
from lutgen.model.model import Model
from lutgen.model.predictive.colour import ColourModel
from lutgen.model.predictive.model import PredictiveModel
from lutgen.model.shipped import SHIPPED, AnyModel, find_model, name_of, shipped

from .codec import Codec, ModelMismatchError
from .container import Header
from .predictive.codec import PredictiveCodec
from .predictive.container import Frame

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = [
    "LONGEST_HEADER", "AnyCodec", "codec_of", "decoding_model", "header_of", "is_predictive",
]  # fmt: skip

#: Bytes that hold a header of any version.
LONGEST_HEADER = max(table.size for table in TABLES.values())
#: The codec of any model.
AnyCodec = Codec | PredictiveCodec


def is_predictive(model: AnyModel) -> TypeIs[PredictiveModel | ColourModel]:
    """Whether a model is of profile ``predictive``."""
    return isinstance(model, PredictiveModel | ColourModel)


@overload
def codec_of(model: Model, *, threads: int | None = None) -> Codec: ...


@overload
def codec_of(
    model: PredictiveModel | ColourModel, *, threads: int | None = None
) -> PredictiveCodec: ...


@overload
def codec_of(model: AnyModel, *, threads: int | None = None) -> AnyCodec: ...


def codec_of(model: AnyModel, *, threads: int | None = None) -> AnyCodec:
    """The codec of a model; see `Codec` and `PredictiveCodec` for their options."""
    if isinstance(model, Model):
        return Codec(model, threads=threads)
    return PredictiveCodec(model, threads=threads)


def header_of(data: bytes, size: int | None = None) -> Header | Frame:
    """The header of a file of any version.

    Parameters
    ----------
    data:
        The file, or no more than its first `LONGEST_HEADER` bytes.
    size:
        Bytes of the file, if these are not all.

    Raises
    ------
    lutgen.codec.container.CorruptStreamError
        If it is cut short, breaks a rule of the format, or is of a version that is not known.
    """
    begins = VERSION_2["version"].end
    if len(data) >= begins and magic_and_version(data) == (MAGIC, VERSION_2.version):
        return Frame.unpack(data, size)
    return Header.unpack(data)


def decoding_model(header: Header | Frame, model=None) -> AnyModel:
    """The model to decode a file with: the one that is given, else the shipped one that wrote it.

    Parameters
    ----------
    model:
        As :func:`lutgen.model.shipped.find_model` takes it.

    Raises
    ------
    ModelMismatchError
        If none is given, and none of those that come with the package wrote the file.
    """
    if model is not None:
        return find_model(model)
    name = name_of(header.model_hash)
    if name is None:
        raise ModelMismatchError(
            f"stream was written with model {header.model_hash.hex()}, which is none of "
            f"{', '.join(SHIPPED)}: give the model file it was encoded with"
        )
    return shipped(name)
