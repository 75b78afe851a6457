"""Elements of IP-XACT (IEEE 1685-2009) documents."""

import xml.etree.ElementTree as ET

__all__ = ["SPIRIT", "add", "add_vlnv", "spirit"]

#: The standard's name space.
SPIRIT = "http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009"


def spirit(name: str) -> str:
    """``name`` in the standard's name space."""
    return f"{{{SPIRIT}}}{name}"


def add(
    parent: ET.Element, name: str, text: str | None = None, /, **attributes: str
) -> ET.Element:
    """A new last child of ``parent``, it and its attributes of the standard's name space."""
    child = ET.SubElement(
        parent, spirit(name), {spirit(key): value for key, value in attributes.items()}
    )
    child.text = text
    return child


def add_vlnv(parent: ET.Element, name: str, vlnv: tuple[str, str, str, str]) -> None:
    """A new last child that refers to something by vendor, library, name and version."""
    keys = ("vendor", "library", "name", "version")
    add(parent, name, **dict(zip(keys, vlnv, strict=True)))
