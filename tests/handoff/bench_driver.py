"""cocotb bench in which a driver of a build drives its simulated IP.

The driver is ordinary code that blocks: it runs beside the simulator, which advances while a word
is on the bus.  Data comes and goes as in `tests.gateware.bench_ip`.
"""

import importlib.util
import logging
from pathlib import Path

import cocotb
from cocotb.task import bridge, resume

from lutgen.sim.tool import exchange
from tests.gateware.bench_ip import Bench
from tests.handoff import driver_scenarios
from tests.handoff.c_driver import CDriver


class Bus:
    """Words of the slave, as drivers want it."""

    def __init__(self, bench: Bench) -> None:
        self._read, self._write = resume(bench.read), resume(bench.write)

    def read(self, offset: int) -> int:
        value, response = self._read(offset)
        assert response == 0, f"read of {offset:#x} was refused"
        return value

    def write(self, offset: int, value: int) -> None:
        response = self._write(offset, list(value.to_bytes(4, "little")))
        assert response == 0, f"write of {offset:#x} was refused"


def load_python_driver(path: str):
    spec = importlib.util.spec_from_file_location("lutgen_driver", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cocotb.test()
async def drive(dut) -> None:
    logging.getLogger("cocotb").setLevel(logging.WARNING)
    arrays, settings = exchange.read()
    bench = Bench(dut, arrays)
    await bench.start()

    @bridge
    def run():
        bus = Bus(bench)
        if settings["library"]:
            driver = CDriver(
                Path(settings["library"]), settings["core"], bus, settings["causes"]
            )
        else:
            driver = load_python_driver(settings["python"]).open_core(bus)
        send = resume(bench.send)
        stand = driver_scenarios.Stand(
            **{name: resume(getattr(bench, name))
               for name in ("take", "clocks", "interrupt", "waiting")},
            send=lambda name: send(name, settings["ends"][name]),
            level=lambda: int(dut.interrupt.value),
        )  # fmt: skip
        return getattr(driver_scenarios, settings["scenario"])(driver, stand)

    exchange.write({}, {"result": await run()})
