"""Stand-in for Vivado's Tcl: the commands that our scripts use, as stubs that check their use.

Scripts run in a real Tcl interpreter, `tkinter.Tcl`, which needs no display.  A command that is no
stub, an option that a stub does not have, a file that does not exist or a step out of order is an
error there, as in Vivado.  Options are after AMD UG835, a choice of the more common ones; the
commands of the IP packager (``ipx::``) are not in it: theirs are as other projects' scripts use
them.
"""

import fnmatch
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lutgen.sim.tool.design import Design, Port
from tests.handoff.packager import PACKAGER, Core, Packager, Spec, VivadoError

tkinter = pytest.importorskip(
    "tkinter", reason="scripts run in the Tcl of Python's tkinter, Debian's package python3-tk"
)

_READMEM = re.compile(r'\$readmemh\("([^"]+)"')


_ANY = 10_000
_DESIGN = {
    "create_project": Spec("force in_memory ip", "part", (0, 2)),
    "close_project": Spec("delete"),
    "read_verilog": Spec("sv", "library", (1, 1)),
    "read_mem": Spec("", "", (1, _ANY)),
    "read_xdc": Spec("unmanaged no_add", "mode cells ref", (1, 1)),
    "synth_design": Spec(
        "rtl no_lc quiet", "name part constrset top include_dirs generic verilog_define "
        "flatten_hierarchy gated_clock_conversion directive mode fanout_limit"
    ),
    "opt_design": Spec("retarget propconst sweep bram_power_opt remap", "directive"),
    "place_design": Spec("no_timing_driven timing_summary unplace", "directive"),
    "phys_opt_design": Spec("fanout_opt placement_opt routing_opt retime", "directive"),
    "route_design": Spec("unroute re_entrant preserve tns_cleanup", "directive"),
    "write_checkpoint": Spec("force", "cell key", (1, 1)),
    "report_utilization": Spec(
        "append evaluate_pblock return_string slr packthru no_primitives omit_locs hierarchical "
        "hierarchical_percentages",
        "file pblocks cells name spreadsheet_file spreadsheet_table spreadsheet_depth "
        "hierarchical_depth",
    ),
    "report_timing_summary": Spec(
        "check_timing_verbose no_detailed_paths setup hold unique_pins input_pins "
        "report_unconstrained no_header append return_string warn_on_violation datasheet",
        "delay_type max_paths nworst path_type slack_lesser_than significant_digits file name "
        "cells rpx",
    ),
    "read_saif": Spec("no_strip", "strip_path out_file", (1, 1)),
    "report_power": Spec(
        "no_propagation append return_string advisory",
        "hier hierarchical_depth vid file name format xpe l rpx",
    ),
}
_CONSTRAINTS = {
    "create_clock": Spec("add", "period name waveform", (1, 1)),
    "get_ports": Spec("quiet regexp nocase", "filter of_objects", (1, 1)),
    "set_false_path": Spec("setup hold", "from to through"),
    "set_property": Spec("", "", (3, 3)),
}
#: What Vivado runs of Tcl in constraints, but for constraints themselves.
_PLAIN_TCL = {"set", "list", "expr"}
_STEPS = ["synth_design", "opt_design", "place_design", "phys_opt_design", "route_design"]


@dataclass
class Module:
    """A module that was implemented, and what it was constrained to."""

    top: str
    part: str
    clocks: dict[str, float] = field(default_factory=dict)  #: period in ns by port
    false_from: set[str] = field(default_factory=set)
    false_to: set[str] = field(default_factory=set)
    properties: dict[tuple[str, str], str] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    saif: tuple[str, str | None] | None = None  #: file and stripped path


