"""Where each tensor lives: pipeline stages, tensor parallelism with sequence parallelism, sharded and replicated data parallelism.

The processes form one mesh [pipeline, replicate, shard, tensor], the last dimension innermost, so that a tensor-parallel group is
neighbours (one machine). Parallelism is applied from the inside out: cut stages, cut matrices (TP), recompute, compile, shard
(FSDP2). Stock release APIs only. Traps met on the way are noted where they are avoided.
"""

import math
import os
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.pipelining import PipelineStage
from torch.distributed.pipelining.schedules import get_schedule_class
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    PrepareModuleInput,
    RowwiseParallel,
    SequenceParallel,
    parallelize_module,
)

from fp8 import use_fp8
from model import Llama, ModelConfig
from settings import Lora, SettingsError, TrainJob


MESH_NAMES = ("pipeline", "replicate", "shard", "tensor")


@dataclass(frozen=True)
class World:
    """This process among the others."""

    device: torch.device
    mesh: DeviceMesh
    pipeline: int
    replicate: int
    shard: int
    tensor: int

    @property
    def data_ranks(self) -> int:
        return self.replicate * self.shard

    @property
    def data_rank(self) -> int:
        return self.mesh.get_local_rank("replicate") * self.shard + self.mesh.get_local_rank("shard")

    @property
    def is_main(self) -> bool:
        return dist.get_rank() == 0

    def sum(self, *values: float) -> list[float]:
        """Sums over all processes, float64 where the device has it, the same on every one."""
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.tolist()


