"""The command ``lutgen``: parse, call, print."""

import click

from lutgen import __version__
from lutgen.commands import Commands

from .build import build_, sim, targets
from .c import c_
from .codec import decode, encode, evaluate_, info_
from .loclic_codec import loclic
from .prove import prove
from .report import report_
from .route import route_
from .training import polish_, slim_, train

__all__ = ["main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lutgen")
def main() -> None:
    """Learned lossless image compression in FPGA fabric."""


for _command in (
    encode, decode, info_, evaluate_, train, polish_, slim_, loclic, build_, c_, route_, sim, prove,
    report_, targets,
):  # fmt: skip
    main.add_command(_command)
