"""The codec's inner loops, compiled by numba: networks, encoding and decoding of many tiles.

All loops work on lanes, up to 64 tiles (decoding) or 64 pixels (encoding, upsampling) at a time,
because a network is evaluated bit-sliced: one 64-bit word holds one signal of 64 lanes.

A model and its coder come as named tuples: ``arm`` and ``ups``, the model's two parts
(:mod:`lutgen.model.kernel_arrays`), and ``tans``, a `TansArrays`.

Pixels and priors of tiles are uint8 (n, levels + 1, C, H + 2 b, W + 2 b) of C channels, zero but
for the pixels of level l at ``[:, l, :, b : b + h, b : b + w]``; the border b is as wide as a
window reaches.  ``size`` is int64 (n, levels + 1, 2): height and width of each level of each tile.
"""

from typing import NamedTuple

import numpy as np

from lutgen.files.compiled import njit
from lutgen.model.constraint import CANDIDATES, candidate_base, candidate_bounds

from .rans import CHECK_STATE, STATE_BITS, pop
from .tans import ESCAPE, RAW_BITS
from .tans import pop as pop_tans

__all__ = ["LANES", "NO_TANS", "TansArrays", "decode_group", "model_tiles"]

LANES = 64
_ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


class TansArrays(NamedTuple):
    """A tANS coder, see :class:`.tans.TansTables`; the frequencies of ``arm`` are its own then."""

    bits: int  #: Logarithm of the states; 0 for rANS.
    symbols: np.ndarray  #: (classes, states) uint16
    reduced: np.ndarray  #: (classes, states) uint16


NO_TANS = TansArrays(0, *np.zeros((2, 0, 0), dtype=np.uint16))


class _Scratch(NamedTuple):
    """Room to evaluate a circuit for 64 lanes."""

    signal: np.ndarray  #: (signals,) uint64: a bit for each lane.
    half: np.ndarray  #: (32,) uint64: a table, some of whose pins are applied.
    over: np.ndarray  #: (256,) uint64: thermometer bits of a feature by threshold.
    feature: np.ndarray  #: (F, 64) uint8


@njit(nogil=True)
def _lut(table, pins, fanin, signal, half):
    """One LUT for 64 lanes: a tree of multiplexers, leaves first."""
    one = np.uint64(1)
    size = (1 << pins) >> 1
    a = signal[fanin[0]]
    for j in range(size):
        pair = (table >> np.uint64(2 * j)) & np.uint64(3)
        low = np.uint64(0) - (pair & one)
        high = np.uint64(0) - (pair >> one)
        half[j] = low ^ (a & (low ^ high))
    for pin in range(1, pins):
        a = signal[fanin[pin]]
        size >>= 1
        for j in range(size):
            low = half[2 * j]
            half[j] = low ^ (a & (low ^ half[2 * j + 1]))
    return half[0]


@njit(nogil=True)
def _evaluate(circuit, lanes, scratch):
    """All signals of a circuit for the pixels whose features are in ``scratch``."""
    first, order, thresholds, tables = (
        circuit.first, circuit.order, circuit.thresholds, circuit.tables,
    )  # fmt: skip
    signal, half, over, feature = scratch.signal, scratch.half, scratch.over, scratch.feature
    signal[0] = np.uint64(0)
    signal[1] = _ONES
    for f in range(len(first) - 1):
        if first[f] == first[f + 1]:
            continue
        # over[t]: the lanes whose feature is above t, for all thresholds at once.
        over[:] = np.uint64(0)
        for lane in range(lanes):
            over[feature[f, lane]] |= np.uint64(1) << np.uint64(lane)
        above = np.uint64(0)
        for t in range(255, -1, -1):
            equal = over[t]
            over[t] = above
            above |= equal
        for i in range(first[f], first[f + 1]):
            signal[order[i]] = over[thresholds[i]]
    node = len(signal) - len(tables)
    for n in range(len(tables)):
        signal[node + n] = _lut(tables[n], circuit.pins[n], circuit.fanin[n], signal, half)


