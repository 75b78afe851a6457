"""Bus interfaces of a module, found by the names of its ports."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["CLOCK", "RESET", "Interface", "bus_interfaces"]

#: Ports that every module has, and the interfaces of the same names.
CLOCK, RESET = "clk", "rst"

_STREAM_PORT = re.compile(r"(?P<name>(?:\w+_)?[ms]_axis_\w+)_(?P<signal>t[a-z]+)")


@dataclass(frozen=True, kw_only=True)
class Interface:
    """A group of ports that a block design connects as one.

    Attributes
    ----------
    name
        What the block design calls it.
    library, bus
        Of Xilinx' bus definition: ``interface`` and ``axis``, ``signal`` and ``clock`` or
        ``reset``.  The abstraction is called likewise, with ``_rtl`` behind.
    mode
        ``master`` or ``slave``.
    ports
        Physical port by logical port: ``{"TDATA": "s_axis_video_tdata"}``.
    parameters
        Values that a block design checks connections by.
    """

    name: str
    library: str
    bus: str
    mode: str
    ports: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)

    def vlnv(self, *, abstraction: bool = False) -> tuple[str, str, str, str]:
        """Vendor, library, name and version of the bus definition or of its abstraction."""
        return "xilinx.com", self.library, self.bus + "_rtl" * abstraction, "1.0"


def bus_interfaces(ports: Sequence[Mapping]) -> list[Interface]:
    """The interfaces of a module: AXI4-Streams in the order of their ports, reset, clock.

    Another protocol is another function beside the one for streams: registers behind
    ``s_axi_*`` will bring ``aximm``, which needs a memory map, too.

    Parameters
    ----------
    ports:
        As in ``build.json``: dicts of ``name``, ``direction`` and ``width``.

    Raises
    ------
    ValueError
        If clock or reset is missing, or a stream lacks TVALID, TREADY or TDATA.
    """
    names = [port["name"] for port in ports]
    for name in (CLOCK, RESET):
        if name not in names:
            raise ValueError(f"ports must have {name!r}, not only {', '.join(names) or 'none'}")
    return [
        *_streams(ports),
        Interface(
            name=RESET, library="signal", bus="reset", mode="slave", ports={"RST": RESET},
            parameters={"POLARITY": "ACTIVE_HIGH"},
        ),
        Interface(name=CLOCK, library="signal", bus="clock", mode="slave", ports={"CLK": CLOCK}),
    ]  # fmt: skip


def _streams(ports: Sequence[Mapping]) -> list[Interface]:
    groups: dict[str, dict[str, Mapping]] = {}
    for port in ports:
        if match := _STREAM_PORT.fullmatch(port["name"]):
            groups.setdefault(match["name"], {})[match["signal"].upper()] = port
    streams = []
    for name, signals in groups.items():
        missing = {"TDATA", "TVALID", "TREADY"} - set(signals)
        if missing:
            raise ValueError(f"stream {name} must have TDATA, TVALID and TREADY, not without "
                             f"{', '.join(sorted(missing))}")  # fmt: skip

        def width(signal: str, signals=signals) -> int:
            return signals[signal]["width"] if signal in signals else 0

        streams.append(Interface(
            name=name,
            library="interface",
            bus="axis",
            mode="slave" if signals["TVALID"]["direction"] == "input" else "master",
            ports={signal: port["name"] for signal, port in signals.items()},
            parameters={
                "TDATA_NUM_BYTES": str(width("TDATA") // 8),
                "TDEST_WIDTH": "0",
                "TID_WIDTH": "0",
                "TUSER_WIDTH": str(width("TUSER")),
                "HAS_TREADY": "1",
                "HAS_TSTRB": "0",
                "HAS_TKEEP": str(int("TKEEP" in signals)),
                "HAS_TLAST": str(int("TLAST" in signals)),
            },
        ))
    return streams
