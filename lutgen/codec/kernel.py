"""The codec's inner loops, compiled by numba: networks, encoding and decoding of many tiles.

All loops work on lanes, up to 64 tiles (decoding) or 64 pixels (encoding) at a time, because the
network is evaluated bit-sliced: one 64-bit word holds one signal of 64 lanes.
"""

import numpy as np
from numba import njit

from .rans import CHECK_STATE, STATE_BITS, pop, push

__all__ = ["LANES", "decode_group", "encode_tile"]

LANES = 64
_ONES = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _classify(net, walk, feature, lanes, signal, half, classes):
    """Class of ``lanes`` pixels whose features are ``feature[lane, f]``."""
    inputs, pins, fanin, tables, out_a, weight_a, out_b, map_a, map_b, scale = net
    signal[0] = np.uint64(0)
    signal[1] = _ONES
    for i in range(len(inputs)):
        f = inputs[i, 0]
        t = inputs[i, 1]
        word = np.uint64(0)
        for lane in range(lanes):
            word |= np.uint64(feature[f, lane] > t) << np.uint64(lane)
        signal[2 + i] = word
    first = 2 + len(inputs)
    for n in range(len(tables)):
        signal[first + n] = _lut(tables[n], pins[n], fanin[n], signal, half)
    stage, w_feature, w_threshold, w_child = walk
    for lane in range(lanes):
        at = np.uint64(lane)
        a = 0
        for i in range(len(out_a)):
            a += int((signal[out_a[i]] >> at) & np.uint64(1)) * weight_a[i]
        if scale:
            b = 0
            for i in range(len(out_b)):
                b += int((signal[out_b[i]] >> at) & np.uint64(1))
            a = scale * map_b[b] + map_a[a]
        for s in range(len(stage)):
            record = stage[s] + a
            child = 0
            if feature[w_feature[record, 0], lane] > w_threshold[record, 0]:
                child = 2
                if feature[w_feature[record, 2], lane] > w_threshold[record, 2]:
                    child = 3
            elif feature[w_feature[record, 1], lane] > w_threshold[record, 1]:
                child = 1
            if s + 1 < len(stage):
                a = 4 * w_child[record, 0] + child
            else:
                a = w_child[record, child]
        classes[lane] = a


@njit(nogil=True, cache=True)
def encode_tile(image, y0, x0, height, width, offsets, net, walk, cumulative, classes, payload):
    """Encode one tile of ``image``; the payload is written to the end of ``payload``.

    ``classes`` (int32, height * width) receives the class of every pixel.  Returns the first
    byte's position in ``payload``.
    """
    signal = np.empty(2 + len(net[0]) + len(net[3]), dtype=np.uint64)
    half = np.empty(32, dtype=np.uint64)
    feature = np.zeros((len(offsets), LANES), dtype=np.uint8)
    part = np.empty(LANES, dtype=np.int64)
    pixels = height * width
    for first in range(0, pixels, LANES):
        lanes = min(LANES, pixels - first)
        for lane in range(lanes):
            y = (first + lane) // width
            x = (first + lane) % width
            for f in range(len(offsets)):
                v = y + offsets[f, 0]
                u = x + offsets[f, 1]
                inside = v >= 0 and u >= 0 and u < width
                feature[f, lane] = image[y0 + v, x0 + u] if inside else 0
        _classify(net, walk, feature, lanes, signal, half, part)
        for lane in range(lanes):
            classes[first + lane] = part[lane]

    at = len(payload)
    state = CHECK_STATE
    held = 0  # bits below the next whole byte
    count = 0
    for i in range(pixels - 1, -1, -1):
        symbol = image[y0 + i // width, x0 + i % width]
        start = cumulative[classes[i], symbol]
        freq = cumulative[classes[i], symbol + 1] - start
        state, bits, n = push(state, start, freq)
        held |= bits << count
        count += n
        while count >= 8:
            at -= 1
            payload[at] = held & 255
            held >>= 8
            count -= 8
    held |= state << count
    count += STATE_BITS + 1
    while count > 0:
        at -= 1
        payload[at] = held & 255
        held >>= 8
        count -= 8
    return at


@njit(nogil=True, cache=True)
def decode_group(data, start, length, size, offsets, net, walk, cumulative, tiles):
    """Decode up to 64 tiles side by side.

    Parameters: ``data`` uint8 with at least 4 spare bytes behind the last payload; ``start`` and
    ``length`` of each payload; ``size`` (n, 2) height and width; ``tiles`` uint8 (n, H + r,
    W + 2 r) zeroed, receives the pixels behind r rows and r columns of border.  Returns the
    number of the first corrupt tile, or -1.
    """
    n = len(start)
    radius = -offsets[0, 0]
    signal = np.empty(2 + len(net[0]) + len(net[3]), dtype=np.uint64)
    half = np.empty(32, dtype=np.uint64)
    feature = np.zeros((len(offsets), LANES), dtype=np.uint8)
    classes = np.empty(LANES, dtype=np.int64)
    state = np.empty(n, dtype=np.int64)
    at = np.empty(n, dtype=np.int64)  # bit position
    bad = np.zeros(n, dtype=np.bool_)
    steps = 0
    for lane in range(n):
        steps = max(steps, size[lane, 0] * size[lane, 1])
        zeros = 0
        while zeros < 8 and not (data[start[lane]] << zeros) & 128:
            zeros += 1
        bad[lane] = zeros == 8
        at[lane] = 8 * start[lane] + zeros + 1
        state[lane] = CHECK_STATE
        for k in range(STATE_BITS - 1, -1, -1):
            bit = (data[at[lane] >> 3] >> (7 - (at[lane] & 7))) & 1
            state[lane] |= np.int64(bit) << k
            at[lane] += 1
    for step in range(steps):
        for lane in range(n):
            width = size[lane, 1]
            y = step // width
            x = step % width
            if y < size[lane, 0]:
                for f in range(len(offsets)):
                    feature[f, lane] = tiles[
                        lane, y + radius + offsets[f, 0], x + radius + offsets[f, 1]
                    ]
        _classify(net, walk, feature, n, signal, half, classes)
        for lane in range(n):
            width = size[lane, 1]
            y = step // width
            if y >= size[lane, 0]:
                continue
            row = classes[lane]
            slot = state[lane] & ((CHECK_STATE >> 2) - 1)
            symbol = 0
            bit = 128
            while bit:
                if cumulative[row, symbol + bit] <= slot:
                    symbol += bit
                bit >>= 1
            base = cumulative[row, symbol]
            x, count = pop(state[lane], base, cumulative[row, symbol + 1] - base)
            p = at[lane]
            byte = p >> 3
            window = (np.int64(data[byte]) << 16) | (np.int64(data[byte + 1]) << 8)
            window |= np.int64(data[byte + 2])
            window = (window << (p & 7)) & 0xFFFFFF
            state[lane] = (x << count) | (window >> (24 - count))
            at[lane] = min(p + count, 8 * (start[lane] + length[lane]) + 64)
            tiles[lane, y + radius, step % width + radius] = symbol
    for lane in range(n):
        if bad[lane] or state[lane] != CHECK_STATE or at[lane] != 8 * (start[lane] + length[lane]):
            return lane
    return -1
