"""Published rate-distortion points on Kodak: bits per pixel and PSNR of RGB in dB, mean of 24.

None of these was measured here.  The first five are CompressAI's results of models optimised for
MSE (results/image/kodak/*_mse_cuda.json in its repository), of images that were not rounded to 8
bits, which flatters the highest rates by 0.06 dB.  MLIC++'s are its authors'; LoC-LIC's are read
off the paper's plot (figure 5 a) and uncertain.  Importable without torch.
"""

__all__ = ["KMAC", "KODAK", "KODAK_MS_SSIM"]

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

#: MS-SSIM at the same rates, of the same files; nobody gives those of the others as numbers.
KODAK_MS_SSIM: dict[str, tuple[float, ...]] = {
    "factorized": (0.90999, 0.93605, 0.95547, 0.97036, 0.98064, 0.98788, 0.99220, 0.99510),
    "hyperprior": (0.91737, 0.94206, 0.96106, 0.97487, 0.98356, 0.98925, 0.99287, 0.99549),
    "mbt2018-mean": (0.91784, 0.94306, 0.96148, 0.97520, 0.98358, 0.98925, 0.99305, 0.99535),
    "mbt2018": (0.92070, 0.94322, 0.96276, 0.97523, 0.98356, 0.98924, 0.99286, 0.99531),
    "cheng2020-anchor": (0.92359, 0.94651, 0.96286, 0.97577, 0.98412, 0.98930),
}

#: kMAC per pixel that the LoC-LIC paper gives in its text, by torchinfo's rule.
KMAC = {"loc-lic": 270, "mlic++": 1256, "cheng2020-anchor": 933}
