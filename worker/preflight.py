"""Checks before a run claims time: the same software everywhere, room in /dev/shm, the network's speed, attention that is right."""

import os
import platform
import time
from contextlib import nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from model import ModelConfig
from parallel import World
from settings import SettingsError, TrainJob

# Below this, collectives of several processes on a machine die with a bus error.
MIN_SHM_BYTES = 64 << 20


def preflight(world: World) -> dict[str, Any]:
    """Figures of the slowest or smallest rank. @raises SettingsError when ranks differ."""
    mine = {"python": platform.python_version(), "torch": torch.__version__, "cuda": torch.version.cuda,
            "device": torch.cuda.get_device_name() if world.device.type == "cuda" else "cpu"}  # fmt: skip
    shm = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
    shm_bytes = shm.f_bavail * shm.f_frsize if shm else None
    everyone: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, (mine, shm_bytes))
    for rank, (theirs, _) in enumerate(everyone):
        differences = [f"{key} {theirs[key]} (rank 0: {everyone[0][0][key]})" for key in mine if theirs[key] != everyone[0][0][key]]
        if differences:
            raise SettingsError(f"rank {rank} runs other software than rank 0: {', '.join(differences)}")
    smallest = min((free for _, free in everyone if free is not None), default=None)
    if smallest is not None and smallest < MIN_SHM_BYTES and dist.get_world_size() > 1:
        raise SettingsError(f"only {smallest >> 20} MiB free in /dev/shm; containers need --shm-size=1g or more")
    return {**mine, "shmBytes": smallest, "allReduceBytesPerSecond": all_reduce_bandwidth(world)}


def all_reduce_bandwidth(world: World, rounds: int = 5) -> float | None:
    """Bus bandwidth of the slowest rank: 2 (n-1)/n bytes leave each rank an all-reduce."""
    n = dist.get_world_size()
    if n == 1:
        return None
    size = (256 << 20) if world.device.type == "cuda" else (4 << 20)
    data = torch.ones(size // 4, device=world.device)
    seconds = []
    for _ in range(rounds):
        dist.barrier()
        synchronize(world.device)
        start = time.perf_counter()
        dist.all_reduce(data)
        synchronize(world.device)
        seconds.append(time.perf_counter() - start)
        data.fill_(1)
    slowest = torch.tensor(sorted(seconds)[rounds // 2], dtype=torch.float64, device=world.device)
    dist.all_reduce(slowest, dist.ReduceOp.MAX)
    return 2 * (n - 1) / n * size / slowest.item()


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


BACKENDS = {
    "cudnn": [SDPBackend.CUDNN_ATTENTION, SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH],
    "flash": [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH],
    "math": [SDPBackend.MATH],
}


def choose_attention(config: ModelConfig, job: TrainJob, world: World) -> str:
    """The fastest backend whose gradients are right on this machine at this shape. cuDNN's have been NaN in some releases."""
    asked = job.torch.attention
    if asked != "auto":
        return asked
    # cuDNN never sees a mask: its backward pass is wrong with one at some lengths.
    masked = any(job.sequence_length > (w or job.sequence_length) for w in config.windows) \
        or getattr(job.data, "mask_documents", False) or getattr(job.data, "layout", "") == "packed"  # fmt: skip
    if world.device.type != "cuda" or masked or job.sequence_length % 128:
        return "flash"
    return "cudnn" if gradients_agree("cudnn", config, job, world) else "flash"


def gradients_agree(name: str, config: ModelConfig, job: TrainJob, world: World) -> bool:
    heads, kv_heads = config.heads // world.tensor, config.kv_heads // world.tensor
    random = torch.Generator(world.device).manual_seed(0)
    draw = lambda n: torch.randn(
        1, n, job.sequence_length, config.head_size, device=world.device, dtype=torch.bfloat16, generator=random
    )
    q, k, v, dy = draw(heads), draw(kv_heads), draw(kv_heads), draw(heads)

    def gradients(backend: str):
        inputs = [t.clone().requires_grad_() for t in (q, k, v)]
        with sdpa_kernel(BACKENDS[backend][:1]):
            F.scaled_dot_product_attention(*inputs, is_causal=True, enable_gqa=heads != kv_heads).backward(dy)
        return [t.grad.float() for t in inputs]

    try:
        pairs = zip(gradients(name), gradients("flash"))
        agree = all(torch.isfinite(a).all() and (a - b).norm() < 0.02 * b.norm() for a, b in pairs)
    except RuntimeError:  # not built in, or the shape is not supported
        agree = False
    # One that is wrong on any rank is used on none.
    verdict = torch.tensor(float(agree), device=world.device)
    dist.all_reduce(verdict, dist.ReduceOp.MIN)
    return bool(verdict.item())


def attention_backend(name: str, device: torch.device):
    """Context in which scaled_dot_product_attention prefers `name`."""
    return sdpa_kernel(BACKENDS[name], set_priority=True) if device.type == "cuda" else nullcontext()
