"""Head and cross-entropy in one, in chunks of tokens: the logits of a whole micro-batch never exist.

    z = h W'    nats = log Σ exp z − z[target]    loss = Σ weight · nats
    dz = weight · (softmax(z) − onehot(target))    dh = dz W    dW = dz' h

Gradients are made together with the loss, while a chunk's logits are at hand (as in Liger Kernel's fused linear cross-entropy).
Under tensor parallelism each rank holds some rows of W; maximum, sum and target logit are then reduced over the group.
"""

import torch
import torch.distributed as dist
from torch import Tensor


class HeadCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, h_NC, weight_VC, targets_N, weights_N, vocab_size, group, chunk_tokens):
        first = 0
        if group is not None:  # rows are cut as torch.chunk cuts them
            first = min(dist.get_rank(group) * -(-vocab_size // dist.get_world_size(group)), vocab_size)
        rows = weight_VC.shape[0]
        needs_h, needs_weight = ctx.needs_input_grad[:2]
        dh_NC = torch.empty_like(h_NC) if needs_h else None
        dweight_VC = torch.zeros_like(weight_VC, dtype=torch.float32) if needs_weight else None
        loss = torch.zeros(1, dtype=torch.float32, device=h_NC.device)

        for start in range(0, h_NC.shape[0], chunk_tokens):
            chunk = slice(start, start + chunk_tokens)
            h, targets, weights = h_NC[chunk], targets_N[chunk], weights_N[chunk]
            z = (h @ weight_VC.T).float()
            local = targets - first
            is_mine = (local >= 0) & (local < rows)
            local = local.clamp(0, max(rows - 1, 0))
            # A rank beyond the last row (a tiny vocabulary on many ranks) has nothing to add.
            top = z.amax(-1) if rows else z.new_full(z.shape[:1], -torch.inf)
            if group is not None:
                dist.all_reduce(top, dist.ReduceOp.MAX, group=group)
            z -= top[:, None]
            at_target = torch.where(is_mine, z.gather(1, local[:, None])[:, 0], 0) if rows else torch.zeros_like(top)
            z.exp_()
            sums = torch.stack([z.sum(-1), at_target])
            if group is not None:
                dist.all_reduce(sums, group=group)
            loss += (weights * (sums[0].log() - sums[1])).sum()
            if not (needs_h or needs_weight):
                continue
            z *= (weights / sums[0])[:, None]
            if rows:
                z.scatter_add_(1, local[:, None], torch.where(is_mine, -weights, 0)[:, None])
            dz = z.to(h.dtype)
            if needs_h:
                dh_NC[chunk] = dz @ weight_VC
            if needs_weight:
                dweight_VC += dz.T @ h
        ctx.save_for_backward(dh_NC, dweight_VC)
        ctx.weight_dtype = weight_VC.dtype
        return loss

    @staticmethod
    def backward(ctx, grad):
        dh_NC, dweight_VC = ctx.saved_tensors
        dh = None if dh_NC is None else dh_NC * grad.to(dh_NC.dtype)
        dweight = None if dweight_VC is None else (dweight_VC * grad).to(ctx.weight_dtype)
        return dh, dweight, None, None, None, None, None


def head_cross_entropy(
    h_NC: Tensor, weight_VC: Tensor, targets_N: Tensor, weights_N: Tensor, *,
    vocab_size: int, group: dist.ProcessGroup | None = None, chunk_tokens: int = 2048,
) -> Tensor:  # fmt: skip
    """Σ weight · nats over N tokens. Shape [1], float32. `weight_VC` holds this rank's rows of the head."""
    return HeadCrossEntropy.apply(h_NC, weight_VC, targets_N, weights_N, vocab_size, group, chunk_tokens)