def start_processes(job: TrainJob) -> World:
    """Joins the process group and arranges the mesh. @raises SettingsError when the layout does not fit."""
    settings = job.torch
    cuda = settings.device == "cuda" or (settings.device == "auto" and torch.cuda.is_available())
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
    # gloo beside nccl: checkpoints talk over it from their own thread.
    backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
    for name, value in {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29400", "RANK": "0", "WORLD_SIZE": "1"}.items():
        os.environ.setdefault(name, value)
    if not dist.is_initialized():
        dist.init_process_group(backend, timeout=timedelta(seconds=settings.collective_timeout_seconds))
    pipeline, replicate, shard, tensor = mesh_sizes(job, dist.get_world_size())
    mesh = init_device_mesh(device.type, (pipeline, replicate, shard, tensor), mesh_dim_names=MESH_NAMES)
    return World(device, mesh, pipeline, replicate, shard, tensor)


def mesh_sizes(job: TrainJob, world_size: int) -> tuple[int, int, int, int]:
    layout = job.torch.layout
    fixed = layout.pipeline * layout.replicate * layout.tensor
    shard = layout.shard or world_size // fixed
    if fixed * shard != world_size:
        raise SettingsError(
            f"torch.layout: pipeline {layout.pipeline} x replicate {layout.replicate} x shard {layout.shard or 'rest'} x "
            f"tensor {layout.tensor} does not make {world_size} processes"
        )
    ranks = layout.replicate * shard
    if job.global_batch_size % (ranks * job.micro_batch_size):
        raise SettingsError(
            f"globalBatchSize {job.global_batch_size} is not a multiple of microBatchSize {job.micro_batch_size} x {ranks} data ranks"
        )
    micro_batches = job.global_batch_size // (ranks * job.micro_batch_size)
    if layout.pipeline > 1 and micro_batches % layout.pipeline:
        raise SettingsError(f"{micro_batches} micro-batches a step are not a multiple of the {layout.pipeline} pipeline ranks")
    if job.sequence_length % layout.tensor:
        raise SettingsError(f"sequenceLength {job.sequence_length} is not a multiple of tensor {layout.tensor}")
    return layout.pipeline, layout.replicate, shard, layout.tensor


def check_layout(config: ModelConfig, job: TrainJob) -> None:
    """What the model cannot be cut into. @raises SettingsError"""
    layout, problems = job.torch.layout, []
    for count, what in ((config.heads, "attention heads"), (config.kv_heads, "key/value heads"), (config.features, "features")):
        if count % layout.tensor:
            problems.append(f"{count} {what} cannot be cut into tensor {layout.tensor}")
    stages = layout.pipeline * layout.stages_per_rank
    if stages > config.layers + 2:
        problems.append(f"{config.layers} layers cannot be cut into {stages} stages")
    if layout.stages_per_rank > 1 and layout.pipeline_schedule == "1F1B":
        problems.append("stagesPerRank above 1 needs pipelineSchedule Interleaved1F1B")
    if config.tied_head and layout.pipeline > 1:
        problems.append("a tied head cannot be pipelined: its two uses would lie on different stages")
    if job.torch.fp8 and layout.tensor > 1:
        problems.append("fp8 products are for sharding or pipelines, not for tensor parallelism")
    if problems:
        raise SettingsError("torch.layout: " + "; ".join(problems))


# --- stages -------------------------------------------------------------------------------------------------------------------


def stage_layers(layers: int, stages: int) -> list[range]:
    """Layers of each stage, evened out with embedding and head counted as one layer each."""
    total = layers + 2
    cuts = [total * s // stages for s in range(stages + 1)]
    return [range(max(a - 1, 0), min(b - 1, layers)) for a, b in zip(cuts, cuts[1:])]


def stages_of(pipeline_rank: int, pipeline: int, stages_per_rank: int) -> list[int]:
    """Loop style: rank r holds stages r, r + pipeline, ..."""
    return [pipeline_rank + i * pipeline for i in range(stages_per_rank)]


def cut_stage(model: Llama, stage: int, stages: int) -> Llama:
    mine = stage_layers(model.config.layers, stages)[stage]
    for index in list(model.model.layers):
        if int(index) not in mine:
            del model.model.layers[index]
    if stage > 0:
        model.model.embed_tokens = None
    if stage < stages - 1:
        model.model.norm = model.lm_head = None
    return model


def build_stages(config: ModelConfig, job: TrainJob, world: World) -> list[Llama]:
    """This rank's parts of the model, parallel and without memory (on the meta device)."""
    check_layout(config, job)
    layout = job.torch.layout
    stages = layout.pipeline * layout.stages_per_rank
    parts = []
    for stage in stages_of(world.mesh.get_local_rank("pipeline"), layout.pipeline, layout.stages_per_rank):
        with torch.device("meta"):
            part = cut_stage(Llama(config, job.torch.head_chunk_tokens), stage, stages)
            # With LoRA, frozen weights only feed products that round them anyway.
            if job.torch.masters == "bf16" or (job.lora and job.precision == "bf16"):
                part.to(torch.bfloat16)
        parallelize(part, job, world)
        parts.append(part)
    return parts


# --- tensors ------------------------------------------------------------------------------------------------------------------


def parallelize(part: Llama, job: TrainJob, world: World) -> None:
    if world.tensor > 1:
        cut_tensors(part, world.mesh["tensor"])
    if job.lora:
        part.requires_grad_(False)  # here, because cutting makes new parameters, which train
        add_adapters(part, job.lora, world.mesh["tensor"] if world.tensor > 1 else None)
    compiled = job.torch.compile == "on" or (job.torch.compile == "auto" and world.device.type == "cuda")
    for block in part.model.layers.values():
        block.recompute = job.torch.recompute_policy if job.recompute else None
        if job.torch.fp8:
            use_fp8(block)
        if compiled:
            block.compile(fullgraph=True)
    shard(part, job, world)


def cut_tensors(part: Llama, mesh: DeviceMesh) -> None:
    """Tensor parallelism with sequence parallelism: between products tokens are cut, inside them heads and features are."""
    part.tensor_mesh = mesh
    outer = {
        "model.embed_tokens": RowwiseParallel(input_layouts=Replicate(), output_layouts=Shard(1)),
        "model.norm": SequenceParallel(),
        "lm_head": ColwiseParallel(input_layouts=Shard(1), output_layouts=Replicate()),
    }
    tied = part.lm_head is not None and part.model.embed_tokens is not None \
        and part.lm_head.weight is part.model.embed_tokens.weight  # fmt: skip
    names = {name for name, module in part.named_modules()}
    parallelize_module(part, mesh, {name: plan for name, plan in outer.items() if name in names and not (tied and name == "lm_head")})
    if tied:  # both are cut by rows of the vocabulary: the head takes the embedding's cut weight
        part.lm_head.weight = part.model.embed_tokens.weight
    inner = {
        "input_layernorm": SequenceParallel(),
        "post_attention_layernorm": SequenceParallel(),
        "self_attn": PrepareModuleInput(
            input_layouts=(Shard(1), None, None, None), desired_input_layouts=(Replicate(), None, None, None)
        ),
        "self_attn.q_proj": ColwiseParallel(),
        "self_attn.k_proj": ColwiseParallel(),
        "self_attn.v_proj": ColwiseParallel(),
        "self_attn.o_proj": RowwiseParallel(output_layouts=Shard(1)),
        "mlp": PrepareModuleInput(input_layouts=(Shard(1),), desired_input_layouts=(Replicate(),)),
        "mlp.gate_proj": ColwiseParallel(),
        "mlp.up_proj": ColwiseParallel(),
        "mlp.down_proj": RowwiseParallel(output_layouts=Shard(1)),
    }
    if part.config.head_norm:  # a norm of each head, and heads are cut
        inner |= {f"self_attn.{name}": SequenceParallel(sequence_dim=2, use_local_output=True) for name in ("q_norm", "k_norm")}
    for block in part.model.layers.values():
        parallelize_module(block, mesh, inner)


def add_adapters(part: Llama, lora: Lora, mesh: DeviceMesh | None) -> None:
    """LoRA. What is thin is whole on every tensor-parallel rank, what is wide is cut as its matrix is."""
    for block in part.model.layers.values():
        for name in lora.targets:
            linear = getattr(block.self_attn if hasattr(block.self_attn, name) else block.mlp, name)
            with torch.device("meta"):
                linear.add_adapter(lora.rank, lora.alpha)
            if mesh is None:
                continue
            by_rows = name in ("o_proj", "down_proj")
            for adapter, placement in ((linear.lora_A, Shard(1) if by_rows else Replicate()),
                                       (linear.lora_B, Replicate() if by_rows else Shard(0))):  # fmt: skip
                adapter.weight = nn.Parameter(distribute_tensor(adapter.weight, mesh, [placement]))


def shard(part: Llama, job: TrainJob, world: World) -> None:
    """FSDP2 (HSDP when replicated): embedding, each block, norm with head, then the rest. Applied at degree 1 too: one path."""
    mesh = world.mesh["replicate", "shard"] if world.replicate > 1 else world.mesh["shard"]
    # Frozen weights are bf16 already; what trains is cast for the products and reduced in float32.
    policy = MixedPrecisionPolicy(cast_forward_inputs=False) if job.precision == "f32" else MixedPrecisionPolicy(
        param_dtype=torch.bfloat16, reduce_dtype=torch.float32, cast_forward_inputs=False
    )
    # In a pipeline weights stay whole between micro-batches: gathering them for each would cost more than it saves, and schedules
    # that split the backward pass lose gradients when they are resharded.
    reshard = world.pipeline == 1
    options = {"mesh": mesh, "mp_policy": policy}
    tied = part.config.tied_head  # embedding and head then stay together in the root's group
    if part.model.embed_tokens is not None and not tied:
        fully_shard(part.model.embed_tokens, reshard_after_forward=reshard, **options)
    for block in part.model.layers.values():
        fully_shard(block, reshard_after_forward=reshard, **options)
    # Norm and head go with the root: the loss reads the head's weight directly, and the root's hooks gather it.
    fully_shard(part, reshard_after_forward=False, **options)
    for module in part.modules():
        if isinstance(module, FSDPModule):
            # gloo cannot scale while it reduces; the loss is already divided by the step's tokens.
            module.set_force_sum_reduction_for_comms(True)
            module.set_gradient_divide_factor(1.0)


# --- which part of a tensor is here --------------------------------------------------------------------------------------------


def local_part(parameter: Tensor) -> tuple[slice, ...]:
    """Where this rank's part lies in the whole tensor.

    Tensor parallelism cuts first and sharding cuts its parts, and tensor is the last dimension of the mesh: going through the
    placements from the last to the first follows the order of the cuts. Each cut is torch.chunk's.
    """
    parts = [(0, size) for size in parameter.shape]
    if isinstance(parameter, DTensor):
        for dim in reversed(range(parameter.device_mesh.ndim)):
            placement = parameter.placements[dim]
            if not is_cut(placement):
                continue
            ranks, rank = parameter.device_mesh.size(dim), parameter.device_mesh.get_local_rank(dim)
            start, end = parts[placement.dim]
            step = -(-(end - start) // ranks)
            parts[placement.dim] = min(start + rank * step, end), min(start + (rank + 1) * step, end)
    return tuple(slice(start, end) for start, end in parts)


def is_cut(placement) -> bool:
    # Not `is_shard()`: what FSDP makes of a tensor that was cut before is a sharding of another class.
    return hasattr(placement, "dim")


def local(tensor: Tensor) -> Tensor:
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def copies(parameter: Tensor) -> int:
    """How many ranks of its mesh hold the same numbers."""
    if not isinstance(parameter, DTensor):
        return 1
    mesh = parameter.device_mesh
    return math.prod(mesh.size(d) for d, p in enumerate(parameter.placements) if not is_cut(p))


# --- forward and backward ------------------------------------------------------------------------------------------------------


class Runner:
    """Losses and gradients of a step's micro-batches, with or without a pipeline."""

    def __init__(self, parts: list[Llama], job: TrainJob, world: World, micro_batches: int):
        self.parts, self.world, self.micro_batches = parts, world, micro_batches
        self.schedule = None
        if world.pipeline > 1:
            layout = job.torch.layout
            stages = layout.pipeline * layout.stages_per_rank
            group = world.mesh.get_group("pipeline")
            mine = stages_of(world.mesh.get_local_rank("pipeline"), layout.pipeline, layout.stages_per_rank)
            pipeline_stages = [
                PipelineStage(p, s, stages, world.device, group=group, **stage_shapes(p, job, world)) for p, s in zip(parts, mine)
            ]
            several = layout.pipeline_schedule != "1F1B"
            self.schedule = get_schedule_class(layout.pipeline_schedule)(
                pipeline_stages if several else pipeline_stages[0],
                n_microbatches=micro_batches,
                # The last stage's output is the loss: head and cross-entropy are one operation inside it.
                loss_fn=lambda output, target: output.sum(),
                scale_grads=False,
            )
            self.has_first, self.has_last = 0 in mine, stages - 1 in mine

    def train(self, batches: list[dict[str, Tensor]]) -> Tensor:
        """Adds the gradients of Σ weight · nats. @returns this rank's share of that sum (on the last stage only, in a pipeline)."""
        total = torch.zeros((), dtype=torch.float32, device=self.world.device)
        if self.schedule is None:
            for i, batch in enumerate(batches):
                if self.world.replicate > 1:  # copies exchange sums once a step
                    self.parts[0].set_requires_all_reduce(i == len(batches) - 1)
                loss = self.parts[0](batch["tokens"], **rest(batch)).sum()
                loss.backward()
                total += loss.detach()
            return total
        losses: list[Tensor] = []
        self.run_schedule(self.schedule.step, batches, losses)
        for loss in losses:
            total += loss.detach()
        return total

    def evaluate(self, batches: list[dict[str, Tensor]]) -> Tensor:
        with torch.no_grad():
            if self.schedule is None:
                return sum(self.parts[0](batch["tokens"], **rest(batch)).sum() for batch in batches)
            losses: list[Tensor] = []
            self.run_schedule(self.schedule.eval, batches, losses)
            return sum(losses, torch.zeros((), device=self.world.device))

    def run_schedule(self, run, batches: list[dict[str, Tensor]], losses: list[Tensor]) -> None:
        whole = {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}
        # A stage's forward checks shapes without running the head's collectives apart: targets go to every stage.
        args = (whole["tokens"],) if self.has_first else ()
        last = {"target": whole["targets"], "losses": losses} if self.has_last else {}
        run(*args, **last, **rest(whole), return_outputs=False)


def stage_shapes(part: Llama, job: TrainJob, world: World) -> dict[str, Tensor]:
    """What a stage takes and gives for one micro-batch, so that stages need not find out from each other."""
    B, T = job.micro_batch_size, job.sequence_length
    dtype = torch.bfloat16 if "bf16" in (job.precision, job.torch.masters) else torch.float32
    hidden = torch.empty(B, T // world.tensor, part.config.channels, dtype=dtype, device="meta", requires_grad=True)
    is_first, is_last = part.model.embed_tokens is not None, part.lm_head is not None
    return {
        "input_args": torch.empty(B, T, dtype=torch.int64, device="meta") if is_first else hidden,
        "output_args": torch.empty(1, device="meta", requires_grad=True) if is_last else hidden,
    }


def rest(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value for key, value in batch.items() if key != "tokens"}
