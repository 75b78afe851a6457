"""``NAME_<top>_tb.sv``: a testbench that runs in any simulator, and the beats that it reads.

What does not depend on the build is in ``testbench.sv`` and ``bus.sv`` beside this file; here is
the module around them, which connects the build's top.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from lutgen.errors import InputError
from lutgen.names import build_of, top_module
from lutgen.registers.register_map import Register, RegisterMap

__all__ = ["Session", "make_testbench", "module_of_testbench"]

#: Fields of a beat's word from its lowest bit on, and what they are called on the stream.
_FIELDS = {"data": "tdata", "keep": "tkeep", "user": "tuser", "last": "tlast"}
_BUS = "s_axi_control"
#: Counters that must say what has passed: by what is counted, or by frame.
_COUNTERS = ("pixels", "bytes", "frames", "files")


@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """What one core is sent, and what it must give.

    Parameters
    ----------
    streams:
        Beats of each stream by the port's prefix: arrays of one length by field, ``data`` and as
        the port has them ``keep``, ``user`` and ``last``.  Those of ``s_axis_*`` are sent, those of
        ``m_axis_*`` must come.
    taken, given:
        What that is, and how many of it: ``("pixels", 784)``.
    settings:
        Values of the core's other inputs, or of its registers, by name; others are left out.
    quiet:
        Clocks in which no stream may stand still, stalls aside.
    registers:
        Of a core with registers.
    """

    streams: Mapping[str, Mapping[str, np.ndarray]]
    taken: tuple[str, int]
    given: tuple[str, int]
    settings: Mapping[str, int]
    quiet: int
    registers: RegisterMap | None = None


def module_of_testbench(record: Mapping) -> str:
    """Module of the testbench of a build; its file ends in ``.sv``."""
    return f"{top_module(record)}_tb"


def make_testbench(record: Mapping, sessions: Mapping[str, Session]) -> dict[str, str]:
    """Texts by file name: the testbench, and a file of beats for each stream.

    Parameters
    ----------
    record:
        ``build.json`` with its cores.
    sessions:
        By core.

    Raises
    ------
    InputError
        If a core has an input that a session does not name, or a beat does not fit a port.
    """
    module, name = module_of_testbench(record), build_of(record)
    parts: list[_Core] = []
    texts: dict[str, str] = {}
    for number, (core, session) in enumerate(sessions.items()):
        made = record["cores"][core]
        prefix = "" if made["module"] == top_module(record) else f"{core}_"
        # Each port has random numbers of its own.
        part = _Core(core, made, session, prefix, name, 16 * number + 1)
        parts.append(part)
        texts |= part.beat_files()
    shared = [_read("testbench.sv")]
    if any(session.registers for session in sessions.values()):
        shared.append(_read("bus.sv"))
    text = "\n".join([_heading(record, module), _top(record, module, parts), *shared])
    return {f"{module}.sv": text.replace("@NAME@", name)} | texts


def _read(name: str) -> str:
    folder = files("lutgen.handoff").joinpath("testbench")
    return folder.joinpath(name).read_text(encoding="utf-8")


class _Core:
    """The text of one core's part of the testbench."""

    def __init__(
        self, core: str, made: Mapping, session: Session, prefix: str, name: str, salt: int
    ) -> None:
        self.core, self.session, self._prefix, self._name = core, session, prefix, name
        self._module, self._salt = made["module"], salt
        self._widths = {port["name"]: port["width"] for port in made["ports"]}
        self._inputs = [port["name"] for port in made["ports"] if port["direction"] == "input"]
        self._check()

    def _check(self) -> None:
        """Every input must be driven, by one thing."""
        driven = {"clk", "rst", "clear_error", *self._constants()}
        for port in self.session.streams:
            driven |= {f"{port}_{field}" for field in (*_FIELDS.values(), "tvalid", "tready")}
        if self.session.registers:
            driven |= {port for port in self._inputs if port.startswith(f"{_BUS}_")}
        if missing := [port for port in self._inputs if port not in driven]:
            raise InputError(
                f"testbench must drive every input of {self._module}, {missing[0]} as well"
            )

    def _constants(self) -> dict[str, int]:
        """Values of the inputs that stay as they are."""
        given = {} if self.session.registers else self.session.settings
        return {port: given.get(port, 0) for port in self._inputs
                if port in given or port == "clear_error"}  # fmt: skip

    def _fields(self, port: str) -> dict[str, int]:
        """Widths of a stream's fields, from the lowest bit of its word on."""
        return {
            field: self._widths[f"{port}_{name}"] for field, name in _FIELDS.items()
            if f"{port}_{name}" in self._widths
        }  # fmt: skip

    def _file(self, port: str) -> str:
        return f"{self._module}_tb_{port}.hex"

    def beat_files(self) -> dict[str, str]:
        return {
            self._file(port): _words(beats, self._fields(port), port)
            for port, beats in self.session.streams.items()
        }

    def pins(self) -> list[str]:
        """Connections of the top's ports that belong to this core, but for clock and reset."""
        constants = self._constants()
        return [
            f".{self._prefix}{port}"
            + (f"({width}'d{constants[port]})" if port in constants
               else f"({self.core}_{port})")
            for port, width in self._widths.items() if port not in ("clk", "rst")
        ]  # fmt: skip

    def text(self) -> str:
        """Wires, streams, registers and watch; those that are no ports begin with ``tb_``."""
        core, session, constants = self.core, self.session, self._constants()
        lines = [f"  // The {core}."]
        lines += [
            f"  wire {_span(width)}{core}_{port};"
            for port, width in self._widths.items()
            if port not in ("clk", "rst") and port not in constants
        ]
        lines += [f"  wire tb_{core}_{port}_done;" for port in session.streams]
        moved = " | ".join(f"{core}_{p}_tvalid & {core}_{p}_tready" for p in session.streams)
        done = " & ".join(f"tb_{core}_{port}_done" for port in session.streams)
        lines += [
            f"  wire tb_{core}_moved = {moved};",
            f"  wire tb_{core}_done = {done};",
            f"  wire tb_{core}_ok;",
        ]
        if session.registers:
            lines += self._registers(session.registers)
        for k, (port, beats) in enumerate(session.streams.items()):
            lines += self._stream(port, len(beats["data"]), self._salt + k)
        idle, error = (
            (f"tb_{core}_calm", "32'd0") if session.registers else
            (f"{core}_idle", f"{{{32 - self._widths['error']}'d0, {core}_error}}")
        )  # fmt: skip
        (taken, n_taken), (given, n_given) = session.taken, session.given
        lines += [
            f"  {self._name}_tb_watch #(",
            f'    .CORE("{core}"), .IN("{taken}"), .OUT("{given}"), '
            f".IN_COUNT({n_taken}), .OUT_COUNT({n_given})",
            f"  ) tb_{core}_watch (",
            f"    .clk(clk), .rst(rst), .limit(limit), .frames(frames), .moved(tb_{core}_moved),",
            f"    .done(tb_{core}_done), .idle({idle}), .error({error}), .ok(tb_{core}_ok)",
            "  );",
            "",
        ]
        return "\n".join(lines)

    def _stream(self, port: str, count: int, salt: int) -> list[str]:
        core, fields = self.core, self._fields(port)
        sends = port.startswith("s_")
        beat = ", ".join(f"{core}_{port}_{_FIELDS[field]}" for field in reversed(fields))
        more = (
            [] if sends else
            [f'    .PORT("{core} {port}"), .BYTES({fields["data"] // 8}), '
             f".KEEP({fields.get('keep', 0)}),"]
        )  # fmt: skip
        go = f".go({self._go()}), " if sends else ""
        return [
            f"  {self._name}_tb_{'source' if sends else 'sink'} #(",
            f'    .FILE("{self._file(port)}"),',
            *more,
            f"    .WIDTH({sum(fields.values())}), .COUNT({count}), .SALT({salt})",
            f"  ) tb_{core}_{port} (",
            f"    .clk(clk), .rst(rst), {go}.stall(stall), .seed(seed), .frames(frames),",
            f"    .beat({{{beat}}}),",
            f"    .valid({core}_{port}_tvalid), .ready({core}_{port}_tready), "
            f".done(tb_{core}_{port}_done)",
            "  );",
        ]

    def _go(self) -> str:
        return f"tb_{self.core}_go" if self.session.registers else "1'b1"

    def _registers(self, registers: RegisterMap) -> list[str]:
        """The bus, and what software would do before and after."""
        core, session = self.core, self.session
        bus = f"tb_{core}_bus"
        address = registers.address_bits
        ports = [port for port in self._widths if port.startswith(f"{_BUS}_")]
        lines = [
            f"  reg tb_{core}_go = 1'b0, tb_{core}_calm = 1'b0;",
            f'  {self._name}_tb_bus #(.CORE("{core}"), .ADDRESS({address})) {bus} (',
            "    .clk(clk),",
            ",\n".join(f"    .{port.removeprefix(f'{_BUS}_')}({core}_{port})" for port in ports),
            "  );",
            "",
            "  // What software does: see the register page.",
            "  initial begin",
            "    wait (!rst);",
        ]

        def call(task: str, register: Register, *values: str, why: str = "") -> None:
            given = ", ".join([f"{address}'h{register.offset:02x}", *values])
            lines.append(f"    {bus}.{task}({given});  // {register.name}{why}")

        def mask(*names: str, of: Register) -> str:
            return _word(sum(of[name].mask for name in names))

        for register in registers:
            if all(field.kind == "constant" for field in register.fields):
                call("must_be", register, _word(0xFFFFFFFF), _word(register.reset))
        for register in registers:
            if register.name in session.settings:
                call("write", register, f"32'd{session.settings[register.name]}")
        control, status, isr = registers["control"], registers["status"], registers["isr"]
        call("write", control, mask("enable", of=control), why=": enable")
        if any(field.name == "update" for field in control.fields):
            call("until_is", control, mask("update", of=control), _word(0), why=": update is done")
        lines += [f"    tb_{core}_go = 1'b1;", f"    wait (tb_{core}_done);"]
        idle = mask("idle", of=status)
        call("until_is", status, idle, idle, why=": idle")
        causes = [field.name for field in isr.fields]
        wanted = mask("frame_done", "file_done", of=isr)
        call("must_be", isr, mask(*causes, of=isr), wanted, why=": no error")
        counts = dict([session.taken, session.given]) | {"frames": 1, "files": 1}
        for name in _COUNTERS:
            call("must_be", registers[name], _word(0xFFFFFFFF), f"frames * 32'd{counts[name]}")
        return [*lines, f"    tb_{core}_calm = 1'b1;", "  end", ""]


