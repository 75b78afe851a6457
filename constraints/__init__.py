"""Devices, a data file each, and the templates of what is asked of vendor tools.

``*.toml`` describe the devices that designs are built for (`lutgen.targets`); ``*.xdc`` and
``*.tcl`` are texts with ``@NAMES@`` that `lutgen.handoff` fills in.
"""

from importlib.resources import files

__all__ = ["read"]


def read(name: str) -> str:
    """The text of a file of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