@njit(nogil=True)
def _add_ones(word, weight, count):
    """Add ``weight`` to the counts of the lanes that are set in ``word``."""
    for lane in range(LANES):
        count[lane] += np.int64((word >> np.uint64(lane)) & np.uint64(1)) * weight


@njit(nogil=True)
def _scratch(circuit):
    """Room to evaluate a circuit."""
    return _Scratch(
        np.empty(2 + len(circuit.order) + len(circuit.tables), dtype=np.uint64),
        np.empty(32, dtype=np.uint64),
        np.empty(256, dtype=np.uint64),
        np.zeros((len(circuit.first) - 1, LANES), dtype=np.uint8),
    )


@njit(nogil=True)
def _classify(arm, lanes, scratch, classes):
    """Class of each channel, (C, 64), of ``lanes`` pixels whose features are in ``scratch``."""
    _evaluate(arm.circuit, lanes, scratch)
    for channel in range(len(classes)):
        _read_class(arm, channel, lanes, scratch, classes[channel])


@njit(nogil=True)
def _read_class(arm, channel, lanes, scratch, classes):
    """Class of a channel of ``lanes`` pixels, from the evaluated network."""
    outputs, walker = arm.outputs, arm.walker
    signal, feature = scratch.signal, scratch.feature
    classes[:] = 0
    for i in range(outputs.bits.shape[1]):
        _add_ones(signal[outputs.bits[channel, i]], outputs.weights[i], classes)
    if outputs.scale:
        count = np.zeros(LANES, dtype=np.int64)
        for i in range(outputs.more_bits.shape[1]):
            _add_ones(signal[outputs.more_bits[channel, i]], 1, count)
        for lane in range(lanes):
            location = outputs.locations[classes[lane]]
            classes[lane] = outputs.scale * outputs.scales[count[lane]] + location
    stages = len(walker.first)
    if stages == 0:
        return
    for lane in range(lanes):
        a = classes[lane]
        for s in range(stages):
            record = walker.first[s] + a
            child = 0
            if feature[walker.feature[record, 0], lane] > walker.threshold[record, 0]:
                child = 2
                if feature[walker.feature[record, 2], lane] > walker.threshold[record, 2]:
                    child = 3
            elif feature[walker.feature[record, 1], lane] > walker.threshold[record, 1]:
                child = 1
            if s + 1 < stages:
                a = 4 * walker.child[record, 0] + child
            else:
                a = walker.child[record, child]
        classes[lane] = a


@njit(nogil=True)
def _gather(arm, pixels, priors, tile, level, y, x, feature, lane):
    """Features of the pixel of a tile's level at ``y`` and ``x``, counted from the border's."""
    offsets, causal = arm.offsets, arm.causal
    f = 0
    for channel in range(pixels.shape[2]):
        for i in range(len(offsets)):
            v, u = y + offsets[i, 0], x + offsets[i, 1]
            if i < causal:
                feature[f, lane] = pixels[tile, level, channel, v, u]
            else:
                feature[f, lane] = priors[tile, level, channel, v, u]
            f += 1


@njit(nogil=True)
def _ends_block(y, x, level, levels):
    """Whether a pixel of a level, whose rows and columns count from 0, ends a 2 x 2 block."""
    return level + 1 < levels and y & 1 and x & 1


@njit(nogil=True)
def _candidates(pixels, tile, level, channel, y, x, border, exponent, bounds):
    """First candidate of the pixel that ends a block; their bounds are put into ``bounds``."""
    v = border + y
    u = border + x
    known = np.int64(pixels[tile, level, channel, v - 1, u - 1])
    known += pixels[tile, level, channel, v - 1, u]
    known += pixels[tile, level, channel, v, u - 1]
    parent = np.int64(pixels[tile, level + 1, channel, border + (y >> 1), border + (x >> 1)])
    base = candidate_base(parent, known)
    candidate_bounds(exponent, base, bounds)
    return base


