"""All properties of a module: proven with the help of each other, and shown to be able to fail."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from bench.mutate import Fault, applied, find
from lutgen.errors import ToolError

from .bind import Bound, bound, files_of
from .solver import (
    Answer,
    Problem,
    by_induction,
    by_reachability,
    read_problem,
    refuted,
    to_depth,
)

__all__ = ["in_turn", "problem_of", "prove_all", "rule_of", "show_failures"]

#: Seconds of the first rounds, in which what is easy becomes known.
_QUICK = 12
#: Properties of lemmas.
_LEMMA = re.compile(r"\.lemma_holds$|^word\.")
_NAME = re.compile(r"(?<![\w.'])[A-Za-z_]\w*")
#: What a line of the design drives, and a register with what it becomes.
_DRIVEN = re.compile(r"^ *(?:assign )?([A-Za-z_]\w*)[^=]*? <?= ")
_PIN = re.compile(r"\.(\w+)\((\w+)\)")
#: Levels of parts in which faults are looked for.
_LEVELS = 2
_REGISTER = re.compile(r"^ *(\w+) <= (n\d+);$", re.M)
#: From best to worst.
_RESULTS = ("proven", "bounded", "refuted")
_METHODS = ("k-induction", "pdr", "bounded")


def _turn(name: str) -> tuple:
    """Lemmas come first, and what is of data alone comes late."""
    return not _LEMMA.search(name), name.endswith("_kept"), name


def problem_of(verilog: str, module: str, contracts: Iterable[Bound]) -> Problem:
    contracts = tuple(contracts)
    return read_problem(bound(verilog, module, contracts), module, files_of(contracts))


def rule_of(name: str) -> str:
    """What a property is called in results: those of single bits share one name."""
    return re.sub(r"\.(?:bits\[\d+\]\.one|full|now|late)\.", ".", name).removesuffix(".lemma_holds")


def prove_all(problem: Problem, *, seconds: int, depth: int) -> dict[str, Answer]:
    """Answers of all properties, by `rule_of` their names.

    What is proven is taken for granted in the proofs of what is left.
    """
    answers: dict[str, Answer] = {}
    spent: Counter = Counter()
    left = sorted(problem.names, key=_turn)

    def proven() -> list[str]:
        return [name for name in answers if answers[name].result == "proven"]

    def note(found: dict[str, Answer]) -> int:
        for name, answer in found.items():
            spent[name] += answer.seconds
            answers[name] = answer
            if answer.result != "bounded":
                left.remove(name)
        return sum(answer.result != "bounded" for answer in found.values())

    def induct() -> None:
        while left and note(by_induction(problem, left, proven())):
            pass

    induct()
    for limit in sorted({min(_QUICK, seconds), seconds}):
        # Those of one turn together, as the solver takes longer to begin than with many of them.
        for _, some in groupby(list(left), key=lambda name: _turn(name)[:-1]):
            names = [name for name in some if name in left]
            if note(by_reachability(problem, names, proven(), seconds=limit)):
                induct()
    note(to_depth(problem, left, proven(), seconds=seconds, depth=depth))
    answers = {name: replace(a, seconds=round(spent[name], 2)) for name, a in answers.items()}
    together: dict[str, Answer] = {}
    for name in sorted(answers):
        rule, new = rule_of(name), answers[name]
        if old := together.get(rule):
            depths = [a.depth for a in (old, new)]
            new = Answer(
                max(old.result, new.result, key=_RESULTS.index),
                max(old.method, new.method, key=_METHODS.index),
                min(depths) if "bounded" in (old.result, new.result) else max(depths),
                round(old.seconds + new.seconds, 2),
            )
        together[rule] = new
    return together


def in_turn(verilog: str, contracts: tuple[Bound, ...], seed: int) -> list[Fault]:
    """Faults of a design: of what drives a signal that a contract sees first, all kinds in turn."""
    seen = {name for b in contracts for text in b.ports.values() for name in _NAME.findall(text)}
    for _ in range(_LEVELS):  # what a part calls them
        seen |= {pin for pin, net in _PIN.findall(verilog) if net in seen}
    # Of a register, what it becomes has a name of its own.
    becomes = {found[2]: found[1] for found in _REGISTER.finditer(verilog)}
    lines = verilog.split("\n")

    def distance(fault: Fault) -> int:
        # Behind a condition stands what it is for.
        count = 3 if "if (" in lines[fault.line - 1] else 1
        near = lines[fault.line - 1 :][:count]
        driven = {found[1] for line in near if (found := _DRIVEN.match(line))}
        driven |= {becomes[name] for name in driven if name in becomes}
        return 0 if driven & seen else 1 if seen & {*_NAME.findall(" ".join(near))} else 2

    faults = [f for f in find(verilog, Path()) if f.kind != "table bit"]
    np.random.default_rng(seed).shuffle(faults)
    turns: Counter = Counter()
    order = []
    for fault in faults:
        group = distance(fault), fault.kind
        turns[group] += 1
        order.append((group[0], turns[group]))
    return [fault for _, fault in sorted(zip(order, faults, strict=True), key=lambda p: p[0])]


def show_failures(
    verilog: str, module: str, contracts: Iterable[Bound], *, most: int, depth: int = 12,
    seed: int = 0, rules: Iterable[str] = (), tell: Callable[[str], None] = lambda text: None,
) -> tuple[dict[str, tuple[Fault, int]], int]:  # fmt: skip
    """Put faults into a design, one at a time, until each property has failed.

    ``rules`` are those of its properties, if they are known.

    Returns
    -------
    tuple
        For each rule that has failed the first fault and the clocks of its counterexample; and how
        many faults were tried, at most ``most``.
    """
    contracts = tuple(contracts)
    rules = set(rules) or {
        rule_of(name) for name in problem_of(verilog, module, contracts).names
    }
    faults = in_turn(verilog, contracts, seed)
    failed: dict[str, tuple[Fault, int]] = {}
    tried = 0
    for fault in faults[:most]:
        if len(failed) == len(rules):
            break
        tried += 1
        try:
            problem = problem_of(applied(verilog, fault), module, contracts)
        except ToolError:  # a loop of logic, say
            continue
        # Of a rule's bits one will do.
        open_ = {rule_of(n): n for n in problem.names if rule_of(n) not in failed}
        for name, clocks in refuted(problem, open_.values(), depth=depth).items():
            failed[rule_of(name)] = (fault, clocks)
        tell(f"{tried}: {len(failed)} of {len(rules)}")
    return failed, tried
