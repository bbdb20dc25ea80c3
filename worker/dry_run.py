"""One optimizer step of a job on processes that do not exist: are the shapes right, and what does each GPU hold?

    python worker/dry_run.py launch.json [pipeline rank ...]

The process group is PyTorch's fake one (collectives return at once, with nothing in them) and tensors are fake too (a shape, no
memory), so a job for hundreds of GPUs runs here on one CPU. Everything else is what training runs: stages, tensor parallelism,
sharding, the pipeline's schedule, the optimizer. One GPU of the first, the second and the last pipeline rank is tried, or of those named.

Blocks are not compiled here, so activations without recomputation are counted as eager PyTorch keeps them: an upper bound.
"""

import json
import sys
import time
import traceback
import weakref
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from types import SimpleNamespace

import torch
import torch.distributed as dist
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.pipelining import PipelineStage
from torch.distributed.tensor import DTensor
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from model import load_config
from optimizer import AdamW
from parallel import MESH_NAMES, Runner, World, build_stages, local, mesh_sizes
from settings import Launch, load_launch



class LiveBytes(TorchDispatchMode):
    """Bytes of all storages that live, and the most there were."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if any(issubclass(kind, DTensor) for kind in types):
            return NotImplemented  # counted when it has become operations on local tensors
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor) and tensor.device.type != "meta":
                self.count(tensor.untyped_storage())
        return result

    def count(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self.sizes:
            weakref.finalize(storage, self.forget, key)
        self.now += storage.nbytes() - self.sizes.get(key, 0)
        self.sizes[key] = storage.nbytes()
        self.peak = max(self.peak, self.now)

    def forget(self, key: int) -> None:
        self.now -= self.sizes.pop(key, 0)

    def __enter__(self):
        self.resize = torch.UntypedStorage.resize_
        tracker, resize = self, self.resize

        def counted(storage, size):  # FSDP frees what it has gathered by resizing it to nothing
            resize(storage, size)
            if storage._cdata in tracker.sizes:
                tracker.count(storage)

        torch.UntypedStorage.resize_ = counted
        return super().__enter__()

    def __exit__(self, *error):
        torch.UntypedStorage.resize_ = self.resize
        return super().__exit__(*error)


def bytes_of(tensors) -> int:
    return sum(local(t).numel() * local(t).element_size() for t in tensors if t is not None)


def dry_step(launch: Launch, pipeline_rank: int) -> dict:
    """A step of the first rank of a pipeline stage, in a process of its own. All sizes are bytes."""
    job = launch.job
    world_size = job.torch.nodes * (job.torch.processes_per_node or 1)
    # Stages agree on how to learn their shapes by messages, which here say nothing.
    for name in ("_warmup_forward_vote", "_warmup_backward_result"):
        if hasattr(PipelineStage, name):
            setattr(PipelineStage, name, lambda *_, **__: SimpleNamespace(item=lambda: 1))
    sizes = mesh_sizes(job, world_size)
    pipeline, replicate, shard, tensor = sizes
    rank = pipeline_rank * replicate * shard * tensor
    dist.init_process_group("fake", rank=rank, world_size=world_size, store=FakeStore())
    mesh = init_device_mesh("cpu", sizes, mesh_dim_names=MESH_NAMES)
    world = World(torch.device("cpu"), mesh, *sizes)
    file_config = load_config(job.model)
    config = replace(file_config, vocab_size=max(file_config.vocab_size, launch.vocab_size))
    rounds = job.global_batch_size // (job.micro_batch_size * world.data_ranks)
    # In 1F1B memory is full when as many micro-batches are in flight as there are ranks (interleaved: less than twice as many). More
    # only take time, and a buffer each for what comes from the neighbours.
    run = min(rounds, pipeline * min(2, job.torch.layout.stages_per_rank)) if pipeline > 1 else 1
    started = time.monotonic()
    parts = build_stages(config, job, world)
    with FakeTensorMode(allow_non_fake_inputs=True), LiveBytes() as live:
        for part in parts:
            part.to_empty(device="cpu")
            if config.tied_head and part.lm_head is not None and part.model.embed_tokens is not None:
                part.lm_head.weight = part.model.embed_tokens.weight
        trained = {n: p for part in parts for n, p in part.named_parameters() if p.requires_grad}
        optimizer = AdamW(trained, job.optimizer, job.seed)
        runner = Runner(parts, job, world, run)
        shape = (job.micro_batch_size, job.sequence_length)
        batches = [{"tokens": torch.zeros(shape, dtype=torch.int64), "targets": torch.zeros(shape, dtype=torch.int64),
                    "weights": torch.zeros(shape)} for _ in range(run)]  # fmt: skip
        live.peak = live.now
        runner.train(batches)
        gradients = bytes_of(p.grad for p in trained.values())
        optimizer.step(1, 1e-4, optimizer.grad_norm())
        neighbours = sum((p.model.embed_tokens is None) + (p.lm_head is None) for p in parts)
        dtype = 2 if "bf16" in (job.precision, job.torch.masters) else 4
        hidden = job.micro_batch_size * job.sequence_length // tensor * config.channels * dtype
        buffers = (rounds - run) * neighbours * hidden if pipeline > 1 else 0
        return {
            "rank": rank,
            "layers": [int(index) for part in parts for index in part.model.layers],
            "parameters": sum(local(p).numel() for part in parts for p in part.parameters()),
            "microBatches": rounds,
            "weights": bytes_of(p for part in parts for p in part.parameters()),
            "moments": bytes_of([*optimizer.first.values(), *optimizer.second.values()]),
            "gradients": gradients,
            "peak": live.peak + buffers,
            "seconds": time.monotonic() - started,
        }


def attempt(launch: Launch, pipeline_rank: int) -> dict:
    try:
        return dry_step(launch, pipeline_rank)
    except Exception as error:  # some of PyTorch's cannot travel between processes
        traceback.print_exc()
        raise RuntimeError(f"{type(error).__name__}: {error}") from None


def main(path: str, chosen: list[int]) -> None:
    launch = load_launch(path)
    pipeline = launch.job.torch.layout.pipeline
    ranks = chosen or sorted({0, min(1, pipeline - 1), pipeline - 1})
    # A process for each: PyTorch keeps what belongs to a process group beyond its end.
    with get_context("spawn").Pool(len(ranks), maxtasksperchild=1) as pool:
        for result in pool.imap(partial(attempt, launch), ranks, chunksize=1):
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], [int(rank) for rank in sys.argv[2:]])
