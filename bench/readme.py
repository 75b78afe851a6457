"""Writes the measured tables of README.md and docs from the json files in bench/results.

    python -m bench.readme

eval.json is what `lutgen eval emnist_digits kmnist fashion_mnist --json` prints, build*.json what
`lutgen build --target zynq7045 --model digits --name lutgen --json` prints, with ``--registers``
for build-registers.json, without model and name for build-predictive.json; the modules of `bench`
write the others.  Complexity of the lossy codec is counted anew each time.
"""

import re

from .tables.ccodec import ccodec
from .tables.channels import channels
from .tables.coding import (
    coder_blocks,
    coder_blocks_ecp5,
    coders,
    rivals,
    slabs,
    token_coders,
)
from .tables.compression import (
    curve,
    fine,
    luts,
    measured,
    polish,
    registers,
    soft_run,
    table1,
    trainer,
)
from .tables.damage import damage
from .tables.domains import colour, domains, further, growth, held_out, raw
from .tables.hierarchy import blocks, hierarchical, slim, speed, table2
from .tables.loclic import (
    loclic_ahead,
    loclic_bd,
    loclic_coding,
    loclic_complexity,
    loclic_engine,
    loclic_memory,
    loclic_photographs,
    loclic_points,
    loclic_references,
    loclic_start,
)
from .tables.memories import memories, stages
from .tables.parts import (
    coefficients,
    ladder,
    layouts,
    near_lossless,
    networks,
    reference,
    training,
)
from .tables.predictive import (
    colour_builds,
    colour_cores,
    deep_cores,
    first_image,
    mosaic_cores,
    near_cores,
    predictive_cores,
)
from .tables.results import ROOT
from .tables.scaling import cores, hierarchical_cores, routed
from .tables.verification import (
    coverage,
    formal,
    fuzzed,
    fuzzed_kinds,
    met,
    mutants,
    proofs,
    unreached,
    verified_rooms,
)

#: Pages that have such tables.
PAGES = (
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in (
        "results", "c", "predictive", "verification",
    )),
)  # fmt: skip
_TABLES = (
    measured, registers, curve, fine, table1, polish, soft_run, luts, coders, coder_blocks,
    coder_blocks_ecp5, token_coders, slabs, rivals,
    trainer, hierarchical, hierarchical_cores, blocks, slim, speed, table2, cores, routed, damage,
    domains,
    colour, raw,
    channels, held_out, further, growth, ladder, networks, layouts, near_lossless, coefficients,
    reference, training, ccodec, predictive_cores, first_image, deep_cores, near_cores,
    memories, stages,
    colour_cores, mosaic_cores, colour_builds,
    loclic_complexity, loclic_references, loclic_start, loclic_points, loclic_ahead,
    loclic_photographs,
    loclic_coding, loclic_bd, loclic_engine, loclic_memory,
    verified_rooms, proofs, formal, mutants, fuzzed, fuzzed_kinds, coverage, unreached, met,
)  # fmt: skip


def fill(text: str) -> str:
    """A page with its tables written anew."""
    for make in _TABLES:
        name = make.__name__
        if f"<!-- {name} -->" in text:
            text = re.sub(
                rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                lambda match, make=make: f"{match[1]}{make()}\n{match[2]}",
                text,
                flags=re.DOTALL,
            )
    return text


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(fill(page.read_text()))
