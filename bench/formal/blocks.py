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
from lutgen.gateware.predictive.picture_in import PictureIn
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


def _open_queue(pipeline: int) -> Block:
    return _queue(
        f"OpenQueue({pipeline})", lambda: OpenQueue(4, pipeline=pipeline), 4, 33, 2,
        _lemma("pointers", "signature__addr == ((read__addr + level) & 31)"),
        _lemma("count", "all == level + o__valid"),
        _lemma("no_overflow", "level < 32 | (level == 32 & ~put)"),
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


def _picture_in(width: int, height: int, strip: int) -> Block:
    memory = GroupBlocks(width, 2, 17, depth=2, decodes=False)
    base = bits_for(memory.buffers - 1)
    told = ("put", "base", "rows", "top", "bottom", "first", "last")
    group = ", ".join(f"group_{name}" for name in (
        "last", "bottom", "first", "base", "bottom", "top", "rows",
    ))  # fmt: skip
    order = _beats(base + 7, memory.buffers, 5, put="group_put", data=f"{{{group}}}")
    order = replace(order, ports=order.ports | {
        name: f"groups__{name}" for name in ("valid", "ready", "payload")
    })  # fmt: skip
    return Block(f"PictureIn({width} x {height})", lambda: PictureIn(
        2, memory, max_height=height, strip_height=strip
    ), (
        Bound("pictures", "pictures", {
            "valid": "pixels__valid", "ready": "pixels__ready", "sof": "pixels__payload[2]",
            "eol": "pixels__payload[3]", "begins": "file_begins",
            "taken": "groups__valid & groups__ready",
            **{name: f"group_{name}" for name in told},
            **{name: name for name in (
                "width", "height", "file_width", "file_height", "bad_marker", "bad_size",
                "finished", "of_picture", "could", "wide", "line", "lines",
            )}, "column": "column_",
        }, {"WIDTH": width, "HEIGHT": height, "STRIP": strip, "BUFFERS": memory.buffers,
            "BASE": base},
            "  wire group_put, group_top, group_bottom, group_first, group_last;\n"
            f"  wire [{base - 1}:0] group_base;\n  wire [1:0] group_rows;\n"
            f"  wire of_picture, could;\n  wire [{bits_for(width) - 1}:0] column_, wide;\n"
            f"  wire [{bits_for(height) - 1}:0] line, lines;\n"),
        _handshake(base + 7, "groups"), order,
        _lemma("base_counts", "base_73 == group_base"),
        _lemma("size_known", "rst | ~pixels__valid | good == could"),
        _lemma("inside", "of_picture == (input_state == 2 | (input_state == 3 & ~first))"),
        _lemma("size_kept", (
            f"~of_picture | (wide == walk_width & lines == file_height & wide != 0 & "
            f"wide <= {width} & lines != 0 & lines <= {height} & column_ < wide & line < lines)"
        )),
        _lemma("place", (
            "(of_picture ? x == column_ & y == line & row_33 == line[1:0] : "
            "x == 0 & y == 0 & row_33 == 0 & column_ == 0 & line == 0)"
        )),
        _lemma("borders", (
            "~of_picture | (signal_68 == (wide == 1) & one_high == (lines == 1) & "
            "signal_32 == (column_ == wide - 1) & at_bottom == (line == lines - 1) & "
            "(signal_68 | signal_69 + 2 == wide) & (one_high | bottom + 2 == lines))"
        )),
        _lemma("first_pixel", "first == (~of_picture | (column_ == 0 & line == 0))"),
    ), depth=25)  # fmt: skip


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
    _block_fifo(16),
    _open_queue(3),
    _payload_queue(),
    _block_pool(5),
    _picture_in(3, 9, 8),
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
