"""The speed of the codec in C, on two small drawn images."""

import json
import shutil

import pytest
from click.testing import CliRunner

from bench import ccodec
from bench.tables import ccodec as table


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_all_codecs_are_measured_alike(tmp_path, monkeypatch):
    out = tmp_path / "c-codec.json"
    done = CliRunner().invoke(
        ccodec.main,
        ["glyphs=glyphs:8", "--most", "2", "--rounds", "1", "--no-reference", "--out", str(out)],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    (found,) = json.loads(out.read_text()).values()
    assert (found["images"], found["model"]) == (2, "photo")
    assert set(found["codecs"]) == {
        "C", "C, portable", "JPEG-LS (CharLS)", "JPEG XL e1", "JPEG XL e3", "JPEG XL e7",
    }  # fmt: skip
    assert found["codecs"]["C"]["bpp"] == found["codecs"]["C, portable"]["bpp"] > 0
    monkeypatch.setattr(table, "load", lambda name: json.loads(out.read_text()))
    assert "| C, portable | " in table.ccodec()
