"""Differentiable logic circuits: LUT networks as PyTorch modules (GIC-DLC, section 3.2)."""
