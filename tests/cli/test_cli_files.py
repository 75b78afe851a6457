"""What all commands do with files: outputs checked first, streams, odd names, interrupts."""

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import lutgen.files.whole
from lutgen.build.options import BuildOptions
from lutgen.cli import main
from lutgen.codec.codec import Codec
from lutgen.formats.imageio import read_image, write_image
from tests.commands import error, ok, run, said, usage
from tests.models import table_model


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUTGEN_DATA", raising=False)
    stack = np.random.default_rng(0).integers(0, 256, (3, 10, 14), dtype=np.uint8)
    table_model().save("m.lutgen")
    write_image("a.png", stack[0])
    write_image("all.npy", stack)
    return tmp_path


MODEL = ("--model", "m.lutgen")
#: A command for each output, without it.
OUTPUTS = {
    "encode": "encode a.png -o",
    "decode": "decode a.lgc -o",
    "train": "train --data a.png -o",
    "checkpoint": "train --profile gic-dlc --data a.png -o x.lutgen --checkpoint",
    "log": "train --profile gic-dlc --data a.png -o x.lutgen --log",
    "slim": "slim m.lutgen --data a.png --classes 2 -o",
    "report": "report build -o",
    "loclic train": "loclic train --data a.png -o",
    "loclic checkpoint": "loclic train --data a.png -o x.pt --checkpoint",
    "loclic log": "loclic train --data a.png -o x.pt --log",
    "export": "loclic export a.pt -o",
    "compress": "loclic compress --model m.loclic a.png",
    "record": "loclic compress --model m.loclic a.png x.loc --record",
    "decompress": "loclic decompress --model m.loclic a.loc",
}  # fmt: skip


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_are_checked_before_any_work(name, folder):
    """Nothing is read: of most of these commands no input is there."""
    command = OUTPUTS[name].split()
    before = sorted(os.listdir())
    assert usage(*command, "no/x.png").endswith(
        "no/x.png: folder of an output must exist, which 'no' does not"
    )
    (folder / "folder.png").mkdir()
    message = usage(*command, "folder.png/" if name != "decode" else "a.png/b.png")
    assert "must be a file, not a folder" in message or "must be writable, not: Not a" in message
    (folder / "folder.png").rmdir()
    assert sorted(os.listdir()) == before


