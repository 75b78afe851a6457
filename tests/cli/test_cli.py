import io
import json
import os
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import lutgen
from lutgen.cli import main
from lutgen.codec.codec import Codec
from lutgen.errors import InputError, LutgenError, ToolError
from lutgen.formats.imageio import read_image, read_images, write_image
from lutgen.model.default import DEFAULT
from lutgen.model.model import Model
from lutgen.model.pyramid import pyramid
from tests.commands import error, ok, run, said, usage
from tests.models import laplace_model, pyramid_table_model, table_model


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUTGEN_DATA", raising=False)
    return tmp_path


@pytest.fixture
def images(folder):
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 256, (3, 10, 14), dtype=np.uint8)
    table_model().save("m.lutgen")
    write_image("a.png", stack[0])
    write_image("b.pgm", stack[1])
    write_image("all.npy", stack)
    return stack


MODEL = ("--model", "m.lutgen")


def test_one_image(images):
    out = said("encode", "a.png", "-o", "a.lgc", *MODEL)
    size = os.path.getsize("a.lgc")
    tiles = size - 24 - 2  # without the header and a packet's length
    assert out == (
        f"a.lgc: 1 image of 14 x 10, 140 -> {size} bytes, {8 * size / 140:.3f} bpp "
        f"(tiles alone {8 * tiles / 140:.3f})\n"
    )
    for name in ("c.png", "c.pgm", "c.npy"):
        assert said("decode", "a.lgc", "-o", name, *MODEL) == f"{name}: 1 image of 14 x 10\n"
        np.testing.assert_array_equal(read_image(name), images[0])


def test_many_images(images):
    ok("encode", "all.npy", "-o", "n.lgc", *MODEL, "--tile", "8x4", "--threads", "2")
    ok("decode", "n.lgc", "-o", "n.npy", *MODEL, "--threads", "1")
    np.testing.assert_array_equal(np.load("n.npy"), images)
    ok("decode", "n.lgc", "-o", "n%03d.pgm", *MODEL)
    np.testing.assert_array_equal(read_image("n002.pgm"), images[2])
    ok("decode", "n.lgc", "-o", "new/", *MODEL)
    assert sorted(os.listdir("new")) == ["000000.png", "000001.png", "000002.png"]
    np.testing.assert_array_equal(read_images("new"), images)
    ok("encode", "new", "-o", "again.lgc", *MODEL, "--tile", "8x4")
    ok("encode", "a.png", "b.pgm", "new/000002.png", "-o", "third.lgc", *MODEL, "--tile", "8x4")
    files = [Path(name).read_bytes() for name in ("n.lgc", "again.lgc", "third.lgc")]
    assert files[0] == files[1] == files[2]
    message = usage("decode", "n.lgc", "-o", "n.png", *MODEL)
    assert message == (
        "output of 3 images must be *.npy, a folder or a pattern like out%04d.png, not 'n.png'"
    )
    assert not os.path.exists("n.png")


def test_tiff_in_and_out(images):
    write_image("a.tif", images[0])
    ok("encode", "a.tif", "-o", "t.lgc", *MODEL)
    ok("encode", "a.png", "-o", "a.lgc", *MODEL)
    assert Path("t.lgc").read_bytes() == Path("a.lgc").read_bytes()
    said("decode", "t.lgc", "-o", "b.tiff", *MODEL)
    np.testing.assert_array_equal(read_image("b.tiff"), images[0])


def test_models_by_name(images):
    ok("encode", "a.png", "-o", "a.lgc")
    ok("encode", "a.png", "-o", "b.lgc", "--model", DEFAULT)
    assert Path("a.lgc").read_bytes() == Path("b.lgc").read_bytes()
    for model in (["--model", DEFAULT], []):
        ok("decode", "a.lgc", "-o", "c.png", *model)
        np.testing.assert_array_equal(read_image("c.png"), images[0])
    ok("encode", "a.png", "-o", "d.lgc", "--model", "digits")
    assert Path("d.lgc").read_bytes() == Codec(Model.default()).encode(images[0]).data
    ok("decode", "d.lgc", "-o", "c.png")
    np.testing.assert_array_equal(read_image("c.png"), images[0])
    for command in ("encode", "eval"):
        assert f"[default: ({DEFAULT}" in ok(command, "--help")


