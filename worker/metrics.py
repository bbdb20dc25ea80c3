"""Floating-point operations and how much of the device they use, in the three conventions that people print.

    parameters   6 N                                  N counts everything (the MEDITRON paper)
    attention    6 (N - embedding) + 12 L C' T        the headline (torchtitan)
    causal       6 (N - embedding) +  6 L C' T        attention counted only where it looks (Megatron-LM)

C' = heads x head size. Work done again by recomputation never counts.
"""

import torch

from model import ModelConfig

# Dense bf16 peaks, FLOP/s.
PEAKS = {"A100": 312e12, "H100": 989e12, "H200": 989e12, "H20": 148e12, "B200": 2250e12, "GH200": 989e12, "L40S": 362e12, "A10": 125e12}


def count_parameters(c: ModelConfig) -> tuple[int, int]:
    """(all, embedding rows that no product reads)."""
    C, H = c.channels, c.head_size
    attention = C * H * (2 * c.heads + 2 * c.kv_heads) + (H * (c.heads + 2 * c.kv_heads) if c.qkv_bias else 0)
    attention += (C if c.output_bias else 0) + (2 * H if c.head_norm else 0)
    feed_forward = 3 * C * c.features + (2 * c.features + C if c.mlp_bias else 0)
    table = c.vocab_size * C
    total = c.layers * (attention + feed_forward + 2 * C) + C + table * (1 if c.tied_head else 2)
    # A tied table is read by the head's product, so it counts.
    return total, 0 if c.tied_head else table


def flops_per_token(c: ModelConfig, tokens: int) -> dict[str, float]:
    total, embedding = count_parameters(c)
    attention = 12 * c.layers * c.heads * c.head_size * tokens
    matmul = 6 * (total - embedding)
    return {"parameters": 6.0 * total, "attention": float(matmul + attention), "causal": matmul + attention / 2}


def peak_flops(device: torch.device, tflops: float | None) -> float | None:
    """Of one device; None where it is not known (CPUs)."""
    if tflops is not None:
        return tflops * 1e12
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for key, peak in sorted(PEAKS.items(), key=lambda p: -len(p[0])) if key in name), None)