class Vivado(Packager):
    """An interpreter with stubs, for one script.

    Members
    -------
    calls : every call of a stub, as command and arguments
    printed : what the script printed
    modules : what was implemented, in order
    cores : what was packaged
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.printed: list[str] = []
        self.modules: list[Module] = []
        self.cores: list[Core] = []
        self._tcl = tkinter.Tcl()
        self._project: dict | None = None
        self._tcl.eval("namespace eval ipx {}; rename puts _puts")
        self._define(self._tcl, "puts", self._puts)
        for name, spec in (_DESIGN | PACKAGER).items():
            self._define(self._tcl, name, self._stub(name, spec))

    def source(self, script: Path, *arguments: str) -> None:
        """Run a script with arguments, as ``vivado -mode batch -source`` does.

        Raises
        ------
        tkinter.TclError
            If it fails, or leaves a project open.
        """
        self._tcl.setvar("argv", arguments)
        self._tcl.setvar("argc", len(arguments))
        self._tcl.call("source", str(script))
        if self._project is not None:
            raise tkinter.TclError("project was left open")

    @staticmethod
    def _define(tcl, name: str, function) -> None:
        """Make a Python function a command whose exceptions become Tcl errors with their text."""

        def call(*arguments):
            try:
                return ("ok", function(*arguments))
            except Exception as error:
                return ("error", f"{name}: {error or type(error).__name__}")

        tcl.createcommand(f"_python_{name.replace('::', '_')}", call)
        tcl.eval(
            f"proc {name} args {{\n"
            f"  lassign [_python_{name.replace('::', '_')} {{*}}$args] state result\n"
            "  if {$state ne {ok}} { error $result }\n"
            "  return $result\n}"
        )

    def _stub(self, name: str, spec: Spec):
        action = getattr(self, "_" + name.replace("::", "_"), None)

        def stub(*arguments: str):
            self.calls.append((name, *arguments))
            options, words = _parse(spec, arguments)
            for option in ("file", "out_file"):
                if option in options:
                    self._write(options[option])
            if name in _STEPS[1:]:
                self._step(name)
            elif name.startswith("report_"):
                self._routed().reports.append(options["file"])
            elif action is None:
                raise VivadoError("no stub")
            return action(options, *words) if action else ""

        return stub

    def _list(self, text: str) -> list[str]:
        return [str(item) for item in self._tcl.splitlist(text)]

    def _puts(self, *words: str) -> str:
        if len(words) - ("-nonewline" in words) > 1:  # into a file
            return self._tcl.call("_puts", *words)
        self.printed.append(words[-1])
        return ""

    @staticmethod
    def _write(path: str) -> None:
        Path(path).write_text("stub\n")

    # Implementation without a project.

    def _open(self) -> dict:
        if self._project is None:
            raise VivadoError("no open project")
        return self._project

    def _routed(self) -> Module:
        if self._open().get("step") != _STEPS[-1]:
            raise VivadoError("design is not routed")
        return self.modules[-1]

    def _create_project(self, options, name="", folder=".") -> str:
        if self._project is not None:
            raise VivadoError("a project is open")
        if "in_memory" not in options:
            Path(folder).mkdir(parents=True, exist_ok="force" in options)
        self._project = {"part": options["part"], "folder": folder, "files": [], "xdc": []}
        return name

    def _close_project(self, options) -> str:
        self._open()
        self._project = None
        return ""

    def _add(self, files: str, *suffixes: str) -> str:
        for file in self._list(files):
            if not Path(file).is_file():
                raise VivadoError(f"file does not exist: {file}")
            if Path(file).suffix not in suffixes:
                raise VivadoError(f"file of another kind: {file}")
            self._open()["files"].append(file)
        return files

    def _read_verilog(self, options, files) -> str:
        return self._add(files, ".v")

    def _read_mem(self, options, *files) -> str:
        return " ".join(self._add(part, ".mem") for part in files)

    def _read_xdc(self, options, file) -> str:
        if "step" in self._open():
            raise VivadoError("constraints must be read before synthesis")
        if options.get("mode", "default") not in ("default", "out_of_context"):
            raise VivadoError(f"unknown mode {options['mode']}")
        self._project["xdc"].append(Path(file).read_text())
        return file

    def _check_tables(self, verilog: list[str]) -> None:
        """Every table that the Verilog reads is in the design, and where its name says."""
        needed = {name for file in verilog for name in _READMEM.findall(Path(file).read_text())}
        if missing := needed - set(self._open()["files"]):
            raise VivadoError(f"tables not found: {', '.join(sorted(missing))}")

    def _synth_design(self, options) -> str:
        project = self._open()
        if "step" in project:
            raise VivadoError("already synthesised")
        if options["part"] != project["part"] or options.get("mode") != "out_of_context":
            raise VivadoError("must be out of context and for the project's part")
        verilog = [file for file in project["files"] if file.endswith(".v")]
        self._check_tables(verilog)
        module = Module(options["top"], options["part"])
        ports = Design.of([Path(file) for file in verilog], module.top).ports
        for text in project["xdc"]:
            self._constrain(text, module, ports)
        if not module.clocks:
            raise VivadoError("no clock")
        self.modules.append(module)
        project["step"] = "synth_design"
        return ""

    def _step(self, name: str) -> None:
        before = _STEPS[_STEPS.index(name) - 1]
        if self._open().get("step") != before:
            raise VivadoError(f"must come after {before}")
        self._project["step"] = name

    def _write_checkpoint(self, options, file) -> str:
        self._routed()
        self._write(file)
        return file

    def _read_saif(self, options, file) -> str:
        if not Path(file).is_file():
            raise VivadoError(f"file does not exist: {file}")
        self._routed().saif = (file, options.get("strip_path"))
        return ""

    def _constrain(self, text: str, module: Module, ports: dict[str, Port]) -> None:
        """Run constraints in an interpreter that has nothing else."""
        tcl = tkinter.Tcl()

        def get_ports(options, patterns):
            found = []
            for pattern in self._list(patterns):
                name, bus = re.fullmatch(r"(.*?)(\[\*\])?", pattern).groups()
                matches = [p for p in ports.values() if fnmatch.fnmatchcase(p.name, name)]
                # As in Vivado, the name of a bus alone does not mean its bits.
                if not [p for p in matches if bool(bus) == (p.width > 1)]:
                    raise VivadoError(f"no ports matched {pattern}")
                found += [p.name for p in matches]
            return found

        def create_clock(options, objects):
            (port,) = self._list(objects)
            module.clocks[port] = float(options["period"])
            return ""

        def set_false_path(options):
            module.false_from |= set(self._list(options.get("from", "")))
            module.false_to |= set(self._list(options.get("to", "")))
            return ""

        def set_property(options, name, value, objects):
            for item in self._list(objects):
                module.properties[item, name] = value
            return ""

        actions = {
            "create_clock": create_clock, "get_ports": get_ports,
            "set_false_path": set_false_path, "set_property": set_property,
        }  # fmt: skip
        for name, spec in _CONSTRAINTS.items():

            def stub(*arguments, name=name, spec=spec):
                options, words = _parse(spec, arguments)
                return actions[name](options, *words)

            self._define(tcl, name, stub)
        # Stubs themselves need these.
        kept = _PLAIN_TCL | set(_CONSTRAINTS) | {"lassign", "if", "error", "return", "rename"}
        for name in tcl.splitlist(tcl.eval("info commands")):
            if name not in kept and not name.startswith("_python_"):
                tcl.call("rename", name, "")
        tcl.eval(text)


def _parse(spec: Spec, arguments: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    """Options by name, and the other words."""
    options: dict[str, str] = {}
    words: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name = argument[1:]
        if not argument.startswith("-"):
            words.append(argument)
        elif name in options:
            raise VivadoError(f"option given twice: {argument}")
        elif name in spec.values.split():
            options[name] = next(rest, None)
            if options[name] is None:
                raise VivadoError(f"option without a value: {argument}")
        elif name in spec.flags.split():
            options[name] = ""
        else:
            raise VivadoError(f"unknown option {argument}")
    least, most = spec.words
    if not least <= len(words) <= most:
        raise VivadoError(f"takes {least} to {most} words, not {len(words)}")
    return options, words
