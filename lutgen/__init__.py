"""Learned lossless image compression in FPGA fabric."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lutgen.api import Info, decode, encode, info

__all__ = ["Info", "decode", "encode", "info"]

__version__ = "0.2.0"


def __getattr__(name: str):
    # When it is used: `import lutgen` alone stays quick, and so does `lutgen --help`.
    if name in __all__:
        from lutgen import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
