"""Programs that measure, each by ``python -m bench.NAME``.

Where an extra is missing, they say so in one line and end with status 2, as `lutgen` does.
"""

import sys

from lutgen.extras import missing

__all__: list[str] = []


def _tell_missing(kind, error, trace) -> None:
    """What an exception comes to that nobody has caught."""
    text = missing(error) if isinstance(error, ModuleNotFoundError) else None
    if text is None:
        sys.__excepthook__(kind, error, trace)
        return
    print(f"error: {text}", file=sys.stderr)
    raise SystemExit(2)


if sys.argv[0] == "-m":  # so it reads while one of these programs is being loaded
    sys.excepthook = _tell_missing
