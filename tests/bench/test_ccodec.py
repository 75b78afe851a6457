"""The speed of the codec in C, on two small drawn images."""

import json
import shutil

import pytest
from click.testing import CliRunner

from bench import ccodec
from bench.tables import ccodec as table


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_all_codecs_are_measured_alike(tmp_path, monkeypatch):
    out = tmp_path / "c-codec.json"
    done = CliRunner().invoke(
        ccodec.main,
        ["glyphs=glyphs:8", "--small", "small=glyphs:8", "--most", "2", "--rounds", "1",
         "--no-reference", "--out", str(out)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    for found, model in zip(json.loads(out.read_text()).values(), ("photo", "digits"), strict=True):
        assert (found["images"], found["model"]) == (2, model)
        variants = {"C", "C, SSE4.1", "C, portable"} if model == "photo" else {"C"}
        others = {
            "JPEG-LS (CharLS)", "JPEG XL e1", "JPEG XL e3", "JPEG XL e7", "PNG", "WebP", "QOI",
        }  # fmt: skip
        assert set(found["codecs"]) == variants | others
        bpp = {found["codecs"][name]["bpp"] for name in variants}
        assert len(bpp) == 1 and min(bpp) > 0
    monkeypatch.setattr(table, "load", lambda name: json.loads(out.read_text()))
    assert "| C, portable | " in table.ccodec()
