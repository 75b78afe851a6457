"""Bus interfaces of a module, found by the names of its ports."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lutgen.errors import InputError

__all__ = ["CLOCK", "MAPPED", "RESET", "Interface", "bus_interfaces"]

#: Ports that every module has, and the interfaces of the same names.
CLOCK, RESET = "clk", "rst"
#: The bus of registers: interfaces of it have a memory map of their own name.
MAPPED = "aximm"

_STREAM_PORT = re.compile(r"(?P<name>(?:\w+_)?[ms]_axis_\w+)_(?P<signal>t[a-z]+)")
_LITE_PORT = re.compile(
    r"(?P<name>(?:\w+_)?s_axi_\w+)_(?P<signal>(?:aw|ar)addr|wdata|wstrb|rdata|[br]resp"
    r"|(?:aw|w|b|ar|r)(?:valid|ready))"
)
_INTERRUPT_PORT = re.compile(r"(?:\w+_)?interrupt")
_LITE_SIGNALS = frozenset(
    "AWADDR AWVALID AWREADY WDATA WSTRB WVALID WREADY BRESP BVALID BREADY ARADDR ARVALID ARREADY "
    "RDATA RRESP RVALID RREADY".split()
)


@dataclass(frozen=True, kw_only=True)
class Interface:
    """A group of ports that a block design connects as one.

    Attributes
    ----------
    name
        What the block design calls it.
    library, bus
        Of Xilinx' bus definition: ``interface`` and ``axis`` or ``aximm``, ``signal`` and
        ``clock``, ``reset`` or ``interrupt``.  The abstraction is called likewise, with ``_rtl``
        behind.
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
    """The interfaces of a module: AXI4-Streams in the order of their ports, AXI4-Lite, interrupts,
    reset, clock.

    Parameters
    ----------
    ports:
        As in ``build.json``: dicts of ``name``, ``direction`` and ``width``.

    Raises
    ------
    InputError
        If clock or reset is missing, a stream lacks TVALID, TREADY or TDATA, or AXI4-Lite a signal.
    """
    names = [port["name"] for port in ports]
    for name in (CLOCK, RESET):
        if name not in names:
            raise InputError(f"ports must have {name!r}, not only {', '.join(names) or 'none'}")
    return [
        *_streams(ports),
        *_registers(ports),
        *_interrupts(ports),
        Interface(
            name=RESET, library="signal", bus="reset", mode="slave", ports={"RST": RESET},
            parameters={"POLARITY": "ACTIVE_HIGH"},
        ),
        Interface(name=CLOCK, library="signal", bus="clock", mode="slave", ports={"CLK": CLOCK}),
    ]  # fmt: skip


def _groups(ports: Sequence[Mapping], pattern: re.Pattern) -> dict[str, dict[str, Mapping]]:
    """Ports by interface and signal, of those whose names the pattern fits."""
    groups: dict[str, dict[str, Mapping]] = {}
    for port in ports:
        if match := pattern.fullmatch(port["name"]):
            groups.setdefault(match["name"], {})[match["signal"].upper()] = port
    return groups


def _registers(ports: Sequence[Mapping]) -> list[Interface]:
    """AXI4-Lite slaves."""
    slaves = []
    for name, signals in _groups(ports, _LITE_PORT).items():
        if missing := _LITE_SIGNALS - set(signals):
            raise InputError(f"AXI4-Lite {name} must have all signals, not be without "
                             f"{', '.join(sorted(missing))}")  # fmt: skip
        slaves.append(Interface(
            name=name,
            library="interface",
            bus=MAPPED,
            mode="slave",
            ports={signal: port["name"] for signal, port in signals.items()},
            parameters={
                "PROTOCOL": "AXI4LITE",
                "DATA_WIDTH": str(signals["WDATA"]["width"]),
                "ADDR_WIDTH": str(signals["AWADDR"]["width"]),
                "HAS_PROT": "0",
                "HAS_WSTRB": "1",
                "HAS_BRESP": "1",
                "HAS_RRESP": "1",
            },
        ))
    return slaves


def _interrupts(ports: Sequence[Mapping]) -> list[Interface]:
    """Interrupt outputs, each an interface of its port's name."""
    return [
        Interface(
            name=port["name"], library="signal", bus="interrupt", mode="master",
            ports={"INTERRUPT": port["name"]}, parameters={"SENSITIVITY": "LEVEL_HIGH"},
        )
        for port in ports
        if _INTERRUPT_PORT.fullmatch(port["name"])
    ]  # fmt: skip


def _streams(ports: Sequence[Mapping]) -> list[Interface]:
    streams = []
    for name, signals in _groups(ports, _STREAM_PORT).items():
        missing = {"TDATA", "TVALID", "TREADY"} - set(signals)
        if missing:
            raise InputError(f"stream {name} must have TDATA, TVALID and TREADY, not without "
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
