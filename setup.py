"""The codec in C of the models that come with the package, where a C compiler is; see
lutgen/codec/native.py.  All else is in pyproject.toml."""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

HERE = Path(__file__).parent
#: What ctypes calls, for linkers that must be told.
EXPORTED = [
    "lutgen_api_major", "lutgen_decode", "lutgen_decode_strip", "lutgen_decoded_bytes",
    "lutgen_encode", "lutgen_encode_strip", "lutgen_encoded_bound", "lutgen_model_hash",
    "lutgen_models", "lutgen_models_count", "lutgen_open", "lutgen_strip_bound",
    "lutgen_workspace_bytes",
]  # fmt: skip


class BuildCodec(build_ext):
    """Writes the sources of the models first."""

    def build_extension(self, extension) -> None:
        sys.path.insert(0, os.fspath(HERE))
        try:
            from lutgen.c.folder import folder_files
            from lutgen.model.shipped import SHIPPED, shipped

            files = folder_files({name: shipped(name) for name in SHIPPED})
        except ImportError as error:
            raise CompileError(f"the codec in C needs {error.name} to be written") from error
        finally:
            sys.path.remove(os.fspath(HERE))
        folder = Path(self.build_temp, "codec")
        for name, text in files.items():
            if name.startswith("src/"):
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                if path.suffix == ".c":
                    extension.sources.append(os.fspath(path))
        extension.include_dirs.append(os.fspath(folder / "src"))
        if self.compiler.compiler_type == "unix":
            extension.extra_compile_args += ["-std=c99", "-O2", "-ftree-vectorize", "-g0"]
        super().build_extension(extension)


setup(
    cmdclass={"build_ext": BuildCodec},
    ext_modules=[Extension(
        "lutgen.codec._native", ["lutgen/c/native/module.c"], export_symbols=EXPORTED,
        optional=True,
    )],
)  # fmt: skip
