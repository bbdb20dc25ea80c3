"""Products in float8 with one scale a tensor: y = x W' in e4m3, gradients in e5m2 (Micikevicius et al. 2022, arXiv:2209.05433).

Three products, each by `torch._scaled_mm`, whose second factor lies column by column:
    y = x W'      dx = dy W      dW = dy' x
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model import Block, Linear

E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2


def to_fp8(x: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """x as float8 and the factor that brings it back. Clamped first: the cast wraps around instead of saturating."""
    top = torch.finfo(dtype).max
    scale = top / x.abs().amax().double().clamp(min=1e-12)
    scale = scale.float()
    return (x.float() * scale).clamp(-top, top).to(dtype), scale.reciprocal()


def product(a: Tensor, b: Tensor, scale_a: Tensor, scale_b: Tensor, dtype: torch.dtype, fast: bool) -> Tensor:
    """a [M, K] row-major times b [K, N] column-major."""
    return torch._scaled_mm(a, b, scale_a=scale_a, scale_b=scale_b, out_dtype=dtype, use_fast_accum=fast)


@torch._dynamo.allow_in_graph
class Float8Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x_NI, weight_OI):
        ctx.save_for_backward(x_NI, weight_OI)
        (x, x_back), (w, w_back) = to_fp8(x_NI, E4M3), to_fp8(weight_OI, E4M3)
        return product(x, w.t(), x_back, w_back, x_NI.dtype, fast=x.is_cuda)

    @staticmethod
    def backward(ctx, dy_NO):
        x_NI, weight_OI = ctx.saved_tensors
        (dy, dy_back), (x, x_back), (w, w_back) = to_fp8(dy_NO, E5M2), to_fp8(x_NI, E4M3), to_fp8(weight_OI, E4M3)
        columns = lambda t: t.t().contiguous().t()
        dx = product(dy, columns(w), dy_back, w_back, x_NI.dtype, fast=False)
        # Sums over tokens are long: without fast accumulation.
        dweight = product(dy.t().contiguous(), columns(x), dy_back, x_back, weight_OI.dtype, fast=False)
        return dx, dweight


class Float8Linear(Linear):
    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        y = Float8Product.apply(rows.contiguous(), self.weight).view(*x.shape[:-1], -1)
        return y if self.bias is None else y + self.bias


def use_fp8(block: Block) -> None:
    """The block's seven matrices; norms, embedding and head stay as they are. Sizes must be multiples of 16."""
    for module in block.modules():
        if type(module) is Linear and not module.adapter_scale and not (module.in_features % 16 or module.out_features % 16):
            module.__class__ = Float8Linear
