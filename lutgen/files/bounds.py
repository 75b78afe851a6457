"""What a file may make its reader allocate: its own bytes pay for it, before anything is made.

A hostile file is small and asks for much.  So every reader compares what a file's headers claim
with the bytes that the file has, and refuses before it allocates:

================= ===========================================================================
reader            most that is made
================= ===========================================================================
``.lgc``          1,024 samples per byte.  It needs no limit of its own: every symbol takes at
                  least 1/64 bit with rANS and 1/256 bit with tANS, every tile its length and
                  state (`lutgen.codec.coder.Coder.least_payload_bytes`), so that a tile of 4,096
                  samples, the most, is 11 bytes or 4.  All that an encoder writes is within it, a
                  black image as well.
``.lgc``, its     2,048 samples per byte: each row or tile takes its length, and a byte for each
version 2         2,048 samples (`lutgen.codec.predictive.container`).
``.loc``          `PIXELS_PER_BYTE` pixels per byte of the file, or `FREE_PIXELS` if that is
                  more.  The format could say more: a certain symbol takes 1/16,384 bit.  Such a
                  file is decoded when ``decompress --max-pixels`` allows it.
archives:         `ARCHIVE_RATIO` bytes of body per byte of the file, or `FREE_BYTES` if that is
``.lutgen``,      more, and never more than the kind's own limit.  Networks of a ``.loclic`` are
``.loclic``       built when the file has been seen to hold the weights of all their layers.
tables of a model They are written out to the format's most, whatever the file: 400 MB for a Laplace
                  head of 256 scales, a fourth of that for one as it is trained.
weights,          No more bytes than the file has: nothing in it is compressed, and no array is
checkpoints       larger than what is stored of it.
npz, gzip         `DEFLATE_RATIO` bytes per byte, which is all that DEFLATE can do.
PNG               the same, and as many pixels a side as the codec takes
TIFF              the same for Deflate; `LZW_RATIO` and `PACKBITS_RATIO` bytes per byte
npy, IDX, PGM     as many pixels as the file has bytes of them
================= ===========================================================================
"""

__all__ = [
    "ARCHIVE_RATIO", "DEFLATE_RATIO", "FREE_BYTES", "FREE_PIXELS", "LZW_RATIO", "PACKBITS_RATIO",
    "PIXELS_PER_BYTE", "most_archived", "most_inflated", "most_pixels",
]  # fmt: skip

#: Pixels of a lossy image that a byte of its file pays for: 0.03 bits per pixel, a third of what
#: LoC-LIC's coarsest rates take.
PIXELS_PER_BYTE = 256
#: Pixels that no byte need pay for.
FREE_PIXELS = 1 << 20
#: Bytes of an archive's body per byte of the file; trained models have 2 to 5.
ARCHIVE_RATIO = 16
#: Bytes of a body that no byte need pay for.
FREE_BYTES = 16 << 20
#: Bytes that DEFLATE can make of one: 258 of two bits, RFC 1951, less the code for it.
DEFLATE_RATIO = 1032
#: Bytes that the LZW of TIFF can make of one: 3,837 codes of 9 to 12 bits, the k-th of up to k
#: bytes, before the table is full.
LZW_RATIO = 1365
#: Bytes that PackBits can make of one: 128 of two.
PACKBITS_RATIO = 64


def most_pixels(file_bytes: int) -> int:
    """Pixels of a lossy image that a file of so many bytes may have."""
    return max(FREE_PIXELS, PIXELS_PER_BYTE * file_bytes)


def most_archived(file_bytes: int) -> int:
    """Bytes of the body that an archive of so many bytes may have."""
    return max(FREE_BYTES, ARCHIVE_RATIO * file_bytes)


def most_inflated(packed_bytes: int) -> int:
    """Bytes that so many bytes of a DEFLATE stream can hold."""
    return DEFLATE_RATIO * packed_bytes
