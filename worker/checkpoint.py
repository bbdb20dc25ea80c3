"""Checkpoints: `checkpoints/step-0000123/` is a Hugging Face model directory; `trainer/` in it holds what training goes on with.

    trainer/state.json                 step, data position, spikes, job
    trainer/.metadata, __*_*.distcp    weights as they train and AdamW's moments (torch.distributed.checkpoint)

Tensors are saved by name with their place in the whole, so a run resumes on another number of processes or another layout.
The folder is written under a hidden name and renamed when every rank is done: a checkpoint is whole or not there.
"""

import json
import os
import re
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Callable

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import Tensor

from model import Llama
from optimizer import AdamW
from weights import ModelExport, copy_companions, write_json


class CheckpointError(Exception):
    """A checkpoint cannot be taken up."""


def list_checkpoints(directory: str) -> list[tuple[int, Path]]:
    """Complete checkpoints, newest first."""
    found = []
    for path in Path(directory, "checkpoints").glob("step-*"):
        match = re.fullmatch(r"step-(\d{7,})", path.name)
        if match and (path / "trainer" / "state.json").exists():
            found.append((int(match[1]), path))
    return sorted(found, reverse=True)


class Checkpoints:
    def __init__(self, directory: str, keep: int, export: ModelExport, tokenizer: str, is_async: bool, emit: Callable[..., None]):
        self.folder = Path(directory, "checkpoints")
        self.directory, self.keep, self.export, self.tokenizer, self.emit = directory, keep, export, tokenizer, emit
        # Its own group: a background save must not mix its messages with those of the training steps.
        self.group = dist.new_group(backend="gloo")
        self.is_async = is_async
        self.pending: threading.Thread | None = None
        self.error: BaseException | None = None

    def save(self, parts: list[Llama], optimizer: AdamW, state: dict[str, Any]) -> None:
        """Copies everything to main memory, then writes in the background. Collective; waits for the save before."""
        self.wait()
        started = time.monotonic()
        step = state["step"]
        partial, path = self.folder / f".step-{step:07d}.partial", self.folder / f"step-{step:07d}"
        if dist.get_rank() == 0:
            shutil.rmtree(partial, ignore_errors=True)
            (partial / "trainer").mkdir(parents=True)
        weights, adapters = self.export.gather(parts)
        tensors = {name: in_main_memory(tensor) for name, tensor in training_state(parts, optimizer).items()}
        dist.barrier(self.group)

        def write() -> None:
            try:
                self.export.write(partial, weights, adapters)
                # Collective, and after each rank's model files: when it is through, everything is on disk.
                dcp.save(tensors, storage_writer=dcp.FileSystemWriter(partial / "trainer"), process_group=self.group)
                if dist.get_rank() == 0:
                    self.publish(partial, path, state, time.monotonic() - started)
                dist.barrier(self.group)
            except BaseException as error:
                self.error = error

        self.pending = threading.Thread(target=write, name="checkpoint")
        self.pending.start()
        if not self.is_async:
            self.wait()

    def publish(self, partial: Path, path: Path, state: dict[str, Any], seconds: float) -> None:
        self.export.finish(partial)
        copy_companions(self.tokenizer, partial)
        write_json(partial / "trainer" / "state.json", state)
        sync_tree(partial)
        # A rolled-back run comes by the same step again: the newer one counts.
        shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
        sync(self.folder)
        for _, old in list_checkpoints(self.directory)[self.keep :]:
            shutil.rmtree(old, ignore_errors=True)
        self.emit("checkpoint-saved", step=state["step"], path=f"checkpoints/{path.name}", seconds=seconds)

    def wait(self) -> None:
        """Until the running save is complete. @raises what it met."""
        if self.pending is not None:
            self.pending.join()
            self.pending = None
        if self.error is not None:
            error, self.error = self.error, None
            raise error

    def newest(self) -> Path | None:
        """The newest complete checkpoint, the same on every rank."""
        found = [str(path) for _, path in list_checkpoints(self.directory)[:1]]
        dist.broadcast_object_list(answer := [found], src=0, group=self.group)
        return Path(answer[0][0]) if answer[0] else None

    def load(self, path: Path, parts: list[Llama], optimizer: AdamW) -> dict[str, Any]:
        """Fills weights and moments in place. @returns the saved state."""
        if not (path / "trainer" / ".metadata").exists():
            raise CheckpointError(
                f"{path} was written by the embedded engine; give the torch engine a directory of its own, with this checkpoint as `model`"
            )
        tensors = training_state(parts, optimizer)
        dcp.load(tensors, storage_reader=dcp.FileSystemReader(path / "trainer"), process_group=self.group)
        return json.loads((path / "trainer" / "state.json").read_text())


def training_state(parts: list[Llama], optimizer: AdamW) -> dict[str, Tensor]:
    """What training changes: weights by name, moments by name. Frozen weights come from the base model again."""
    weights = {name: p.detach() for part in parts for name, p in part.named_parameters() if p.requires_grad}
    return {f"model.{name}": tensor for name, tensor in weights.items()} | optimizer.state()


def in_main_memory(tensor: Tensor) -> Tensor:
    """A copy that the next optimizer step does not change, still knowing its place in the whole."""
    from torch.distributed.tensor import DTensor

    if not isinstance(tensor, DTensor):
        return tensor.detach().to("cpu", copy=True)
    part = tensor.to_local().detach().to("cpu", copy=True)
    return DTensor.from_local(
        part, tensor.device_mesh, tensor.placements, run_check=False, shape=tensor.size(), stride=tensor.stride()
    )


def sync_tree(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
