"""A page for browsers that decodes ``.lgc`` files: the codec in C as WebAssembly, in one file.

It works from a disk as from a server, and asks nothing of a network.  The compiler is clang, as the
package ziglang brings it.
"""

import base64
import html
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import resources

from lutgen.errors import LutgenError
from lutgen.extras import need
from lutgen.files.caches import cache_folder
from lutgen.files.whole import scratch_folder
from lutgen.model.shipped import AnyModel

from .folder import folder_files

__all__ = ["PageError", "page_html", "web_assembly"]

_WEB = resources.files("lutgen.c") / "web"
_SCRIPTS = ("decoder.js", "png.js", "page.js")
#: Vectors of 128 bits: all browsers have them since 2023.
_FLAGS = (
    "-target", "wasm32-wasi", "-mexec-model=reactor", "-O3", "-msimd128", "-std=c99",
    "-fvisibility=hidden", "-Wl,--export-dynamic", "-Wl,--strip-all",
)  # fmt: skip
_TIMEOUT_S = 900


class PageError(LutgenError):
    """The compiler failed."""


def web_assembly(models: Mapping[str, AnyModel]) -> bytes:
    """The module of ``web/page.c`` and the codec with these models, named as `folder_files` does.

    Raises
    ------
    ModuleNotFoundError
        If ziglang is not installed.
    PageError
        If the compiler fails.
    OSError
        If there is no room for its files.
    """
    need("ziglang")
    files = folder_files(models)
    sources = {name: text for name, text in files.items() if name.startswith("src/")}
    sources["src/page.c"] = (_WEB / "page.c").read_text()
    with scratch_folder("lutgen-page-") as work:
        (work / "src").mkdir()
        for name, text in sources.items():
            (work / name).write_text(text)
        command = [
            sys.executable, "-m", "ziglang", "cc", *_FLAGS, "-o", "page.wasm",
            *sorted(name for name in sources if name.endswith(".c")),
        ]  # fmt: skip
        cache = str(cache_folder() / "zig")
        environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        try:
            done = subprocess.run(
                command, cwd=work, env=environment, capture_output=True, text=True,
                timeout=_TIMEOUT_S,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise PageError(
                f"compiler of WebAssembly must end within {_TIMEOUT_S} s, but did not"
            ) from None
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise PageError(f"compiler of WebAssembly must succeed, not fail: {last}")
        return (work / "page.wasm").read_bytes()


def page_html(models: Mapping[str, AnyModel]) -> str:
    """The page, with a decoder of these models; errors as of `web_assembly`."""
    module = base64.b64encode(web_assembly(models)).decode()
    page = (_WEB / "page.html").read_text()
    for place, text in (
        ("@MODELS@", html.escape(", ".join(models))),
        ("@SCRIPT@", "\n".join((_WEB / name).read_text() for name in _SCRIPTS)),
        ("@MODULE@", module),
    ):
        page = page.replace(place, text)
    return page
