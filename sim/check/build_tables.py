"""Tables and LUTs of a build, read back from its files and compared with the model.

Nothing is simulated here, and no hash is trusted: a word that differs is named by its file and
address, a LUT by its instance.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lutgen.build.folder import files_digest
from lutgen.gateware.fabric.plain_names import MODULE_SEPARATOR
from lutgen.sim.check.expected_tables import Tables

__all__ = ["CompareLuts", "changed_files", "compare_tables", "longest_end", "wrong_wiring"]

#: Of a module's file, path and text: how many LUTs were compared, and what is wrong with them.
CompareLuts = Callable[[str, str, str], tuple[int, list[str]]]

_MODULE = re.compile(r"^module (\w+)(.*?)^endmodule", re.M | re.S)
_MEMORY = re.compile(r"^\s*reg \[(\d+):0\] (\\\S+ |\w+) ?\[(\d+):(\d+)\];", re.M)
_READMEM = re.compile(
    r'\$readmemh\("([^"]+)", *(\\\S+ |\w+) *(?:, *(\d+) *(?:, *(\d+) *)?)?\);'
)
_ROM_NAME = re.compile(r"(?P<table>\w+?)_(?:(?P<bank>\d+)_)?(?P<first>\d+)(?:\$\d+)?")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_SUFFIX = re.compile(r"_\d+$")
#: What a table and what a design may go wrong by before the rest is left out.
_MOST = 20


def changed_files(record: Mapping) -> list[str]:
    """What differs from the list of files in ``build.json``: one line for each file.

    The list itself is checked by its own hash, and sources beside the build that are not in it are
    told as well.
    """
    folder, listed = Path(record["folder"]), record["files"]
    problems = []
    digest = files_digest(listed)
    if record.get("files_sha256", digest) != digest:  # the first versions wrote none
        problems.append("build.json: its list of files is not the one that was written")
    for name, file in listed.items():
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except FileNotFoundError:
            problems.append(f"{name} is missing")
            continue
        if found != file["sha256"]:
            problems.append(f"{name} is not what was written")
    for pattern in ("*.v", "*.mem"):
        extra = sorted(path.name for path in folder.glob(pattern) if path.name not in listed)
        problems += [f"{name} is no file of the build" for name in extra]
    for name in [*(core["module"] + ".v" for core in record["cores"].values()), "files.f"]:
        if name not in listed:
            problems.append(f"{name} is not in the list of files")
    return problems


def wrong_wiring(record: Mapping) -> list[str]:
    """What is wrong in the wrapper around both cores, which is not simulated.

    Each pin of a core must be at the wrapper's port of its name, of its width and direction.
    """
    folder, cores = Path(record["folder"]), record["cores"]
    own = {f"{core['module']}.v" for core in cores.values()}
    problems = []
    for file in record["files"]:
        if not file.endswith(".v") or file in own:
            continue
        try:
            text = _COMMENT.sub("", (folder / file).read_text())
        except (OSError, UnicodeDecodeError):
            continue  # told by its hash
        ports = {
            m[3]: (m[1], int(m[2] or 0) + 1)
            for m in re.finditer(r"\b(input|output) wire(?: \[(\d+):0\])? (\w+)", text)
        }
        for name, core in cores.items():
            instance = re.search(rf"\b{core['module']} (\w+) \((.*?)\);", text, re.S)
            if instance is None:
                continue
            pins = dict(re.findall(r"\.(\w+)\((\w*)\)", instance[2]))
            for port in core["ports"]:
                pin = port["name"]
                wanted = pin if pin in ("clk", "rst") else f"{name}_{pin}"
                if pins.get(pin) != wanted:
                    problems.append(f"{file}: {pin} of the {name} must be at {wanted}")
                elif ports.get(wanted) != (port["direction"], port["width"]):
                    problems.append(
                        f"{file}: {wanted} must be an {port['direction']} of {port['width']} bits"
                    )
    return problems


@dataclass(frozen=True)
class _Piece:
    """A memory that holds some bits of some rows of a table."""

    memory: str
    width: int
    depth: int
    bank: int
    first: int


def compare_tables(
    record: Mapping, core: str, tables: Tables, luts: CompareLuts | None = None
) -> tuple[dict, list]:
    """Read a core's tables and LUTs back.

    Parameters
    ----------
    record :
        ``build.json``, with ``folder``.
    core :
        ``encoder`` or ``decoder``.
    tables :
        What it must hold, see `.expected_tables`.
    luts :
        Compares those of a module; None for cores that have none.

    Returns
    -------
    tuple
        How many ``tables``, ``words`` and ``luts`` were compared, and what is wrong.
    """
    folder = Path(record["folder"])
    file = f"{record['cores'][core]['module']}.v"
    try:
        text = (folder / file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        return {"tables": 0, "words": 0, "luts": 0}, [f"{file} cannot be read: {error}"]
    done = {"tables": 0, "words": 0, "luts": 0}
    problems: list[str] = []
    missing = set(tables)
    for path, body in _modules(text):
        known = longest_end(path, {place for place, _ in tables})
        pieces, contents, wrong = _memories(folder, body)
        problems += wrong
        for name, found in pieces.items():
            if known is None or (key := (known, name)) not in tables:
                problems += [
                    _not_clear(f"{path} {name}", *contents[piece.memory])
                    for piece in found if piece.memory in contents
                ]  # fmt: skip
                continue
            missing.discard(key)
            done["tables"] += 1
            done["words"] += len(tables[key])
            problems += _compare_table(f"{file}: {path} {name}", tables[key], found, contents)
        if luts is not None:
            count, wrong = luts(file, path, body)
            done["luts"] += count
            problems += wrong
    for place, name in sorted(missing):
        # A table of zeros has no file, and one of a single word may have no memory.
        if len(tables[place, name]) > 1 and any(tables[place, name]):
            problems.append(f"{file}: it has no table {name} in {place[1:]}")
    if len(problems) > _MOST:
        problems[_MOST:] = [f"and {len(problems) - _MOST} more"]
    return done, [f"{core}: {problem}" for problem in problems]


def _modules(text: str) -> Iterator[tuple[str, str]]:
    """Path, without numbers that keep names apart, and text of each module."""
    for match in _MODULE.finditer(_COMMENT.sub("", text)):
        yield _SUFFIX.sub("", match[1]).replace(MODULE_SEPARATOR, "."), match[2]


def longest_end(path: str, places) -> str | None:
    """The longest of some places that a module's path ends with."""
    return max((p for p in places if path.endswith(p)), key=len, default=None)


