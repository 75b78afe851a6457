"""LoC-LIC, the lossy colour codec of low complexity, and what it is measured with.

======================================================  ============================================
`lutgen.training.loclic.config`                         configurations, in a table; needs no torch
`lutgen.training.loclic.complexity`                     multiplications by block; needs no torch
`lutgen.training.loclic.reference`                      ... of CompressAI's models; needs no torch
`lutgen.training.loclic.model`                          the network: image in, image and rate out
`lutgen.training.loclic.metrics`                        PSNR and MS-SSIM of 8-bit images
`lutgen.training.loclic.bd`, ``published``, `.results`  rate-distortion curves; need no torch
`lutgen.training.loclic.train`                          training, of `.schedule`, on `.crops`
======================================================  ============================================

Papers: A. A. Ameen, T. Richter, A. Kaup, "Low Complexity Learned Image Coding Using Hierarchical
Feature Transforms (LoC-LIC)"; W. Jiang et al., "MLIC++: Linear Complexity Multi-Reference Entropy
Modeling for Learned Image Compression", 2024.
"""
