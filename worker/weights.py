"""Weights from and to Hugging Face directories: each rank reads only its part, and ranks write the files side by side.

Parameter names are the file's names, so there is no conversion. Fresh weights, new vocabulary rows and adapters are drawn by
(seed, name, index): the same numbers as the embedded engine's, whatever the layout.
"""

import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from model import Llama, ModelConfig
from parallel import World, local, local_part, stage_layers, stages_of
from random_numbers import normal, stream_of, uniform
from settings import TrainJob

NOISE_FRACTION = 0.1  # of new vocabulary rows, as src/model/vocabulary.ts
FILE_BYTES = 5 << 30


class WeightsError(Exception):
    """A model directory does not hold what its config.json promises."""


# --- reading ------------------------------------------------------------------------------------------------------------------


class WeightFiles:
    """The tensors of `model*.safetensors`, read in slices."""

    def __init__(self, directory: str):
        folder = Path(directory)
        index = folder / "model.safetensors.index.json"
        if index.exists():
            self.files = {name: folder / file for name, file in json.loads(index.read_text())["weight_map"].items()}
        elif (folder / "model.safetensors").exists():
            with safe_open(folder / "model.safetensors", "pt") as file:
                self.files = dict.fromkeys(file.keys(), folder / "model.safetensors")
        else:
            self.files = {}
        self.handles: dict[Path, safe_open] = {}

    def slice(self, name: str):
        if name not in self.files:
            raise WeightsError(f"tensor {name} is missing: the weights do not belong to this config.json, or a shard is missing")
        path = self.files[name]
        if path not in self.handles:
            self.handles[path] = safe_open(path, "pt").__enter__()
        return self.handles[path].get_slice(name)


def fill_weights(parts: list[Llama], config: ModelConfig, file_vocab: int, job: TrainJob, world: World) -> None:
    """Gives the parts memory and their numbers: from files, or fresh when the directory has none."""
    files = WeightFiles(job.model)
    for part in parts:
        part.to_empty(device=world.device)
        if config.tied_head and part.lm_head is not None and part.model.embed_tokens is not None:
            part.lm_head.weight = part.model.embed_tokens.weight  # memory was made for each apart
        with torch.no_grad():
            for name, parameter in part.named_parameters():
                local(parameter).copy_(torch.from_numpy(np.array(0)) if local(parameter).numel() == 0
                                       else initial(name, parameter, files, config, file_vocab, job))


def initial(name: str, p: Tensor, files: WeightFiles, config: ModelConfig, file_vocab: int, job: TrainJob) -> Tensor:
    where, shape = local_part(p), tuple(p.shape)
    if ".lora_" in name:
        full = f"base_model.model.{name}"
        values = np.zeros(shape) if ".lora_B" in name else uniform(math.prod(shape), stream_of(full, job.seed), 1 / math.sqrt(shape[1]))
        return torch.from_numpy(values.reshape(shape)[where])
    is_table = name in ("model.embed_tokens.weight", "lm_head.weight")
    if not files.files:
        if len(shape) == 1:
            return torch.zeros(()) if name.endswith(".bias") else torch.ones(())
        return fresh(shape, where, stream_of(name, job.seed), config.initializer_range)
    saved = files.slice(name)
    expected = [file_vocab, *shape[1:]] if is_table else list(shape)
    if list(saved.get_shape()) != expected:
        raise WeightsError(f"tensor {name} has shape {saved.get_shape()}; config.json asks for {expected}")
    if is_table and file_vocab < shape[0]:
        return grown_table(name, saved[:].float(), shape[0], job.seed)[where]
    return saved[where]


def fresh(shape: tuple[int, ...], where: tuple[slice, ...], stream: int, deviation: float) -> Tensor:
    """Rows `where` of a matrix ~ N(0, deviation²), drawn without the others."""
    rows, columns = where
    values = normal((rows.stop - rows.start) * shape[1], stream, deviation, start=rows.start * shape[1])
    return torch.from_numpy(values.reshape(-1, shape[1])[:, columns])


def grown_table(name: str, old: Tensor, rows: int, seed: int) -> Tensor:
    """New rows at the mean of the old ones, with a little of their spread as noise (src/model/vocabulary.ts)."""
    table = old.double().numpy()
    mean = table.mean(axis=0)
    spread = math.sqrt(((table - mean) ** 2).mean())
    count = (rows - len(table)) * table.shape[1]
    noise = normal(count, stream_of(f"new rows of {name}", seed), NOISE_FRACTION * spread).reshape(-1, table.shape[1])
    return torch.from_numpy(np.concatenate([table, mean + noise]))


# --- writing ------------------------------------------------------------------------------------------------------------------


def tensor_list(config: ModelConfig) -> list[tuple[str, int, int | None]]:
    """(name, numbers, layer) of every tensor on file, in the order of the model. The layer of embedding is -1, of the head None."""
    with torch.device("meta"):
        model = Llama(config)
    found = []
    for name, p in model.named_parameters():
        parts = name.split(".")
        layer = int(parts[2]) if parts[1] == "layers" else -1 if "embed_tokens" in name else None
        found.append((name, p.numel(), layer))
    return found


def file_plan(config: ModelConfig, stages: int, dtype_bytes: int) -> list[tuple[int, list[str]]]:
    """(stage, names) of each file: no file spans two stages, so that stages write side by side."""
    cuts = stage_layers(config.layers, stages)
    stage_of = lambda layer: 0 if layer == -1 else stages - 1 if layer is None else next(i for i, c in enumerate(cuts) if layer in c)
    files: list[tuple[int, list[str]]] = []
    filled = 0
    for name, numbers, layer in sorted(tensor_list(config), key=lambda t: stage_of(t[2])):
        size = numbers * dtype_bytes
        if not files or files[-1][0] != stage_of(layer) or filled + size > FILE_BYTES:
            files.append((stage_of(layer), []))
            filled = 0
        files[-1][1].append(name)
        filled += size
    return files


