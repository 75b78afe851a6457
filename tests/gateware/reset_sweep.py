"""Resets at every clock: a Verilog bench that cuts one load short and checks the next.

A reset in mid-frame has thousands of clocks to come at, and a bench in Python would take minutes
for them. This one is Verilog: with each round it sends the beats of ``first``, resets the design a
clock later than in the round before, sends the beats of ``second``, and compares everything that
comes out after the reset. It ends with the round in which ``first`` had gone through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lutgen.sim import Design, build_simulation
from lutgen.sim.tool.runner import run

__all__ = ["Sweep", "sweep_resets"]

_TOP = "lutgen_bench"
#: Clocks for which nothing may follow the last expected beat.
_QUIET = 96
#: Clocks from the answer to a write of a reset until the next load, in which it takes effect.
_TAKES_EFFECT = 8
#: Clocks after which a round is called hung.
_HUNG = 60_000

Streams = Mapping[str, Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Sweep:
    """What came of the resets.

    Members
    -------
    rounds : resets, one for each clock from the first beat of ``first`` on
    failures : rounds after which output or errors differed
    first_failure : clock of the first reset that failed, -1 if none did
    first_output : clock of the first beat of output while ``first`` went through
    """

    rounds: int
    failures: int
    first_failure: int
    first_output: int


def sweep_resets(
    design: Design, first: Streams, second: Streams, expected: Streams, *,
    beats_of_first: int, config: Mapping[str, int] | None = None, error: Sequence[str] = ("error",),
    length: int = 1, step: int = 1, stalls: float = 0.0, fresh: bool = False,
    setup: Sequence[tuple[int, int]] = (), reset: tuple[int, int] | None = None,
    goes_on: int = 0,
) -> Sweep:  # fmt: skip
    """Reset a design with AXI4-Stream ports at every clock of a load.

    Parameters
    ----------
    design :
        With clock ``clk`` and reset ``rst``.  The bench makes the clock, many periods in one step
        of the simulator's time: a step costs cocotb several times what a clock costs the design.
    first, second : mapping of input stream to fields
        Beats of the load that is cut short, and of the one that must come out unharmed.
    expected : mapping of output stream to fields
        Beats that come of ``second``.
    beats_of_first :
        Beats of all outputs that come of ``first``; its rounds end with the last of them.
    config :
        Inputs that stay the same.
    error :
        Outputs that must be 0 from the reset on.
    length, step :
        Clocks of each reset, and clocks from one round's to the next one's.
    stalls :
        Share of the clocks in which a stream does not go on, each on its own.
    fresh :
        Reset the design by the port, at rest, before each load that is cut short: its tiles then
        have the numbers that those of ``second`` have.
    setup, reset :
        Registers behind ``s_axi_control`` to write before the first round, as (address, value),
        and the one to write instead of a reset by the port.
    goes_on :
        If not 0, the neighbours know nothing of the reset: the rest of ``first`` is sent behind it,
        and outputs must keep what they offer.  What comes before ``second`` begins is not compared,
        but files must have ended by then; so many clocks without output tell that nothing follows.

    What the last eight say but ``setup``, are inputs of the bench: sweeps that differ in nothing
    else share one compilation.
    """
    streams = {name: (first[name], second[name]) for name in first}
    text = _bench(
        design, streams, expected, beats_of_first, dict(config or {}), error, list(setup), reset,
    )
    wrapped = Design.of([*design.texts, text], _TOP)
    settings = {
        "reset_length": length, "step": step, "stalls": int(stalls * 256), "fresh": int(fresh),
        "reset_value": reset[1] if reset else 0, "goes_on": goes_on, "go": 1,
    }  # fmt: skip
    _, result = run(build_simulation(wrapped), "tests.gateware.bench_sweep", {}, settings)
    return Sweep(**result)


def _fields(design: Design, stream: str, fields) -> tuple[list[tuple[str, int]], int]:
    """Ports of a stream's fields with their widths, the first in the low bits, and their sum."""
    ports = [(f"{stream}_t{field}", design.ports[f"{stream}_t{field}"].width) for field in fields]
    return ports, sum(width for _, width in ports)


def _memory(name: str, width: int, ports, fields: Mapping[str, np.ndarray], offset=0) -> list[str]:
    lines = []
    for k, row in enumerate(zip(*fields.values(), strict=True)):
        word, at = 0, 0
        for (_, bits), value in zip(ports, row, strict=True):
            word |= int(value) << at
            at += bits
        lines.append(f"    {name}[{offset + k}] = {width}'h{word:x};")
    return lines


def _slices(vector: str, ports) -> list[tuple[str, str]]:
    pins, at = [], 0
    for port, bits in ports:
        pins.append((port, f"{vector}[{at + bits - 1}:{at}]"))
        at += bits
    return pins