def test_info(images):
    ok("encode", "all.npy", "-o", "n.lgc", *MODEL, "--tile", "8x10")
    ok("encode", "a.png", "-o", "a.lgc")
    data = Path("n.lgc").read_bytes()
    found = json.loads(ok("info", "n.lgc", "--json"))
    assert found == asdict(lutgen.info(data)) and found["packets"] == 6
    status, out, _ = run("info", "-", "--json", input=data)
    assert status == 0 and json.loads(out) == found
    assert ok("info", "n.lgc").splitlines() == [
        "format   version 1, tiles of 8 x 10, rans",
        f"model    {found['model_hash']}, none of those that come with lutgen",
        "images   3 of 14 x 10",
        "samples  8 bits, 1 per pixel, lossless",
        "levels   0",
        "packets  6",
        f"bytes    {len(data)}, {8 * len(data) / 420:.3f} bpp",
    ]
    assert f", {DEFAULT}\n" in ok("info", "a.lgc")
    Path("bad.lgc").write_bytes(data[:-1])
    assert error("info", "bad.lgc") == "bad.lgc: tile 5 of 6: the stream is cut short"
    assert error("info", "a.png").startswith("a.png: stream must start with")
    assert error("info", "none.lgc") == "none.lgc: No such file or directory"


def test_tans(images):
    """The file says what coded it: decoding needs no option."""
    ok("encode", "all.npy", "-o", "rans.lgc", "--model", "m.lutgen")
    for bits, options in ((9, []), (12, ["--tans-bits", "12"])):
        ok("encode", "all.npy", "-o", "x.lgc", "--model", "m.lutgen", "--coder", "tans", *options)
        data = Path("x.lgc").read_bytes()
        assert data[19] == bits and data != Path("rans.lgc").read_bytes()
        ok("decode", "x.lgc", "-o", "x.npy", "--model", "m.lutgen")
        np.testing.assert_array_equal(np.load("x.npy"), images)
    options = ["--model", "m.lutgen", "--no-baselines", "--coder", "tans", "--json"]
    out = ok("eval", "all.npy", *options)
    assert json.loads(out)["all.npy"]["coder"] == {"name": "tans", "state_bits": 9}


def test_tans_that_is_refused(images):
    encode = ("encode", "all.npy", "-o", "x.lgc", "--model")
    assert error(*encode, "m.lutgen", "--tans-bits", "9") == (
        "tANS bits must be left out with coder rans, not 9: choose coder tans"
    )
    assert error(*encode, "m.lutgen", "--coder", "tans", "--tans-bits", "13") == (
        "tANS bits must be 8 to 12, not 13"
    )
    laplace_model().save("l.lutgen")
    assert error(*encode, "l.lutgen", "--coder", "tans").startswith(
        "coder tans must have a model with a table head"
    )
    pyramid_table_model(constraint=True).save("p.lutgen")
    assert error(*encode, "p.lutgen", "--coder", "tans").startswith(
        "coder tans must have a model without the pooling constraint"
    )
    assert not Path("x.lgc").exists()


def test_image_files_that_are_refused(images, folder):
    from PIL import Image

    Image.fromarray(np.zeros((4, 4), np.uint16)).save("deep.png")
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save("colour.png")
    np.save("none.npy", np.zeros((0, 4), np.uint8))
    np.save("real.npy", np.zeros((4, 4)))
    write_image("other.png", images[0].T)
    (folder / "short.png").write_bytes((folder / "a.png").read_bytes()[:60])
    (folder / "empty.png").write_bytes(b"")
    (folder / "nothing").mkdir()
    for names, message in (
        ("missing.png", "missing.png: No such file or directory"),
        ("deep.png", "deep.png: PNG must be 8-bit gray, not 16-bit gray; take a model of prof"),
        ("colour.png", "colour.png: PNG must be 8-bit gray, not colour (RGB); convert it to 8-bit"),
        ("none.npy", "none.npy: image height must be 1 to 16384 pixels, not 0"),
        ("real.npy", "real.npy: npy must hold uint8 of shape (H, W) or (N, H, W), not float64"),
        ("short.png", "short.png: PNG must be whole, not damaged"),
        ("empty.png", "empty.png: image file must not be empty"),
        ("nothing", "nothing: folder must have PNG, PGM or TIFF files in it, not none"),
        ("m.lutgen", "m.lutgen: image must be PNG, PGM, TIFF or npy, not lutgen archive"),
        ("a.png other.png", "other.png: images of one file must have one size, 14 x 10 like the"),
    ):
        assert error("encode", *names.split(), "-o", "x.lgc", *MODEL).startswith(message)
        assert not os.path.exists("x.lgc")


