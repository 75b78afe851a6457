"""Readers of image files, one for each kind: strict, from bytes, never a conversion.

`lutgen.formats.imageio` and `lutgen.formats.colour` choose among them.
"""
