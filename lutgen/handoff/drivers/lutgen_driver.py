"""Driver of lutgen's encoder and decoder, for the build that this file lies beside.

On PYNQ, which finds the IP by its name in the block design::

    import lutgen_driver                   # before the overlay is loaded
    overlay = pynq.Overlay("design.bit")
    encoder = overlay.lutgen_encoder_0.core

Of an IP with both, PYNQ makes one entry for each set of registers, and ``core`` is what is behind
it.  Elsewhere, ``open_core(bus)`` takes any object that has ``read(offset)`` and
``write(offset, value)`` of 32-bit words, such as ``pynq.MMIO``.

Times are in seconds.  Functions that wait raise TimeoutError.

Python 3.6 is enough, the one of PYNQ 2.6 and older.

The file is yours to use, change and pass on, as all that lutgen generates.
"""

import json
import time
from typing import Dict, Optional, Set, Tuple  # boards have old versions of Python

try:
    from pynq import DefaultIP
except ImportError:  # not on a board
    DefaultIP = None

__all__ = ["CORES", "Core", "Decoder", "DriverError", "Encoder", "open_core"]

#: Name in block designs, and registers of each core: offset, value after reset, and fields by
#: lowest bit, number of bits and kind.
_BUILD = json.loads("""@BUILD@""")


class DriverError(RuntimeError):
    """The IP is not the one that this driver was made for."""


class Core:
    """What encoder and decoder share.

    Parameters
    ----------
    bus:
        Object with ``read(offset)`` and ``write(offset, value)``.

    Raises
    ------
    DriverError
        If identification, version or model are not those of the build.
    """

    name = ""

    def __init__(self, bus) -> None:
        self._bus = bus
        self._registers = _BUILD["cores"][self.name]
        self.check()

    def read(self, register: str) -> int:
        """A register's word."""
        return int(self._bus.read(self._registers[register]["offset"]))

    def write(self, register: str, value: int) -> None:
        """Write a register's word."""
        self._bus.write(self._registers[register]["offset"], value)

    def check(self) -> None:
        """Compare identification, version (major and minor) and model with the build's."""
        for register, mask, what in (
            ("id", 0xFFFFFFFF, "identification"),
            ("version", 0xFFFF0000, "version"),
            ("model_hash_0", 0xFFFFFFFF, "model"),
            ("model_hash_1", 0xFFFFFFFF, "model"),
        ):
            found, expected = self.read(register), self._registers[register]["reset"]
            if (found ^ expected) & mask:
                raise DriverError(
                    f"{what} of the {self.name} must be the build's, {expected:#010x}, "
                    f"not {found:#010x}"
                )

    @property
    def version(self) -> Tuple[int, int, int]:
        """Version of the generator."""
        word = self.read("version")
        return word >> 24, word >> 16 & 255, word & 0xFFFF

    @property
    def model_hash(self) -> str:
        """First 16 digits of the model's hash."""
        return f"{self.read('model_hash_0'):08x}{self.read('model_hash_1'):08x}"

    @property
    def max_size(self) -> Tuple[int, int]:
        """Largest width and height in pixels."""
        return self.read("max_width"), self.read("max_height")

    def enable(self) -> None:
        """Let files begin."""
        self.write("control", self._bits("control", ["enable"]))

    def disable(self) -> None:
        """Complete the file at hand and let no other begin."""
        self.write("control", 0)

    def status(self) -> Dict[str, bool]:
        """Flags by name: idle, busy, dropping, waiting."""
        return self._flags("status", self.read("status"))

    def wait_idle(self, timeout: float = 1.0) -> None:
        """Wait until nothing is inside."""
        self._wait(lambda: self.status()["idle"], timeout, "become idle")

    def reset(self, *, restart: bool = False, timeout: float = 1.0) -> None:
        """Software reset, also in mid-frame; disables the core and waits until nothing is inside.

        What is left of the broken input is dropped when it comes, unless ``restart`` says that
        source and sink were reset as well.  The output must be taken meanwhile.  Causes stay, to be
        acknowledged: a file that was cut short has been ended, which counts as done.
        """
        self.write("control", self._bits("control", ["reset"] + ["restart"] * restart))
        self.wait_idle(timeout)

    def enable_interrupts(self, *causes: str) -> None:
        """Let these causes raise the interrupt; none to switch it off."""
        self.write("ier", self._bits("ier", causes))
        self.write("gie", int(bool(causes)))

    def acknowledge(self, *causes: str) -> Set[str]:
        """Clear these causes, by default all; returns those of them that were pending."""
        mask = self._bits("isr", causes or self._registers["isr"]["fields"])
        pending = self.read("isr") & mask
        if pending:
            self.write("isr", pending)
        return {name for name, is_set in self._flags("isr", pending).items() if is_set}

    def wait_for(self, *causes: str, timeout: float = 1.0) -> Set[str]:
        """Wait until one of these causes is pending; clears and returns them."""
        found = set()

        def pending() -> bool:
            found.update(self.acknowledge(*causes))
            return bool(found)

        self._wait(pending, timeout, f"report {' or '.join(causes) or 'anything'}")
        return found

    def counters(self) -> Dict[str, int]:
        """Counters modulo 2^32 by name."""
        return self._counted("wrapping")

    def errors(self) -> Dict[str, int]:
        """How often each error was counted, at most 65535."""
        return self._counted("saturating")

    def clear_counters(self) -> None:
        """Set all counters to 0."""
        self._command("clear_counters")

    def _command(self, name: str) -> None:
        """Write a bit of CONTROL that acts once, and leave the enable bit as it is."""
        kept = self.read("control") & self._bits("control", ["enable"])
        self.write("control", kept | self._bits("control", [name]))

    def _update(self, timeout: Optional[float]) -> None:
        self._command("update")
        if timeout is not None:
            mask = self._bits("control", ["update"])
            self._wait(
                lambda: not self.read("control") & mask, timeout, "take over the settings"
            )

    def _bits(self, register: str, fields) -> int:
        known = self._registers[register]["fields"]
        unknown = [name for name in fields if name not in known]
        if unknown:
            raise ValueError(
                f"{register} must be given bits among {', '.join(known)}, not {unknown[0]!r}"
            )
        return sum(1 << known[name][0] for name in fields)

    def _flags(self, register: str, word: int) -> Dict[str, bool]:
        fields = self._registers[register]["fields"]
        return {name: bool(word >> low & 1) for name, (low, _, _) in fields.items()}

    def _counted(self, kind: str) -> Dict[str, int]:
        return {
            name: self.read(name)
            for name, register in self._registers.items()
            if any(field[2] == kind for field in register["fields"].values())
        }

    def _wait(self, condition, timeout: float, what: str) -> None:
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name} did not {what} within {timeout:g} s")


