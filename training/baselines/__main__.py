"""``python -m lutgen.training.baselines``."""

import sys

from lutgen.extras import missing

try:
    from lutgen.training.baselines.commands import main
except ModuleNotFoundError as error:
    text = missing(error)
    if text is None:
        raise
    print(f"error: {text}", file=sys.stderr)
    raise SystemExit(2) from None

main(prog_name="python -m lutgen.training.baselines")
