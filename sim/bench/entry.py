"""Starts cocotb in the simulator's process without pytest, which takes longer to load than cocotb.

cocotb asks pytest for the classes of its exceptions, and lets it rewrite assertions. Benches raise
none of those and have no assertions that pytest would explain better; a run of a small design is a
third shorter without. This is about the version of cocotb that `pyproject.toml` names.
"""

import sys
from types import ModuleType

__all__ = ["USERS", "without_pytest"]

#: What the simulator calls at its start: `without_pytest`, then what cocotb has it call otherwise.
USERS = (
    f"{__name__}:without_pytest", "cocotb.logging:_configure",
    "cocotb._init:init_package_from_simulation", "cocotb.regression:_run_regression",
)  # fmt: skip


class _Unused(BaseException):
    """In place of what nobody raises."""


class _StandIn(ModuleType):
    """In place of a function of pytest, of which cocotb wants its exception only."""

    Exception = _Unused


def without_pytest() -> None:
    """Import cocotb with a stand-in for pytest, which benches find as it is."""
    stand_in = ModuleType("pytest")
    for name in ("raises", "skip", "xfail"):
        setattr(stand_in, name, _StandIn(name))
    sys.modules["pytest"] = stand_in
    try:
        from cocotb import regression
    finally:
        del sys.modules["pytest"]
    manager = regression.RegressionManager
    manager.setup_pytest_assertion_rewriting = staticmethod(  # type: ignore[method-assign]
        lambda: None
    )
