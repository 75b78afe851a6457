"""A decoder of `.lgc` and `.lutgen` written from docs/format.md, with nothing of lutgen in it.

Slow and plain: it is here to show that the page is enough.  Pixels are lists of rows.
"""

import hashlib
import json
import struct
import zlib


def read_model(data: bytes) -> dict:
    """What a `.lutgen` file says: `meta`, arrays by name, and its hash, 32 bytes."""
    assert data[:8] == b"LUTGEN\r\n"
    assert hashlib.sha256(data[40:]).digest() == data[8:40]
    body = zlib.decompress(data[48:])
    assert len(body) == struct.unpack_from("<Q", data, 40)[0]
    (length,) = struct.unpack_from("<I", body)
    head = json.loads(body[4 : 4 + length])
    assert (head["kind"], head["version"]) == ("codec-model", 1)
    arrays, at = {}, 4 + length
    for name, dtype, shape in head["arrays"]:
        size, count = int(dtype[1]), 1
        for side in shape:
            count *= side
        signed = dtype[0] == "i"
        flat = [
            int.from_bytes(body[i : i + size], "little", signed=signed)
            for i in range(at, at + count * size, size)
        ]
        arrays[name] = _shaped(flat, shape)
        at += count * size
    assert at == len(body)
    model = head["meta"]["model"]
    text = json.dumps(
        {"arrays": head["arrays"], "meta": model}, sort_keys=True, separators=(",", ":")
    ).encode()
    found = hashlib.sha256(struct.pack("<I", len(text)) + text + body[4 + length :]).digest()
    return {"meta": model, "arrays": arrays, "hash": found}


def _shaped(flat: list, shape: list):
    if len(shape) == 1:
        return flat
    return [flat[i * shape[1] : (i + 1) * shape[1]] for i in range(shape[0])]


class Bits:
    """A payload's bits, most significant first; zeros behind its end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            byte = self.data[self.at >> 3] if self.at >> 3 < len(self.data) else 0
            value = 2 * value + (byte >> (7 - self.at % 8) & 1)
            self.at += 1
        return value


def signals(model: dict, prefix: str, features: list[int]) -> dict[str, list[int]]:
    """Bits of each output group of a network."""
    arrays = model["arrays"]
    value = [0, 1] + [int(features[f] > t) for f, t in arrays[prefix + "inputs"]]
    for pins, table in zip(arrays[prefix + "fanin"], arrays[prefix + "tables"], strict=True):
        value.append(table >> sum(value[pin] << j for j, pin in enumerate(pins)) & 1)
    meta = model["meta"]
    meta = meta["upsampler"]["network"] if prefix == "upsampler." else meta["network"]
    groups, at = {}, 0
    for name, bits in meta["outputs"]:
        groups[name] = [value[i] for i in arrays[prefix + "outputs"][at : at + bits]]
        at += bits
    return groups


def group(model: dict, name: str, channel: int) -> str:
    """Name of an output group of a channel."""
    return f"{name}_{channel}" if "channels" in model["meta"] else name


def row_of(model: dict, features: list[int], channel: int = 0) -> tuple[int, list[int]]:
    """Class of a channel of a pixel, and its 257 cumulative frequencies."""
    meta, arrays = model["meta"], model["arrays"]
    out = signals(model, "network.", features)
    if meta["head"] == "laplace":
        mu, sigma = (
            arrays[f"head.{n}"][sum(out[group(model, n, channel)])] for n in ("mu", "sigma")
        )
        cdf = arrays["head.cdf"][sigma]
        middle = [cdf[2 * x - 1 - mu + 512] + x for x in range(1, 256)]
        return 512 * sigma + mu, [0, *middle, 1 << 14]
    index = sum(bit << i for i, bit in enumerate(out["index"]))
    for s in range(meta["stages"]):
        feature, threshold, child = (
            arrays[f"walker.{s}.{n}"][index] for n in ("feature", "threshold", "child")
        )
        test = [features[f] > t for f, t in zip(feature, threshold, strict=True)]
        c = 2 * test[0] + (test[2] if test[0] else test[1])
        index = child[c] if s == meta["stages"] - 1 else 4 * child + c
    return index, arrays["head.cumulative"][index]


def pop(x: int, low: int, high: int, bits: Bits) -> int:
    """State of rANS behind a symbol of the interval ``low .. high``."""
    x = (high - low) * (x >> 14) + x % (1 << 14) - low
    while x < 1 << 16:
        x = 2 * x + bits.take(1)
    return x


def tans_tables(row: list[int], n: int) -> list[tuple[int, int]]:
    """Symbol and reduced state of each state of a class."""
    states, least = 1 << n, 1 << (n - 7)
    w = [64 * (b - a - 1) + 1 for a, b in zip(row, row[1:], strict=False)]
    total = sum(w)
    order = sorted(range(256), key=lambda s: (-w[s], s))
    kept = sum(3 * v * states >= total for v in w)
    if kept < 256:
        kept = min(kept, states - least)
    weight = {s: w[s] for s in order[:kept]}
    if kept < 256:
        weight[256] = sum(w[s] for s in order[kept:])
    share = states - len(weight) - (least if kept < 256 else 0)
    freq = {
        s: max(v * share // total, least if s == 256 else 1) for s, v in weight.items()
    }
    while sum(freq.values()) < states:
        # Fractions of whole numbers below 2**53 are told apart by cross-multiplying only.
        best = None
        for s in sorted(weight):
            if best is None or weight[s] * (2 * freq[best] + 1) > weight[best] * (2 * freq[s] + 1):
                best = s
        freq[best] += 1
    places = sorted(
        (((2 * i + 1) << 40) // (2 * f), s) for s, f in freq.items() for i in range(f)
    )
    seen = dict(freq)
    table = []
    for _, s in places:
        table.append((s, seen[s]))
        seen[s] += 1
    return table


def candidates(row: list[int], parent: int, known: int) -> tuple[int, list[int]]:
    """First of the four values of a block's last pixel, and their bounds."""
    base = min(max(4 * parent - 2 - known, -3), 255)
    e = [
        max(k for k in range(15) if k == 0 or 4 * (row[s + 1] - row[s]) >= 3 << k)
        if 0 <= s < 256 else None
        for s in range(base, base + 4)
    ]  # fmt: skip
    top = max(k for k in e if k is not None)
    sums = [0]
    for k in e:
        sums.append(sums[-1] + (0 if k is None else 1 << (11 - min(11, top - k))))
    shift = 0
    while sums[-1] << shift <= 1 << 13:
        shift += 1
    lack = (1 << 14) - (sums[-1] << shift)
    return base, [(c << shift) + min(c << shift, lack) for c in sums]


