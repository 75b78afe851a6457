"""Profiles that can be trained, and by what."""

from lutgen.training.dlc.config import (
    DlcConfig,
    GicDlc,
    GicDlcPlus,
    RasterLaplace,
    RasterTableDlc,
)
from lutgen.training.predictive.config import PredictiveConfig
from lutgen.training.tree.tree_config import RasterTable

__all__ = ["PROFILES"]

_Kind = type[RasterTable] | type[DlcConfig] | type[PredictiveConfig]

#: Configuration class of each profile by trainer, the usual trainer first.
PROFILES: dict[str, dict[str, _Kind]] = {
    "raster-table": {"tree": RasterTable, "dlc": RasterTableDlc},
    "gic-dlc": {"dlc": GicDlc},
    "gic-dlc+": {"dlc": GicDlcPlus},
    "raster-laplace": {"dlc": RasterLaplace},
    "predictive": {"boost": PredictiveConfig},
}