def test_bitstreams_that_are_refused(images, folder):
    ok("encode", "all.npy", "-o", "n.lgc", *MODEL)
    data = (folder / "n.lgc").read_bytes()
    laplace_model().save("other.lutgen")
    (folder / "x.npy").write_bytes(b"kept")
    flipped = bytearray(data)
    flipped[-40] ^= 8
    for content, message in (
        (data[:-1], "x.lgc: tile 2 of 3: the stream is cut short"),
        (data[:9], "x.lgc: stream must have a header of 24 bytes, not 9 bytes in all"),
        (data + b"\0", "x.lgc: stream has 1 bytes after its last packet"),
        (b"", "x.lgc: stream must have a header of 24 bytes, not 0 bytes in all"),
        (b"\x89PNG" + bytes(40), "x.lgc: stream must start with b'LGC', not b'\\x89PN'"),
        (bytes(flipped), "x.lgc: image 2, tile 0 is corrupt: its decoder did not end in the check"),
    ):
        (folder / "x.lgc").write_bytes(content)
        assert error("decode", "x.lgc", "-o", "x.npy", *MODEL).startswith(message)
    found = error("decode", "n.lgc", "-o", "x.npy", "--model", "other.lutgen")
    assert found.startswith(f"n.lgc: stream was written with model {table_model().hash[:16]}, not")
    assert error("decode", "none.lgc", "-o", "x.npy", *MODEL) == (
        "none.lgc: No such file or directory"
    )
    assert error("decode", ".", "-o", "y.npy", *MODEL) == ".: Is a directory"
    assert (folder / "x.npy").read_bytes() == b"kept"


def test_smaller_pictures(images, folder, monkeypatch):
    pyramid_table_model().save("p.lutgen")
    model = ("--model", "p.lutgen")
    ok("encode", "all.npy", "-o", "n.lgc", *model)
    ok("encode", "a.png", "-o", "a.lgc", *model)
    files = []
    decode = Codec.decode
    monkeypatch.setattr(
        Codec, "decode", lambda self, file, **k: files.append(file) or decode(self, file, **k)
    )
    for level, (wanted, size) in enumerate(
        zip(pyramid(images, 2), ("14 x 10", "7 x 5", "4 x 3"), strict=True)
    ):
        out = said("decode", "--level", level, "n.lgc", "-o", "n.npy", *model)
        assert out == f"n.npy: 3 images of {size}\n"
        np.testing.assert_array_equal(np.load("n.npy"), wanted)
        ok("decode", "--level", level, "a.lgc", "-o", "thumb.png", *model)
        np.testing.assert_array_equal(read_image("thumb.png"), wanted[0])
    # A buffer would read more than the codec asks for.
    assert all(isinstance(file, io.FileIO) for file in files)
    assert error("decode", "--level", 3, "n.lgc", "-o", "x.npy", *model) == (
        "level must be 0 to 2, the model's levels, not 3"
    )
    (folder / "x.lgc").write_bytes((folder / "n.lgc").read_bytes()[:-1])
    assert error("decode", "--level", 2, "x.lgc", "-o", "x.npy", *model) == (
        "x.lgc: tile 2 of 3: the stream is cut short"
    )


def test_models_that_are_refused(images, folder):
    (folder / "bad.lutgen").write_bytes(b"LUTGEN\r\n" + bytes(60))
    for command in (("encode", "a.png", "-o", "x"), ("decode", "a.png", "-o", "x.png"),
                    ("eval", "a.png")):  # fmt: skip
        assert error(*command, "--model", "bad.lutgen").startswith("bad.lutgen: SHA-256 must be ")
        assert error(*command, "--model", "none") == "none: No such file or directory"