def square(size: int, radius_only: int | None = None) -> list[tuple[int, int]]:
    r = size // 2
    offsets = [(dy, dx) for dy in range(-r, r + 1) for dx in range(-r, r + 1)]
    return offsets[:radius_only]


def pixel_at(plane: list[list[int]], y: int, x: int) -> int:
    return plane[y][x] if 0 <= y < len(plane) and 0 <= x < len(plane[0]) else 0


def upsampled(model: dict, low: list, height: int, width: int) -> list:
    """Prior of a level from the next coarser one, plane by plane."""
    offsets = square(model["meta"]["upsampler"]["size"])
    high = [[[0] * width for _ in range(height)] for _ in low]
    for y in range(len(low[0])):
        for x in range(len(low[0][0])):
            features = [pixel_at(plane, y + dy, x + dx) for plane in low for dy, dx in offsets]
            groups = signals(model, "upsampler.", features)
            for channel, plane in enumerate(high):
                for g in range(4):
                    bits = groups[group(model, f"p{g}", channel)]
                    v, u = 2 * y + g // 2, 2 * x + g % 2
                    if v < height and u < width:
                        plane[v][u] = (510 * sum(bits) + len(bits)) // (2 * len(bits))
    return high


def decode_tile(model: dict, payload: bytes, width: int, height: int, n: int, tables: dict):
    """Level 0 of a tile, plane by plane; ``n`` is the header's coder."""
    meta, bits = model["meta"], Bits(payload)
    levels, size = meta.get("levels", 0), meta["window"]
    channels = range(meta.get("channels", 1))
    state_bits = n or 16
    assert payload[0] != 0
    while not bits.take(1):
        pass
    x = (1 << state_bits) + bits.take(state_bits)
    sides = [(height, width)]
    for _ in range(levels):
        sides.append(tuple((side + 1) // 2 for side in sides[-1]))
    coarser, offsets, causal = None, square(size), size * size // 2
    for level in range(levels, -1, -1):
        h, w = sides[level]
        planes = [[[0] * w for _ in range(h)] for _ in channels]
        prior = upsampled(model, coarser, h, w) if coarser else [[[0]] for _ in channels]
        for v in range(h):
            for u in range(w):
                near = []
                for plane, source in zip(planes, prior, strict=True):
                    near += [pixel_at(plane, v + dy, u + dx) for dy, dx in offsets[:causal]]
                    if levels:
                        near += [pixel_at(source, v + dy, u + dx) for dy, dx in offsets[causal:]]
                # All before the first symbol.
                rows = [row_of(model, near, channel) for channel in channels]
                for channel, (number, row) in enumerate(rows):
                    plane = planes[channel]
                    if n:
                        if number not in tables:
                            tables[number] = tans_tables(row, n)
                        symbol, x = tables[number][x - (1 << n)]
                        if symbol == 256:
                            symbol = bits.take(8)
                        while x < 1 << n:
                            x = 2 * x + bits.take(1)
                    else:
                        base, bounds = 0, row
                        if meta.get("constraint") and level < levels and v % 2 and u % 2:
                            known = plane[v - 1][u - 1] + plane[v - 1][u] + plane[v][u - 1]
                            base, bounds = candidates(row, coarser[channel][v // 2][u // 2], known)
                        slot = x % (1 << 14)
                        k = max(k for k in range(len(bounds) - 1) if bounds[k] <= slot)
                        x, symbol = pop(x, bounds[k], bounds[k + 1], bits), base + k
                    plane[v][u] = symbol
        coarser = planes
    assert x == 1 << state_bits, "check state"
    assert bits.at == 8 * len(payload), "end of the payload"
    return coarser


def decode_file(model: dict, data: bytes, fields: dict[str, tuple[int, int]]) -> list:
    """Images of a `.lgc` file; ``fields`` are offset and size of each field of the header."""
    head = {
        name: int.from_bytes(data[at : at + size], "little")
        for name, (at, size) in fields.items()
    }
    at, size = fields["model hash"]
    assert data[at : at + size] == model["hash"][:size]
    width, height = head["image width"], head["image height"]
    channels = 1 + head["levels"] // 16
    assert channels == model["meta"].get("channels", 1)
    assert head["levels"] % 16 == model["meta"].get("levels", 0)
    at = max(a + s for a, s in fields.values())
    images, tables = [], {}
    for _ in range(head["images"]):
        image = [[0] * width for _ in range(height)]
        for top in range(0, height, head["tile height"]):
            for left in range(0, width, head["tile width"]):
                length, at = data[at], at + 1
                if length >= 128:
                    length, at = length - 128 + (data[at] << 7), at + 1
                tile = decode_tile(
                    model, data[at : at + length], min(head["tile width"], width - left),
                    min(head["tile height"], height - top), head["coder"], tables,
                )  # fmt: skip
                for y, rows in enumerate(zip(*tile, strict=True)):
                    # A pixel of gray is its sample.
                    row = rows[0] if channels == 1 else [*map(list, zip(*rows, strict=True))]
                    image[top + y][left : left + len(row)] = row
                at += length
        images.append(image)
    assert at == len(data)
    return images


class Interleaved:
    """Symbols and residuals of a `.loc` payload."""

    def __init__(self, payload: bytes) -> None:
        self.bits = Bits(payload)
        while not self.bits.take(1):
            assert self.bits.at < 8
        self.states = [(1 << 16) + self.bits.take(16) for _ in range(24)]
        self.j = 0

    def symbol(self, row: list[int]) -> int:
        """The next symbol, of a class with these cumulative frequencies."""
        lane, self.j = self.j % 24, self.j + 1
        slot = self.states[lane] % (1 << 14)
        s = next(s for s in range(256) if row[s] <= slot < row[s + 1])
        self.states[lane] = pop(self.states[lane], row[s], row[s + 1], self.bits)
        return s

    def batch(self, classes: list[int], tables: list[list[int]]) -> list[int]:
        """Residuals of a batch."""
        found = [self.symbol(tables[number]) for number in classes]
        escaped = [i for i, s in enumerate(found) if s == 255]
        far = {i: self.symbol(tables[65]) for i in escaped}
        residuals = [s - 127 for s in found]
        residuals = [far[i] - 127 if i in far else r for i, r in enumerate(residuals)]
        for i in [i for i in escaped if far[i] == 255]:
            low, high = self.symbol(tables[64]), self.symbol(tables[64])
            residuals[i] = int.from_bytes(bytes([low, high]), "little", signed=True)
        return residuals

    def finish(self) -> None:
        assert self.states == [1 << 16] * 24
        assert self.bits.at == 8 * len(self.bits.data)