@njit(nogil=True)
def _put_blocks(ups, priors, size, level, border, where, lanes, scratch):
    """Upsample ``lanes`` pixels whose features are in ``scratch``."""
    signal = scratch.signal
    _evaluate(ups.circuit, lanes, scratch)
    count = np.empty(LANES, dtype=np.int64)
    for g in range(len(ups.values)):
        channel, k = g // 4, g % 4
        count[:] = 0
        for i in range(ups.first[g], ups.first[g + 1]):
            _add_ones(signal[ups.bits[i]], 1, count)
        for lane in range(lanes):
            tile = where[lane, 0]
            y = 2 * where[lane, 1] + k // 2
            x = 2 * where[lane, 2] + k % 2
            if y < size[tile, level, 0] and x < size[tile, level, 1]:
                priors[tile, level, channel, border + y, border + x] = ups.values[g, count[lane]]


@njit(nogil=True)
def _upsample(ups, pixels, priors, size, level, border, scratch):
    """Priors of a level of all tiles, from the pixels of the next coarser one."""
    offsets, feature = ups.offsets, scratch.feature
    where = np.empty((LANES, 3), dtype=np.int64)
    lane = 0
    for tile in range(len(size)):
        for y in range(size[tile, level + 1, 0]):
            for x in range(size[tile, level + 1, 1]):
                f = 0
                for channel in range(pixels.shape[2]):
                    for i in range(len(offsets)):
                        feature[f, lane] = pixels[
                            tile, level + 1, channel,
                            border + y + offsets[i, 0], border + x + offsets[i, 1],
                        ]  # fmt: skip
                        f += 1
                where[lane, 0] = tile
                where[lane, 1] = y
                where[lane, 2] = x
                lane += 1
                if lane == LANES:
                    _put_blocks(ups, priors, size, level, border, where, lane, scratch)
                    lane = 0
    if lane:
        _put_blocks(ups, priors, size, level, border, where, lane, scratch)


@njit(nogil=True)
def model_tiles(pixels, priors, size, border, arm, ups, out):
    """Class, start and frequency of every sample of some tiles, for the coder.

    ``priors`` is zeroed and receives the upsampled pixels.  ``out`` (int32, shape (3, samples of
    all levels of all tiles)) receives the three, tile by tile, coarsest level first, the channels
    of a pixel one after the other; a sample whose frequency is 0 is given in place of its start.
    """
    cumulative, exponents = arm.cumulative, arm.exponents
    levels, channels = size.shape[1], pixels.shape[2]
    bounds = np.empty(CANDIDATES + 1, dtype=np.int64)
    classes = np.empty((channels, LANES), dtype=np.int64)
    scratch = _scratch(arm.circuit)
    feature = scratch.feature
    if levels > 1:
        room = _scratch(ups.circuit)
        for level in range(levels - 1):
            _upsample(ups, pixels, priors, size, level, border, room)
    done = 0
    for tile in range(len(size)):
        for level in range(levels - 1, -1, -1):
            width = size[tile, level, 1]
            count = size[tile, level, 0] * width
            y, x = 0, 0
            for first in range(0, count, LANES):
                lanes = min(LANES, count - first)
                v, u = y, x
                for lane in range(lanes):
                    _gather(arm, pixels, priors, tile, level, border + v, border + u, feature, lane)
                    u += 1
                    if u == width:
                        v, u = v + 1, 0
                _classify(arm, lanes, scratch, classes)
                for lane in range(lanes):
                    for channel in range(channels):
                        row = classes[channel, lane]
                        out[0, done] = row
                        symbol = np.int64(pixels[tile, level, channel, border + y, border + x])
                        if len(exponents) and _ends_block(y, x, level, levels):
                            k = symbol - _candidates(
                                pixels, tile, level, channel, y, x, border, exponents[row], bounds
                            )
                            out[1, done] = bounds[k]
                            out[2, done] = bounds[k + 1] - bounds[k]
                        else:
                            freq = cumulative[row, symbol + 1] - cumulative[row, symbol]
                            out[1, done] = cumulative[row, symbol] if freq else symbol
                            out[2, done] = freq
                        done += 1
                    x += 1
                    if x == width:
                        y, x = y + 1, 0


