"""Where nothing can be kept, everything still works."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from numba.core import caching

import lutgen
from lutgen.files import caches
from lutgen.files.caches import cache_folder, give_tools_a_cache
from lutgen.files.compiled import njit

ROOT = Path(lutgen.__file__).parents[1]


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    for name in ("LUTGEN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    caches._writable.cache_clear()
    caches._temporary.cache_clear()
    yield
    caches._writable.cache_clear()
    caches._temporary.cache_clear()


def test_folders_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_folder() == tmp_path / "home" / ".cache" / "lutgen"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "lutgen"
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/xdg")
    assert cache_folder() == tmp_path / f"lutgen-{os.getuid()}"
    assert stat.S_IMODE(cache_folder().stat().st_mode) == 0o700
    monkeypatch.setenv("LUTGEN_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


@pytest.mark.parametrize("spoil", ["open", "link", "file"])
def test_a_temporary_folder_that_others_could_write_is_not_used(tmp_path, monkeypatch, spoil):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", "/dev/null")
    trap = tmp_path / f"lutgen-{os.getuid()}"
    if spoil == "open":
        trap.mkdir()
        trap.chmod(0o777)
    elif spoil == "link":
        (tmp_path / "target").mkdir(mode=0o700)
        trap.symlink_to("target")
    else:
        trap.write_bytes(b"")
    found = cache_folder()
    assert found != trap and found.parent == tmp_path
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_tools_are_given_a_cache_only_where_they_have_none(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    give_tools_a_cache()
    assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / "own")
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/none")
    give_tools_a_cache()
    assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / f"lutgen-{os.getuid()}")
    wasmtime = pytest.importorskip("wasmtime")
    script = "import wasmtime; wasmtime.Config().cache = True"  # as Amaranth's Yosys begins
    environment = os.environ | {"HOME": "/dev/null"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)
    assert wasmtime and (tmp_path / f"lutgen-{os.getuid()}" / "wasmtime").is_dir()


def kernel(a):
    return a + 1


def nowhere(monkeypatch):
    """Let numba find no folder beside the source or in the user's cache."""
    for name in ("InTreeCacheLocator", "UserWideCacheLocator"):
        monkeypatch.setattr(getattr(caching, name), "from_function", classmethod(lambda *_: None))


def test_kernels_are_kept_elsewhere(tmp_path, monkeypatch):
    nowhere(monkeypatch)
    monkeypatch.setenv("LUTGEN_CACHE", str(tmp_path))
    assert njit()(kernel)(np.int64(3)) == 4
    assert list(tmp_path.glob("numba/*/*.nbi"))


def test_kernels_work_where_nothing_can_be_kept(tmp_path, monkeypatch):
    nowhere(monkeypatch)
    monkeypatch.setenv("LUTGEN_CACHE", "/dev/null/none")
    assert njit()(kernel)(np.int64(3)) == 4


def test_a_full_disk_does_not_stop_a_kernel(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "kernel.nbi.tmp.1234")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    nowhere(monkeypatch)
    monkeypatch.setenv("LUTGEN_CACHE", str(tmp_path))
    assert njit()(kernel)(np.int64(3)) == 4


@njit()
def inner(a):
    return a + 1


@njit(nogil=True)
def outer(a):
    return 2 * inner(a)


def test_kernels_call_each_other_and_their_python_functions_remain():
    assert outer(np.int64(3)) == 8
    assert inner.py_func(3) == 4 and inner.__name__ == "inner"
    assert len(outer.signatures) == 1


def test_what_compiles_nothing_does_without_numba():
    """To import it takes longer than all else that a command begins with."""
    script = (
        "import sys\n"
        "import lutgen.cli, lutgen.c.folder, lutgen.codec.any_profile, lutgen.build.codec\n"
        "from lutgen.model.shipped import SHIPPED, shipped\n"
        "lutgen.c.folder.folder_files({name: shipped(name) for name in SHIPPED})\n"
        "assert 'numba' not in sys.modules\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_a_user_without_home_and_name(tmp_path):
    """As in a container with a strange user: the home cannot even be asked for."""
    script = (
        "import pathlib\n"
        "def home(): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "from lutgen.files.caches import cache_folder\n"
        "print(cache_folder())"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{tmp_path}/lutgen-{os.getuid()}\n"
