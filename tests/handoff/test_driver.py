"""Drivers: compiled without a warning, and run against the simulated IPs of a build."""

import ast
import ctypes
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import types

import numpy as np
import pytest

from lutgen.codec.codec import Codec
from lutgen.codec.container import CorruptStreamError
from lutgen.model.model import Model
from lutgen.sim import Design, build_simulation
from lutgen.sim.drive.beats import raster_beats
from lutgen.sim.tool.runner import run
from tests.gateware.ip import packet_bytes, packet_frames
from tests.gateware.tops import pictures
from tests.handoff.bench_driver import load_python_driver
from tests.handoff.c_driver import Ip, compile_library
from tests.ip_version import IP_VERSION

TILE = (8, 8)


@pytest.fixture(scope="module")
def libraries(built_registers, built_decoder_registers, tmp_path_factory):
    """Shared library of each build's C."""
    folder = tmp_path_factory.mktemp("c")
    return {
        "encoder": compile_library(built_registers, folder / "both.so", own_access=True),
        "decoder": compile_library(built_decoder_registers, folder / "one.so", own_access=True),
    }


def isr_bits(folder, core: str) -> dict[str, int]:
    """Causes from the Python driver's table, which a test holds against the map."""
    module = load_python_driver(str(folder / "lutgen_driver.py"))
    fields = module._BUILD["cores"][core]["isr"]["fields"]
    return {name: 1 << low for name, (low, _, _) in fields.items()}


def play(folder, core: str, scenario: str, library, data: dict) -> dict:
    """Result of a scenario; ``data`` are beats, or a file, by name."""
    arrays, ends = {}, {}
    for name, beats in data.items():
        if isinstance(beats, bytes):
            arrays[name], ends[name] = np.frombuffer(beats, np.uint8), [len(beats)]
        else:
            arrays[name], arrays[f"{name}_user"] = beats["data"], beats["user"]
            ends[name] = (np.flatnonzero(beats["last"]) + 1).tolist()
    design = Design.of(folder / f"lutgen_{core}.v", f"lutgen_{core}")
    _, result = run(
        build_simulation(design), "tests.handoff.bench_driver", arrays,
        {
            "core": core, "scenario": scenario, "ends": ends, "causes": isr_bits(folder, core),
            "library": str(library) if library else None,
            "python": str(folder / "lutgen_driver.py"),
        },
    )  # fmt: skip
    return result["result"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["C", "Python"])
def test_encoder(built_registers, libraries, language):
    codec = Codec(Model.load(built_registers / "model.lutgen"))
    whole, broken = pictures(18, 10, count=2), pictures(24, 40)
    beats = raster_beats(broken)
    found = play(
        built_registers, "encoder", "encode", libraries["encoder"] if language == "C" else None,
        {
            "whole": raster_beats(whole), "good": raster_beats(whole[1:]),
            "half": {name: values[:480] for name, values in beats.items()},
            "rest": {name: values[480:] for name, values in beats.items()},
        },
    )  # fmt: skip
    file, second = (codec.encode(images, tile=TILE).data for images in (whole, whole[1:]))
    idle = {"idle": True, "busy": False, "dropping": False, "waiting": True}
    assert found["status"] == idle
    assert found["bad sizes"] == ["ValueError"] * 5
    assert (found["quiet"], found["no cause"]) == (0, "TimeoutError")
    assert found["first"] == ["frame_done"]
    assert found["causes"] == ["file_done"]
    assert found["acknowledged"] == [0, []]
    assert packet_bytes(found["file"]) == [file]
    counters = found["counters"]
    assert [counters[name] for name in ("pixels", "bytes", "frames", "files")] == [
        360, len(file), 2, 1,
    ]  # fmt: skip
    assert set(counters) == {"pixels", "bytes", "frames", "files", "input_stalls", "output_stalls"}
    assert found["errors"] == dict.fromkeys(
        ("sof_early", "sof_late", "eol_early", "eol_late", "bad_size"), 0
    )
    assert found["cleared"] == [0] * 11
    assert found["in mid-frame"] == {
        "idle": False, "busy": True, "dropping": False, "waiting": False,
    }  # fmt: skip
    assert (found["not idle"], found["not yet"]) == ("TimeoutError",) * 2
    assert found["after reset"] == idle | {"dropping": True}
    *first, last = packet_bytes(found["files"])
    assert last == second
    # What had left of the broken file was ended by a byte.
    assert len(first) <= 1 and all(cut[-1] == 0 for cut in first)
    assert found["dropped"] == [0, False]
    assert found["disabled"]["waiting"] and not found["disabled"]["busy"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["C", "Python"])
