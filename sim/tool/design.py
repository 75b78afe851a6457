"""What a simulation needs to know of a design: its Verilog text and the ports of its top."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from lutgen.errors import InputError
from lutgen.files.whole import write_file

__all__ = ["Design", "Port"]

_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/|\(\*(?!\s*\)).*?\*\)", re.DOTALL)
_ROUTINES = re.compile(r"\b(function|task)\b.*?\bend\1\b", re.DOTALL)
_MODULE = re.compile(r"\bmodule\s+(\\\S+|[A-Za-z_]\w*)")
_PORT = re.compile(
    r"\b(?P<direction>input|output|inout)\b\s*"
    r"(?:\b(?:wire|reg|logic)\b\s*)?"
    r"(?:\b(?P<sign>signed|unsigned)\b\s*)?"
    r"(?:\[(?P<range>[^\]]*)\]\s*)?"
    r"(?P<names>(?:\\\S+\s|\w+)(?:\s*,\s*(?!input\b|output\b|inout\b)(?:\\\S+\s|\w+))*)"
)
_READMEM = re.compile(r'(\$readmemh\()"([^"]+)"')
_RANGE = re.compile(r"\s*(\d+)\s*:\s*0\s*")


@dataclass(frozen=True)
class Port:
    """One port of the top module, or a bit field of one.

    Members
    -------
    name : name of the Verilog port
    width : bits of this port or field, at least 1
    is_input : True for an input of the design
    signed : whether numbers are two's complement
    offset : first bit of the field in the port, 0 for a whole port
    """

    name: str
    width: int
    is_input: bool
    signed: bool = False
    offset: int = 0


@dataclass(frozen=True, eq=False)
class Design:
    """Verilog text with a named top module.

    Members
    -------
    top : name of the top module
    texts : Verilog texts, in compilation order
    ports : ports of the top by name, without zero-width ones
    fields : named bit fields of ports by full name: a ``StructLayout`` payload of the stream ``i``
        with a member ``last`` gives ``i__payload__last``
    """

    top: str
    texts: tuple[str, ...]
    ports: Mapping[str, Port]
    fields: Mapping[str, Port] = field(default_factory=dict)

    @classmethod
    def of(cls, source, top: str | None = None) -> Design:
        """Return the design that ``source`` describes.

        Parameters
        ----------
        source : Design, amaranth.lib.wiring.Component, str, Path, or a sequence of str and Path
            A str is Verilog text, a Path a file of it.
        top : str, optional
            Name of the top module. May be left out for components ("top") and where the text has
            one module only.

        Raises
        ------
        InputError
            If the top is missing, or a port of it has no literal ``[n:0]`` range.
        """
        if isinstance(source, Design):
            return source
        if isinstance(source, (str, Path)):
            source = [source]
        if isinstance(source, Iterable):
            texts = tuple(
                _share_memories(s.read_text(), _reader(s.parent))
                if isinstance(s, Path) else str(s)
                for s in source
            )  # fmt: skip
            return cls._of_texts(texts, top)
        # Imported here: the simulator's own process has no need of Amaranth.
        from lutgen.gateware.fabric.verilog import to_verilog
        from lutgen.synth.verilog_text import split_memories

        text, files = split_memories(to_verilog(source, top or "top"), "")
        text = _share_memories(text, files.__getitem__)
        design = cls._of_texts((text,), top or "top")
        return cls(design.top, design.texts, *_shapes(source, design.ports))

    @classmethod
    def _of_texts(cls, texts: tuple[str, ...], top: str | None) -> Design:
        modules: dict[str, str] = {}
        for text in texts:
            modules.update(_modules(text))
        if top is None:
            if len(modules) != 1:
                raise InputError(
                    f"top must be given for Verilog text with {len(modules)} modules, not None"
                )
            (top,) = modules
        if top not in modules:
            raise InputError(f"top must be a module of the Verilog text, not {top!r}")
        return cls(top, texts, _ports(modules[top], top))

    def under(self, text: str, top: str) -> Design:
        """The design below module ``top`` of one more text."""
        return Design(top, (*self.texts, text), Design._of_texts((text,), top).ports)

    def whole_texts(self) -> list[str]:
        """The texts, and models of Xilinx primitives where they use and do not define them."""
        texts = list(self.texts)
        if any("LUT6" in text for text in texts) and not any("module LUT6" in t for t in texts):
            from lutgen.build.verilog import primitives

            texts.append(primitives())
        return texts

    def find(self, *names: str) -> Port:
        """Return the port or field that is called by the first known of ``names``.

        Raises
        ------
        InputError
            If there is none.
        """
        for name in names:
            found = self.ports.get(name) or self.fields.get(name)
            if found is not None:
                return found
        known = ", ".join([*self.ports, *self.fields])
        raise InputError(f"port must be one of {known}; not {' or '.join(map(repr, names))}")


def _reader(folder: Path) -> Callable[[str], str]:
    """Gives the text of a file in a folder."""
    return lambda name: (folder / name).read_text()


def _share_memories(text: str, read: Callable[[str], str]) -> str:
    """Let ``$readmemh`` read files of the cache that are named by their contents.

    Where the simulator runs no longer matters then, and designs are equal if their texts are.
    """
    # Imported here: the simulator's own process has no need of it.
    from lutgen.files.caches import cache_folder

    def share(match: re.Match) -> str:
        words = read(match[2])
        path = cache_folder() / "memories" / f"{sha256(words.encode()).hexdigest()[:32]}.mem"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, words.encode())
        return f'{match[1]}"{path}"'

    return _READMEM.sub(share, text)


def _modules(text: str) -> dict[str, str]:
    """Return the text from name to ``endmodule`` of each module in ``text``, without comments."""
    text = _ROUTINES.sub(" ", _COMMENTS.sub(" ", text))
    found = {}
    for match in _MODULE.finditer(text):
        end = text.find("endmodule", match.end())
        found[match.group(1).lstrip("\\")] = text[match.end() : end if end >= 0 else len(text)]
    return found


def _ports(body: str, top: str) -> dict[str, Port]:
    ports = {}
    for match in _PORT.finditer(body):
        width = 1
        if match["range"] is not None:
            literal = _RANGE.fullmatch(match["range"])
            if literal is None:
                raise InputError(
                    f"port range in module {top!r} must be a literal [n:0], not [{match['range']}]"
                )
            width = int(literal.group(1)) + 1
        if match["direction"] == "inout":
            raise InputError(f"port of {top!r} must be an input or an output, not inout")
        for name in re.findall(r"\\\S+|\w+", match["names"]):
            name = name.lstrip("\\")
            ports[name] = Port(
                name, width, match["direction"] == "input", match["sign"] == "signed"
            )
    return ports


def _shapes(component, ports: Mapping[str, Port]) -> tuple[dict[str, Port], dict[str, Port]]:
    """Return the ports with the signs that Verilog text does not show, and their named fields."""
    from amaranth.hdl import Shape
    from amaranth.lib import data

    signed: dict[str, Port] = {}
    fields: dict[str, Port] = {}

    def visit(layout: data.Layout, prefix: str, port: Port, offset: int) -> None:
        for key, member in layout:
            shape = Shape.cast(member.shape)
            if shape.width == 0:
                continue
            name, first = f"{prefix}__{key}", offset + member.offset
            fields[name] = Port(port.name, shape.width, port.is_input, shape.signed, first)
            if isinstance(member.shape, data.Layout):
                visit(member.shape, name, port, first)
            elif isinstance(member.shape, type) and issubclass(member.shape, data.Struct):
                visit(data.Layout.cast(member.shape), name, port, first)

    for path, member, value in component.signature.flatten(component):
        port = ports.get("__".join(map(str, path)))
        if port is None:
            continue
        signed[port.name] = replace(port, signed=Shape.cast(member.shape).signed)
        if isinstance(value, data.View):
            visit(data.Layout.cast(value.shape()), port.name, port, 0)
    return {**ports, **signed}, fields