@njit(nogil=True)
def decode_group(data, start, length, size, border, arm, ups, tans, pixels, priors, last):
    """Decode up to 64 tiles side by side, from the coarsest level to level ``last``.

    ``data`` is uint8 with at least 16 spare bytes behind the last payload; ``start`` and
    ``length`` are those of each payload, or of its front if not all levels are decoded.
    ``pixels`` and ``priors`` are zeroed and receive pixels and upsampled pixels.  Returns the
    number of the first corrupt tile, or -1; before level 0, a tile's check cannot be made.
    """
    cumulative, exponents = arm.cumulative, arm.exponents
    state_bits = tans.bits if tans.bits else STATE_BITS
    bounds = np.empty(CANDIDATES + 1, dtype=np.int64)
    n = len(start)
    levels, channels = size.shape[1], pixels.shape[2]
    scratch = _scratch(arm.circuit)
    feature = scratch.feature
    room = _scratch(ups.circuit)
    classes = np.empty((channels, LANES), dtype=np.int64)
    state = np.empty(n, dtype=np.int64)
    at = np.empty(n, dtype=np.int64)  # bit position
    bad = np.zeros(n, dtype=np.bool_)
    for lane in range(n):
        zeros = 0
        while zeros < 8 and not (data[start[lane]] << zeros) & 128:
            zeros += 1
        bad[lane] = zeros == 8
        at[lane] = 8 * start[lane] + zeros + 1
        state[lane] = 1 << state_bits
        for k in range(state_bits - 1, -1, -1):
            bit = (data[at[lane] >> 3] >> (7 - (at[lane] & 7))) & 1
            state[lane] |= np.int64(bit) << k
            at[lane] += 1
    for level in range(levels - 1, last - 1, -1):
        if level + 1 < levels:
            _upsample(ups, pixels, priors, size, level, border, room)
        steps = 0
        for lane in range(n):
            steps = max(steps, size[lane, level, 0] * size[lane, level, 1])
        for step in range(steps):
            for lane in range(n):
                width = size[lane, level, 1]
                y = step // width
                if y < size[lane, level, 0]:
                    x = border + step % width
                    _gather(arm, pixels, priors, lane, level, border + y, x, feature, lane)
            _classify(arm, n, scratch, classes)
            for lane in range(n):
                width = size[lane, level, 1]
                y = step // width
                if y >= size[lane, level, 0]:
                    continue
                for channel in range(channels):
                    row = classes[channel, lane]
                    raw = 0
                    slot = state[lane] & ((CHECK_STATE >> 2) - 1)
                    if tans.bits:
                        slot = state[lane] - (1 << tans.bits)
                        symbol = np.int64(tans.symbols[row, slot])
                        x = np.int64(tans.reduced[row, slot])
                        count = pop_tans(x, tans.bits)
                        raw = RAW_BITS if symbol == ESCAPE else 0
                    elif len(exponents) and _ends_block(y, step % width, level, levels):
                        base = _candidates(
                            pixels, lane, level, channel, y, step % width, border,
                            exponents[row], bounds,
                        )  # fmt: skip
                        k = 0
                        while bounds[k + 1] <= slot:
                            k += 1
                        symbol = base + k
                        x, count = pop(state[lane], bounds[k], bounds[k + 1] - bounds[k])
                    else:
                        symbol = 0
                        bit = 128
                        while bit:
                            if cumulative[row, symbol + bit] <= slot:
                                symbol += bit
                            bit >>= 1
                        low = cumulative[row, symbol]
                        x, count = pop(state[lane], low, cumulative[row, symbol + 1] - low)
                    p = at[lane]
                    byte = p >> 3
                    window = (np.int64(data[byte]) << 16) | (np.int64(data[byte + 1]) << 8)
                    window |= np.int64(data[byte + 2])
                    window = (window << (p & 7)) & 0xFFFFFF
                    if raw:  # the bits of the symbol come before those of the state
                        symbol = window >> 16
                        window = (window << raw) & 0xFFFFFF
                    state[lane] = (x << count) | (window >> (24 - count))
                    count += raw
                    at[lane] = min(p + count, 8 * (start[lane] + length[lane]) + 64)
                    pixels[lane, level, channel, border + y, border + step % width] = symbol
    for lane in range(n):
        end = 8 * (start[lane] + length[lane])
        if bad[lane] or (last == 0 and (state[lane] != 1 << state_bits or at[lane] != end)):
            return lane
    return -1
