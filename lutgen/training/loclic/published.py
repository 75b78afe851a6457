"""Published rate-distortion points on Kodak: bits per pixel and PSNR of RGB in dB, mean of 24.

None of these was measured here.  The first five are CompressAI's results of models optimised for
MSE, MLIC++'s are its authors'; LoC-LIC's are read off the paper's plot (figure 5 a) and uncertain.
Importable without torch.
"""

__all__ = ["KODAK"]

#: Rates and PSNRs of each codec.
KODAK: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "factorized": (
        (0.1226, 0.1885, 0.2878, 0.4404, 0.6481, 0.9670, 1.3512, 1.8333),
        (26.91, 28.22, 29.62, 31.28, 32.96, 35.38, 37.40, 39.62),
    ),
    "hyperprior": (
        (0.1313, 0.2089, 0.3199, 0.4784, 0.6687, 0.9388, 1.2592, 1.6602),
        (27.58, 29.20, 30.97, 32.84, 34.53, 36.74, 38.58, 40.56),
    ),
    "mbt2018-mean": (
        (0.1239, 0.1980, 0.3072, 0.4606, 0.6617, 0.9144, 1.2342, 1.6191),
        (27.70, 29.36, 31.13, 32.95, 34.97, 36.91, 38.84, 40.63),
    ),
    "mbt2018": (
        (0.1105, 0.1870, 0.2877, 0.4323, 0.6388, 0.8853, 1.2004, 1.5873),
        (28.09, 29.65, 31.36, 33.09, 35.09, 36.99, 38.93, 40.64),
    ),
    "cheng2020-anchor": (
        (0.1196, 0.1838, 0.2710, 0.4174, 0.5945, 0.8057),
        (28.58, 29.97, 31.34, 33.39, 35.12, 36.70),
    ),
    "mlic++": (
        (0.1075, 0.1747, 0.2721, 0.4129, 0.5923, 0.8025),
        (29.161, 30.714, 32.335, 34.170, 35.816, 37.323),
    ),
    "loc-lic (read off a plot)": (
        (0.122, 0.208, 0.340, 0.600),
        (30.1, 31.75, 33.37, 35.2),
    ),
}