def _top(record: Mapping, module: str, parts: Sequence[_Core]) -> str:
    """The module of the testbench."""
    pins = ["    .clk(clk), .rst(rst)", *(f"    {pin}" for part in parts for pin in part.pins())]
    quiet = max(part.session.quiet for part in parts)
    ok = " & ".join(f"tb_{part.core}_ok" for part in parts)
    first = parts[0].session
    counts = " and ".join(f"%0d {what}" for what, _ in (first.taken, first.given))
    values = ", ".join(f"frames * {n}" for _, n in (first.taken, first.given))
    return "\n".join([
        f"module {module};",
        "  reg clk = 1'b0, rst = 1'b1;",
        "  integer stall, seed, frames, limit;",
        "  reg [31:0] clocks = 0;",
        "",
        "  initial begin",
        *[f'    if (!$value$plusargs("{name}=%d", {name})) {name} = {value};'
          for name, value in (("stall", 0), ("seed", 1), ("frames", 1), ("limit", quiet))],
        "    if (stall < 0 || stall > 95 || frames < 1) begin",
        '      $display("FAIL: stall must be 0 to 95, not %0d, frames at least 1, not %0d", stall,',
        "               frames);",
        "      $fatal(1);",
        "    end",
        '    if ($test$plusargs("dump")) begin',
        f'      $dumpfile("{module}.vcd");',
        f"      $dumpvars(0, {module});",
        "    end",
        "  end",
        "  always #5 clk = ~clk;",
        "  always @(posedge clk) begin",
        "    clocks <= clocks + 1;",
        "    rst <= clocks < 16;",
        f"    if ({ok}) begin",
        f'      $display("PASS: {counts}, %0d clocks", {values}, clocks);',
        "      $finish;",
        "    end",
        "  end",
        "",
        *[part.text() for part in parts],
        f"  {top_module(record)} dut (",
        ",\n".join(pins),
        "  );",
        "endmodule",
        "",
    ])  # fmt: skip


