import os
import shutil
from pathlib import Path

import pytest

from lutgen.handoff.package_tcl import gui_tcl, package_tcl
from lutgen.handoff.synth_tcl import synth_tcl
from lutgen.targets import get_target
from tests.handoff.vivado import Vivado, tkinter
from tests.ip_version import IP_VERSION

MODULES = ["lutgen_encoder", "lutgen_decoder", "lutgen_codec"]
REPORTS = ["utilization.rpt", "utilization_hierarchical.rpt", "timing.rpt", "power.rpt"]


def run(script: Path, *arguments: str) -> Vivado:
    vivado = Vivado()
    vivado.source(script, *arguments)
    return vivado


def change(script: Path, old: str, new: str) -> None:
    text = script.read_text()
    assert text.count(old) == 1
    script.write_text(text.replace(old, new))


def test_headings_say_that_nothing_ran(folder, record):
    for name in ("synth_ooc.tcl", "package_ip.tcl", "xgui.tcl"):
        text = (folder / name).read_text()
        assert "# NOT RUN IN VIVADO BY ITS MAKERS." in text
        assert record["model"]["hash"] in text
        assert record["generator"]["version"] in text


def test_modules_are_implemented_with_reports(folder):
    before = os.getcwd()
    vivado = run(folder / "synth_ooc.tcl")
    assert os.getcwd() == before and not os.listdir(before)
    assert [module.top for module in vivado.modules] == MODULES
    for module in vivado.modules:
        reports = folder / "reports" / module.top
        assert {path.name for path in reports.iterdir()} == {*REPORTS, "routed.dcp"}
        assert [Path(report).name for report in module.reports] == REPORTS
        assert module.part == "xc7z045ffg900-2"
        assert module.clocks == {"clk": 4.0}
        assert module.properties == {("clk", "HD.CLK_SRC"): "BUFGCTRL_X0Y0"}
        assert module.saif is None
    assert len(vivado.printed) == 3 and "default activity" in vivado.printed[0]


def test_constraints_cover_every_port_but_the_clock(folder, record):
    for module in run(folder / "synth_ooc.tcl").modules:
        if module.top == "lutgen_codec":
            ports = [
                (f"{name}_{port['name']}", port["direction"])
                for name, core in record["cores"].items()
                for port in core["ports"]
                if port["name"] not in ("clk", "rst")
            ] + [("rst", "input")]
        else:
            core = record["cores"][module.top.removeprefix("lutgen_")]
            ports = [(p["name"], p["direction"]) for p in core["ports"] if p["name"] != "clk"]
        assert module.false_from == {name for name, direction in ports if direction == "input"}
        assert module.false_to == {name for name, direction in ports if direction == "output"}


def test_other_target_and_ports(built_decoder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = shutil.copytree(built_decoder, tmp_path / "build")
    (module,) = run(folder / "synth_ooc.tcl").modules
    assert (module.top, module.part) == ("lutgen_decoder", "xc7z020clg400-1")
    assert module.clocks == {"clk": 6.667}
    assert {"level", "s_axis_stream_tkeep"} <= module.false_from
    (core,) = run(folder / "package_ip.tcl").cores
    assert list(core.buses) == ["s_axis_stream", "m_axis_video", "rst", "clk"]
    assert core.buses["s_axis_stream"]["parameters"]["TDATA_NUM_BYTES"] == "1"


def test_activity_of_a_simulation(folder, tmp_path):
    Path("run.saif").write_text("(SAIFILE)")
    arguments = ("--module", "lutgen_encoder", "--saif", "run.saif")
    (module,) = run(folder / "synth_ooc.tcl", *arguments).modules
    assert module.saif == (str(tmp_path / "elsewhere" / "run.saif"), None)
    vivado = run(folder / "synth_ooc.tcl", *arguments, "--strip-path", "tb/dut")
    assert vivado.modules[0].saif[1] == "tb/dut"
    assert not vivado.printed
    names = [call[0] for call in vivado.calls]
    assert names.index("read_saif") < names.index("report_power")
    assert (folder / "reports/lutgen_encoder/saif_unmatched.rpt").exists()


def test_activity_beside_the_build(folder):
    """What `lutgen sim --saif` leaves is read without being named, if the Verilog is not newer."""
    (folder / "saif").mkdir()
    for module in MODULES[:2]:
        (folder / "saif" / f"{module}.saif").write_text("(SAIFILE)")
    stale = folder / "saif" / "lutgen_decoder.saif"
    written = (folder / "lutgen_decoder.v").stat().st_mtime
    os.utime(stale, (written - 10, written - 10))
    vivado = run(folder / "synth_ooc.tcl")
    assert [module.saif for module in vivado.modules] == [
        ("saif/lutgen_encoder.saif", "lutgen_bench/dut"), None, None,
    ]  # fmt: skip
    assert vivado.printed[0] == (
        "lutgen_decoder: saif/lutgen_decoder.saif is older than lutgen_decoder.v and is not read; "
        "simulate again"
    )
    # A named one goes first, with its own instance.
    Path("run.saif").write_text("(SAIFILE)")
    named = run(folder / "synth_ooc.tcl", "--module", "lutgen_encoder", "--saif", "run.saif")
    assert named.modules[0].saif == (str(Path("run.saif").absolute()), None)


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("synth_ooc.tcl", ["--part", "x"],
         r"^option must be one of --module --saif --strip-path, not --part$"),
        ("synth_ooc.tcl", ["--module"], r"^each option must have a value: --module$"),
        ("synth_ooc.tcl", ["--module", "codec"],
         r"^module must be one of lutgen_encoder lutgen_decoder lutgen_codec, not codec$"),
        ("synth_ooc.tcl", ["--saif", "x"], r"^--saif must come with --module: a simulation is"),
        ("synth_ooc.tcl", ["--module", "lutgen_codec", "--saif", "x"],
         r"^SAIF file must exist, not x$"),
        ("package_ip.tcl", ["--part", "x"],
         r"^option must be one of --library --name --out --vendor --version, not --part$"),
        ("package_ip.tcl", ["--out"], r"^each option must have a value: --out$"),
        ("package_ip.tcl", ["--out", "../a folder"], r"^--out must be another folder than this"),
    ],
)  # fmt: skip
def test_refused_arguments(folder, script, arguments, message):
    vivado = Vivado()
    with pytest.raises(tkinter.TclError, match=message):
        vivado.source(folder / script, *arguments)
    assert not vivado.calls


