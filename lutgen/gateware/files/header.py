"""The header of a file."""

from amaranth.hdl import Const

from lutgen.codec.container import VERSION

__all__ = ["header_bytes"]


def header_bytes(config, width, height, images) -> list:
    """The bytes of a file's header, see :mod:`lutgen.codec.container`.

    ``width``, ``height`` and ``images`` are sequences of 2, 2 and 4 byte values.
    """
    values = [
        *b"LGC", VERSION, *config.model_hash[:8], *width, *height, config.tile_width,
        config.tile_height, config.model.levels, config.coder.code, *images,
    ]  # fmt: skip
    return [Const(value, 8) if isinstance(value, int) else value for value in values]