def _words(beats: Mapping[str, np.ndarray], fields: Mapping[str, int], port: str) -> str:
    """Beats as words in hexadecimal, a line each."""
    if set(beats) != set(fields):
        raise InputError(f"beats of {port} must have {', '.join(fields)}, not {', '.join(beats)}")
    words, low = [0] * len(beats["data"]), 0
    for field, width in fields.items():
        values = beats[field].tolist()
        if min(values) < 0 or max(values) >> width:
            raise InputError(f"{field} of {port} must have {width} bits, not {max(values)!r}")
        words = [word | value << low for word, value in zip(words, values, strict=True)]
        low += width
    digits = -(-low // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)


def _word(value: int) -> str:
    return f"32'h{value:08x}"


def _span(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _heading(record: Mapping, module: str) -> str:
    generator, model = record["generator"], record["model"]
    lines = [
        f"{module}: generated by lutgen {generator['version']}, model {model['hash']}.",
        "The generated files are yours: use, change and pass them on as you like.",
        "",
        "Sends what the files *.hex beside it hold and compares what comes with what they say must",
        "come. Prints PASS, or FAIL with the first difference, and then exits with another status",
        "than 0. In the folder of the build:",
        "",
        f"  $ iverilog -g2012 -o tb.vvp -f files.f {module}.sv && vvp tb.vvp",
        f"  $ verilator --binary -f files.f {module}.sv --top-module {module}",
        f"  $ obj_dir/V{module}",
        "",
        "Others take the same files, with the vendor's LUT6 or with LUTGEN_PRIMITIVES defined.",
        "",
        "  +stall=P    every port stalls in P percent of the clocks, 0 to 95",
        "  +seed=N     of the stalls",
        "  +frames=N   the same N times in a row",
        "  +limit=N    clocks without a beat after which it gives up",
        f"  +dump       writes {module}.vcd; Verilator must have been told --trace",
    ]
    return "".join(f"// {line}".rstrip() + "\n" for line in lines)
