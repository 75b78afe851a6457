"""The C driver behind the interface of the Python one, so that one scenario runs on both."""

import ctypes
import shutil
import subprocess
from pathlib import Path

BASE = 0x43C0_0000
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
#: Words go to functions that the test sets.
_ACCESS = """
#include <stdint.h>
uint32_t lutgen_read_word(uintptr_t address);
void lutgen_write_word(uintptr_t address, uint32_t value);
void use(uint32_t (*read)(uintptr_t), void (*write)(uintptr_t, uint32_t));
static uint32_t (*reader)(uintptr_t);
static void (*writer)(uintptr_t, uint32_t);
uint32_t lutgen_read_word(uintptr_t address) { return reader(address); }
void lutgen_write_word(uintptr_t address, uint32_t value) { writer(address, value); }
void use(uint32_t (*read)(uintptr_t), void (*write)(uintptr_t, uint32_t))
{
    reader = read;
    writer = write;
}
"""
_READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_size_t)
_WRITE = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_uint32)
_OK, _WRONG, _TIMEOUT, _BAD = 0, (-1, -2, -3), -4, -5


def compile_library(folder: Path, out: Path, *, own_access: bool) -> Path:
    """Build all C of a build folder as a shared library, without a warning."""
    sources = [str(path) for path in sorted(folder.glob("*.c"))]
    assert sources
    options = []
    if own_access:
        options = ["-DLUTGEN_OWN_ACCESS"]
        out.with_suffix(".c").write_text(_ACCESS)
        sources.append(str(out.with_suffix(".c")))
    gcc = shutil.which("gcc")
    assert gcc, "gcc must be installed, which the simulator needs anyway"
    command = [gcc, *STRICT, *options, "-fPIC", "-shared", *sources, "-o", str(out)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return out


class Ip(ctypes.Structure):
    _fields_ = [("base", ctypes.c_size_t)]


def _words(*names: str) -> type:
    fields = [(name, ctypes.c_uint32) for name in names]
    return type("Words", (ctypes.Structure,), {"_fields_": fields})


_COUNTERS = _words("pixels", "bytes", "frames", "files", "input_stalls", "output_stalls")
_ERRORS = {
    "encoder": _words("sof_early", "sof_late", "eol_early", "eol_late", "bad_size"),
    "decoder": _words("bad_header", "bad_model", "bad_packet", "bad_tile"),
}


class CDriver:
    """The encoder or decoder ``name`` behind a bus."""

    def __init__(self, library: Path, name: str, bus, causes: dict[str, int]) -> None:
        """``causes`` are the bits of ISR by name."""
        self._c, self._name, self._causes = ctypes.CDLL(str(library)), name, causes
        self._c.lutgen_ip_status.restype = ctypes.c_uint32
        self._c.lutgen_ip_acknowledge.restype = ctypes.c_uint32
        # Kept, or they would be collected while C holds them.
        self._access = (
            _READ(lambda address: bus.read(address - BASE)),
            _WRITE(lambda address, value: bus.write(address - BASE, value)),
        )
        self._c.use(*self._access)
        self._ip = Ip()
        self._done(self._init(name))

    def _init(self, name: str) -> int:
        init = getattr(self._c, f"lutgen_{name}_init")
        return init(ctypes.byref(self._ip), ctypes.c_size_t(BASE))

    def _call(self, name: str, *arguments):
        return getattr(self._c, f"lutgen_{name}")(ctypes.byref(self._ip), *arguments)

    @staticmethod
    def _done(result: int) -> None:
        if result == _TIMEOUT:
            raise TimeoutError
        if result == _BAD:
            raise ValueError
        if result in _WRONG:
            raise RuntimeError(result)
        assert result == _OK

    @staticmethod
    def _reads(timeout: float) -> ctypes.c_uint32:
        return ctypes.c_uint32(int(1000 * timeout) + 1)

    def _mask(self, causes) -> ctypes.c_uint32:
        return ctypes.c_uint32(sum(self._causes[name] for name in causes))

    def _named(self, mask: int) -> set[str]:
        return {name for name, bit in self._causes.items() if mask & bit}

    def other(self, name: str) -> int:
        """What the driver of another core makes of this one."""
        return self._init(name)

    def enable(self) -> None:
        self._call("ip_enable")

    def disable(self) -> None:
        self._call("ip_disable")

    def status(self) -> dict[str, bool]:
        word = self._call("ip_status")
        return {name: bool(word >> k & 1)
                for k, name in enumerate(("idle", "busy", "dropping", "waiting"))}  # fmt: skip

    def wait_idle(self, timeout: float) -> None:
        self._done(self._call("ip_wait_idle", self._reads(timeout)))

    def reset(self, *, restart: bool = False, timeout: float) -> None:
        self._done(self._call("ip_reset", int(restart), self._reads(timeout)))

    def enable_interrupts(self, *causes: str) -> None:
        self._call("ip_enable_interrupts", self._mask(causes))

    def acknowledge(self, *causes: str) -> set[str]:
        return self._named(self._call("ip_acknowledge", self._mask(causes or self._causes)))

    def wait_for(self, *causes: str, timeout: float) -> set[str]:
        found = ctypes.c_uint32()
        self._done(self._call(
            "ip_wait_cause", self._mask(causes), self._reads(timeout), ctypes.byref(found)
        ))  # fmt: skip
        return self._named(found.value)

    def _read_words(self, name: str, kind: type) -> dict[str, int]:
        found = kind()
        self._call(name, ctypes.byref(found))
        return {field: getattr(found, field) for field, _ in kind._fields_}

    def counters(self) -> dict[str, int]:
        return self._read_words("ip_read_counters", _COUNTERS)

    def errors(self) -> dict[str, int]:
        return self._read_words(f"{self._name}_read_errors", _ERRORS[self._name])

    def clear_counters(self) -> None:
        self._call("ip_clear_counters")

    def set_size(self, width: int, height: int, images: int = 1, *, timeout: float | None) -> None:
        self._done(self._call("encoder_set_size", width, height, images))
        if timeout is not None:
            self._done(self._call("encoder_wait_size", self._reads(timeout)))

    def set_near(self, near: int, *, timeout: float) -> None:
        self._done(self._call("encoder_set_near", near))
        self._done(self._call("encoder_wait_size", self._reads(timeout)))

    def set_order(self, order: int, *, timeout: float) -> None:
        self._done(self._call("encoder_set_order", order))
        self._done(self._call("encoder_wait_size", self._reads(timeout)))

    def set_level(self, level: int, *, timeout: float) -> None:
        self._done(self._call("decoder_set_level", level))
        self._done(self._call("decoder_wait_level", self._reads(timeout)))