def test_decoder(built_decoder_registers, libraries, language):
    codec = Codec(Model.load(built_decoder_registers / "model.lutgen"))
    images = pictures(18, 10)
    file = codec.encode(images, tile=TILE).data
    damaged = file[:-1] + bytes([file[-1] ^ 0x5A])
    with pytest.raises(CorruptStreamError, match="check state"):
        codec.decode(damaged)
    foreign = file[:4] + bytes([file[4] ^ 1]) + file[5:]
    found = play(
        built_decoder_registers, "decoder", "decode",
        libraries["decoder"] if language == "C" else None,
        {"good": file, "damaged": damaged, "foreign": foreign},
    )  # fmt: skip
    assert found["levels"] == ["nothing", "ValueError"]
    none = dict.fromkeys(("bad_header", "bad_model", "bad_packet", "bad_tile"), 0)
    interrupt, errors, counters = found["good"]
    assert (interrupt, errors) == (0, none)
    assert [counters[name] for name in ("pixels", "bytes", "frames", "files")] == [
        180, len(file), 1, 1,
    ]  # fmt: skip
    (frame,) = packet_frames(found["frames"])
    np.testing.assert_array_equal(frame, images[0])
    assert found["causes"] == ["bad_tile"]
    assert found["bad"] == [0, none | {"bad_tile": 1, "bad_model": 1}, 3]
    np.testing.assert_array_equal(packet_frames(found["after bad"])[-1], images[0])
    (frame,) = packet_frames(found["smaller"])
    np.testing.assert_array_equal(frame, codec.decode(file, level=1)[0])
    assert found["in mid-file"]
    errors, files, status = found["after reset"]
    assert (errors, files, status["idle"], status["dropping"]) == (none, 1, True, False)
    np.testing.assert_array_equal(packet_frames(found["last"])[-1], images[0])


class Memory:
    """A bus with words that stay as they are written."""

    def __init__(self, words: dict[int, int]) -> None:
        self.words = words

    def read(self, offset: int) -> int:
        return self.words.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        self.words[offset] = value


#: Offsets of what drivers check first, see test_registers.
ID, VERSION, HASH = 0x10, 0x14, 0x18


def identity(folder, core: str) -> dict[int, int]:
    record = json.loads((folder / "build.json").read_text())
    major, minor, patch = map(int, record["generator"]["version"].split("."))
    digest = record["model"]["hash"]
    name = {"encoder": b"LGCE", "decoder": b"LGCD"}[core]
    return {
        ID: int.from_bytes(name, "big"), VERSION: major << 24 | minor << 16 | patch,
        HASH: int(digest[:8], 16), HASH + 4: int(digest[8:16], 16),
    }  # fmt: skip


CHANGES = {
    "nothing": (None, 0), "id": (ID, -1), "minor": (VERSION, -2), "patch": (VERSION, 0),
    "hash": (HASH, -3), "hash, second half": (HASH + 4, -3),
}  # fmt: skip