@pytest.mark.parametrize(("arguments", "message"), [
    ("encode -o x", "Missing argument 'INPUT...'."),
    ("encode a.png", "Missing option '-o' / '--output'."),
    ("encode a.png -o a.png", "Invalid value for -o: output must not be the input a.png"),
    ("encode a.png -o x --threads 0", "Invalid value for '--threads': 0 is not in the range "
     "1<=x<=1024."),
    *((f"encode a.png -o x --tile {tile}", "Invalid value for '--tile': tile must be WxH with "
       f"sides of 1 to 64 pixels, not '{tile}'") for tile in ("8", "0x8", "8x65", "8x8x8", "axb")),
    ("decode a.lgc -o x.gif", "Invalid value for '-o' / '--output': x.gif: image file name must "
     "end in .png, .pgm, .npy, .tif, .tiff, not in '.gif'; a folder must exist or end in /"),
    ("decode a.lgc -o x.png --level -1", "Invalid value for '--level': -1 is not in the range "
     "x>=0."),
    ("eval a.png --split all", "Invalid value for '--split': 'all' is not one of 'train', 'val', "
     "'test'."),
    ("eval a.png --limit 0", "Invalid value for '--limit': 0 is not in the range x>=1."),
    ("train --data a.png", "Missing option '-o' / '--out'."),
    ("train --data a.png --out x --profile best",
     "Invalid value for --profile: profile must be one of raster-table, gic-dlc, gic-dlc+, "
     "raster-laplace, predictive, not 'best'"),
    ("train --data a.png --out x --profile gic-dlc --trainer tree",
     "Invalid value for --trainer: trainer of profile gic-dlc must be dlc, not tree"),
    ("train --data a.png --out x --profile gic-dlc --classes 8",
     "--classes must stand without trainer dlc, which has none"),
    ("train --data a.png --out x --profile gic-dlc --preset fast",
     "preset must be one of paper, cpu, cpu-quick, not 'fast'"),
    ("train --data a.png --out x --profile raster-laplace --levels 2",
     "levels of profile raster-laplace must be 0, not 2"),
    ("train --data a.png --out x --profile gic-dlc --steps 0",
     "steps must be at least 1, not 0"),
    ("train --data a.png --out x --profile raster-table --trainer dlc --mapping paper",
     "mapping must be counted with a table head, whose classes are counted"),
    ("train --data a.png --out x --mapping paper",
     "--mapping must stand without trainer tree, which has none"),
    ("train --data a.png --out x --classes 1", "classes must be 2 to 4096, not 1"),
    ("train --data a.png --out x --orientations 3", "orientations must be 1, 2, 4 or 8, not 3"),
    ("train --data a.png --out x --profile gic-dlc --orientations 3",
     "orientations must be 1, 2, 4 or 8, not 3"),
    ("train --data a.png --out x --profile predictive --orientations 8",
     "--orientations must stand without trainer boost, which has none"),
    ("train --data a.png --out x --no-augment",
     "--augment must stand without trainer tree, which has none"),
    ("fly", "No such command 'fly'."),
])  # fmt: skip
def test_bad_usage(images, arguments, message):
    assert usage(*arguments.split()) == message


def test_eval(images):
    out = ok("eval", "all.npy", "a.png", *MODEL, "--json", "--limit", "2", "--tile", "8x8")
    results = json.loads(out)
    assert list(results) == ["all.npy", "a.png"]
    assert results["all.npy"]["images"] == 2 and results["all.npy"]["tile"] == [8, 8]
    assert set(results["a.png"]["baselines"]) >= {"PNG", "WebP", "JPEG XL e9", "JPEG-LS"}
    shown = ok("eval", "all.npy", *MODEL)
    assert "JPEG XL" in shown and "3 images" in shown
    shown = ok("eval", "all.npy", "--no-baselines", *MODEL)
    assert "JPEG" not in shown and "lutgen, ideal" in shown
    shown = ok("eval", "all.npy", *MODEL, "--near", "1", "--near", "3", "--no-baselines")
    assert "every sample within 1" in shown and "every sample within 3" in shown


def test_eval_takes_parts_of_archives(images):
    np.savez("set.npz", train=images, val=images[:2], other=images[:1])
    for arguments, count in (([], 2), (["--split", "train"], 3)):
        out = ok("eval", "set.npz", "--no-baselines", "--json", *MODEL, *arguments)
        assert json.loads(out)["set.npz"]["images"] == count
    out = ok("eval", "set.npz:other", "--no-baselines", "--json", *MODEL)
    assert json.loads(out)["set.npz:other"]["images"] == 1
    assert error("eval", "set.npz", "--split", "test", *MODEL).startswith(
        "set.npz must have the array 'test'"
    )


