"""AdamW over local parts of the parameters, the global gradient norm, and bf16 numbers rounded stochastically.

    m = b1 m + (1 - b1) g     v = b2 v + (1 - b2) g²
    p = p (1 - lr wd) - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)

State is plain tensors by parameter name, placed like the parameters, so a checkpoint of any layout loads into any other.
"""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.optim.adamw import adamw

from parallel import copies, local, local_part
from random_numbers import stream_of
from settings import Optimizer


class AdamW:
    def __init__(self, parameters: dict[str, Tensor], settings: Optimizer, seed: int):
        """`parameters`: those that train, by name; gradients are taken from them."""
        self.parameters, self.settings = parameters, settings
        dtype = torch.bfloat16 if settings.states == "bf16" else torch.float32
        self.first = {name: torch.zeros_like(p, dtype=dtype) for name, p in parameters.items()}
        self.second = {name: torch.zeros_like(p, dtype=dtype) for name, p in parameters.items()}
        # Rounding is decided by (parameter, step, position in the whole tensor), so it does not depend on the layout.
        self.streams = {name: stream_of(name, seed) for name in parameters}
        on_gpu = any(p.device.type == "cuda" for p in parameters.values())
        # Some thirty passes over memory, one when compiled.
        self.update_rounded = torch.compile(update_rounded, dynamic=False) if on_gpu else update_rounded

    def zero_gradients(self) -> None:
        for p in self.parameters.values():
            p.grad = None

    def grad_norm(self) -> Tensor:
        """Euclidean norm of all gradients together: each rank's squares, divided by the copies it shares. Shape [], float64."""
        device = next(iter(self.parameters.values())).device
        squares = torch.zeros((), dtype=torch.float64, device=device)
        for p in self.parameters.values():
            if p.grad is not None:
                squares += local(p.grad).double().square().sum() / copies(p)
        dist.all_reduce(squares)
        # Ranks outside a parameter's mesh hold other stages; ranks of its mesh that FSDP does not see (tensor) hold copies too.
        return squares.sqrt()

    @torch.no_grad()
    def step(self, step: int, learning_rate: float, grad_norm: Tensor) -> None:
        """One update. @param step - counted from 1."""
        s = self.settings
        if s.grad_clip is not None:
            factor = (s.grad_clip / (grad_norm + 1e-6)).clamp(max=1).float()
            gradients = [local(p.grad) for p in self.parameters.values() if p.grad is not None]
            for dtype in {g.dtype for g in gradients}:
                torch._foreach_mul_([g for g in gradients if g.dtype == dtype], factor)
        plain = [n for n, p in self.parameters.items() if p.dtype == self.first[n].dtype == torch.float32 and p.grad is not None]
        for decays in (True, False):
            names = [n for n in plain if (self.parameters[n].dim() >= 2) == decays]
            tensors = [[local(t) for t in ts] for ts in (
                [self.parameters[n] for n in names], [self.parameters[n].grad for n in names],
                [self.first[n] for n in names], [self.second[n] for n in names])]  # fmt: skip
            # A rank may have nothing of a small tensor.
            tensors = [list(ts) for ts in zip(*[t for t in zip(*tensors) if t[0].numel()])] or [[], [], [], []]
            steps = [torch.tensor(float(step - 1), device=p.device) for p in tensors[0]]
            if tensors[0]:
                adamw(*tensors, [], steps, fused=True, amsgrad=False, beta1=s.beta1, beta2=s.beta2, lr=learning_rate,
                      weight_decay=s.weight_decay if decays else 0.0, eps=s.epsilon, maximize=False)  # fmt: skip
        for name, p in self.parameters.items():
            if name not in plain and p.grad is not None and local(p).numel():
                self.step_rounded(name, p, step, learning_rate)

    def step_rounded(self, name: str, p: Tensor, step: int, learning_rate: float) -> None:
        s = self.settings
        decay = s.weight_decay if p.dim() >= 2 else 0.0
        # Tensors, so that a compiled update serves every step.
        numbers = (learning_rate, 1 - learning_rate * decay, s.beta1, s.beta2, s.epsilon, 1 - s.beta1**step, 1 - s.beta2**step)
        scalars = torch.tensor(numbers, dtype=torch.float32, device=p.device)
        draw = torch.tensor((self.streams[name] + step) & 0xFFFFFFFF, dtype=torch.int64, device=p.device)
        place = tuple((size, part.start, part.stop) for size, part in zip(p.shape, local_part(p)))
        self.update_rounded(local(p), local(p.grad), local(self.first[name]), local(self.second[name]), place, draw, scalars)

    def state(self) -> dict[str, Tensor]:
        return {f"optimizer.{kind}.{name}": tensor for kind, tensors in (("first", self.first), ("second", self.second))
                for name, tensor in tensors.items()}  # fmt: skip


def update_rounded(p: Tensor, g: Tensor, m: Tensor, v: Tensor, place, draw: Tensor, scalars: Tensor) -> None:
    """In float32, then back into whatever p, m and v are stored in; bf16 is rounded up or down by chance."""
    lr, keep, beta1, beta2, epsilon, correction1, correction2 = scalars.unbind()
    g = g.float()
    first = m.float() * beta1 + g * (1 - beta1)
    second = v.float() * beta2 + g * g * (1 - beta2)
    move = first / correction1 / ((second / correction2).sqrt() + epsilon)
    # Decay before rounding: alone it is too small to survive it.
    value = p.float() * keep - lr * move
    index = global_index(place, p.device)
    for target, exact, salt in ((m, first, 0), (v, second, 1), (p, value, 2)):
        target.copy_(exact if target.dtype == torch.float32 else round_by_chance(exact, draw, 3 * index + salt))


def global_index(place: tuple[tuple[int, int, int], ...], device: torch.device) -> Tensor:
    """Position of each local number in the whole tensor, from (size, start, stop) of each dimension. int64."""
    index = torch.zeros((), dtype=torch.int64, device=device)
    for size, start, stop in place:
        index = index[..., None] * size + torch.arange(start, stop, device=device)
    return index


def round_by_chance(x: Tensor, seed: Tensor, index: Tensor) -> Tensor:
    """float32 to bf16, up with the probability of the part that is cut off: right on average. Noise is counterRandom's."""
    bits = x.contiguous().view(torch.int32)
    noise = mix(seed, index) & 0xFFFF
    rounded = ((bits.to(torch.int64) & 0xFFFFFFFF) + noise) & 0xFFFF0000
    # The sum cannot leave the exponent's range except into infinity, which is what overflow should give.
    signed = torch.where(rounded >= 2**31, rounded - 2**32, rounded).to(torch.int32)
    return torch.where(x.isfinite(), signed.view(torch.float32), x).to(torch.bfloat16)


def mix(seed: Tensor, index: Tensor) -> Tensor:
    """`counter_random` of random_numbers.py on tensors, in int64 (torch has no unsigned products)."""
    low = 0xFFFFFFFF

    def times(a: Tensor, b: int) -> Tensor:  # 32 x 32 bits in two halves: int64 would overflow
        return (a * (b & 0xFFFF) + (((a * (b >> 16)) & 0xFFFF) << 16)) & low

    h = (seed & low) ^ times(index & low, 0x9E3779B1) ^ times((index >> 32) & low, 0x85EBCA6B)
    for _ in range(2):
        h = h ^ (h >> 16)
        h = times(h, 0x7FEB352D)
        h = h ^ (h >> 15)
        h = times(h, 0x846CA68B)
        h = h ^ (h >> 16)
        h = (h + 0x6D2B79F5) & low
    return h
