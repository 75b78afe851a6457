"""Measurements of the same model under other conditions are told apart."""

from lutgen.report.conditions import conditions
from lutgen.report.sheets import sheet_of
from tests.report.records import FILES, RESULTS, build, load


def of_build(found: dict, **parameters) -> list[str]:
    record = build()
    record["parameters"] |= parameters
    return conditions(sheet_of(record), found)


def test_the_same_conditions():
    for path in FILES.values():
        data = load(path)
        assert of_build(data.get("emnist_digits", data)) == []


def test_each_difference():
    run, rate = load(FILES["throughput"]), load(FILES["eval"])["emnist_digits"]
    assert of_build(run, lanes=40) == ["lanes: measured with 32, built with 40"]
    assert of_build(run, encoder_lanes=9) == ["encoder lanes: measured with 8, built with 9"]
    assert of_build(run, tile_width=16) == []  # the program does not say
    assert of_build(rate, tile_width=16) == ["tile: measured with 32 × 32, built with 16 × 32"]
    assert of_build(run | {"target": "zynq7020"}) == [
        "target: measured with zynq7020, built with zynq7045"
    ]
    assert of_build(run, lanes=None) == []  # an encoder alone


def test_coders():
    rate = load(FILES["eval"])["emnist_digits"]
    tans = rate | {"coder": {"name": "tans", "state_bits": 10}}
    built = {"coder": "tans", "tans_bits": 10}
    assert of_build(rate | {"coder": {"name": "rans", "state_bits": 16}}) == []
    assert of_build(tans, **built) == []
    assert of_build(rate, **built) == ["coder: measured with rANS, built with tANS of 10 bits"]
    assert of_build(tans) == ["coder: measured with tANS of 10 bits, built with rANS"]
    assert of_build(tans, coder="tans", tans_bits=9) == [
        "coder: measured with tANS of 10 bits, built with tANS of 9 bits"
    ]


def test_coders_of_real_measurements():
    sheet = sheet_of(build("build-tans.json"))
    assert conditions(sheet, load(RESULTS / "throughput-tans.json")) == []
    assert conditions(sheet, load(FILES["throughput"]))[-1].startswith("coder: measured with rANS")


def test_commands_name_what_is_not_the_default():
    record = build()
    record["parameters"] |= {"tile_width": 16, "coder": "tans", "tans_bits": 10}
    assert sheet_of(record).command("eval") == (
        "lutgen eval IMAGES --model rtl_out/none/model.lutgen --tile 16x32 --coder tans "
        "--tans-bits 10 --json > eval.json"
    )
    assert sheet_of(record).command("throughput") == (
        "python -m bench.throughput --images IMAGES --model rtl_out/none/model.lutgen --target "
        "zynq7045 --coder tans --tans-bits 10 --out throughput.json"
    )
