"""Table of the codec in C."""

from .results import load

__all__ = ["ccodec"]


def ccodec() -> str:
    """Speed of the codec in C beside other codecs, and the size of code and tables."""
    lines = []
    for name, found in load("c-codec").items():
        lines += [
            f"| {name}, {found['images']} images, `{found['model']}` | bpp | encode, Mpx/s | "
            "decode, Mpx/s |",
            "|---|---|---|---|",
            *(
                f"| {codec} | {row['bpp']:.3f} | {row['encode_mpx_s']:.1f} | "
                f"{row['decode_mpx_s']:.1f} |"
                for codec, row in found["codecs"].items()
            ),
            "",
            f"(one thread, processor time; code and tables of `{found['model']}`, "
            + "; ".join(
                f"{variant}: {sizes['text_and_tables'] / 1000:.0f} kB"
                for variant, sizes in found["bytes"].items()
            )
            + f"; `{found['command']}`)",
            "",
        ]
    return "\n".join(lines).rstrip()
