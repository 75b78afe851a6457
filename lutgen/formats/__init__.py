"""Readers of image files, one for each kind: strict, from bytes, never a conversion.

`lutgen.imageio` and `lutgen.colour` choose among them.
"""
