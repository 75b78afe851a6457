"""What is kept of compiled functions."""

import importlib.util
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
