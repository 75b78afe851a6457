"""What is kept of compiled functions."""

import importlib.util
import subprocess
import sys
from collections import Counter

from lutgen.files import compiled

MODULE = """
from lutgen.files.compiled import njit

@njit(nogil=True)
def double(x):
    return 2 * x
"""


def misses(path) -> Counter:
    """Which calls are compiled, and not found in the cache, by a module that is loaded anew."""
    spec = importlib.util.spec_from_file_location("kept", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.double(21) == 42
    return module.double.stats.cache_misses


def test_a_function_is_compiled_anew_if_any_source_has_changed(tmp_path, monkeypatch):
    path = tmp_path / "kept.py"
    path.write_text(MODULE)
    assert misses(path)
    assert not misses(path)
    monkeypatch.setattr(compiled, "_sources", lambda: "of another version")
    assert misses(path)
    assert not misses(path)


def test_sources_are_files_with_compiled_functions(tmp_path, monkeypatch):
    assert all(any(folder.rglob("*.py")) for folder in compiled._FOLDERS)
    monkeypatch.setattr(compiled, "_FOLDERS", [tmp_path])
    found = set()
    for text in (MODULE, MODULE.replace("2", "3"), MODULE.replace("2", "3")):
        (tmp_path / "kept.py").write_text(text)
        (tmp_path / "other.py").write_text(f"NUMBER = {len(found)}")
        found.add(compiled._sources.__wrapped__())
    assert len(found) == 2


SLOW_MODULE = """
import sys, time
from numba import types
from numba.extending import overload
from lutgen.files.compiled import njit

def slow(x):
    return x

@overload(slow)
def _(x):
    time.sleep(1)
    return lambda x: x

@njit()
def inner(x):
    return slow(x) + 1

@njit()
def outer(x):
    return inner(x) + 1

assert outer(1) == 3
print(sum(outer.stats.cache_misses.values()), sum(inner.stats.cache_misses.values()))
"""


def test_of_several_processes_one_compiles(tmp_path):
    """The others wait, and load what it has kept."""
    path = tmp_path / "kept.py"
    path.write_text(SLOW_MODULE)
    programs = [subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True)
                for _ in range(3)]  # fmt: skip
    answers = sorted(program.communicate()[0].split() for program in programs)
    assert answers == [["0", "0"], ["0", "0"], ["1", "1"]]


INLINED_MODULE = """
from lutgen.files.compiled import njit

@njit(forceinline=True)
def inner(x):
    return x + 1

@njit()
def outer(x):
    return inner(x) + inner(2.5)

assert outer(1) == 5.5
assert len(inner.inner().signatures) == 2 and not inner.signatures
assert inner(1) == 2 and len(inner.signatures) == 1
"""


def test_inlined_functions_are_compiled_for_python_only_if_it_calls_them(tmp_path):
    path = tmp_path / "kept.py"
    path.write_text(INLINED_MODULE)
    subprocess.run([sys.executable, path], check=True)


def test_locks_without_room_and_held_twice(tmp_path):
    path = tmp_path / "kept.py"
    path.write_text(MODULE)
    with compiled._held(tmp_path / "kept.py" / "below-a-file.lock"):
        pass
    with compiled._held(tmp_path / "own.lock"), compiled._held(tmp_path / "own.lock"):
        assert compiled._HELD == {tmp_path / "own.lock"}
    assert not compiled._HELD