def test_a_failed_check_is_exit_status_1(images, monkeypatch):
    decode = Codec.decode
    monkeypatch.setattr(Codec, "decode", lambda *a, **k: decode(*a, **k) ^ 1)
    status, out, err = run("eval", "a.png", "--no-baselines", "--json", *MODEL)
    assert status == 1 and json.loads(out)["a.png"]["verified"] is False
    assert err == "error: a.png: decoded images must equal the originals, but differ\n"


def test_train(images):
    out = said("train", "--data", "all.npy", "--data", "a.png", "--classes", "4", "--leaves", "16",
             "--top-leaves", "4", "--stages", "1", "--seed", "3", "--licence", "none",
             "--out", "new.lutgen")  # fmt: skip
    # a.png is the first picture of all.npy: no copy is on the other side.
    assert out.startswith("new.lutgen: ") and "on 2 of 4 images, held out" in out
    assert not Path("new.lutgen.ckpt").exists()
    ok("encode", "all.npy", "-o", "n.lgc", "--model", "new.lutgen")
    ok("decode", "n.lgc", "-o", "n.npy", "--model", "new.lutgen")
    np.testing.assert_array_equal(np.load("n.npy"), images)


def test_training_that_is_not_written_is_not_lost(images, monkeypatch):
    """The state stays until the model is in safety, and says that it is done."""
    arguments = ("train", "--data", "all.npy", "--classes", "4", "--leaves", "16", "--top-leaves",
                 "4", "--stages", "1", "-o", "new.lutgen")  # fmt: skip

    def full(self, path):
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr("lutgen.model.model.Model.save", full)
        assert error(*arguments) == "new.lutgen: No space left on device"
    assert Path("new.lutgen.ckpt").exists()
    other = error(*arguments, "--seed", "1")
    assert other.startswith("new.lutgen.ckpt must be of this run, but differs in config: remove it")
    ok(*arguments)
    assert Path("new.lutgen").exists() and not Path("new.lutgen.ckpt").exists()


def test_train_on_a_single_picture(images):
    out = said("train", "--data", "a.png", "--classes", "4", "--leaves", "16", "--top-leaves", "4",
             "--stages", "1", "-o", "new.lutgen")  # fmt: skip
    assert "on rows 9 to 9 of the only image, held out" in out


@pytest.mark.slow
def test_train_predictive(images):
    """8 and 16 bits; a model is trained further; what its structure says cannot be changed."""
    np.save("deep.npy", images.astype(np.uint16) * 300)
    some = ("train", "--profile", "predictive", "--data", "all.npy", "--samples", "10000")
    out = said(*some, "--data", "deep.npy", "--predictors", "2", "--corrections", "1", "--scales",
               "1", "--classes", "4", "-o", "new.lutgen")  # fmt: skip
    assert out.startswith("new.lutgen: ") and "images, held out" in out
    assert not Path("new.lutgen.ckpt").exists()
    out = said(*some, "--from", "new.lutgen", "--prior", "10", "-o", "own.lutgen")
    assert out.startswith("own.lutgen: ") and ", held out, where it was " in out
    assert "--classes must stand without --from" in usage(
        *some, "--from", "new.lutgen", "--classes", "8", "-o", "x.lutgen"
    )
    assert "--network must stand without --from" in usage(
        *some, "--from", "new.lutgen", "--network", "gradient", "-o", "x.lutgen"
    )
    assert "--from must stand without trainer tree" in usage(
        "train", "--data", "a.png", "--from", "new.lutgen", "-o", "x.lutgen"
    )
    assert "output must not be the input new.lutgen" in usage(
        *some, "--from", "new.lutgen", "-o", "new.lutgen"
    )
    assert error(*some, "--from", "digits", "-o", "x.lutgen") == (
        "digits: model must be of profile predictive, not raster-table"
    )


