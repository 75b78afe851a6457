"""The errors that lutgen raises for people to read.

A command prints a `LutgenError` as one line and ends.  Any other exception that leaves a function
of lutgen is a bug of lutgen, operating system and missing packages apart, and is reported as one.

Each part has errors of its own below these, such as
`lutgen.codec.container.CorruptStreamError`.  Where an error has to be told from others, it gets a
class: nothing looks at an error's words.
"""

__all__ = ["InputError", "LutgenError", "ToolError"]


class LutgenError(Exception):
    """Whatever went wrong, its text says it to whoever called: what must be, and what was."""


class InputError(LutgenError, ValueError):
    """What was given breaks a rule: a value, an array, or what a file holds."""


class ToolError(LutgenError, RuntimeError):
    """A tool that was run, such as Yosys or a simulator, failed or found a failure."""
