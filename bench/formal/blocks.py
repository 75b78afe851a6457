"""Blocks with streams, on their own, and the contracts that each keeps.

Each is written as `lutgen build` writes it, with parameters of a build or smaller ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.utils import bits_for

from lutgen.gateware.fabric.block_pool import BlockPool
from lutgen.gateware.fabric.plain_names import plain_names
from lutgen.gateware.fabric.verilog import to_verilog
from lutgen.gateware.ip.registers import RegisterFile
from lutgen.gateware.predictive.group_blocks import GroupBlocks
from lutgen.gateware.predictive.group_memory import GroupMemory
from lutgen.gateware.predictive.picture_in import PictureIn
from lutgen.gateware.predictive.pixel_order import orders
from lutgen.gateware.predictive.planes import Planes
from lutgen.gateware.predictive.planes_in import PlanesIn
from lutgen.gateware.streams.axi import BytesToWords, NullBeats, SkidBuffer, WordsToBytes
from lutgen.gateware.streams.bit_joiner import BitJoiner
from lutgen.gateware.streams.bit_window import BitWindow
from lutgen.gateware.streams.block_fifo import BlockFifo
from lutgen.gateware.streams.byte_aligner import ByteAligner
from lutgen.gateware.streams.lut_fifo import LutFifo
from lutgen.gateware.streams.open_queue import OpenQueue
from lutgen.gateware.streams.run_source import RunSource
from lutgen.gateware.strips.byte_front import ByteFront
from lutgen.gateware.strips.narrower import Narrower
from lutgen.gateware.strips.pair_joiner import PairJoiner
from lutgen.gateware.strips.payload_pool import PayloadPool
from lutgen.gateware.strips.payload_queue import PayloadQueue
from lutgen.gateware.strips.word_packer import WordPacker
from lutgen.registers.register_map import stored_map

from .bind import Bound
from .tops import axi_lite

__all__ = ["BLOCKS", "Block"]

#: Name of a block's module.
MODULE = "dut"


@dataclass(frozen=True)
class Block:
    """A block and what is bound to it.

    Parameters
    ----------
    name :
        In results.
    make :
        Makes the component.
    contracts :
        What it keeps, and what is assumed of its neighbours.
    depth :
        Clocks of the bounded check, for what is not proven.
    """

    name: str
    make: Callable[[], wiring.Component]
    contracts: tuple[Bound, ...]
    depth: int = 30

    def elaborated(self) -> tuple[str, str]:
        """Folder of the gateware in which it stands, and its Verilog."""
        component = self.make()
        folder = type(component).__module__.split(".")[-2]
        return folder, plain_names(to_verilog(component, MODULE), MODULE, MODULE)

    def verilog(self) -> str:
        return self.elaborated()[1]


def _handshake(width: int, stream: str = "o") -> Bound:
    return Bound("handshake", stream, {
        "valid": f"{stream}__valid", "ready": f"{stream}__ready", "payload": f"{stream}__payload",
    }, {"WIDTH": width})  # fmt: skip


def _beats(width: int, most: int, wait: int, put="i__valid & i__ready", data="i__payload") -> Bound:
    return Bound("beats", "order", {
        "put": put, "data": data, "valid": "o__valid", "ready": "o__ready",
        "payload": "o__payload", "all": "all", "behind": "behind", "is_marked": "marked",
        "was": "was", "bit_": "bit_",
    }, {"WIDTH": width, "MOST": most, "WAIT": wait},
        f"  wire [7:0] all, behind;\n  wire marked, was;\n  wire [{bits_for(width)-1}:0] bit_;\n")


def _lemma(name: str, holds: str, declares: str = "") -> Bound:
    return Bound("lemma", name, {"holds": holds}, declares=declares)


def _stored(name: str, memory: str, rows: int, at: str, where: str) -> Bound:
    """Lemma: where the marked beat is in a memory, its bit stands there."""
    wire = f"{name}_at"
    return _lemma(name, f"~marked | ~({where}) | {memory}[{wire}][bit_] == was",
                  f"  wire [{bits_for(rows - 1) - 1}:0] {wire} = {at};\n")  # fmt: skip


def _word(side: str, count: int) -> dict[str, str]:
    """Ports of the contract ``bytes`` for a stream of `word_layout`."""
    payload = f"{side}__payload"
    return {
        f"{side}_valid": f"{side}__valid", f"{side}_ready": f"{side}__ready",
        f"{side}_data": f"{payload}[{8 * count - 1}:0]",
        f"{side}_keep": f"{payload}[{9 * count - 1}:{8 * count}]",
        f"{side}_last": f"{payload}[{9 * count}]",
    }  # fmt: skip


def _byte(side: str) -> dict[str, str]:
    """... for a stream of `BYTE`."""
    return {
        f"{side}_valid": f"{side}__valid", f"{side}_ready": f"{side}__ready",
        f"{side}_data": f"{side}__payload[7:0]", f"{side}_keep": "1'h1",
        f"{side}_last": f"{side}__payload[8]",
    }  # fmt: skip


def _bytes(ports: dict[str, str], **parameters: int) -> Bound:
    exports = {name: name for name in ("all", "before", "is_marked", "is_blank", "is_end", "was")}
    return Bound(
        "bytes", "packets", ports | exports, parameters,
        "  wire [9:0] all, before;\n  wire is_marked, is_blank, is_end;\n  wire [7:0] was;\n",
    )  # fmt: skip


def _held(count: int, busy: str, data: str, keep: str, last: str, **parameters: int) -> Bound:
    """Lemmas of a block that holds one word."""
    return Bound("held_word", "word", {
        "busy": busy, "data": data, "keep": keep, "last": last, "all": "all", "ahead": "before",
        "marked": "is_marked", "blank": "is_blank", "ends": "is_end", "was": "was",
    }, {"COUNT": count, **parameters})  # fmt: skip


def _packed(count: int, **rules: int) -> Bound:
    """Rules of the packets that come."""
    ports = {name.removeprefix("i_"): port for name, port in _word("i", count).items()}
    return Bound("packets_given", "given", ports, {"COUNT": count, **rules})


def _two_words(n: int) -> Bound:
    """Lemmas of `BytesToWords`: the word that is offered, and behind it one that is not whole."""
    offered = f"o__payload[{9 * n - 1}:{8 * n}] & {{{n}{{o__valid}}}}"
    return _held(
        2 * n, "o__valid | (fill != 0)", f"{{held, o__payload[{8 * n - 1}:0]}}",
        f"{{({n}'h1 << fill) - {n}'h1, {offered}}}", f"o__payload[{9 * n}]", FIRST=n,
    )  # fmt: skip


def _null_beats(n: int) -> Block:
    return Block(f"NullBeats({n})", lambda: NullBeats(n), (
        Bound("offers", "given", {"valid": "i__valid", "ready": "i__ready",
                                  "payload": "i__payload"}, {"WIDTH": 9 * n + 1}),
        _handshake(9 * n + 1),
        _bytes(_word("i", n) | _word("o", n), IN=n, OUT=n, MOST=n, WAIT=0),
        _held(n, "held", f"beat[{8 * n - 1}:0]", f"beat[{9 * n - 1}:{8 * n}]", f"beat[{9 * n}]"),
    ))  # fmt: skip


def _pair_joiner(n: int) -> Block:
    pair = {
        "i_valid": "i__valid", "i_ready": "i__ready", "i_data": "i__payload[15:0]",
        "i_keep": "{i__payload[16], 1'h1}", "i_last": "i__payload[17]",
    }  # fmt: skip
    return Block(f"PairJoiner({n})", lambda: PairJoiner(n), (
        Bound("rule", "given", {"holds": "~(i__valid & i__payload[17]) | i__payload[16]"}),
        _handshake(9 * n + 1),
        _bytes(pair | _word("o", n), IN=2, OUT=n, MOST=n + 3, WAIT=3, FULL=1),
    ))  # fmt: skip


def _byte_front(n: int) -> Block:
    unit = min(n, 2)
    keep = "1'h1" if unit == 1 else "{take_whole, 1'h1}"
    # What its reader sees does not change until it takes something.
    shown = "{data[7:0], last}" if unit == 1 else (
        "{data[7:0], last, whole, whole ? {data[15:8], whole_last} : 9'h0}"
    )
    return Block(f"ByteFront({n})", lambda: ByteFront(n), (
        _packed(n),
        Bound("rule", "taken", {"holds": "~take_whole | (whole & ~take)"}),
        Bound("handshake", "o", {"valid": "valid", "ready": "take | take_whole",
                                 "payload": shown}, {"WIDTH": 9 if unit == 1 else 19}),
        _bytes(_word("i", n) | {
            "o_valid": "valid", "o_ready": "take | take_whole", "o_data": "data",
            "o_keep": keep, "o_last": "take_whole ? whole_last : last",
        }, IN=n, OUT=unit, MOST=n, WAIT=n, ANY=1),
        *([_held(n, "busy", "data_13", "keep", "signal_"),
           _lemma("pairs", "~whole | (busy & keep[0] & keep[1])")] if n == 4 else []),
    ))  # fmt: skip


def _run(side: str, count: int, payload: str, valid: str, ready: str) -> dict[str, str]:
    """Ports of the contract ``bytes`` for runs of bytes."""
    bits = bits_for(count - 1)
    return {
        f"{side}_valid": valid, f"{side}_ready": ready,
        f"{side}_data": f"{payload}[{8 * count - 1}:0]",
        f"{side}_keep": f"({count}'h2 << {payload}[{8 * count + bits - 1}:{8 * count}]) - 1'h1",
        f"{side}_last": f"{payload}[{8 * count + bits}]",
    }  # fmt: skip


def _run_source(n: int) -> Block:
    width = 8 * n + bits_for(n - 1) + 1
    return Block(f"RunSource({n})", lambda: RunSource(n), (
        _packed(n), _handshake(width),
        _bytes(_word("i", n) | _run("o", n, "o__payload", "o__valid", "o__ready"),
               IN=n, OUT=n, MOST=n, WAIT=n),
        _held(n, "busy", "data", "keep", "last"),
        _lemma("runs", f"~busy | ((final_ == (whole | ~|keep[{n - 1}:1])) & "
                       f"(~whole | keep == ({n}'h2 << top) - 1'h1))"),
    ))  # fmt: skip


def _queue(name: str, make, width: int, most: int, wait: int, *given: Bound, **ports) -> Block:
    order = _beats(width, most, wait, **ports)
    return Block(name, make, (_handshake(width), order, *given), depth=25)


def _lut_fifo(depth: int, *given: Bound, put: str = "i__valid & i__ready") -> Block:
    rows = max(4, depth)
    return _queue(
        f"LutFifo({depth})" + ", by room" * bool(given), lambda: LutFifo(4, depth), 4, rows + 2, 4,
        _lemma("pointers", f"signature__addr == ((load__addr + used) & {rows - 1})"),
        _lemma("count", "all >= used && all - used <= 2"),
        _lemma("no_overflow", f"used < {rows} | (used == {rows} & ~({put}))"),
        _stored("words_kept", "words", rows, "load__addr + used - behind", "behind <= used"),
        *([_lemma("never_refused", "~i__valid | i__ready")] if given else []), *given, put=put,
    )  # fmt: skip


def _lut_fifo_of_few(depth: int) -> Block:
    """One whose writer has as many words at most under way as it has rows: two of them are in the
    slice whenever it could be full, so it refuses nothing, whatever its reader does.
    """
    block = _lut_fifo(depth)
    return replace(block, name=f"LutFifo({depth}), no more words than rows", contracts=(
        *block.contracts,
        Bound("rule", "writer", {"holds": f"~i__valid | all < {depth}"}),
        # What waits behind an empty place of the slice fills it in this clock.
        _lemma("moves_on", "used <= 2 | (signal_18 & (all - used == 2 | "
                           f"(all - used == 1 & i__ready_25 & all < {depth})))"),
        _lemma("never_full", f"~full & used <= {depth - 2}"),
    ))  # fmt: skip


def _open_queue(pipeline: int) -> Block:
    return _queue(
        f"OpenQueue({pipeline})", lambda: OpenQueue(4, pipeline=pipeline), 4, 33, 2,
        _lemma("pointers", "signature__addr == ((read__addr + level) & 31)"),
        _lemma("count", "all == level + o__valid"),
        _lemma("no_overflow", "level < 32 | (level == 32 & ~put)"),
        _lemma("never_full", "level < 32"),
        _stored("words_kept", "memory", 32, "read__addr + level - behind", "behind <= level"),
        Bound("room", "writer", {"write": "put", "room": "room"}, {"PIPELINE": pipeline}),
        put="put", data="data",
    )  # fmt: skip


def _block_fifo(depth: int) -> Block:
    flight = "used + issued + issued_d1"
    return _queue(
        f"BlockFifo({depth})", lambda: BlockFifo(4, depth), 4, depth + 16, 6,
        _lemma("pointers", f"signal_15 == ((read + used) & {depth - 1})"),
        _lemma("no_underflow", "~signal_14 | used != 0"),
        _lemma("count", f"all == {flight} + like_ + o__valid"),
        _lemma("out_pointers", "like_23 == ((consume + like_) & 15)"),
        _lemma("budget", "credits_ == 15 - (issued + issued_d1 + like_ + o__valid)"),
        _lemma("no_overflow", f"used < {depth} | (used == {depth} & ~write)"),
        _stored("words_kept", "words_0_0", depth, "read + used - behind", "behind <= used"),
        _lemma("first_kept", "~marked | ~issued | behind != used + 1 | reader__data[bit_] == was"),
        _lemma("second_kept", f"~marked | ~issued_d1 | behind != {flight} | "
               "words_0_0_out[bit_] == was"),
        _stored("out_kept", "out", 16, f"like_23 - (behind - ({flight}))",
                f"behind > {flight} & behind <= {flight} + like_"),
        Bound("room", "writer", {"write": "write", "room": "room"}, {"COUNT": 4}),
        put="write", data="data",
    )  # fmt: skip


def _payload_queue() -> Block:
    popped = "  reg popped;\n  always @(posedge clk) popped <= pop & ~rst;\n"
    # The marked payload has been taken, and what its bit was.
    taken = (
        "  reg hit, bit_was;\n  always @(posedge clk) begin\n    bit_was <= was;\n"
        "    hit <= ~rst & marked & pop & waiting & ~popped & (behind == all);\n  end\n"
    )
    return Block("PayloadQueue", lambda: PayloadQueue(StructLayout({"payload": 4})), (
        Bound("rule", "given", {"holds": "~pop | (waiting & ~popped)"}, declares=popped),
        replace(_beats(4, 16, 2), ports=_beats(4, 16, 2).ports | {
            "valid": "waiting & ~popped", "ready": "pop", "payload": "load__data",
        }),
        _lemma("front_kept", "~hit | front[bit_] == bit_was", taken),
        _lemma("pointers", "signature__addr == ((load__addr + count) & 15)"),
        _lemma("level", "all == count & count <= 16"),
        _lemma("up_to_date", "~waiting | popped | count != 0"),
        _stored("words_kept", "memory", 16, "load__addr + count - behind", "behind <= count"),
    ))  # fmt: skip


def _block_pool(blocks: int) -> Block:
    bits = bits_for(blocks - 1)
    # Places of the ring behind its front, and whether the block's number is there.
    rows = [f"(({k} - read__addr) & {(1 << bits) - 1})" for k in range(1 << bits)]
    hits = [f"(ring[{k}] == which & {row} < in_ring)" for k, row in enumerate(rows)]
    ahead = " + ".join(f"({hit} ? {row} : 0)" for hit, row in zip(hits, rows, strict=True))
    late = "on_way[1] + on_way[2]"
    declares = (
        f"  wire [{bits}:0] out, others;\n  wire [2:0] on_way;\n  wire [{bits - 1}:0] which;\n"
        f"  wire is_out;\n  wire [{bits - 1}:0] in_ring = signature__addr - read__addr;\n"
        f"  wire [{bits}:0] fresh_left = used ? 0 : {blocks} - signal_;\n"
        f"  wire is_fresh = ~used & which >= signal_;\n  wire is_in_ring = {' | '.join(hits)};\n"
    )
    return Block(f"BlockPool({blocks})", lambda: BlockPool(blocks), (
        Bound("pool", "blocks", {port: port for port in (
            "take", "number", "give", "given", "least", "low", "out", "on_way", "which", "is_out",
            "others",
        )}, {"BLOCKS": blocks, "BITS": bits}, declares),
        _lemma("on_way_1", "take_14 == on_way[0]"),
        _lemma("fresh", f"used | (signal_ < {blocks} & last == (signal_ == {blocks - 1}))"),
        _lemma("count", f"in_ring + fresh_left + out - on_way[0] == {blocks}"),
        _lemma("level", f"free + out - on_way[0] == {blocks}"),
        _lemma("in_one_place", (
            "is_out + is_fresh + (on_way[1] & n12 == which) + "
            f"(on_way[2] & number == which) + {' + '.join(hits)} == 1"
        )),
        _lemma("turn", (
            f"(~is_in_ring | others + {ahead} + fresh_left + {late} < {blocks}) & "
            f"(~is_fresh | others + which - signal_ + {late} < {blocks}) & "
            f"(is_out | others + on_way[2] < {blocks} | number == which & others < {blocks})"
        )),
    ))  # fmt: skip


#: What the contract ``pictures`` tells of groups, and of pixels and pictures.
_GROUP = ("base", "rows", "plane", "top", "bottom", "first", "last")
_PLACE = ("wide", "line", "lines", "away", "of_strip", "groups_before")


def _pictures(
    width: int, height: int, strip: int, buffers: int, base: int, payload: int, *, step: int = 1,
    planes: int = 1, square: int = 1, orders: int = 0,
) -> tuple[Bound, ...]:  # fmt: skip
    """Contracts of pictures that are cut into groups, which leave in order.

    ``base`` has the bits of a group's base, ``payload`` is the width of pixels' data.
    """
    x, w, h, used = (bits_for(n) for n in (square * width, width, height, buffers))
    order = {"order": "order", "file_order": "file_order"} if orders else {
        "order": "3'h0", "file_order": "3'h0",
    }  # fmt: skip
    pictures = Bound("pictures", "pictures", {
        "valid": "pixels__valid", "ready": "pixels__ready",
        "sof": f"pixels__payload[{payload}]", "eol": f"pixels__payload[{payload + 1}]",
        "begins": "file_begins", "taken": "groups__valid & groups__ready", **order,
        "put": "group_put", **{name: f"group_{name}" for name in _GROUP},
        **{name: name for name in (
            "width", "height", "file_width", "file_height", "bad_marker", "bad_size", "finished",
            "of_picture", "could",
        )},
        "column": "at_column", "is_below": "is_below", "is_again": "is_again",
        **{name: f"at_{name}" for name in _PLACE},
    }, {"WIDTH": width, "HEIGHT": height, "STRIP": strip, "BUFFERS": buffers, "BASE": base,
        "STEP": step, "PLANES": planes, "SQUARE": square, "ORDERS": orders or 1},
        "  wire group_put, group_top, group_bottom, group_first, group_last;\n"
        f"  wire [{base - 1}:0] group_base;\n  wire [1:0] group_rows, group_plane;\n"
        f"  wire of_picture, could, is_below, is_again;\n  wire [{x - 1}:0] at_column;\n"
        f"  wire [{w - 1}:0] at_wide;\n  wire [{h - 1}:0] at_line, at_lines;\n"
        f"  wire [{used - 1}:0] at_away;\n  wire [7:0] at_of_strip, at_groups_before;\n")
    # Planes stand in a group only if they begin at several places.
    fields = ["last", "bottom", "first", "base", *(["plane"] if planes == 3 else []),
              "bottom", "top", "rows"]  # fmt: skip
    width = base + 7 + 2 * (planes == 3)
    group = ", ".join(f"group_{name}" for name in fields)
    # A signal has the name that it has elsewhere.
    order = _beats(width, buffers, 5, put="group_put", data=f"{{{group}}}")
    order = replace(order, name="in_order", ports=order.ports | {
        name: f"groups__{name}" for name in ("valid", "ready", "payload")
    })  # fmt: skip
    return pictures, _handshake(width, "groups"), order


def _group_queue() -> tuple[Bound, ...]:
    """Lemmas of the queue of groups, of four rows."""
    return (
        _lemma("queue_pointers",
               "queue.signature__addr == ((queue.load__addr + queue.used) & 3)"),
        _lemma("queue_level", "queue.used <= 4"),
        _lemma("queue_holds", "~queue.i__valid_11 | queue.used != 0"),
        _lemma("queue_full", (
            "~queue.full | queue.used == 4 | "
            "(queue.used == 3 & (queue.o__valid | !queue.i__ready_24))"
        )),
    )  # fmt: skip


def _picture_in(width: int, height: int, strip: int) -> Block:
    memory = GroupBlocks(width, 2, 17, depth=2, decodes=False)
    # A block has as many columns as a row, so that the memory of samples is small.
    memory.columns, memory._low = 1 << bits_for(width - 1), bits_for(width - 1)
    buffers, base = memory.buffers, bits_for(memory.buffers - 1)
    columns, rows = bits_for(width - 1), bits_for(height - 1)
    return Block(f"PictureIn({width} x {height})", lambda: PictureIn(
        2, memory, max_height=height, strip_height=strip
    ), (
        *_pictures(width, height, strip, buffers, base, 2), *_group_queue(),
        _lemma("size_known", "rst | ~pixels__valid | good == could"),
        # Each of these needs all others.
        _lemma("geometry", (
            "base_73 == group_base & "
            "of_picture == (input_state == 2 | (input_state == 3 & ~first)) & "
            f"(~of_picture | (at_wide == walk_width & at_lines == file_height & at_wide != 0 & "
            f"at_wide <= {width} & at_lines != 0 & at_lines <= {height} & at_column < at_wide & "
            "at_line < at_lines)) & "
            "(of_picture ? x == at_column & y == at_line & row_33 == at_line[1:0] : "
            "x == 0 & y == 0 & row_33 == 0 & at_column == 0 & at_line == 0) & "
            "(~of_picture | (one_wide == (at_wide == 1) & "
            "signal_32 == (at_column == at_wide - 1) & "
            f"right == ((at_wide - 2) & {(1 << columns) - 1}) & "
            "at_bottom == (at_line == at_lines - 1) & before_bottom == (at_line + 2 == at_lines) & "
            f"signal_72 == ((at_lines - 3) & {(1 << rows) - 1}))) & "
            "first == (~of_picture | (at_column == 0 & at_line == 0)) & "
            # Lines of the strip, and its groups.
            f"at_of_strip < {strip} & at_groups_before == (at_of_strip >> 2) & "
            "at_line[1:0] == at_of_strip[1:0] & (of_picture | at_of_strip == 0)"
        )),
        _lemma("in_use", (
            f"used == all + at_away & used <= {buffers} & (used < {buffers} | input_state == 3) & "
            "all == queue.used + i__valid + queue.o__valid + !queue.i__ready_24 & "
            "(queue.o__valid | queue.i__ready_24)"
        )),
    ), depth=25)  # fmt: skip


def _planes_in(
    name: str, width: int, lines: int, strip: int, *, planes: int, mosaic: bool = False
) -> Block:
    models: tuple = (None,) * planes  # nothing is asked of them
    of = Planes(models, mosaic=mosaic)
    memory = GroupMemory(width, 1, planes=planes)
    base = bits_for(memory.words - 1)
    square, rows = of.square, f"((at_of_strip + 1) * {planes})"
    beats = {
        "beat": "pixels__valid & pixels__ready & of_picture", "x": "at_column",
        "data": f"pixels__payload[{of.components - 1}:0]", "below": "is_below",
        "order": "file_order", "of_strip": "at_of_strip", "groups_before": "at_groups_before",
        "put": "group_put", "at": "group_base",
    }  # fmt: skip
    return Block(f"PlanesIn({name})", lambda: PlanesIn(
        of, 1, memory, max_lines=lines, strip_lines=strip
    ), (
        # A pixel stays while its components are taken.
        Bound("offers", "given", {
            "valid": "pixels__valid", "ready": "pixels__ready", "payload": "pixels__payload",
        }, {"WIDTH": of.components + 2}),
        *_pictures(width, lines, strip, memory.buffers, base, of.components, step=memory.group,
                   planes=planes, square=square, orders=orders(of)),
        Bound("group_samples", "samples", beats | {
            port: port for port in ("finished", "base", "row", "column", "sample")
        }, {"COMPONENTS": of.components, "PLANES": planes, "SQUARE": square,
            "XBITS": bits_for(square * width), "COLUMN": bits_for(width - 1), "BASE": base,
            "STEP": memory.group, "BUFFERS": memory.buffers, "LATENCY": PlanesIn.latency}),
        *_group_queue(),
        _lemma("size_known", "rst | ~pixels__valid | signal_27 == could"),
        _lemma("geometry", (
            "of_picture == (input_state == 2 | input_state == 3 | input_state == 4) & "
            "(of_picture | (at_line == 0 & at_of_strip == 0)) & "
            "(input_state == 4 | (at_column == 0 & ~is_below)) & "
            f"(~of_picture | (at_wide == walk_width & at_wide == file_width & at_wide != 0 & "
            f"at_wide <= {width} & at_lines == file_height & at_lines != 0 & at_lines <= {lines} & "
            "at_line < at_lines & signal_31 == at_lines - 1 - at_line & "
            f"at_of_strip < {strip} & of_strip == {strip - 1} - at_of_strip)) & "
            "(~(input_state == 3 | input_state == 4) | ("
            "signal_30 == (at_line == at_lines - 1) & "
            f"strip_ends == (at_line == at_lines - 1 | at_of_strip == {strip - 1}) & "
            f"right == {square} * at_wide - 1 & "
            "first == (at_column == 0 & ~is_below & at_line == 0)"
            f")) & x == at_column & (~of_picture | at_column < {square} * at_wide)"
            + " & below == is_below" * mosaic
        )),
        # Rows of the strip that have a place, and groups that are full with them.
        _lemma("places", (
            f"at_groups_before == ((at_of_strip * {planes}) >> 2) & plane < {planes} & "
            "(input_state == 3 | plane == 0) & (input_state == 4 ? "
            f"(strip_ends ? signal_37 == 0 & _closing == (({rows} + 3) >> 2) - at_groups_before : "
            f"signal_37 == ({rows} & 3) & _closing == ({rows} >> 2) - at_groups_before) : "
            f"signal_37 == ((at_of_strip * {planes} + plane) & 3) & "
            f"_closing == ((at_of_strip * {planes} + plane) >> 2) - at_groups_before)"
        )),
        _lemma("in_use", (
            "signal_ == 8'h0 + at_away + complete + _closing + (signal_37 != 0) & "
            f"signal_ <= {memory.buffers} & complete == all + is_again & "
            "(~is_again | (all != 0 & input_state != 4)) & 8'h0 + complete + _closing == "
            "queue.used + i__valid + queue.o__valid + !queue.i__ready_24 & "
            "(queue.o__valid | queue.i__ready_24)"
        )),
    ), depth=25)  # fmt: skip


def _payload_pool(words: int, of_block: int, gap: int) -> Block:
    whole, lanes = -(-words // of_block), 2
    # As few blocks as there may be: those that it keeps back, and those of the longest payload.
    blocks = whole + lanes + PayloadPool.spare

    def make() -> PayloadPool:
        pool = PayloadPool(lanes, words, 1)
        # Blocks of an estimate have sixteen words at least.
        pool._low, pool._blocks, pool.whole = bits_for(of_block - 1), blocks, whole
        return pool

    return Block(f"PayloadPool({lanes} x {words})", make, (
        Bound("payloads", "payloads", {port: port for port in (
            "write", "lane", "side", "number", "word", "wanted", "index", "found", "frees", "at",
            "forget", "low",
        )} | {"out": "blocks_out"}, {
            "LANES": lanes, "WORDS": words, "OF_BLOCK": of_block, "WHOLE": whole, "BLOCKS": blocks,
            "GAP": gap,
        }, f"  wire [{bits_for(blocks) - 1}:0] blocks_out;\n"),
    ), depth=30)  # fmt: skip


def _byte_aligner(n: int) -> Block:
    ended = "  reg ended;\n  always @(posedge clk) ended <= take & run[{0}] & ~rst;\n"
    words = {name.replace("words_", "o_", 1): port for name, port in _word("words", n).items()}
    return Block(f"ByteAligner({n})", lambda: ByteAligner(n), (
        Bound("rule", "given", {"holds": "~(take & ended)"},
              declares=ended.format(8 * n + bits_for(n - 1))),
        Bound("room", "writer", {"write": "take", "room": "room"}, {"COUNT": 2}),
        _handshake(9 * n + 1, "words"),
        _bytes(_run("i", n, "run", "take", "1'h1") | words, IN=n, OUT=n, MOST=25 * n, WAIT=6,
               FULL=1),
    ), depth=20)  # fmt: skip


def _register_file(core: str) -> Block:
    return Block(f"RegisterFile({core})", lambda: RegisterFile(stored_map(core)), axi_lite())


def _bit_window(n: int) -> Block:
    word = {port.removeprefix("i_"): seen.replace("i__", "words__")
            for port, seen in _word("i", n).items()}  # fmt: skip
    return Block(f"BitWindow({n})", lambda: BitWindow(n), (
        Bound("packets_given", "given", word, {"COUNT": n, "FULL": 1}),
        Bound("window", "string", {
            "put": f"{word['valid']} & {word['ready']}", "data": word["data"],
            "keep": word["keep"], "last": word["last"],
            **{port: port for port in (
                "discard", "reserve", "enough", "taken", "count", "bits", "ended", "exact",
            )},
        }, {"COUNT": n}),
    ))  # fmt: skip


def _word_packer(name: str, most: int, *, strip: bool = False, grain: int = 1) -> Block:
    ports = ("lane", "first", "close", "pad", "bits", "count", "word", "valid", "left")
    return Block(f"WordPacker({name})", lambda: WordPacker(8, most, strip=strip, grain=grain), (
        Bound("lane_words", "lanes", {port: port for port in ports},
              {"LANES": 8, "MOST": most, "STRIP": int(strip), "GRAIN": grain}),
    ))  # fmt: skip


BLOCKS = [
    Block("SkidBuffer", lambda: SkidBuffer(37), (_handshake(37), _beats(37, 2, 0))),
    *(_null_beats(n) for n in (4,)),
    *(
        Block(f"WordsToBytes({n})", lambda n=n: WordsToBytes(n), (
            _packed(n), _handshake(9),
            _bytes(_word("i", n) | _byte("o"), IN=n, OUT=1, MOST=n, WAIT=n),
            _held(n, "busy", "data", "keep", "last"),
        ))
        for n in (4,)
    ),
    *(
        Block(f"BytesToWords({n})", lambda n=n: BytesToWords(n), (
            _handshake(9 * n + 1),
            _bytes(_byte("i") | _word("o", n), IN=1, OUT=n, MOST=2 * n, WAIT=0, FULL=1),
            *([_two_words(n)] if n > 1 else []),
        ))
        for n in (4,)
    ),
    *(
        Block(f"Narrower({wide}, {n})", lambda wide=wide, n=n: Narrower(wide, n), (
            _packed(wide, FULL=1), _handshake(9 * n + 1),
            _bytes(_word("i", wide) | _word("o", n), IN=wide, OUT=n, MOST=wide, WAIT=0, FULL=1),
            _held(wide, "signal_[0]", "data", "signal_", "last"),
        ))
        for wide, n in ((8, 2),)
    ),
    *(_pair_joiner(n) for n in (4,)),
    *(_byte_front(n) for n in (4,)),
    _run_source(4),
    _lut_fifo(4),
    _lut_fifo(8, Bound("room", "writer", {"write": "i__valid", "room": "room"}, {"COUNT": 3}),
              put="i__valid"),
    _lut_fifo_of_few(16),
    _block_fifo(16),
    _open_queue(3),
    _payload_queue(),
    _block_pool(5),
    _payload_pool(4, 2, 4),
    _picture_in(3, 9, 8),
    _planes_in("RGB, 2 x 5", 2, 5, 3, planes=3),
    _planes_in("filter array, 4 x 6", 2, 3, 2, planes=4, mosaic=True),
    _byte_aligner(2),
    *(_register_file(core) for core in ("encoder",)),
    Block("BitJoiner(4)", lambda: BitJoiner(4), (
        Bound("bits", "strings", {
            "group": "bits", "count": "count", "ends": "end_", "valid": "valid", "last": "last",
            "word": "word", "keep": "keep",
        }, {"GROUP": 16, "WORD": 32, "WAIT": 4}),
    )),
    _bit_window(2),
    _word_packer("13", 13),
    _word_packer("25, strip", 25, strip=True),
]  # fmt: skip
