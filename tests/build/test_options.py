import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace

import click
import pytest

from lutgen.build.options import (
    ENGINE,
    BuildOptions,
    EngineOptions,
    PredictiveOptions,
    options_of,
)
from lutgen.cli import main
from lutgen.cli.common import design_of
from lutgen.model.shipped import shipped
from lutgen.targets import get_target
from tests.models import laplace_model, table_model

#: Keys of build.json in their order, which other programs read.
KEYS = [
    "top", "name", "tile_width", "tile_height", "max_width", "max_height", "lanes",
    "encoder_lanes", "stream_bytes", "registers", "cores", "primitive", "coder", "tans_bits",
    "fabric", "levels_per_stage",
]  # fmt: skip
OPTIONS = [
    BuildOptions(),
    BuildOptions(top="decoder", lanes=64, tile=(8, 64), max_width=70, max_height=90, name="mine"),
    BuildOptions(top="encoder", encoder_lanes=9, stream_bytes=1, registers=True),
    BuildOptions(coder="tans", tans_bits=10, cores=8, fabric="lut4", levels_per_stage=2),
]


@pytest.mark.parametrize("options", OPTIONS)
def test_record_is_read_back(options):
    named = replace(options, name=options.name or "lutgen")
    assert list(named.record()) == KEYS
    read = options_of({"parameters": json.loads(json.dumps(named.record()))})
    assert read == named
    with pytest.raises(FrozenInstanceError):
        read.cores = 2


def test_record_of_the_engine_is_read_back():
    options = EngineOptions(stream_bytes=8).settle("ab" * 32, get_target("ecp5-45k"))
    record = json.loads(json.dumps(options.record()))
    assert record == {
        "top": ENGINE, "name": "lutgen_abababab", "stream_bytes": 8, "fabric": "lut4",
    }  # fmt: skip
    assert options_of({"parameters": record}) == options


def test_settled_options_make_the_same_cores():
    target = get_target("ecp5-45k")
    wanted = BuildOptions(tile=(8, 16), coder="tans")
    options = wanted.settle(table_model(), target)
    assert options.name == f"lutgen_{table_model().hash[:8]}"
    assert (options.fabric, options.primitive) == (target.fabric, target.lut_primitive)
    assert (options.tans_bits, options.levels_per_stage) == (9, 3)
    config = options.core_config(table_model())
    assert (config.decoder_lanes, config.lanes_of_encoder) == (
        options.lanes, options.encoder_lanes
    )  # fmt: skip
    assert options.settle(table_model(), target) == options
    assert replace(wanted, top="encoder").settle(table_model(), target).lanes is None
    with pytest.raises(ValueError, match="^coder tans must have a model with a table head"):
        wanted.settle(laplace_model(), target)


def test_records_of_the_first_versions():
    old = {
        name: value for name, value in BuildOptions().record().items()
        if name not in ("name", "coder", "tans_bits", "fabric", "cores", "registers")
    }  # fmt: skip
    assert options_of({"parameters": old}) == BuildOptions(name="lutgen")
    # And of later ones.
    assert options_of({"parameters": old | {"depth": 12}}) == BuildOptions(name="lutgen")


@pytest.mark.parametrize(("parameters", "message"), [
    (None, r"^parameters must be an object, not None$"),
    ({"top": "both"}, r"^top must be one of encoder, decoder, codec, not 'both'$"),
    ({"tile_width": None}, r"^parameter tile_width must be of type int, not None$"),
    ({"stream_bytes": "4"}, r"^parameter stream_bytes must be of type int, not '4'$"),
    ({"cores": 3}, r"^cores must be 1, 2, 4 or 8, not 3$"),
    ({"name": "7"}, r"^name must be 1 to 64 letters"),
])  # fmt: skip
def test_refused_records(parameters, message):
    if parameters is not None:
        parameters = BuildOptions().record() | {"name": "lutgen"} | parameters
    with pytest.raises(ValueError, match=message):
        options_of({"parameters": parameters})


@pytest.mark.parametrize("command", ["build", "route", "sim"])
def test_defaults_of_the_command_line(command):
    """An option that nobody gives is what `BuildOptions` says."""
    options, made = BuildOptions(), main.get_command(click.Context(main), command)
    given = made.make_context(command, ["--target", "generic"]).params
    found = {name: value for name, value in given.items() if hasattr(options, name)}
    assert len(found) >= 6
    shared = {"max_width", "max_height"} & {name for name, value in found.items() if value is None}
    for parameter in made.params:
        if parameter.name in shared:  # the profile decides
            mine, other = (getattr(kind, parameter.name) for kind in (options, PredictiveOptions))
            assert parameter.show_default == f"{mine}, of profile predictive {other}"
    alone = found.keys() - shared
    assert {n: found[n] for n in alone} == {n: getattr(options, n) for n in alone}


def of_command_line(*words: str, model: str = "photo"):
    """Options that `lutgen build` takes from words of the command line."""
    made = main.get_command(click.Context(main), "build")
    context = made.make_context("build", ["--target", "generic", *words])
    parameters = {
        name: value for name, value in context.params.items()
        if name not in ("target", "model", "out", "no_estimate", "as_json")
    }  # fmt: skip
    return design_of(context, model, parameters)


def test_options_of_the_profile():
    assert of_command_line() == PredictiveOptions()
    assert of_command_line(
        "--depth", "12", "--strip-height", "64", "--max-width", "640", "--near", "5"
    ) == (
        PredictiveOptions(depth=12, strip_height=64, max_width=640, near=5)
    )
    assert of_command_line("--cores", "2") == PredictiveOptions(cores=2)
    assert of_command_line("--tile", "8x8", model="digits") == BuildOptions(tile=(8, 8))
    for model, word in (("photo", "--tile=8x8"), ("digits", "--depth=8")):
        with pytest.raises(click.UsageError) as error:
            of_command_line(word, model=model)
        profile = "predictive" if model == "photo" else "raster-table"
        name = word.split("=")[0]
        assert f"{name} must be left out for a model of profile {profile}" in str(error.value)


def test_record_of_the_predictive_profile_is_read_back():
    model = shipped("photo")
    options = PredictiveOptions(depth=12, top="encoder").settle(model, get_target("ecp5-45k"))
    record = json.loads(json.dumps(options.record()))
    assert record == {
        "top": "encoder", "name": f"lutgen_{model.hash[:8]}", "depth": 12, "max_width": 1920,
        "max_height": 1080, "strip_height": None, "near": 0, "lanes": None, "encoder_lanes": 8,
        "stream_bytes": 4, "registers": False, "cores": 1, "fabric": "lut4",
    }  # fmt: skip
    assert options_of({"parameters": record, "model": {"profile": "predictive"}}) == options
    config = options.core_config(model)
    assert (config.depth, config.fabric, config.encoder_lanes) == (12, "lut4", 8)


@pytest.mark.parametrize(("options", "message"), [
    ({"top": "both"}, "^top must be one of encoder, decoder, codec"),
    ({"stream_bytes": 3}, "^stream width must be 1, 2, 4 or 8 bytes, not 3"),
    ({"top": "encoder", "lanes": 16}, "^lanes must be left out of a build without decoder"),
    ({"name": "7"}, "^name must be 1 to 64 letters"),
])  # fmt: skip
def test_refused_options_of_the_predictive_profile(options, message):
    with pytest.raises(ValueError, match=message):
        PredictiveOptions(**options)


def test_help_is_quick():
    """The defaults of the command line come without what they are the defaults of."""
    code = "import sys, lutgen.cli; print(*{'amaranth', 'numba', 'numpy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
