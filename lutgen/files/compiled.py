"""Numba's ``njit``, without numba until a function is called, and with a cache where there is room.

To import numba takes longer than to do all else that a command of lutgen begins with.
"""

import contextlib
import functools
import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from lutgen.files.caches import cache_folder

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["UNCOUNTED", "Compiled", "njit"]

#: Options of a function that makes no arrays but views of those that it is given: numba then counts
#: no references.  A loop that takes arrays out of a tuple for each sample spends half of its time
#: on that, as counts are atomic.
UNCOUNTED = {"_nrt": False}

#: Folders with functions that are compiled into those of other files.
_FOLDERS = [Path(__file__).parents[1] / name for name in ("codec", "model", "training")]


#: Options of a function that is in the code of those that call it and nowhere else: Python cannot
#: call it, which would take a quarter of the time that the codec takes to compile.
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class Compiled:
    """A function that numba compiles when it is called first.

    Compiled functions may call it as they may call each other. One with the option ``forceinline``
    is compiled apart for Python, if Python calls it.

    Parameters
    ----------
    function:
        The function; ``py_func`` is this one.
    options:
        Those of ``numba.njit``.
    """

    def __init__(self, function: Callable, options: dict[str, Any]) -> None:
        self.py_func = function
        self._options = options
        self._lock = Lock()
        self._dispatcher: Any = None
        self._inner: Any = None
        functools.update_wrapper(self, function)

    def __call__(self, *arguments):
        return (self._dispatcher or self.dispatcher())(*arguments)

    def __getattr__(self, name: str):
        """What numba's own functions have, for numba and those who look into it."""
        if name.startswith("__") or "_lock" not in self.__dict__:
            return object.__getattribute__(self, name)  # which is an error
        return getattr(self.dispatcher(), name)

    def __reduce__(self):
        return Compiled, (self.py_func, self._options)  # a lock cannot be pickled

    def inner(self):
        """Numba's function for compiled ones, which keep it as a part of theirs."""
        if not self._options.get("forceinline"):
            return self.dispatcher()
        import numba

        with self._lock:
            if self._inner is None:
                self._inner = numba.njit(**self._options, **_INNER)(self.py_func)
            return self._inner

    def dispatcher(self):
        """Numba's function for Python."""
        with self._lock:
            if self._dispatcher is None:
                _introduce()
                self._dispatcher = _dispatcher(self.py_func, self._options)
            return self._dispatcher


def njit(**options) -> Callable[[Callable], Compiled]:
    """``numba.njit(cache=True, **options)``, which fails on neither a read-only nor a full disk.

    Numba's cache is beside the source, or in the user's cache folder; where neither can be written,
    it is in `cache_folder`.
    """
    return lambda function: Compiled(function, options)


@functools.cache
def _introduce() -> None:
    """Tell numba what a `Compiled` is that compiled functions call."""
    from numba.core.types import Dispatcher
    from numba.extending import typeof_impl

    @typeof_impl.register(Compiled)
    def _(value: Compiled, _context):
        return Dispatcher(value.inner())


if "numba" in sys.modules:  # whose functions may be about to call ours
    _introduce()


def _dispatcher(function: Callable, options: dict[str, Any]):
    import numba
    from numba.core.compiler_lock import global_compiler_lock

    dispatcher: Any = numba.njit(**options)(function)
    try:
        _enable(dispatcher)
    except (OSError, RuntimeError):
        return dispatcher
    index = dispatcher._cache._cache_file
    index._source_stamp = index._source_stamp, _sources()
    save = dispatcher._cache.save_overload

    def save_if_possible(*arguments) -> None:
        with contextlib.suppress(OSError):  # what is compiled still runs
            save(*arguments)

    dispatcher._cache.save_overload = save_if_possible
    compile_ = dispatcher.compile

    def compile_once(signature):
        with global_compiler_lock, _held(Path(f"{index._index_path}.lock")):
            return compile_(signature)

    dispatcher.compile = compile_once
    return dispatcher


#: Lock files that this process holds: a function's own compiling may call for it once more.
_HELD: set[Path] = set()


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock file, so that one of several processes compiles and the others find what it kept.

    For a thread that has numba's own lock. Functions lock those that they call and not the other
    way round, so no two processes wait for each other. Where there is no such lock or no room for
    one, each process compiles.
    """
    with contextlib.ExitStack() as stack:
        if fcntl is not None and path not in _HELD:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                fcntl.flock(stack.enter_context(open(path, "w")), fcntl.LOCK_EX)
                _HELD.add(path)
                stack.callback(_HELD.discard, path)
        yield


@functools.cache
def _sources() -> str:
    """A hash of all files with compiled functions.

    Numba looks at a function's own file alone: without this it would go on as it was after a change
    of what it calls.
    """
    found = hashlib.sha256()
    for folder in _FOLDERS:
        for path in sorted(folder.rglob("*.py")):
            text = path.read_bytes()
            if b"njit" in text:
                found.update(text)
    return found.hexdigest()


def _enable(dispatcher) -> None:
    import numba

    try:
        dispatcher.enable_caching()
    except RuntimeError:  # numba has found no folder
        settings: Any = numba.config
        before = settings.CACHE_DIR
        settings.CACHE_DIR = str(cache_folder() / "numba")
        try:
            dispatcher.enable_caching()
        finally:
            settings.CACHE_DIR = before
