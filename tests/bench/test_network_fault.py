"""A fault in a network is found by its proof, or changes nothing."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.mutate import find
from bench.network_fault import proof_of
from lutgen.gateware.fabric.plain_names import plain_names
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.network.network import Network
from tests.models import table_model

TOP = "top__core__network"


@pytest.fixture(scope="module")
def network():
    model = table_model()
    text = to_verilog(Network(model, levels_per_stage=2, primitive="LUT6"), "net")
    return SimpleNamespace(model=model, depth=8, near=0), plain_names(text, "net", TOP)


@pytest.mark.slow
def test_the_proof_tells(network, tmp_path):
    checked, text = network
    fault = next(f for f in find(text, tmp_path) if f.kind == "swapped arms")
    right, said = proof_of(checked, tmp_path, text, fault)
    assert not right and said.startswith("network, walker stage ") and " must be " in said
    none = replace(fault, new=f"({fault.old}) | ({fault.old})")
    right, said = proof_of(checked, tmp_path, text, none)
    assert right and said == "proven by `lutgen prove`: network still equals the model's tables"


def test_what_no_proof_is_of(network, tmp_path):
    checked, text = network
    fault = next(iter(find(text, tmp_path)))
    assert proof_of(checked, tmp_path, text, replace(fault, module="top__core__coder")) is None
    assert proof_of(checked, tmp_path, text, replace(fault, kind="missing reset")) is None
