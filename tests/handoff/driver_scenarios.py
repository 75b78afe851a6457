"""What drivers are made to do, the C one and the Python one alike; results are ready for json."""

from collections.abc import Callable
from dataclasses import dataclass

_LONG, _SHORT = 60.0, 0.05


@dataclass(frozen=True)
class Stand:
    """What surrounds the IP: operations of `tests.gateware.bench_ip`, and the interrupt's level.

    ``send`` takes the name of an array.
    """

    send: Callable
    take: Callable
    clocks: Callable
    interrupt: Callable
    waiting: Callable
    level: Callable


def refused(call: Callable, *arguments, **options) -> str:
    """Name of the exception that a call raises."""
    try:
        call(*arguments, **options)
    except (RuntimeError, TimeoutError, ValueError) as error:
        return type(error).__name__
    return "nothing"


def encode(driver, stand: Stand) -> dict:
    """A file of two images, told by the interrupt; counters; a frame broken by a reset."""
    found = {
        "status": driver.status(),
        "bad sizes": [
            refused(driver.set_size, *size, timeout=_LONG)
            for size in ((0, 10, 1), (18, 0, 1), (18, 10, 0), (25, 10, 1), (18, 41, 1))
        ],
    }
    driver.set_size(18, 10, 2, timeout=_LONG)
    driver.enable_interrupts("frame_done", "file_done")
    driver.enable()
    found["quiet"] = stand.level()
    found["no cause"] = refused(driver.wait_for, "file_done", timeout=_SHORT)
    stand.send("whole")
    stand.interrupt(1)
    found["first"] = sorted(driver.wait_for("frame_done", timeout=_LONG))
    found["causes"] = sorted(driver.wait_for("file_done", timeout=_LONG))
    driver.acknowledge("frame_done")
    driver.enable_interrupts()
    stand.clocks(4)
    found["acknowledged"] = [stand.level(), sorted(driver.acknowledge())]
    driver.wait_idle(_LONG)
    found["file"] = stand.take(1)
    found["counters"] = driver.counters()
    found["errors"] = driver.errors()
    driver.clear_counters()
    found["cleared"] = [*driver.counters().values(), *driver.errors().values()]

    # Half a frame: no other size before it is over, and nothing of it after a reset.
    driver.set_size(24, 40, timeout=_LONG)
    stand.send("half")
    stand.clocks(600)
    found["in mid-frame"] = driver.status()
    found["not idle"] = refused(driver.wait_idle, _SHORT)
    found["not yet"] = refused(driver.set_size, 18, 10, timeout=_SHORT)
    driver.reset(timeout=_LONG)
    found["after reset"] = driver.status()
    driver.acknowledge()  # the broken file has been ended, too
    driver.set_size(18, 10, timeout=_LONG)
    stand.send("rest")
    stand.send("good")
    driver.enable()
    driver.wait_for("file_done", timeout=_LONG)
    driver.wait_idle(_LONG)
    found["files"] = stand.take(stand.waiting())
    found["dropped"] = [driver.errors()["sof_late"], driver.status()["dropping"]]
    driver.disable()
    stand.send("good")
    stand.clocks(100)
    found["disabled"] = driver.status()
    driver.reset(restart=True, timeout=_LONG)
    return found


def decode(driver, stand: Stand) -> dict:
    """Good files and bad ones, another level, and a file broken by a reset."""
    found = {"levels": [refused(driver.set_level, level, timeout=_LONG) for level in (2, 3)]}
    driver.set_level(0, timeout=_LONG)
    driver.enable_interrupts("bad_tile")
    driver.enable()
    stand.send("good")
    driver.wait_for("frame_done", timeout=_LONG)
    driver.wait_idle(_LONG)
    found["good"] = [stand.level(), driver.errors(), driver.counters()]
    found["frames"] = stand.take(stand.waiting())
    for name in ("damaged", "foreign", "good"):
        stand.send(name)
    stand.interrupt(1)
    found["causes"] = sorted(driver.wait_for("bad_tile", timeout=_LONG))
    driver.wait_for("bad_model", timeout=_LONG)
    driver.wait_idle(_LONG)
    stand.clocks(4)
    found["bad"] = [stand.level(), driver.errors(), driver.counters()["frames"]]
    found["after bad"] = stand.take(stand.waiting())
    driver.set_level(1, timeout=_LONG)
    driver.acknowledge()
    stand.send("good")
    driver.wait_for("frame_done", timeout=_LONG)
    driver.wait_idle(_LONG)
    found["smaller"] = stand.take(stand.waiting())

    driver.set_level(0, timeout=_LONG)
    driver.clear_counters()
    driver.acknowledge()
    stand.send("good")
    stand.clocks(20)
    found["in mid-file"] = driver.status()["busy"]
    driver.reset(timeout=_LONG)
    driver.enable()
    stand.send("good")
    driver.wait_for("frame_done", timeout=_LONG)
    driver.wait_idle(_LONG)
    found["after reset"] = [driver.errors(), driver.counters()["files"], driver.status()]
    found["last"] = stand.take(stand.waiting())
    return found