class Encoder(Core):
    """The encoder."""

    name = "encoder"

    def set_size(
        self, width: int, height: int, images: int = 1, *, timeout: Optional[float] = 1.0
    ) -> None:
        """Set image size in pixels and images of a file, for the files that begin from now on.

        Waits until that is so, which is between two files; ``timeout=None`` does not wait.
        """
        widest, highest = self.max_size
        for what, value, largest in (
            ("width", width, widest), ("height", height, highest), ("images", images, 2**32 - 1),
        ):  # fmt: skip
            if not 1 <= value <= largest:
                raise ValueError(f"{what} must be 1 to {largest}, not {value!r}")
        mosaic = "format" in self._registers and self.read("format") & self._bits(
            "format", ["mosaic"]
        )
        for what, side in (("width", width), ("height", height)):
            if mosaic and side % 2:
                raise ValueError(f"{what} of a colour filter array must be even, not {side!r}")
        for register, value in (("width", width), ("height", height), ("images", images)):
            self.write(register, value)
        self._update(timeout)

    def set_near(self, near: int, *, timeout: Optional[float] = 1.0) -> None:
        """Set the greatest error of a decoded sample, 0 for none, for the files that begin from now
        on.

        Waits until that is so, which is between two files; ``timeout=None`` does not wait.
        """
        self._set("near", near, timeout)

    def set_order(self, order: int, *, timeout: Optional[float] = 1.0) -> None:
        """Set the order of planes of RGB, or the pattern of colour filter arrays, for the files
        that begin from now on: a number that the register ORDER explains.

        Waits until that is so, which is between two files; ``timeout=None`` does not wait.
        """
        self._set("order", order, timeout)

    def _set(self, name: str, value: int, timeout: Optional[float]) -> None:
        """A setting that only some builds have; the others take 0 and nothing else."""
        there = f"max_{name}" in self._registers
        largest = self.read(f"max_{name}") if there else 0
        if not 0 <= value <= largest:
            raise ValueError(f"{name} must be 0 to {largest}, not {value!r}")
        if there:
            self.write(name, value)
            self._update(timeout)


class Decoder(Core):
    """The decoder."""

    name = "decoder"

    def set_level(self, level: int, *, timeout: Optional[float] = 1.0) -> None:
        """Set the level to decode, 0 for the images, for the files that begin from now on.

        Waits until that is so, which is when the decoder is idle; ``timeout=None`` does not wait.
        """
        largest = self.read("max_level")
        if not 0 <= level <= largest:
            raise ValueError(f"level must be 0 to {largest}, not {level!r}")
        if largest:
            self.write("level", level)
            self._update(timeout)


#: Classes of the build's cores by name.
CORES = {kind.name: kind for kind in (Encoder, Decoder) if kind.name in _BUILD["cores"]}


def open_core(bus) -> Core:
    """The encoder or decoder behind a bus, told by its identification."""
    for name, kind in CORES.items():
        register = _BUILD["cores"][name]["id"]
        if int(bus.read(register["offset"])) == register["reset"]:
            return kind(bus)
    raise DriverError(f"bus must lead to the registers of the {' or '.join(CORES)} of this build")


if DefaultIP is not None:
    __all__.append("LutgenIP")

    class LutgenIP(DefaultIP):
        """The IP as PYNQ finds it in a block design; ``core`` is what it is for."""

        bindto = [_BUILD["vlnv"]]

        def __init__(self, description) -> None:
            super().__init__(description=description)
            self.core = open_core(self.mmio)