def test_a_folder_that_cannot_be_written_is_a_usage_error(monkeypatch):
    def refuse(**_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/somewhere/tmpabc")

    monkeypatch.setattr(lutgen.files.whole.tempfile, "TemporaryFile", refuse)
    for command in (["encode", "a.png"], ["train", "--data", "a.png"], ["decode", "a.lgc"]):
        for out in ("x.png", "new/") if command[0] == "decode" else ("x.png",):
            assert usage(*command, "-o", out).endswith(
                f"{out}: folder of an output must be writable, not '.': Read-only file system"
            )


def test_switching_activity_is_checked_before_the_simulation(folder, monkeypatch):
    (folder / "build").mkdir()
    record = {"schema": 1, "parameters": BuildOptions(name="lutgen").record()}
    (folder / "build" / "build.json").write_text(json.dumps(record))

    def refuse(**_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/somewhere/tmpabc")

    monkeypatch.setattr(lutgen.files.whole.tempfile, "TemporaryFile", refuse)
    assert usage("sim", "--build", "build", "--saif").endswith(
        "build/saif: folder of an output must be writable, not 'build': Read-only file system"
    )


def test_a_file_is_no_folder_for_decoded_images(folder):
    (folder / "out").write_bytes(b"kept")
    for out in ("out/", "out/deep/"):
        assert usage("decode", "a.lgc", "-o", out).endswith(
            f"{out}: folder of an output must be a folder, not a file"
        )
    assert (folder / "out").read_bytes() == b"kept"


def test_outputs_that_cannot_be_written_are_named(folder, monkeypatch):
    """A disk that fills up while writing: the old file stays, and no other name is told."""
    said("encode", "a.png", "-o", "a.lgc", *MODEL)
    old = (folder / "a.lgc").read_bytes()
    write_image("b.png", read_image("a.png"))
    before = sorted(os.listdir())
    real = open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            self.file.write(data[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full(path, mode="r", *rest, **more):
        file = real(path, mode, *rest, **more)
        return Full(file) if "x" in mode else file

    monkeypatch.setattr(lutgen.files.whole, "open", full, raising=False)
    for command in (("encode", "all.npy", "-o", "a.lgc"), ("decode", "a.lgc", "-o", "b.png"),
                    ("decode", "a.lgc", "-o", "new.pgm")):  # fmt: skip
        assert error(*command, *MODEL) == f"{command[-1]}: No space left on device"
    assert sorted(os.listdir()) == before
    assert (folder / "a.lgc").read_bytes() == old
    np.testing.assert_array_equal(read_image("b.png"), read_image("a.png"))
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert error("encode", "a.png", "-o", "/dev/full", *MODEL) == (
        "/dev/full: No space left on device"
    )


@pytest.mark.parametrize(("command", "message"), [
    ("encode a.png -o a.png", "-o: output must not be the input a.png"),
    ("encode a.png -o ./link.png", "-o: output must not be the input a.png"),
    ("encode pictures -o pictures/b.png",
     "-o: output must not be the input pictures: pictures/b.png is a picture in it"),
    ("encode a.png -o m.lutgen --model m.lutgen", "-o: output must not be the input m.lutgen"),
    ("decode a.png -o a.png", "-o: output must not be the input a.png"),
    ("train --data set.npz:train -o set.npz", "-o: output must not be the input set.npz:train"),
    ("train --profile gic-dlc --data a.png -o x --log x", "-o: output must not be another output, "
     "x"),
    ("train --profile gic-dlc --data a.png -o x --log a.png",
     "--log: output must not be the input a.png"),
    ("slim m.lutgen --data a.png --classes 2 -o m.lutgen",
     "-o: output must not be the input m.lutgen"),
    ("loclic train --data a.png -o a.png", "-o: output must not be the input a.png"),
    ("loclic export m.pt -o m.pt", "-o: output must not be the input m.pt"),
    ("loclic compress a.png a.png --model m.loclic", "OUT: output must not be the input a.png"),
    ("loclic compress a.png x --record x --model m", "OUT: output must not be another output, x"),
    ("loclic decompress a.png a.png --model m", "OUT: output must not be the input a.png"),
])  # fmt: skip
def test_outputs_are_no_inputs(folder, command, message):
    (folder / "pictures").mkdir()
    (folder / "pictures" / "b.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "link.png").symlink_to("a.png")
    (folder / "m.pt").write_bytes(b"kept")
    np.savez("set.npz", train=np.zeros((2, 8, 8), np.uint8))
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    if command.startswith("loclic"):
        pytest.importorskip("torch")
    assert usage(*command.split()) == f"Invalid value for {message}"
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_standard_input_and_output(folder):
    def through(*arguments, data=b""):
        result = CliRunner().invoke(main, [*arguments, *MODEL], input=data)
        assert result.exit_code == 0, result.stderr
        return result.stdout_bytes, result.stderr

    for name, images in (("a.png", 1), ("all.npy", 3)):
        said("encode", name, "-o", "x.lgc", *MODEL)
        data = (folder / name).read_bytes()
        coded, told = through("encode", "-", "-o", "-", data=data)
        assert coded == (folder / "x.lgc").read_bytes()
        assert told.startswith(f"-: {images} image")
        decoded, told = through("decode", "-", "-o", "-", data=coded)
        assert decoded == data  # PNG of one image, npy of several
        assert told == f"-: {images} image{'s' * (images > 1)} of 14 x 10\n"
        assert (folder / "x.lgc").exists() and not (folder / "-").exists()
    found, _ = through("eval", "-", "--json", "--no-baselines", data=data)
    assert json.loads(found)["-"]["images"] == 3


def test_pipes_and_descriptors_are_written_directly(folder):
    said("encode", "a.png", "-o", "x.lgc", *MODEL)
    wanted = (folder / "x.lgc").read_bytes()
    os.mkfifo("pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append(Path("pipe").read_bytes()))
    reader.start()
    said("encode", "a.png", "-o", "pipe", *MODEL)
    reader.join()
    assert got == [wanted]
    near, far = os.pipe()
    try:
        said("encode", "a.png", "-o", f"/dev/fd/{far}", *MODEL)
        assert os.read(near, 1 << 16) == wanted
        said("decode", "x.lgc", "-o", f"/proc/self/fd/{far}", *MODEL)
        assert os.read(near, 1 << 16) == (folder / "a.png").read_bytes()
    finally:
        os.close(near)
        os.close(far)
    # Standard output that is a file is written where it stands, not replaced.
    command = [sys.executable, "-m", "lutgen", "encode", "a.png", "-o", "/dev/stdout", *MODEL]
    environment = os.environ | {"PYTHONPATH": str(Path(lutgen.__file__).parents[1])}
    with open("log", "wb") as log:
        log.write(b"before ")
        log.flush()
        subprocess.run(command, stdout=log, check=True, env=environment)
    assert (folder / "log").read_bytes() == b"before " + wanted


def test_a_terminal_is_no_place_for_bytes(monkeypatch):
    real = lutgen.files.whole.sys.stdout
    monkeypatch.setattr(type(real), "isatty", lambda self: True, raising=False)
    whole = lutgen.files.whole
    with pytest.raises(whole.OutputError, match="^standard output must be a file or a pipe"):
        whole.check_output("-")


def test_names_that_are_no_text(folder):
    """Any bytes but / and 0 are a name; it is shown with escapes."""
    name = os.fsdecode(b"\xff\xe9.lgc")
    picture = os.fsdecode(b"\xff.png")
    Path(picture).write_bytes((folder / "a.png").read_bytes())
    assert said("encode", picture, "-o", name, *MODEL).startswith("\\udcff\\udce9.lgc: 1 image of ")
    said("decode", name, "-o", os.fsdecode(b"\xfe.png"), *MODEL)
    assert (folder / os.fsdecode(b"\xfe.png")).read_bytes() == (folder / "a.png").read_bytes()
    assert "\\udcff.png" in ok("eval", picture, "--no-baselines", *MODEL)
    assert json.loads(ok("eval", picture, "--no-baselines", "--json", *MODEL))[picture]["verified"]
    missing = os.fsdecode(b"\xfd.png")
    assert error("encode", missing, "-o", "x.lgc", *MODEL) == (
        "\\udcfd.png: No such file or directory"
    )


def test_an_interrupt_is_exit_status_130(folder, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    before = sorted(os.listdir())
    monkeypatch.setattr(Codec, "encode", interrupt)
    assert run("encode", "a.png", "-o", "x.lgc", *MODEL) == (130, "", "interrupted\n")
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(lutgen.files.whole.Path, "replace", interrupt)
    assert run("encode", "a.png", "-o", "x.lgc", *MODEL) == (130, "", "interrupted\n")
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize(("package", "extra", "command"), [
    ("torch", "train", "train --profile gic-dlc --data a.png -o x.lutgen"),
    ("torch", "train", "loclic train --data a.png -o x.pt"),
    ("torch", "train", "loclic compress a.png x.loc --model m"),
    ("torch", "train", "loclic decompress none x.png --model none"),
    ("torch", "train", "loclic export x.pt -o x.loclic"),
])  # fmt: skip
def test_a_missing_extra_is_named(package, extra, command):
    """In a process of its own, in which no module has been imported."""
    script = (
        f"import sys; sys.modules[{package!r}] = None; from lutgen.cli import main; "
        f"main({command.split()!r})"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(lutgen.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: the package {package} is missing, which the extra {extra} brings: "
        f'pip install "lutgen[{extra}]", or in its source folder pip install ".[{extra}]"\n'
    )