def changed(folder, core: str, what: str) -> dict[int, int]:
    words = identity(folder, core)
    offset, _ = CHANGES[what]
    if offset is not None:
        words[offset] ^= 1 << 16 if what == "minor" else 0x80
    return words


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_c_driver_checks_what_it_finds(built_registers, tmp_path, core, what):
    """With its own access to memory, which is an array here."""
    path = compile_library(built_registers, tmp_path / "c.so", own_access=False)
    library = ctypes.CDLL(str(path))
    memory = (ctypes.c_uint32 * 32)()
    for offset, word in changed(built_registers, core, what).items():
        memory[offset // 4] = word
    ip = Ip()
    address = ctypes.c_size_t(ctypes.addressof(memory))
    result = getattr(library, f"lutgen_{core}_init")(ctypes.byref(ip), address)
    assert result == CHANGES[what][1]
    assert ip.base == address.value
    if what == "nothing":
        library.lutgen_ip_enable(ctypes.byref(ip))
        assert memory[0] == 1
        library.lutgen_ip_clear_counters(ctypes.byref(ip))
        assert memory[0] == 1 | 8
        library.lutgen_ip_disable(ctypes.byref(ip))
        assert memory[0] == 0
        assert library.lutgen_ip_wait_idle(ctypes.byref(ip), 3) == -4


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("core", ["encoder", "decoder"])
def test_python_driver_checks_what_it_finds(built_registers, core, what):
    module = load_python_driver(str(built_registers / "lutgen_driver.py"))
    bus = Memory(changed(built_registers, core, what))
    if CHANGES[what][1] == 0:
        driver = module.open_core(bus)
        assert isinstance(driver, module.CORES[core])
        record = json.loads((built_registers / "build.json").read_text())
        assert driver.model_hash == record["model"]["hash"][:16]
        assert driver.version[:2] == tuple(map(int, record["generator"]["version"].split(".")))[:2]
        with pytest.raises(ValueError, match="^ier must be given bits among frame_done, .*'x'$"):
            driver.enable_interrupts("x")
        return
    with pytest.raises(module.DriverError, match="must"):
        module.open_core(bus)


def test_python_driver_knows_its_build(built_registers, built_decoder_registers):
    for folder, name, cores in (
        (built_registers, "codec", {"encoder", "decoder"}),
        (built_decoder_registers, "decoder", {"decoder"}),
    ):
        module = load_python_driver(str(folder / "lutgen_driver.py"))
        assert set(module.CORES) == cores
        assert module._BUILD["vlnv"] == f"lutgen:codec:lutgen_{name}:{IP_VERSION}"
        assert not hasattr(module, "LutgenIP")
        text = (folder / "lutgen_driver.py").read_text()
        assert "@BUILD@" not in text


def test_python_driver_is_for_old_boards(built_registers):
    """PYNQ 2.6 and older have Python 3.6: its grammar, and nothing that came into it later."""
    tree = ast.parse((built_registers / "lutgen_driver.py").read_text(), feature_version=(3, 6))
    later = {"dict", "list", "set", "tuple", "type", "frozenset"}  # dict[str, int]: 3.9
    used = {"json": {"loads"}, "time": {"monotonic"}}
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            assert node.value.id not in later, ast.unparse(node)
        for side in ("annotation", "returns"):  # float | None: 3.10
            found = getattr(node, side, None)
            assert not any(isinstance(n, ast.BinOp) for n in ast.walk(found)) if found else True
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.attr in used.get(node.value.id, {node.attr})
        if isinstance(node, ast.ImportFrom):  # annotations of __future__: 3.7
            assert {(node.module, n.name) for n in node.names} <= {
                ("typing", "Dict"), ("typing", "Optional"), ("typing", "Set"), ("typing", "Tuple"),
                ("pynq", "DefaultIP"),
            }  # fmt: skip
        if isinstance(node, ast.Import):
            assert {n.name for n in node.names} <= set(used)


def test_python_driver_runs_on_python_3_6(built_registers):
    version = shutil.which("python3.6") and subprocess.run(
        ["python3.6", "--version"], capture_output=True, text=True, check=False
    )
    if not version or version.returncode:
        pytest.skip("no Python 3.6 at hand")
    code = "import lutgen_driver as d; print(sorted(d.CORES), d._BUILD['vlnv'])"
    done = subprocess.run(
        ["python3.6", "-c", code], cwd=built_registers, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.stdout == f"['decoder', 'encoder'] lutgen:codec:lutgen_codec:{IP_VERSION}\n"


def test_on_pynq(built_registers, monkeypatch):
    """What PYNQ does with a driver: it finds the class by `bindto` and gives it a description."""
    bound = {}

    class DefaultIP:
        def __init_subclass__(cls) -> None:
            bound.update(dict.fromkeys(cls.bindto, cls))

        def __init__(self, description) -> None:
            self.mmio = description["memory"]

    monkeypatch.setitem(sys.modules, "pynq", types.SimpleNamespace(DefaultIP=DefaultIP))
    path = str(built_registers / "lutgen_driver.py")
    module = load_python_driver(path)
    driver = bound[f"lutgen:codec:lutgen_codec:{IP_VERSION}"]
    for core in ("encoder", "decoder"):
        memory = Memory(identity(built_registers, core))
        ip = driver(description={"memory": memory})
        assert isinstance(ip.core, module.CORES[core])
        ip.core.enable()
        assert memory.words[0] == 1


def test_sources_are_plain_text(built_registers):
    for path in built_registers.glob("*.[ch]"):
        text = path.read_text()
        assert text.isascii() and max(map(len, text.splitlines())) <= 100
        assert "malloc" not in text
    assert not os.path.exists(built_registers / "driver")
    assert importlib.util.find_spec("lutgen.handoff.driver") is not None