def _bench(design, streams, expected, beats_of_first, config, error, setup, reset) -> str:
    declarations, initial, clocked, pins = [], [], [], [("clk", "clk"), ("rst", "rst")]
    all_in, all_first, all_out, any_out, surplus, unended = [], [], [], [], [], ["0"]
    for number, (name, (a, b)) in enumerate(streams.items()):
        ports, width = _fields(design, name, a)
        count_a, count_b = (len(next(iter(fields.values()))) for fields in (a, b))
        memory, at = f"in{number}", f"in{number}_at"
        initial += _memory(memory, width, ports, a) + _memory(memory, width, ports, b, count_a)
        declarations += [
            f"reg [{width - 1}:0] {memory} [0:{count_a + count_b - 1}];",
            f"integer {at} = 0;",
            f"reg {memory}_offered = 0;",
            f"wire {memory}_left = run_a ? {at} < {count_a} : run_b && {at} < {count_b};",
            f"wire {memory}_valid = {memory}_left && ({memory}_offered || "
            f"lfsr[{8 * number % 48} +: 8] >= stalls);",
            f"wire {memory}_ready;",
            f"wire [{width - 1}:0] {memory}_data = {memory}[run_b ? {count_a} + {at} : {at}];",
        ]
        clocked += [
            f"if (begins) begin {at} <= 0; {memory}_offered <= 0; end",
            f"else begin {memory}_offered <= {memory}_valid && !{memory}_ready;",
            f"  if ({memory}_valid && {memory}_ready) {at} <= {at} + 1; end",
        ]
        all_in.append(f"{at} == {count_b}")
        all_first.append(f"{at} == {count_a}")
        pins += _slices(f"{memory}_data", ports)
        pins += [(f"{name}_tvalid", f"{memory}_valid"), (f"{name}_tready", f"{memory}_ready")]
    for number, (name, fields) in enumerate(expected.items()):
        ports, width = _fields(design, name, fields)
        count = len(next(iter(fields.values())))
        memory, at = f"out{number}", f"out{number}_at"
        initial += _memory(memory, width, ports, fields)
        declarations += [
            f"reg [{width - 1}:0] {memory} [0:{count - 1}];",
            f"integer {at} = 0;",
            f"wire {memory}_valid;",
            f"wire {memory}_ready = lfsr[{(8 * number + 24) % 56} +: 8] >= stalls;",
            f"wire [{width - 1}:0] {memory}_data;",
            f"wire {memory}_moves = {memory}_valid && {memory}_ready;",
            f"reg {memory}_waits = 0;",
            f"reg [{width - 1}:0] {memory}_offered;",
        ]
        clocked += [
            f"if (begins) {at} <= 0; else if ({memory}_moves) {at} <= {at} + 1;",
            f"if (run_b && !begins && {memory}_moves && ({at} >= {count} || "
            f"{memory}_data !== {memory}[{at}])) wrong <= 1;",
        ]
        clocked += [
            f"{memory}_waits <= {memory}_valid && !{memory}_ready;",
            f"{memory}_offered <= {memory}_data;",
            f"if (goes_on != 0 && {memory}_waits && "
            f"({memory}_data !== {memory}_offered || !{memory}_valid)) wrong <= 1;",
        ]
        if name.endswith("_stream"):
            last = dict(_slices(f"{memory}_data", ports))[f"{name}_tlast"]
            declarations.append(f"reg {memory}_open = 0;")
            clocked.append(f"if ({memory}_moves) {memory}_open <= !({last});")
            unended.append(f"{memory}_open")
        all_out.append(f"{at} >= {count}")
        any_out.append(f"{memory}_moves")
        surplus.append(at)
        pins += _slices(f"{memory}_data", ports)
        pins += [(f"{name}_tvalid", f"{memory}_valid"), (f"{name}_tready", f"{memory}_ready")]
    for name, value in config.items():
        pins.append((name, f"{design.ports[name].width}'d{value}"))
    for name in error:
        declarations.append(f"wire [{design.ports[name].width - 1}:0] {name}_seen;")
        pins.append((name, f"{name}_seen"))
    idle = "idle" in design.ports
    declarations.append("wire idle_seen;" if idle else "wire idle_seen = 1;")
    pins += [("idle", "idle_seen")] if idle else []
    for number, (address, value) in enumerate(setup):
        initial.append(f"    script[{number}] = 64'h{address:08x}{value:08x};")
    if reset:
        # Address and data go together; the answer is taken whenever it comes.
        bits = design.ports["s_axi_control_awaddr"].width
        pins += [
            ("s_axi_control_awaddr", f"script_now[{31 + bits}:32]"),
            ("s_axi_control_wdata", "script_now[31:0]"), ("s_axi_control_wstrb", "4'hf"),
            ("s_axi_control_awvalid", "aw"), ("s_axi_control_awready", "aw_ready"),
            ("s_axi_control_wvalid", "w"), ("s_axi_control_wready", "w_ready"),
            ("s_axi_control_bvalid", "b"), ("s_axi_control_bready", "1'b1"),
            ("s_axi_control_arvalid", "1'b0"), ("s_axi_control_rready", "1'b1"),
            ("s_axi_control_araddr", f"{bits}'d0"),
        ]  # fmt: skip
        pins += [(name, "3'd0") for name in ("s_axi_control_awprot", "s_axi_control_arprot")
                 if name in design.ports]  # fmt: skip
    connected = {name for name, _ in pins}
    pins += [(port.name, "") for port in design.ports.values() if port.name not in connected]
    seen = " || ".join(f"(|{name}_seen)" for name in error)
    lines = "\n  ".join
    connections = ",\n    ".join(f".{port}({net})" for port, net in pins)
    written = f"{{32'h{reset[0]:x}, reset_value}}" if reset else "64'h0"
    return f"""
module {_TOP}(
  input tick, input go, output reg finished, output reg [31:0] rounds, output reg [31:0] failures,
  output reg [31:0] first_failure, output reg [31:0] first_output,
  input [15:0] reset_length, input [15:0] step, input [8:0] stalls, input fresh,
  input [31:0] reset_value, input [15:0] goes_on
);
  localparam START = 0, SETUP = 1, FIRST = 2, RESET = 3, REST = 4, SECOND = 5;
  // 32 clocks whenever tick changes.
  reg clk = 0;
  integer edges = 0;
  always @(tick or clk) begin
    if (!go || finished || edges == 64) edges <= 0;
    else begin edges <= edges + 1; clk <= !clk; end
  end
  reg [2:0] state = START;
  reg rst = 1, wrong = 0;
  reg [63:0] lfsr = 64'h123456789abcdef1;
  reg [63:0] script [0:{max(0, len(setup) - 1)}];
  integer t = 0, cut = 0, quiet = 0, entry = 0, total = 0;
  reg aw = 0, w = 0;
  wire aw_ready, w_ready, b;
  wire [63:0] script_now = entry == {len(setup)} ? {written} : script[entry];
  // A load begins when the design has cleared itself, at any phase of its lanes.
  reg [8:0] pause = 0;
  wire run_a = (state == FIRST && t >= pause)
    || (goes_on != 0 && (state == RESET || state == REST));
  wire run_b = state == SECOND;
  wire by_register = {int(bool(reset))};
  wire rest_ends = state == REST && quiet == goes_on;
  // The clock before a load begins: of the first after the setup, of the second after a reset.
  wire reset_ends = by_register ? quiet == {_TAKES_EFFECT} : t + 1 == reset_length;
  wire round_ends;
  wire begins = (state == START && t == 3 && {int(not setup)}) || rest_ends
    || (state == RESET && reset_ends && goes_on == 0)
    || (state == SETUP && b && entry == {len(setup) - 1}) || round_ends;
  {lines(declarations)}
  wire given = {" && ".join(all_out)};
  wire taken = {" && ".join(all_in)};
  wire first_taken = {" && ".join(all_first)};
  wire complete = {" + ".join(surplus)} >= {beats_of_first};
  assign round_ends = run_b && ((given && taken && quiet == {_QUIET}) || t == {_HUNG});
  initial begin
    finished = 0; rounds = 0; failures = 0; first_failure = -1; first_output = -1;
{chr(10).join(initial)}
  end
  always @(posedge clk) begin
    lfsr <= {{lfsr[62:0], lfsr[63] ^ lfsr[62] ^ lfsr[60] ^ lfsr[59]}};
    t <= begins ? 0 : t + 1;
    {lines(clocked)}
    if (aw_ready) aw <= 0;
    if (w_ready) w <= 0;
    case (state)
      START: if (t == 3) begin
        rst <= 0; state <= {"SETUP" if setup else "FIRST"};
        {"aw <= 1; w <= 1;" if setup else ""}
      end
      SETUP: if (b) begin
        entry <= entry + 1;
        if (entry == {len(setup) - 1}) state <= FIRST;
        else begin aw <= 1; w <= 1; end
      end
      FIRST: begin
        if (({" || ".join(any_out)}) && first_output == 32'hffffffff) first_output <= t;
        rst <= 0;
        if (t >= cut + pause && !begins) begin
          state <= RESET; t <= 0; quiet <= 0; wrong <= 0; finished <= complete;
          if (by_register) begin aw <= 1; w <= 1; end else rst <= 1;
        end
      end
      RESET: begin
        quiet <= b || quiet != 0 ? quiet + 1 : 0;
        if (reset_ends) begin
          rst <= 0; quiet <= 0; state <= goes_on != 0 ? REST : SECOND;
          if (goes_on == 0) wrong <= 0;
        end
      end
      REST: begin
        quiet <= first_taken && !({" || ".join(any_out)}) ? quiet + 1 : 0;
        if ({seen}) wrong <= 1;
        if (rest_ends) begin
          state <= SECOND; quiet <= 0;
          if ({" || ".join(unended)}) wrong <= 1;
        end
      end
      SECOND: begin
        quiet <= given && taken && idle_seen ? quiet + 1 : 0;
        if ({seen}) wrong <= 1;
        if (round_ends) begin
          rounds <= rounds + 1; cut <= cut + step; state <= FIRST;
          rst <= fresh; pause <= fresh ? 256 + lfsr[5:0] : 0;
          if (wrong || t == {_HUNG}) begin
            failures <= failures + 1;
            if (failures == 0) first_failure <= cut;
          end
        end
      end
    endcase
  end
  {design.top} dut (
    {connections}
  );
endmodule
"""