def test_ip(folder):
    vivado = run(folder / "package_ip.tcl")
    (core,) = vivado.cores
    root = folder / "ip"
    assert [path.name for path in root.iterdir()] == ["component.xml"]
    assert not (folder / "ip_project").exists()
    assert core.properties.pop("description").startswith("Lossless image codec of lutgen")
    assert core.properties.pop("display_name").startswith("lutgen_codec raster-table ")
    assert core.properties.pop("supported_families").split()[:2] == ["zynq", "Beta"]
    assert core.properties == {
        "vendor": "lutgen", "library": "codec", "name": "lutgen_codec", "version": IP_VERSION,
        "root": str(root),
    }  # fmt: skip
    assert core.files == [
        "lutgen_encoder.v", "lutgen_decoder.v", "lutgen_codec.v",
        *sorted(path.name for path in folder.glob("*.mem")),
    ]  # fmt: skip
    assert core.buses["clk"] == {
        "abstraction_type_vlnv": "xilinx.com:signal:clock_rtl:1.0",
        "bus_type_vlnv": "xilinx.com:signal:clock:1.0",
        "interface_mode": "slave",
        "ports": {"CLK": "clk"},
        "parameters": {
            "ASSOCIATED_BUSIF": "encoder_s_axis_video:encoder_m_axis_stream:"
                                "decoder_s_axis_stream:decoder_m_axis_video",
            "ASSOCIATED_RESET": "rst",
        },
    }  # fmt: skip
    assert core.buses["rst"]["parameters"] == {"POLARITY": "ACTIVE_HIGH"}
    assert set(core.buses["encoder_s_axis_video"]["ports"]) == {
        "TDATA", "TUSER", "TLAST", "TVALID", "TREADY",
    }  # fmt: skip
    assert set(core.buses["encoder_m_axis_stream"]["ports"]) == {
        "TDATA", "TKEEP", "TLAST", "TVALID", "TREADY",
    }  # fmt: skip


def test_ip_under_another_name(folder, tmp_path):
    arguments = ["--vendor", "example.com", "--library", "video", "--name", "codec",
                 "--version", "2.3", "--out", "mine"]  # fmt: skip
    for _ in range(2):  # the second in place of the first
        (core,) = run(folder / "package_ip.tcl", *arguments).cores
    keys = ("vendor", "library", "name", "version", "root")
    assert [core.properties[key] for key in keys] == [
        "example.com", "video", "codec", "2.3", str(tmp_path / "elsewhere" / "mine"),
    ]  # fmt: skip


def test_driver_binds_to_the_name_that_the_ip_is_packaged_under(built_registers, tmp_path):
    """PYNQ binds by vendor, library, name and version; the driver beside the build is left."""
    folder = tmp_path / "registers"
    shutil.copytree(built_registers, folder)
    before = (folder / "lutgen_driver.py").read_text()
    built, named = f"lutgen:codec:lutgen_codec:{IP_VERSION}", "example.com:codec:mine:2.3"
    for vlnv, arguments in (
        (built, []), (named, ["--vendor", "example.com", "--name", "mine", "--version", "2.3"]),
    ):  # fmt: skip
        vivado = run(folder / "package_ip.tcl", *arguments)
        written = (folder / "ip" / "lutgen_driver.py").read_text()
        assert written == before.replace(f'"vlnv": "{built}"', f'"vlnv": "{vlnv}"')
        assert (folder / "lutgen_driver.py").read_text() == before
        told = [line for line in vivado.printed if "packaged as" in line]
        assert told == [f"packaged as {named}, not as {built}"][: vlnv == named]
    said = (folder / "package_ip.tcl").read_text().partition("\nset part")[0]
    assert "bindto in lutgen_driver.py" in said and 'change "vlnv" in yours' in said