def _memories(
    folder: Path, body: str
) -> tuple[dict[str, list[_Piece]], dict[str, tuple[str, dict[int, int]]], list[str]]:
    """Pieces of tables by name, file and words of each memory, and what is wrong with the files."""
    contents: dict[str, tuple[str, dict[int, int]]] = {}
    problems: list[str] = []
    pieces: dict[str, list[_Piece]] = {}
    shapes = {
        m[2].strip(): (int(m[1]) + 1, max(int(m[3]), int(m[4])) + 1)
        for m in _MEMORY.finditer(body)
    }
    for match in _READMEM.finditer(body):
        file, memory = match[1], match[2].strip()
        depth = shapes.get(memory, (0, 0))[1]
        first = int(match[3] or 0)
        last = int(match[4]) if match[4] else max(depth - 1, first)
        try:
            words = _COMMENT.sub(" ", (folder / file).read_text()).split()
            numbers = [int(word, 16) for word in words]
        except FileNotFoundError:
            problems.append(f"{file} is missing")
            continue
        except ValueError:
            problems.append(f"{file}: it must be of hexadecimal words")
            continue
        rows = range(first, last + 1) if last >= first else range(first, last - 1, -1)
        if len(numbers) != len(rows):
            problems.append(f"{file}: it must hold {len(rows)} words, not {len(numbers)}")
        contents[memory] = (file, dict(zip(rows, numbers, strict=False)))
    for memory, (width, depth) in shapes.items():
        name = _ROM_NAME.fullmatch(memory.lstrip("\\"))
        if memory in contents and not any(contents[memory][1].values()):
            continue  # cleared memories, and bits of tables that are zero
        if memory in contents and name:
            piece = _Piece(memory, width, depth, int(name["bank"] or 0), int(name["first"]))
            pieces.setdefault(name["table"], []).append(piece)
        elif memory in contents:
            problems.append(_not_clear(memory, *contents[memory]))
    return pieces, contents, problems


def _not_clear(name: str, file: str, rows: Mapping[int, int]) -> str:
    """That a memory which is no table of the model does not begin with zeros."""
    row, word = next((row, word) for row, word in rows.items() if word)
    return (
        f"{file}: address {row} must hold 0x0, not {word:#x}: "
        f"no table of the model is called {name}"
    )


def _compare_table(what: str, words: Sequence[int], pieces: Sequence[_Piece], contents) -> list:
    """What is wrong with a table; bits that no memory has are zero."""
    problems = []
    deepest = max(piece.depth for piece in pieces)
    seen = [0] * len(words)
    for piece in pieces:
        file, rows = contents[piece.memory]
        mask = (1 << piece.width) - 1
        start = piece.bank * deepest
        right = True
        for row, word in enumerate(words[start : start + piece.depth]):
            seen[start + row] |= mask << piece.first
            wanted, found = word >> piece.first & mask, rows.get(row)
            if right and found != wanted:
                right = False  # the first address is enough
                shown = "nothing" if found is None else f"{found:#x}"
                problems.append(f"{file}: address {row} must hold {wanted:#x}, not {shown}")
    for row, (word, mask) in enumerate(zip(words, seen, strict=True)):
        if word & ~mask:
            problems.append(f"{what}: bits {word & ~mask:#x} of word {row} are in no memory")
            break
    return problems
