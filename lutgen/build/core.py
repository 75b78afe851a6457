"""One core of a build, made in a process of its own: Verilog, figures, resources."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lutgen.errors import LutgenError
from lutgen.model.shipped import find_model
from lutgen.names import build_of, module_name, raw_name
from lutgen.targets import Target

from .blueprints import blueprint_kind
from .describe import memory_bits, port_list, resource_record
from .registers import describe_registers
from .verilog import write_core

__all__ = ["REFUSED", "work"]

#: Exit status of a process that says why in a file.
REFUSED = 3


def work(make: Callable[[Path, str, Mapping, bool], dict] | None = None) -> None:
    """The process: Verilog, and perhaps the estimate, of one core; of one that ``make`` makes."""
    jobs, core = Path(sys.argv[1]), sys.argv[2]
    order = json.loads((jobs / f"{core}.json").read_text())
    try:
        found = (make or _make)(jobs.with_name("files"), core, order["record"], order["estimate"])
    except (LutgenError, OSError) as error:
        # Of a full disk: the file is in a folder of ours, which the user does not know.
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        (jobs / f"{core}.error").write_text(text)
        raise SystemExit(REFUSED) from None
    (jobs / f"{core}.json").write_text(json.dumps(found))


def _make(work: Path, core: str, record: Mapping, estimate: bool) -> dict:
    from lutgen.gateware.fabric.verilog import to_verilog

    def tell(step: str) -> None:
        print(step, flush=True)

    began = time.perf_counter()
    tell("Verilog")
    model = find_model(work / "model.lutgen")
    kind = blueprint_kind(model.profile)
    plan = kind(model, kind.options_kind.of_record(record["parameters"]))
    component = plan.component(core)
    name = build_of(record)
    raw, module = raw_name(core), module_name(name, core)
    text, maps = to_verilog(component, raw), plan.maps()
    found: dict = {"module": module} | plan.core_record(core) | {
        "memory_bits": memory_bits(text, raw, plan.memories, plan.cores),
        "ports": port_list(component),
        "registers": describe_registers(maps[core], name) if maps else None,
        "resources": None,
    }
    write_core(work, text, raw, module, plan.header({**record, "cores": {core: found}}, module))
    found["seconds"] = {"verilog": round(time.perf_counter() - began, 2)}
    if estimate:
        tell("resources")
        began = time.perf_counter()
        target = Target(**record["target"] | {"tools": tuple(record["target"]["tools"])})
        found["resources"] = resource_record(plan.estimate(core, text, raw, target))
        found["seconds"]["resources"] = round(time.perf_counter() - began, 2)
    tell("done")
    return found
