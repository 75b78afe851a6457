"""Lossless image cores that others have published: figures of their authors, not measured here."""

from dataclasses import dataclass

__all__ = ["NOTE", "RIVALS", "Rival"]


@dataclass(frozen=True, kw_only=True)
class Rival:
    """One published core.

    Attributes
    ----------
    name, part
        Core and device.
    short
        Name in a plot, or "" for ``name``.
    direction
        "encoder" or "decoder".
    luts
        LUTs on that device, None if not published.
    mpx
        Million pixels (samples) per second, at the clock that the authors give.
    clock
        That clock, in words.
    source
        Where the figures stand.
    remark
        What to know before comparing, or "".
    """

    name: str
    part: str
    direction: str
    luts: int | None
    mpx: float
    clock: str
    source: str
    remark: str = ""
    short: str = ""

    @property
    def mpx_per_klut(self) -> float | None:
        return None if self.luts is None else self.mpx / (self.luts / 1000)


_LOCO = (
    "Alonso, Sutter, López de Vergara, Electronics 10(23) 2934, 2021; "
    "hpcn-uam/LOCO-ANS-HW-coder, README"
)
_QOI = "WangXuan95/FPGA-QOI, README"

RIVALS = (
    Rival(
        name="LOCO-ANS4-LS, two lanes", short="LOCO-ANS", part="Z-7020", direction="encoder",
        luts=3979, mpx=2 * 65.0, clock="65.0 / 183.1 MHz, model / coder", source=_LOCO,
        remark="two lanes code two images or parts; rate is the model’s clock per lane",
    ),
    Rival(
        name="LOCO-ANS4-LS, two lanes", short="LOCO-ANS", part="XCZU7EV", direction="encoder",
        luts=4706, mpx=2 * 188.4, clock="188.4 / 500.5 MHz, model / coder", source=_LOCO,
        remark="as above, two generations younger than 7-series",
    ),
    Rival(
        name="FPGA-JPEG-LS-encoder", short="JPEG-LS", part="XC7A35T-2", direction="encoder",
        luts=2347, mpx=35.0, clock="35 MHz", source="WangXuan95/FPGA-JPEG-LS-encoder, README",
        remark="cannot be stalled; at least 384 idle clocks per image",
    ),
    Rival(
        name="UH-JLS", part="Z-7020", direction="encoder", luts=None, mpx=4.5 * 75,
        clock="75 MHz, about 4.5 pixels per clock",
        source="Wang et al., ICCD 2021; WangXuan95/UH-JLS, README",
        remark="width a multiple of 5; 500 idle clocks per image",
    ),
    Rival(
        name="FELICS and JPEG-LS", part="Z-7045", direction="encoder", luts=None, mpx=214.3,
        clock="214.3 MHz", source="Hinnerson, thesis, Linköping University, 2019",
        remark="16-bit range images; the decoder is software",
    ),
    Rival(
        name="FPGA-QOI", part="XC7A100T-1", direction="encoder", luts=458, mpx=295.0,
        clock="295 MHz", source=_QOI, remark="RGB pixels; QOI compresses far less",
    ),
    Rival(
        name="FPGA-QOI", part="XC7A100T-1", direction="decoder", luts=467, mpx=102.0,
        clock="102 MHz", source=_QOI, remark="RGB pixels; QOI compresses far less",
    ),
    Rival(
        name="CCSDS-123", part="Z-7020", direction="encoder", luts=None, mpx=147.0,
        clock="147 MHz, one sample per clock",
        source="Fjeldtvedt, Orlandić, Johansen, IEEE JSTARS 11(10), 2018",
        remark="hyperspectral samples",
    ),
)  # fmt: skip

NOTE = (
    "Published figures are their authors’, mostly after place and route, and each for images of "
    "its own; this build’s LUTs are an estimate and its clock is a constraint. Pixels per second "
    "say nothing of how small the files are."
)