def file_name(number: int, count: int) -> str:
    return "model.safetensors" if count == 1 else f"model-{number + 1:05d}-of-{count:05d}.safetensors"


class ModelExport:
    """A model directory being written: `gather` on all ranks, then `write` wherever files are due, then `finish` on the main rank."""

    def __init__(self, config: ModelConfig, job: TrainJob, world: World, end_ids: tuple[int, ...], pad_id: int):
        self.config, self.job, self.world = config, job, world
        self.end_ids, self.pad_id = list(end_ids), pad_id
        name = job.torch.export_dtype or job.precision
        self.dtype = torch.bfloat16 if name == "bf16" else torch.float32
        self.stages = world.pipeline * job.torch.layout.stages_per_rank
        self.files = file_plan(config, self.stages, 2 if name == "bf16" else 4)
        stages = stages_of(world.mesh.get_local_rank("pipeline"), world.pipeline, job.torch.layout.stages_per_rank)
        # The data and tensor ranks of a stage take its files in turn, so that no rank holds more of the model than it writes.
        members, member = world.data_ranks * world.tensor, world.data_rank * world.tensor + world.mesh.get_local_rank("tensor")
        mine = [number for number, (stage, _) in enumerate(self.files) if stage in stages]
        self.numbers = mine[member::members]
        self.names = {name for number in self.numbers for name in self.files[number][1]}
        self.writes_adapters = member == 0

    @torch.no_grad()
    def gather(self, parts: list[Llama]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Whole tensors in main memory: of the model (adapters merged in) and of the adapters alone. Collective."""
        weights: dict[str, Tensor] = {}
        adapters: dict[str, Tensor] = {}
        for part in parts:
            whole = lambda p: p.full_tensor() if hasattr(p, "full_tensor") else p
            modules = dict(part.named_modules())
            for name, p in part.named_parameters():
                value = whole(p).detach().float()
                owner = modules[name.rpartition(".")[0]]
                if ".lora_" in name:
                    if self.writes_adapters:
                        adapters[f"base_model.model.{name}"] = value.cpu().clone()
                    continue
                if getattr(owner, "adapter_scale", 0) and name.endswith(".weight"):
                    value = value + owner.adapter_scale * whole(owner.lora_B.weight).float() @ whole(owner.lora_A.weight).float()
                if name in self.names:
                    weights[name] = value.to(self.dtype, copy=True).cpu()
        return weights, adapters

    def write(self, folder: Path, weights: dict[str, Tensor], adapters: dict[str, Tensor]) -> None:
        for number in self.numbers:
            whole = {name: weights[name].contiguous() for name in self.files[number][1]}
            save_whole(whole, folder / file_name(number, len(self.files)))
        if adapters:
            rank = self.world.mesh.get_local_rank("pipeline")
            (folder / "adapter").mkdir(exist_ok=True)
            part = "" if self.world.pipeline == 1 else f".part-{rank}"
            save_whole(adapters, folder / "adapter" / f"adapter_model{part}.safetensors")

    def finish(self, folder: Path) -> None:
        """config.json, the index, the tokenizer's files, adapters in one file. Main rank, when all files are there."""
        dtype = "bfloat16" if self.dtype == torch.bfloat16 else "float32"
        source = {k: v for k, v in self.config.json.items() if k != "torch_dtype"}
        write_json(folder / "config.json", {**source, "vocab_size": self.config.vocab_size, "dtype": dtype})
        write_json(folder / "generation_config.json", {"eos_token_id": self.end_ids, "pad_token_id": self.pad_id})
        if len(self.files) > 1:
            size = sum(numbers for _, numbers, _ in tensor_list(self.config)) * (2 if dtype == "bfloat16" else 4)
            where = {name: file_name(i, len(self.files)) for i, (_, names) in enumerate(self.files) for name in names}
            write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": where})
        lora = self.job.lora
        if lora is None:
            return
        parts = sorted((folder / "adapter").glob("adapter_model.part-*.safetensors"))
        if parts:
            merged: dict[str, Tensor] = {}
            for path in parts:
                with safe_open(path, "pt") as file:
                    merged |= {key: file.get_tensor(key).clone() for key in file.keys()}
                path.unlink()
            save_whole(merged, folder / "adapter" / "adapter_model.safetensors")
        write_json(folder / "adapter" / "adapter_config.json", {
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": self.job.model, "r": lora.rank,
            "lora_alpha": lora.alpha, "lora_dropout": 0, "target_modules": list(lora.targets), "bias": "none",
            "fan_in_fan_out": False, "init_lora_weights": True, "inference_mode": True,
        })  # fmt: skip


def save_whole(tensors: dict[str, Tensor], path: Path) -> None:
    """Under another name first: a file is whole or not there."""
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, partial, metadata={"format": "pt"})
    os.replace(partial, path)


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def copy_companions(source: str, folder: Path) -> None:
    """The tokenizer's files beside the weights."""
    for path in Path(source).iterdir() if Path(source).is_dir() else [Path(source)]:
        if path.suffix in (".json", ".model", ".txt", ".jinja") and path.name not in (
            "config.json", "generation_config.json", "model.safetensors.index.json",
        ):
            shutil.copyfile(path, folder / path.name)
