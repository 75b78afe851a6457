"""One core of a build, made in a process of its own: Verilog, figures, resources."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lutgen.errors import LutgenError
from lutgen.model.model import Model
from lutgen.names import module_name, raw_name
from lutgen.targets import Target

from .cores import count_core, count_cores, count_glue, top_of_cores
from .describe import (
    block_paths,
    describe_core,
    memory_bits,
    port_list,
    register_record,
    resource_record,
)
from .options import BuildOptions
from .text import header
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
    model = Model.load(work / "model.lutgen")
    options = BuildOptions.of_record(record["parameters"])
    config, cores = options.core_config(model), options.cores
    component = _top(core, config, options)
    raw, module = raw_name(core), module_name(options.name, core)
    text = to_verilog(component, raw)
    found = {"module": module} | describe_core(config, core) | {
        "memory_bits": memory_bits(text, raw, cores),
        "ports": port_list(component),
        "registers": register_record(config, core, options.name) if options.registers else None,
        "resources": None,
    }
    head = header(record | {"cores": {core: found}}, module)
    write_core(work, text, raw, module, head)
    found["seconds"] = {"verilog": round(time.perf_counter() - began, 2)}
    if estimate:
        from lutgen.synth import estimate as count

        tell("resources")
        began = time.perf_counter()
        target = Target(**record["target"] | {"tools": tuple(record["target"]["tools"])})
        blocks = block_paths(model, core, options.registers)
        if cores > 1:
            glue = top_of_cores(core, config, cores, options.stream_bytes, core_ports=True)
            counted = count_cores(
                count_core(core, config, target, blocks), count_glue(glue, target), cores
            )
        else:
            counted = count(text, raw, target, blocks)
        found["resources"] = resource_record(counted)
        found["seconds"]["resources"] = round(time.perf_counter() - began, 2)
    tell("done")
    return found


def _top(core: str, config, options: BuildOptions):
    """The component of an encoder or decoder."""
    if options.cores > 1:
        return top_of_cores(core, config, options.cores, options.stream_bytes)
    if options.registers:
        from lutgen.gateware.ip.ip import DecoderIp, EncoderIp

        kinds = {"encoder": EncoderIp, "decoder": DecoderIp}
    else:
        from lutgen.gateware.core.top import DecoderTop, EncoderTop

        kinds = {"encoder": EncoderTop, "decoder": DecoderTop}
    return kinds[core](config, stream_bytes=options.stream_bytes)
