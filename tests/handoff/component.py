"""Reading of ``component.xml``."""

import xml.etree.ElementTree as ET
from pathlib import Path

SPIRIT = "{http://www.spiritconsortium.org/XMLSchema/SPIRIT/1685-2009}"


def parse(folder: Path) -> ET.Element:
    return ET.parse(folder / "component.xml").getroot()


def path(*names: str) -> str:
    return "/".join(SPIRIT + name for name in names)


def text(element, *names: str) -> str:
    return element.findtext(path(*names))


def vlnv(element) -> str:
    return ":".join(element.get(SPIRIT + key) for key in ("vendor", "library", "name", "version"))


def _map_of(bus) -> dict:
    found = bus.find(path("slave", "memoryMapRef"))
    return {} if found is None else {"slave_memory_map_ref": found.get(SPIRIT + "memoryMapRef")}


def buses_of(component) -> dict[str, dict]:
    """Bus interfaces in the form in which the stand-in for Vivado keeps them."""
    return {
        text(bus, "name"): {
            "bus_type_vlnv": vlnv(bus.find(path("busType"))),
            "abstraction_type_vlnv": vlnv(bus.find(path("abstractionType"))),
            "interface_mode": "slave" if bus.find(path("slave")) is not None else "master",
            "ports": {
                text(entry, "logicalPort", "name"): text(entry, "physicalPort", "name")
                for entry in bus.iterfind(path("portMaps", "portMap"))
            },
            **_map_of(bus),
            "parameters": {
                text(parameter, "name"): text(parameter, "value")
                for parameter in bus.iterfind(path("parameters", "parameter"))
            },
        }
        for bus in component.iterfind(path("busInterfaces", "busInterface"))
    }