@pytest.mark.slow
def test_train_lut_networks(images):
    """Trains, leaves log and no checkpoint, and codes; a foreign checkpoint is left alone."""
    arguments = ("train", "--profile", "gic-dlc+", "--data", "glyphs:12", "--steps", "8",
                 "--luts", "16", "--levels", "1", "--orientations", "2",
                 "-o", "x.lutgen")  # fmt: skip
    shown = said(*arguments)
    assert shown.startswith("x.lutgen: ") and "bpp on 1 of 12 images, held out: as trained" in shown
    assert json.loads(Path("x.lutgen.jsonl").read_text().splitlines()[-1])["phase"] == "arm"
    assert not Path("x.lutgen.ckpt").exists()
    assert Model.load("x.lutgen").training["config"]["orientations"] == 2
    ok("encode", "a.png", "-o", "a.lgc", "--model", "x.lutgen")
    ok("decode", "a.lgc", "-o", "back.png", "--model", "x.lutgen")
    assert np.array_equal(read_image("back.png"), read_image("a.png"))
    Path("x.lutgen.ckpt").write_bytes(b"other")
    assert error(*arguments).startswith("x.lutgen.ckpt must be a checkpoint of a training run: ")
    assert Path("x.lutgen.ckpt").read_bytes() == b"other"


def test_targets():
    shown = ok("targets")
    assert "zynq7045" in shown and "xc7z045ffg900-2" in shown
    found = json.loads(ok("targets", "--json"))
    assert found[0]["name"] == "zynq7045" and found[0]["luts"] == 218600


def test_help_and_version():
    assert ok("--version") == f"lutgen, version {lutgen.__version__}\n"
    for name, command in main.commands.items():
        assert name in ok("--help")
        assert ok(name, "--help").startswith(f"Usage: main {name} ")
        assert command.help


def _options(command, path=()):
    """Options of all commands, that take a value and need not be given."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _options(below, (*path, name))
        return
    for option in command.params:
        if isinstance(option, click.Option) and not (option.is_flag or option.required):
            yield path, option


OPTIONS = list(_options(main))


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=lambda v: "-".join(getattr(v, "opts", v)))
def test_every_option_shows_its_default(path, option):
    assert option.show_default
    given = option.show_default if isinstance(option.show_default, str) else option.default
    text = " ".join(CliRunner().invoke(main, [*path, "--help"], terminal_width=200).output.split())
    at = text.index(f"{option.opts[-1]} ")
    assert f"[default: ({given})" in text[at:] or f"[default: {given}" in text[at:]
    assert option.help is None or "by default" not in option.help


def failing(monkeypatch, error):
    def encode(*_, **__):
        raise error

    monkeypatch.setattr(Codec, "encode", encode)


BUGS = [ValueError("not\nenough values"), KeyError("tile"), AssertionError(), RuntimeError("dead")]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: type(bug).__name__)
def test_a_bug_asks_for_a_report(images, monkeypatch, bug):
    """Nobody takes it for an error in what was given."""
    failing(monkeypatch, bug)
    line = error("encode", "a.png", "-o", "a.lgc", *MODEL, status=70)
    text = " ".join(f"{type(bug).__name__}: {bug}".split())
    assert line.startswith("internal error in test_cli.py, line ")
    assert f": {text}; this is a bug of lutgen: please report it" in line and "--debug" in line


@pytest.mark.parametrize("kind", [LutgenError, InputError, ToolError])
def test_an_error_for_users_is_one_line(images, monkeypatch, kind):
    failing(monkeypatch, kind("image must be\nso, not otherwise"))
    line = error("encode", "a.png", "-o", "a.lgc", *MODEL)
    assert line == "image must be so, not otherwise"


@pytest.mark.parametrize("stop", [*BUGS, InputError("x must be y"), OSError(28, "No space")])
def test_debug_shows_where_an_error_comes_from(images, monkeypatch, stop):
    command = ("encode", "a.png", "-o", "a.lgc", *MODEL)
    failing(monkeypatch, stop)
    plain = run(*command)
    status, out, err = run("--debug", *command)
    assert status == plain[0] and not out
    traceback, line = err.rstrip("\n").rsplit("\n", 1)
    assert line == plain[2].rstrip("\n")
    assert traceback.startswith("Traceback (most recent call last):") and "in encode" in traceback
    assert type(stop).__name__ in traceback.splitlines()[-1 - str(stop).count("\n")]
    assert "Traceback" not in plain[2]


def test_debug_shows_what_is_behind_bad_usage(images):
    command = ("build", "--stream-bytes", "3", "--out", "b", *MODEL)
    assert usage("--debug", *command, traceback=True) == usage(*command)
