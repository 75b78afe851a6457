"""Register file behind AXI4-Lite, made from a register map."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from lutgen.registers.register_map import Field, Register, RegisterMap

from ..fabric.pipeline import choose

__all__ = ["BUS", "RegisterFile", "axi_lite_ports", "field_port"]

#: Prefix of the bus ports.
BUS = "s_axi_control"
OKAY, SLVERR = 0, 2
#: Registers that the file itself uses.
_INTERNAL = ("gie", "ier")
_COUNTERS = ("wrapping", "saturating")
_GROUP = 8  # registers that are read through one multiplexer


def axi_lite_ports(address_bits: int) -> dict:
    """Ports of an AXI4-Lite slave of 32 bits, without protection types."""
    return {
        f"{BUS}_{name}": member
        for name, member in {
            "awaddr": In(address_bits), "awvalid": In(1), "awready": Out(1, init=1),
            "wdata": In(32), "wstrb": In(4), "wvalid": In(1), "wready": Out(1, init=1),
            "bresp": Out(2), "bvalid": Out(1), "bready": In(1),
            "araddr": In(address_bits), "arvalid": In(1), "arready": Out(1, init=1),
            "rdata": Out(32), "rresp": Out(2), "rvalid": Out(1), "rready": In(1),
        }.items()
    }  # fmt: skip


def field_port(register: Register, field: Field) -> str:
    """Name of the port that belongs to a field."""
    return register.name if field.name == "value" else f"{register.name}_{field.name}"


class RegisterFile(wiring.Component):
    """AXI4-Lite slave with the registers of a map.

    The write channels are taken independently of each other, in any order, and bytes without strobe
    stay as they are.  A write acts three clocks after the later of its address and its data and is
    answered a clock later, a read three clocks after its address; one of each is held at a time.
    Words without a register answer SLVERR and read 0; writes to a register that cannot be written
    answer OKAY and change nothing.  The two low address bits are ignored.

    All outputs are registers.  Reset gives every register its reset value and drops what is on the
    bus.

    Parameters
    ----------
    registers:
        Registers of a build; there must be a strobe ``control.clear_counters``, and for each cause
        in ``isr`` a setting in ``ier``.

    Members
    -------
    s_axi_control_* :
        Bus, see `axi_lite_ports`.
    interrupt : Out(1)
        While ``gie`` is set, a cause is pending that ``ier`` enables.
    (fields) :
        For each field a port, see `field_port`: of a setting its value and of a strobe its pulse
        (out); of a flag its value, of a cause its pulse and of a counter what to add (in), which
        should be registers.  Of a request whether it waits (out) and, behind its name, ``_set``
        and ``_done`` (in), of which ``_set`` wins.
    """

    def __init__(self, registers: RegisterMap) -> None:
        self._map = registers
        ports = {}
        for register, field in self._fields():
            name = field_port(register, field)
            if field.kind in ("setting", "strobe", "request"):
                reset = field.reset if field.kind == "setting" else 0
                ports[name] = Out(field.width, init=reset)
            elif field.kind in _COUNTERS:
                ports[name] = In(field.increment)
            elif field.kind != "constant":
                ports[name] = In(field.width)
            if field.kind == "request":
                ports |= {f"{name}_set": In(1), f"{name}_done": In(1)}
        super().__init__({
            **axi_lite_ports(registers.address_bits), **ports, "interrupt": Out(1),
        })  # fmt: skip

    def _fields(self):
        """Registers with their fields, but those that have no port."""
        for register in self._map:
            if register.name not in _INTERNAL:
                for field in register.fields:
                    yield register, field

    def elaborate(self, platform) -> Module:
        m = Module()
        writes, data, strobe = self._write_channels(m)
        values = {}  # what is read, by register and field
        for register in self._map:
            # The byte that holds the field's first bit, and so on.
            write = writes[register.name]
            for field in register.fields:
                values[register.name, field.name] = self._field(
                    m, register, field, write, data, strobe
                )
        self._read_channels(m, values)
        pending = [
            values["isr", field.name] & values["ier", field.name]
            for field in self._map["isr"].fields
        ]
        m.d.sync += self.interrupt.eq(values["gie", "enable"] & Cat(pending).any())
        return m

    def _port(self, name: str):
        return getattr(self, f"{BUS}_{name}")

    def _word(self, name: str):
        """Register to hold the number of a word."""
        return Signal(self._map.address_bits - 2, name=name, reset_less=True)

    def _mapped(self, word):
        """Whether there is a register at a word."""
        offsets = {register.offset // 4 for register in self._map}
        return Array(Const(k in offsets, 1) for k in range(1 << len(word)))[word]

    def _write_channels(self, m: Module):
        """Returns a pulse for each register, the data and the strobes."""
        word, data = self._word("write_word"), Signal(32, reset_less=True)
        strobe = Signal(4, reset_less=True)
        awready, wready = self._port("awready"), self._port("wready")
        bvalid = self._port("bvalid")
        acts = Signal()  # the write happens
        begins = ~awready & ~wready & ~acts & ~bvalid
        with m.If(awready & self._port("awvalid")):
            m.d.sync += [word.eq(self._port("awaddr")[2:]), awready.eq(0)]
        with m.If(wready & self._port("wvalid")):
            m.d.sync += [
                data.eq(self._port("wdata")), strobe.eq(self._port("wstrb")), wready.eq(0),
            ]  # fmt: skip
        m.d.sync += acts.eq(begins)
        pulses = {}
        for register in self._map:
            pulses[register.name] = pulse = Signal(name=f"write_{register.name}")
            m.d.sync += pulse.eq(begins & (word == register.offset // 4))
        with m.If(acts):
            m.d.sync += [
                bvalid.eq(1), self._port("bresp").eq(Mux(self._mapped(word), OKAY, SLVERR)),
            ]  # fmt: skip
        with m.If(bvalid & self._port("bready")):
            m.d.sync += [bvalid.eq(0), awready.eq(1), wready.eq(1)]
        return pulses, data, strobe

    def _read_channels(self, m: Module, values: dict) -> None:
        """Two multiplexers behind each other, with registers behind both."""
        word = self._word("read_word")
        arready, rvalid = self._port("arready"), self._port("rvalid")
        begins, goes = Signal(), Signal()
        with m.If(arready & self._port("arvalid")):
            m.d.sync += [word.eq(self._port("araddr")[2:]), arready.eq(0), begins.eq(1)]
        with m.Else():
            m.d.sync += begins.eq(0)
        words = [Const(0, 32)] * (1 << len(word))
        for register in self._map:
            bits = [Const(0, 1)] * 32
            for field in register.fields:
                value = values[register.name, field.name]
                bits[field.low : field.low + field.width] = [value[k] for k in range(field.width)]
            words[register.offset // 4] = Cat(bits)
        low = word[: (_GROUP - 1).bit_length()]
        groups = []
        for first in range(0, len(words), _GROUP):
            group = Signal(32, name=f"read_{first}", reset_less=True)
            m.d.sync += group.eq(choose(words[first : first + _GROUP], low))
            groups.append(group)
        m.d.sync += goes.eq(begins)
        with m.If(goes):
            m.d.sync += [
                rvalid.eq(1),
                self._port("rdata").eq(choose(groups, word[len(low) :])),
                self._port("rresp").eq(Mux(self._mapped(word), OKAY, SLVERR)),
            ]
        with m.If(rvalid & self._port("rready")):
            m.d.sync += [rvalid.eq(0), arready.eq(1)]

    def _field(self, m: Module, register: Register, field: Field, write, data, strobe):
        """Makes what is behind a field; returns what is read."""
        name = field_port(register, field)
        bits = range(field.low, field.low + field.width)
        if field.kind == "constant":
            return Const(field.reset, field.width)
        if field.kind == "setting":
            if register.name in _INTERNAL:
                value = Signal(field.width, name=name, init=field.reset)
            else:
                value = getattr(self, name)
            for k, bit in enumerate(bits):
                with m.If(write & strobe[bit // 8]):
                    m.d.sync += value[k].eq(data[bit])
            return value
        port = getattr(self, name)
        written = write & strobe[field.low // 8] & data[field.low]
        if field.kind == "strobe":
            m.d.sync += port.eq(written)
            return Const(0, field.width)
        if field.kind == "request":
            raised, done = getattr(self, f"{name}_set"), getattr(self, f"{name}_done")
            m.d.sync += port.eq((port & ~done) | raised | written)
            return port
        if field.kind == "flag":
            return port
        if field.kind == "cause":
            value = Signal(name=f"{name}_value")
            m.d.sync += value.eq((value & ~written) | port)
            return value
        return self._counter(m, field, name, port)

    def _counter(self, m: Module, field: Field, name: str, more):
        """A counter in two halves, for short carry chains; returns its value two clocks ago."""
        half = min(16, field.width)
        low, seen = Signal(half, name=f"{name}_low"), Signal(half, name=f"{name}_value")
        after = low + more
        if field.kind == "saturating":
            after = Mux(after[half], low, after)
        m.d.sync += [low.eq(after), seen.eq(low)]
        parts, states = [seen], [low, seen]
        if field.width > half:
            carry = Signal(name=f"{name}_carry")
            high = Signal(field.width - half, name=f"{name}_high")
            m.d.sync += [carry.eq(after[half]), high.eq(high + carry)]
            parts, states = [seen, high], [low, seen, carry, high]
        with m.If(self.control_clear_counters):
            m.d.sync += [state.eq(0) for state in states]
        return Cat(parts)
