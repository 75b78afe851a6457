"""Numba's ``njit`` with a cache on disk, and without one where there is no room for it."""

import contextlib
from collections.abc import Callable
from typing import Any

import numba

from lutgen.files.caches import cache_folder

__all__ = ["njit"]


def njit(**options) -> Callable[[Callable], Callable]:
    """``numba.njit(cache=True, **options)``, which fails on neither a read-only nor a full disk.

    Numba's cache is beside the source, or in the user's cache folder; where neither can be written,
    it is in `cache_folder`.
    """

    def compile_(function: Callable) -> Callable:
        dispatcher = numba.njit(**options)(function)
        try:
            _enable(dispatcher)
        except (OSError, RuntimeError):
            return dispatcher
        save = dispatcher._cache.save_overload

        def save_if_possible(*arguments) -> None:
            with contextlib.suppress(OSError):  # what is compiled still runs
                save(*arguments)

        dispatcher._cache.save_overload = save_if_possible
        return dispatcher

    return compile_


def _enable(dispatcher) -> None:
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
