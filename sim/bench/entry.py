"""Starts cocotb in the simulator's process without what takes longer to load than cocotb itself.

cocotb asks pytest and asyncio for the classes of some exceptions, lets pytest rewrite assertions,
can start pdb, and asks importlib.metadata for its version.  Benches raise none of those, have no
assertions that pytest would explain better, and are not debugged; a run of a small design takes a
quarter of the CPU's time without.  This is about the version of cocotb that `pyproject.toml` names.
"""

import importlib
import sys
from types import ModuleType

__all__ = ["USERS", "alone"]

#: What the simulator calls at its start: `alone`, then what cocotb has it call otherwise.
USERS = (
    f"{__name__}:alone", "cocotb.logging:_configure",
    "cocotb._init:init_package_from_simulation", "cocotb.regression:_run_regression",
)  # fmt: skip


class _Unused(BaseException):
    """In place of what nobody raises."""


class _Function(ModuleType):
    """In place of a function of pytest, of which cocotb wants its exception only."""

    Exception = _Unused


class _Asyncio(ModuleType):
    """In place of asyncio: tasks of cocotb have these exceptions, no loop of asyncio knows them."""

    class CancelledError(BaseException):
        """Of a task that is cancelled."""

    class InvalidStateError(Exception):
        """Of a task that is not complete."""


class _Metadata(ModuleType):
    """In place of importlib.metadata, which reads what pip has written of each package."""

    @staticmethod
    def version(name: str) -> str:
        """For cocotb's log, which nobody reads."""
        return "installed"


def alone() -> None:
    """Import cocotb with stand-ins, behind which benches find the modules as they are."""
    pytest = ModuleType("pytest")
    for name in ("raises", "skip", "xfail"):
        setattr(pytest, name, _Function(name))
    stand_ins = {
        "pytest": pytest, "asyncio": _Asyncio("asyncio"), "pdb": ModuleType("pdb"),
        "importlib.metadata": _Metadata("importlib.metadata"),
    }  # fmt: skip
    sys.modules.update(stand_ins)
    importlib.metadata = stand_ins["importlib.metadata"]
    try:
        # All that benches need of cocotb.
        from cocotb import clock, regression, triggers  # noqa: F401
    finally:
        for name in stand_ins:
            del sys.modules[name]
        del importlib.metadata
    manager = regression.RegressionManager
    manager.setup_pytest_assertion_rewriting = staticmethod(  # type: ignore[method-assign]
        lambda: None
    )
