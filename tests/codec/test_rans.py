import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lutgen.codec import rans
from lutgen.codec.rans import CHECK_STATE
from lutgen.files.compiled import njit

TOTAL = 1 << 14
# The same functions without the compiler; `test_compiled` compares them.
push, pop = rans.push.py_func, rans.pop.py_func

intervals = st.integers(1, TOTAL).flatmap(
    lambda freq: st.tuples(st.integers(0, TOTAL - freq), st.just(freq))
)
states = st.integers(CHECK_STATE, 2 * CHECK_STATE - 1)


@given(states, intervals)
def test_pop_undoes_push(state, interval):
    start, freq = interval
    pushed, bits, count = push(state, start, freq)
    assert CHECK_STATE <= pushed < 2 * CHECK_STATE
    assert 0 <= bits < 1 << count <= TOTAL
    assert start <= pushed % TOTAL < start + freq
    popped, needed = pop(pushed, start, freq)
    assert needed == count
    assert popped << count | bits == state


@given(states, intervals)
def test_push_undoes_pop(state, interval):
    start, freq = interval
    # Any state decodes to the symbol whose interval holds its slot.
    state = state // TOTAL * TOTAL + start + state % freq
    if state >= 2 * CHECK_STATE:
        return
    popped, count = pop(state, start, freq)
    assert 4 * freq <= popped < 8 * freq
    for bits in {0, (1 << count) - 1}:
        assert push(popped << count | bits, start, freq) == (state, bits, count)


@given(st.lists(intervals, max_size=40))
def test_a_string_of_symbols_comes_back_and_ends_in_the_check_state(symbols):
    state, emitted = CHECK_STATE, []
    for start, freq in reversed(symbols):
        state, bits, count = push(state, start, freq)
        emitted.append((bits, count))
    for start, freq in symbols:
        state, count = pop(state, start, freq)
        bits, pushed_count = emitted.pop()
        assert count == pushed_count
        state = state << count | bits
    assert state == CHECK_STATE and not emitted


def test_certainty_costs_nothing_and_the_rarest_symbol_14_bits():
    assert push(CHECK_STATE, 0, TOTAL) == (CHECK_STATE, 0, 0)
    assert push(CHECK_STATE, 7, 1)[2] == 14
    assert push(2 * CHECK_STATE - 1, 7, 1)[2] == 14


def test_cost_is_close_to_the_code_length():
    rng = np.random.default_rng(0)
    freq = np.array([9000, 4000, 2000, 1000, 300, 83, 1])
    start = np.cumsum(freq) - freq
    assert freq.sum() == TOTAL
    symbols = rng.choice(len(freq), size=20000, p=freq / TOTAL)
    state, bits = CHECK_STATE, 0
    for s in symbols.tolist():
        state, _, count = push(state, int(start[s]), int(freq[s]))
        bits += count
    ideal = (14 - np.log2(freq[symbols])).sum()
    assert abs(bits - ideal) / symbols.size < 0.005


def test_compiled():
    push, pop = rans.push, rans.pop

    @njit()
    def both(states, starts, freqs, out):
        for i in range(len(states)):
            out[i, 0], out[i, 1], out[i, 2] = push(states[i], starts[i], freqs[i])
            out[i, 3], out[i, 4] = pop(out[i, 0], starts[i], freqs[i])

    rng = np.random.default_rng(2)
    freqs = np.minimum((2.0 ** rng.uniform(0, 14, 2000)).astype(np.int64), TOTAL)
    starts = rng.integers(0, TOTAL + 1 - freqs)
    state = rng.integers(CHECK_STATE, 2 * CHECK_STATE, 2000)
    out = np.zeros((2000, 5), dtype=np.int64)
    both(state, starts, freqs, out)
    for i, row in enumerate(out.tolist()):
        start, freq = int(starts[i]), int(freqs[i])
        wanted = rans.push.py_func(int(state[i]), start, freq)
        assert tuple(row[:3]) == wanted
        assert tuple(row[3:]) == rans.pop.py_func(wanted[0], start, freq)
