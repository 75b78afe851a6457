"""Colour filter arrays that codecs know; the command line looks here, so it must load quickly."""

__all__ = ["CFAS"]

#: Patterns: a square of four samples, row by row.
CFAS = ("RGGB", "BGGR", "GRBG", "GBRG")
