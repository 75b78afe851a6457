"""LoC-LIC, the lossy colour codec of low complexity, and what it is measured with.

================================================  ============================================
`.networks.config`                                configurations, in a table; needs no torch
`.measure.complexity`                             multiplications by block; needs no torch
`.measure.reference`                              ... of CompressAI's models; needs no torch
`.model`                                          the network: image in, image and rate out
`.measure.metrics`                                PSNR and MS-SSIM of 8-bit images
`.measure.bd`, ``published``, `.measure.results`  rate-distortion curves; need no torch
`.train`                                          training, of `.schedule`, on `.crops`
================================================  ============================================

Papers: A. A. Ameen, T. Richter, A. Kaup, "Low Complexity Learned Image Coding Using Hierarchical
Feature Transforms (LoC-LIC)"; W. Jiang et al., "MLIC++: Linear Complexity Multi-Reference Entropy
Modeling for Learned Image Compression", 2024.
"""