def test_primitives_are_not_for_vivado(folder):
    assert (folder / "files.f").read_text().startswith("primitives.v\n")
    calls = run(folder / "package_ip.tcl").calls + run(folder / "synth_ooc.tcl").calls
    assert not any("primitives.v" in " ".join(call) for call in calls)
    assert "primitives" not in (folder / "component.xml").read_text()


def test_window_of_the_ip(folder):
    tcl = tkinter.Tcl()
    tcl.eval("namespace eval ipgui {proc add_param args {set ::called $args}}")
    tcl.call("source", str(folder / "xgui.tcl"))
    tcl.eval("init_gui instance")
    assert tcl.eval("set called") == "instance -name Component_Name"


@pytest.mark.parametrize(
    ("script", "old", "new", "message"),
    [
        ("synth_ooc.tcl", "  opt_design", "  opt_desing", 'invalid command name "opt_desing"'),
        ("synth_ooc.tcl", "-max_paths", "-max_path", "unknown option -max_path"),
        ("synth_ooc.tcl", "  read_mem $tables\n", "", "tables not found: lutgen_decoder_"),
        ("synth_ooc.tcl", "  read_xdc -mode out_of_context lutgen.xdc\n", "", "no clock"),
        ("synth_ooc.tcl", "  place_design\n", "", "must come after place_design"),
        ("synth_ooc.tcl", "  route_design\n", "", "design is not routed"),
        ("synth_ooc.tcl", "  file mkdir $reports\n", "", "No such file or directory"),
        ("synth_ooc.tcl", "  close_project\n", "", "a project is open"),
        ("synth_ooc.tcl", "${module}_ooc.xdc\n  synth_design -top $module -part $part -mode "
         "out_of_context\n", "${module}_ooc.xdc\n  synth_design -top $module -part $part\n",
         "must be out of context"),
        ("lutgen.xdc", "[get_ports clk]", "[get_ports clock]", "no ports matched clock"),
        ("lutgen.xdc", "create_clock", "foreach x y {}\ncreate_clock", "invalid command name"),
        ("lutgen_encoder_ooc.xdc", "images[*]", "images", "no ports matched images"),
        ("lutgen_encoder_ooc.xdc", "  rst\n", "  rst[*]\n", r"no ports matched rst\[\*\]"),
        ("files.f", "lutgen_codec.v", "codec.v", "file does not exist: codec.v"),
        ("package_ip.tcl", "-import_files", "-import_file", "unknown option -import_file"),
        ("package_ip.tcl", "ipx::update_checksums $core\n", "", "checksums and check must come"),
        ("package_ip.tcl", "  set_property interface_mode $mode $bus\n", "",
         "bus interface encoder_s_axis_video is not complete"),
        ("package_ip.tcl", "{RST rst}", "{RST reset}", "no such port: reset"),
        ("package_ip.tcl", "close_project -delete\n", "", "project was left open"),
    ],
)  # fmt: skip
def test_the_stubs_see_mistakes(folder, script, old, new, message):
    change(folder / script, old, new)
    with pytest.raises(tkinter.TclError, match=message):
        if script == "package_ip.tcl":
            run(folder / "package_ip.tcl")
        else:
            run(folder / "synth_ooc.tcl")


def test_constraints_after_synthesis_are_refused(folder):
    script = folder / "synth_ooc.tcl"
    line = "  read_xdc -mode out_of_context ${module}_ooc.xdc\n"
    change(script, line, "")
    change(script, "\n  opt_design\n", f"\n{line}  opt_design\n")
    with pytest.raises(tkinter.TclError, match="must be read before synthesis"):
        run(script)


def test_names_are_words_to_tcl(record):
    target = get_target("zynq7045")
    for bad in ("a b", "x]", "$x", "", "{"):
        with pytest.raises(ValueError, match=r"^name must consist of letters, digits, "):
            package_tcl(record, target, bad, record["cores"]["encoder"]["ports"], [])
    with pytest.raises(ValueError, match=r"'\[exit\]\.mem'$"):
        synth_tcl(record, target, MODULES, ["[exit].mem"])


def test_any_profile_is_text_to_tcl(record):
    profile = 'a "b" $c [exit] {d\\ \u00e9 \U0001f600'
    record["model"]["profile"] = profile
    text = package_tcl(
        record, get_target("zynq7045"), "lutgen_codec", record["cores"]["encoder"]["ports"], []
    )
    (line,) = [line for line in text.splitlines() if line.startswith("set_property display_name")]
    words = tkinter.Tcl().eval("proc set_property args {return [lindex $args 1]}\n"
                               + line.replace("$core", "core"))  # fmt: skip
    assert profile.replace("\U0001f600", "?") in words
    assert profile not in gui_tcl(record)
