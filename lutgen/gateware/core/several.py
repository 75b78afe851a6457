"""Several cores behind one pair of ports: what tops share, whatever the cores are given.

Cores are placed modules of one Verilog text.  A beat of video holds as many samples as there are
cores, the leftmost lowest, each in whole bytes.
"""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Signature

from lutgen.errors import InputError

from ..fabric.placed import Placed
from .ports import Top, video_ports

__all__ = ["CORES", "SeveralCores", "beat_layout", "beat_ports", "check_cores", "queue_depth",
           "raster_layout"]  # fmt: skip

#: Cores that may share a pair of ports.
CORES = (1, 2, 4, 8)
#: The shallowest queue that is worth a block memory.
_SHALLOWEST = 64


def check_cores(cores: int, stream_bytes: int) -> None:
    """InputError unless so many cores can share a stream of so many bytes."""
    if cores not in CORES:
        raise InputError(f"cores must be 1, 2, 4 or 8, not {cores!r}")
    if cores > 1 and stream_bytes not in (2, 4, 8):
        raise InputError(
            f"stream width must be 2, 4 or 8 bytes for {cores} cores, not {stream_bytes!r}"
        )


def queue_depth(at_least: int) -> int:
    """Depth of a queue in block memory for so many words."""
    return 1 << (max(at_least, _SHALLOWEST) - 1).bit_length()


def beat_layout(cores: int, bits: int = 8) -> StructLayout:
    """Samples of a beat, of so many bits each; ``sof`` is TUSER[0], ``eol`` TLAST."""
    return StructLayout({"data": bits * cores, "sof": 1, "eol": 1})


def raster_layout(cores: int, bits: int = 8) -> StructLayout:
    """The same and TKEEP, a bit for each byte."""
    return StructLayout({"data": bits * cores, "keep": bits * cores // 8, "sof": 1, "eol": 1})


def beat_ports(prefix: str, cores: int, source: bool, *, bits: int = 8) -> dict:
    """Ports of such beats: of a source with TKEEP, as a line's last beat may be filled in part."""
    return video_ports(prefix, source, bits=bits * cores, keep=source)


class SeveralCores(Top):
    """Base of tops of 2, 4 or 8 cores.

    Parameters
    ----------
    cores:
        How many.
    stream_bytes:
        Width of the stream's TDATA in bytes: 2, 4 or 8.
    ports:
        Ports of the top.
    core_ports:
        Ports of a core, to leave the cores out and have these instead, prefixed ``core0_`` and so
        on: so what stands around the cores is looked at.  None places cores.

    Attributes
    ----------
    separate
        Verilog modules that are not part of this one's text, by name.

    Raises
    ------
    InputError
        If there cannot be so many cores.
    """

    #: Name of a core's Verilog module.
    module: str

    def __init__(
        self, cores: int, stream_bytes: int, ports: dict, core_ports: Signature | None
    ) -> None:
        check_cores(cores, stream_bytes)
        if cores == 1:
            raise InputError("cores must be 2, 4 or 8, not 1")
        self._cores, self._bytes = cores, stream_bytes
        self._outside = core_ports is not None
        self.separate = {} if self._outside else {self.module: self._new_core()}
        outside = {f"core{k}": In(core_ports) for k in range(cores)} if self._outside else {}
        super().__init__(ports | outside)

    def _new_core(self) -> wiring.Component:
        """A new core, as each of those behind the ports is."""
        raise NotImplementedError

    def _place(self, m: Module) -> list:
        """The cores, as interfaces to connect to."""
        if self._outside:
            return [wiring.flipped(getattr(self, f"core{k}")) for k in range(self._cores)]
        cores = [Placed(self.separate[self.module], self.module) for _ in range(self._cores)]
        for k, core in enumerate(cores):
            m.submodules[f"core{k}"] = core
        return cores
