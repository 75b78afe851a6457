"""Learned lossless image compression in FPGA fabric."""

__version__ = "0.1.0"
