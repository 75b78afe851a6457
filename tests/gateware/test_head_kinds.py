"""A further kind of head is a class and its blocks: an entry in each registry, and nothing else."""

from dataclasses import dataclass

import numpy as np
import pytest

import lutgen.gateware.heads.kinds
import lutgen.model.head
from lutgen.codec.codec import Codec
from lutgen.gateware.core.config import CoreConfig
from lutgen.gateware.core.top import DecoderTop, EncoderTop
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.heads.head import HeadDecoder
from lutgen.gateware.heads.kinds import KINDS, blocks_of
from lutgen.model.head import HEADS, TableHead
from lutgen.model.model import Model, ModelError
from lutgen.sim.check.expected_tables import TABLES_OF_HEADS
from tests.models import laplace_model, table_model

SMALL = {"tile_width": 8, "tile_height": 8, "max_width": 24, "max_height": 24}


@dataclass(frozen=True, eq=False)
class Residual(TableHead):
    """A table head by another name."""

    kind = "residual"


class ResidualDecoder(KINDS["table"].decoder):
    """It knows its symbol a clock later."""

    latency = KINDS["table"].decoder.latency + 1


def test_every_kind_has_its_gateware_and_its_tables():
    assert HEADS.keys() == KINDS.keys() == TABLES_OF_HEADS.keys()
    for head in (table_model().head, laplace_model().head):
        assert HEADS[head.kind] is type(head)
        blocks = blocks_of(head)
        assert blocks.decoder.interval_latency_of(head) >= blocks.decoder.latency_of(head) > 0
        assert blocks.encoder.latency_of(head) > 0 and blocks.exponents.latency > 0


def test_another_kind(monkeypatch, tmp_path):
    monkeypatch.setitem(lutgen.model.head.HEADS, "residual", Residual)
    plain = table_model(walker=False)
    model = Model(
        "residual", plain.window, plain.network, None, Residual(plain.head.cumulative), {}
    )
    model.save(tmp_path / "m.lutgen")
    read = Model.load(tmp_path / "m.lutgen")
    assert type(read.head) is Residual
    assert read.hash == model.hash != plain.hash
    image = np.random.default_rng(1).integers(256, size=(1, 9, 7), dtype=np.uint8)
    codec = Codec(read)
    np.testing.assert_array_equal(codec.decode(codec.encode(image).data)[0], image[0])
    blocks = KINDS["table"]
    monkeypatch.setitem(
        lutgen.gateware.heads.kinds.KINDS, "residual",
        type(blocks)(blocks.encoder, ResidualDecoder, blocks.exponents),
    )  # fmt: skip
    config, before = CoreConfig(read, **SMALL), CoreConfig(plain, **SMALL)
    assert config.decoder_symbol_at == before.decoder_symbol_at + 1
    for top in (EncoderTop, DecoderTop):
        assert "module lutgen" in to_verilog(top(config, stream_bytes=4), "lutgen")


def test_unknown_kind_is_refused(monkeypatch, tmp_path):
    monkeypatch.setitem(lutgen.model.head.HEADS, "residual", Residual)
    plain = table_model(walker=False)
    Model(
        "residual", plain.window, plain.network, None, Residual(plain.head.cumulative), {}
    ).save(tmp_path / "m.lutgen")
    monkeypatch.delitem(lutgen.model.head.HEADS, "residual")
    with pytest.raises(ModelError, match="head must be 'table' or 'laplace', not 'residual'$"):
        Model.load(tmp_path / "m.lutgen")


@pytest.mark.parametrize("kind", KINDS)
def test_override_is_a_port(kind):
    model = {"table": table_model, "laplace": laplace_model}[kind]()
    plain, other = (
        KINDS[kind].decoder(model.head, override=override) for override in (False, True)
    )
    more = set(other.signature.members) - set(plain.signature.members)
    assert more == {
        "replace_symbol", "other_symbol", "replace_interval", "other_start", "other_freq",
    }  # fmt: skip
    assert (len(plain.freq), len(other.freq)) == (14, 15)
    with pytest.raises(ValueError, match="^registers must be False for a head with an override"):
        KINDS[kind].decoder(model.head, registers=True, override=True)
    assert isinstance(plain, HeadDecoder)
