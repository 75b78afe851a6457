"""``python -m lutgen``."""

from lutgen.cli import main

main(prog_name="lutgen")
