"""Logic in Verilog text, evaluated."""

import pytest

from lutgen.sim.check.logic_text import Logic, LogicError, every_case, look_up

INPUTS = dict(zip("abc", every_case(3), strict=True))
WIRES = {"n1": "a & b", "n2": "~ c", "n3": "c ? n1 : n2", "n4": "8'hca >> { c, b, a }",
         "n5": "4'd8 >> { n1, a }"}  # fmt: skip


def logic():
    return Logic(WIRES, 8, INPUTS.__getitem__)


def cases(function):
    return sum(bool(function(k & 1, k >> 1 & 1, k >> 2 & 1)) << k for k in range(8))


@pytest.mark.parametrize(("expression", "function"), [
    ("n1", lambda a, b, c: a & b),
    ("n1 | n2", lambda a, b, c: a & b | (1 - c)),
    ("a ^ b", lambda a, b, c: a ^ b),
    ("n3", lambda a, b, c: a & b if c else 1 - c),
    ("n4", lambda a, b, c: 0xCA >> (4 * c + 2 * b + a) & 1),
    ("n5", lambda a, b, c: 8 >> (2 * (a & b) + a) & 1),
    ("~ (a | b) & c", lambda a, b, c: (1 - (a | b)) & c),
    ("& { a, b, c }", lambda a, b, c: a & b & c),
    ("| { a, n2 }", lambda a, b, c: a | (1 - c)),
    ("1'h1", lambda a, b, c: 1),
    ("a ? b : c ? 1'h0 : 1'h1", lambda a, b, c: b if a else 1 - c),
])  # fmt: skip
def test_value(expression, function):
    assert logic().value(expression) == cases(function)


@pytest.mark.parametrize("expression", [
    "a + b", "2'h3", "a &", "{ a, b }", "a b", "(a", "a ? b", "8'hca >> { a,",
])  # fmt: skip
def test_refused(expression):
    with pytest.raises(LogicError):
        logic().value(expression)


def test_words():
    """Of multiplexers, concatenations, constants and registers, whole and in part."""
    wires = WIRES | {"w": "c ? { a, b } : 2'h1", "x": "a ? w : r[2:1]"}
    bits = dict(zip(("r[0]", "r[1]", "r[2]"), (0b1010_0101, 0b0000_1111, 0b1111_0000), strict=True))
    logic = Logic(wires, 8, lambda name: (INPUTS | bits)[name], lambda name: 1 + 2 * (name == "r"))
    assert logic.word("r") == list(bits.values())
    assert logic.word("w") == [cases(lambda a, b, c: b if c else 1),
                               cases(lambda a, b, c: a and c)]  # fmt: skip
    assert [logic.value("w[1]")] == logic.word("w")[1:]
    a = INPUTS["a"]
    assert logic.word("x") == [a & w | ~a & r for w, r in zip(
        logic.word("w"), list(bits.values())[1:], strict=True
    )]  # fmt: skip
    for wrong in ("w & a", "w[2]", "w ? a : b", "a ? w : b", ""):
        with pytest.raises(LogicError):
            logic.word(wrong)


def test_look_up():
    lanes = list(every_case(6))
    table = 0x123456789ABCDEF0
    assert look_up(table, lanes, (1 << 64) - 1) == table
    assert [lane >> 5 & 1 for lane in lanes] == [1, 0, 1, 0, 0, 0]
