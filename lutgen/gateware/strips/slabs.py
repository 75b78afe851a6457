"""Slabs of an image in gateware: where they begin, as `lutgen.codec.predictive.container` says."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value

__all__ = ["slab_bits", "slab_columns", "slab_steps", "step_begins", "widest_slab"]


def slab_bits(slabs: int) -> int:
    """Bits of a slab's number."""
    return (slabs - 1).bit_length()


def widest_slab(max_width: int, slabs: int) -> int:
    """Columns of the widest slab of an image of so many columns at most."""
    return max_width if slabs == 1 else slabs * -(-max_width // slabs**2)


def slab_steps(width: Value, slabs: int) -> Value:
    """The image's width in steps of as many columns as there are slabs, rounded up."""
    return (width + slabs - 1) >> slab_bits(slabs)


def step_begins(steps: Value, number: Value | int, slabs: int) -> Value:
    """The step with which slab ``number`` begins; that of the last one behind it is ``steps``."""
    number = Const(number, slab_bits(slabs) + 1) if isinstance(number, int) else number
    times = sum((Mux(bit, steps << k, 0) for k, bit in enumerate(number)), Const(0))
    return times >> slab_bits(slabs)


def slab_columns(m: Module, width: Value, slab: Value, slabs: int) -> Value:
    """Columns of slab number ``slab`` of an image; two clocks later."""
    bits = slab_bits(slabs)
    begins, ends = (
        Signal(len(width) - bits + 1, name=f"step_{name}", reset_less=True)
        for name in ("begins", "ends")
    )
    columns = Signal(len(width), name="slab_columns", reset_less=True)
    steps = slab_steps(width, slabs)
    left = Cat(Const(0, bits), begins)
    m.d.sync += [
        begins.eq(step_begins(steps, slab, slabs)), ends.eq(step_begins(steps, slab + 1, slabs)),
        # The last one ends with the image, which may be within a step.
        columns.eq(Mux(slab == slabs - 1, width, Cat(Const(0, bits), ends)) - left),
    ]  # fmt: skip
    return columns
