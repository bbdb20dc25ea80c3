"""The torch engine's worker: the training loop of src/train/trainer.ts on any number of processes.

    one CPU process       python worker/train.py launch.json
    four CPU processes    torchrun --nproc-per-node 4 worker/train.py launch.json
    a node of eight GPUs  torchrun --nproc-per-node 8 worker/train.py launch.json
    sixteen such nodes    srun torchrun --nnodes 16 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint $HEAD:29500 \\
                              worker/train.py launch.json

`launch.json` holds the checked job (settings.py); `meditron train` writes it and starts torchrun, `meditron launch` writes the
Slurm script. Events go to stdout as JSON lines, logs to stderr. A stop is asked for by SIGTERM or by a file `.stop` in the job's
directory; the step is finished, a checkpoint written, and the same command goes on from there.
"""

import errno
import gc
import json
import math
import os
import random
import signal
import sys
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from checkpoint import CheckpointError, Checkpoints
from data import DataError, SampleSource, next_samples, open_data
from metrics import count_parameters, flops_per_token, peak_flops
from model import ConfigFileError, load_config
from optimizer import AdamW
from parallel import Runner, World, build_stages, start_processes
from preflight import attention_backend, choose_attention, preflight
from settings import Finetuning, Launch, Schedule, SettingsError, load_launch
from spikes import SpikeDetector
from weights import ModelExport, WeightsError, fill_weights

MAX_ROLLBACKS = 10
LENGTH_MULTIPLE = 16
COLLECT_EVERY_STEPS = 100


class NotFiniteError(Exception):
    """Loss or gradient norm is no number."""


class UnstableError(Exception):
    """Rolling back did not help."""


class Cancelled(Exception):
    """Asked to stop; everything is saved."""


def emit(event: str, **members: Any) -> None:
    """One line, one write: lines of several processes do not mix. Under Slurm and Kubernetes MEDITRON_EVENTS names a file for them."""
    line = json.dumps({"event": event, "time": datetime.now(timezone.utc).isoformat(), **members}, allow_nan=False) + "\n"
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever started this is gone: finish the step, save and leave, as when asked to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGTERM)
    if path := os.environ.get("MEDITRON_EVENTS"):
        with open(path, "ab+") as file:
            # A process that was killed may have left half a line.
            is_broken = file.tell() > 0 and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n"
            file.write((b"\n" if is_broken else b"") + line.encode())


def learning_rate(s: Schedule, step: int) -> float:
    """src/train/schedule.ts: linear warmup, then the curve; steps count from 1."""
    peak, low = s.peak_learning_rate, s.min_learning_rate
    if step <= s.warmup_steps:
        return peak * step / s.warmup_steps
    if s.shape == "constant":
        return peak
    if step >= s.decay_steps:
        return low
    progress = (step - s.warmup_steps) / (s.decay_steps - s.warmup_steps)
    fall = 0.5 * (1 + math.cos(math.pi * progress)) if s.shape == "cosine" else 1 - progress
    return low + (peak - low) * fall


class Trainer:
    def __init__(self, launch: Launch, world: World):
        job = self.job = launch.job
        self.launch, self.world = launch, world
        file_config = load_config(job.model)
        vocab = max(file_config.vocab_size, launch.vocab_size) if job.grow_vocabulary else file_config.vocab_size
        if launch.vocab_size > vocab:
            raise SettingsError(f"the tokenizer has {launch.vocab_size} tokens, the model {vocab} rows; set growVocabulary")
        self.config = replace(file_config, vocab_size=vocab)

        reserve = MAX_ROLLBACKS * job.spikes.skip_steps if job.spikes.policy == "act" else 0
        self.data = open_data(job, (job.steps + reserve) * job.global_batch_size, launch.pad_id)
        self.parts = build_stages(self.config, job, world)
        fill_weights(self.parts, self.config, file_config.vocab_size, job, world)
        trained = {n: p for part in self.parts for n, p in part.named_parameters() if p.requires_grad}
        self.optimizer = AdamW(trained, job.optimizer, job.seed)
        self.micro_batches = job.global_batch_size // (job.micro_batch_size * world.data_ranks)
        self.runner = Runner(self.parts, job, world, self.micro_batches)
        export = ModelExport(self.config, job, world, launch.end_ids, launch.pad_id)
        self.checkpoints = Checkpoints(job.directory, job.keep_checkpoints, export, job.tokenizer, job.torch.async_checkpoints, emit)
        self.spikes = SpikeDetector(job.spikes.window)
        self.step, self.samples, self.loss, self.rollbacks = 0, 0, math.nan, 0
        self.skipped: list[tuple[int, int]] = []
        self.stop_file = Path(job.directory, ".stop")
        self.is_stopped = False
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "is_stopped", True))

    # --- the run --------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        job, world = self.job, self.world
        started = time.monotonic()
        newest = self.checkpoints.newest()
        if newest is not None:
            self.restore(newest)
        self.report("rewind", step=self.step, isRollback=False)
        attention = choose_attention(self.config, job, world)
        parameters, _ = count_parameters(self.config)
        self.report(
            "train-start", job=job.name, parameters=parameters, resumedFromStep=self.step, memoryPlanBytes=self.memory_bytes(),
            kernels=f"torch {torch.__version__}, {dist.get_world_size()} x {device_name(world)}, {attention} attention, "
            f"pipeline {world.pipeline} x replicate {world.replicate} x shard {world.shard} x tensor {world.tensor}",
        )  # fmt: skip
        with attention_backend(attention, world.device):
            if job.torch.preflight:
                self.preflight()
            if job.spikes.policy == "act" and self.step == 0:
                self.save()  # a rollback needs somewhere to go
            gc.collect()
            gc.disable()  # a collection on one rank makes all others wait: it happens on all at once, below
            saved = self.step
            while self.step < job.steps:
                stop = self.train_step()
                last = self.step == job.steps
                if last or self.step % job.validate_every_steps == 0:
                    self.validate()
                if last or self.step % job.checkpoint_every_steps == 0:
                    self.save()
                    saved = self.step
                if stop and not last:
                    if self.step > saved:
                        self.save()
                    self.checkpoints.wait()
                    raise Cancelled
                if self.step % COLLECT_EVERY_STEPS == 0:
                    gc.collect(1)
            self.checkpoints.wait()
        dist.barrier()
        self.report("train-end", step=self.step, loss=self.loss, seconds=time.monotonic() - started)

    def train_step(self) -> bool:
        """One optimizer step (or a rollback). @returns whether a stop was asked for."""
        job, world = self.job, self.world
        started = time.monotonic()
        step = self.step + 1
        windows = next_samples(self.samples, job.global_batch_size, self.skipped)
        batches = self.batches(self.data.train, windows)
        weight, tokens = self.total_weight(batches)
        loss, grad_norm, stop = self.gradients(batches, weight)

        spikes = job.spikes
        z_score = 0.0 if spikes.policy == "off" else self.spikes.score(loss, grad_norm.item())
        is_finite = math.isfinite(loss) and math.isfinite(grad_norm.item())
        if spikes.policy == "act" and (z_score > spikes.z_score or not is_finite):
            self.roll_back(step, windows[-1] + 1, loss, grad_norm.item(), z_score)
            return stop
        if not is_finite:
            what = f"the gradient norm is {grad_norm.item()}" if math.isfinite(loss) else f"the loss is {loss}"
            raise NotFiniteError(f"{what} at step {step}, samples {windows[0]} to {windows[-1]}")
        rate = learning_rate(job.schedule, step)
        if weight > 0:  # a batch without any label changes nothing, not even by weight decay
            self.optimizer.step(step, rate, grad_norm)
        self.spikes.accept(loss, grad_norm.item())
        self.step, self.samples, self.loss = step, windows[-1] + 1, loss
        if spikes.policy == "warn" and z_score > spikes.z_score:
            self.report("loss-spike", step=step, loss=loss, gradNorm=grad_norm.item(), zScore=printable(z_score), action="warned")
        seconds = time.monotonic() - started
        self.report("step-end", step=step, loss=loss, gradNorm=grad_norm.item(), learningRate=rate, samples=self.samples,
                    tokens=round(tokens), tokensPerSecond=tokens / seconds)  # fmt: skip
        self.report_performance(step, seconds)
        return stop

    def gradients(self, batches: list[dict[str, Tensor]], weight: float) -> tuple[float, Tensor, bool]:
        """(loss, gradient norm, stop) of a step, the same on every rank."""
        for batch in batches:
            batch["weights"] /= max(weight, 1e-30)
        self.optimizer.zero_gradients()
        share = self.runner.train(batches)
        grad_norm = self.optimizer.grad_norm()
        # Ranks of a tensor-parallel group hold the same share. One exchange also settles whether to stop.
        is_asked = self.is_stopped or (self.world.is_main and self.stop_file.exists())
        loss, stops = self.world.sum(share.item() / self.world.tensor, float(is_asked))
        return loss, grad_norm, stops > 0

    def total_weight(self, batches: list[dict[str, Tensor]]) -> tuple[float, float]:
        """(Σ weight, targets with weight) over all ranks."""
        weights = [batch["weights"] for batch in batches]
        copies = self.world.tensor * self.world.pipeline
        weight, targets = self.world.sum(
            float(sum(w.double().sum() for w in weights)) / copies, float(sum((w > 0).sum() for w in weights)) / copies
        )
        return weight, targets

    def batches(self, source: SampleSource, windows: list[int | None]) -> list[dict[str, Tensor]]:
        """This rank's micro-batches; None stands for a window of no weight."""
        size = self.job.micro_batch_size
        share = len(windows) // self.world.data_ranks
        mine = windows[self.world.data_rank * share :][:share]
        return [self.micro_batch(source, mine[at : at + size]) for at in range(0, share, size)]

    def micro_batch(self, source: SampleSource, indices: list[int | None]) -> dict[str, Tensor]:
        samples = [source.sample(index or 0) for index in indices]
        weights = np.stack([s.weights_T * (index is not None) for s, index in zip(samples, indices)])
        length = self.job.sequence_length
        if isinstance(self.job.data, Finetuning) and self.runner.schedule is None:
            # Attention looks back only: positions behind the last label that counts change nothing.
            used = int(np.nonzero(weights.any(axis=0))[0][-1]) + 1 if weights.any() else 1
            multiple = math.lcm(LENGTH_MULTIPLE, self.world.tensor)
            length = min(length, -(-used // multiple) * multiple)
        arrays = {
            "tokens": np.stack([s.tokens_T for s in samples]),
            "targets": np.stack([s.targets_T for s in samples]),
            "weights": weights,
        }
        if samples[0].documents_T is not None:
            arrays["documents"] = np.stack([s.documents_T for s in samples])
        for name in ("tokens", "targets"):
            highest = int(arrays[name].max())
            if highest >= self.config.vocab_size:
                raise DataError(f"token id {highest} in samples {indices} is outside the model's vocabulary of {self.config.vocab_size}")
        pin = self.world.device.type == "cuda"
        tensors = {name: torch.from_numpy(np.ascontiguousarray(a[:, :length])) for name, a in arrays.items()}
        return {name: (t.pin_memory() if pin else t).to(self.world.device, non_blocking=True) for name, t in tensors.items()}

    # --- now and then -----------------------------------------------------------------------------------------------------------

    def validate(self) -> None:
        job, ranks = self.job, self.world.data_ranks
        # A pipeline runs a fixed number of micro-batches at a time; without one, one round is enough.
        per_round = ranks * job.micro_batch_size * (self.micro_batches if self.runner.schedule else 1)
        for name, source in self.data.validation:
            count = min(len(source), job.validation_batches * job.global_batch_size)
            nats = weight = targets = 0.0
            for at in range(0, count, per_round):
                windows = [i if i < count else None for i in range(at, at + per_round)]
                batches = self.batches(source, windows)
                round_weight, round_targets = self.total_weight(batches)
                (round_nats,) = self.world.sum(float(self.runner.evaluate(batches)) / self.world.tensor)
                nats, weight, targets = nats + round_nats, weight + round_weight, targets + round_targets
            loss = nats / weight
            self.report("validation-end", step=self.step, name=name, loss=loss, perplexity=math.exp(min(loss, 700)), tokens=round(targets))

    def save(self) -> None:
        self.checkpoints.save(self.parts, self.optimizer, {
            "format": "meditron-trainer", "version": 1, "engine": "torch", "step": self.step, "samples": self.samples,
            "skipped": self.skipped, "spikes": self.spikes.history, "loss": self.loss if math.isfinite(self.loss) else None,
            "eventBytes": 0, "identity": self.launch.identity,
        })  # fmt: skip

    def restore(self, path: Path) -> None:
        state = self.checkpoints.load(path, self.parts, self.optimizer)
        self.step, self.samples = state["step"], state["samples"]
        self.skipped = [tuple(pair) for pair in state["skipped"]]
        self.spikes = SpikeDetector(self.job.spikes.window, state["spikes"])
        self.loss = math.nan if state["loss"] is None else state["loss"]

    def roll_back(self, step: int, samples: int, loss: float, grad_norm: float, z_score: float) -> None:
        self.rollbacks += 1
        if self.rollbacks > MAX_ROLLBACKS:
            raise UnstableError(f"{MAX_ROLLBACKS} rollbacks did not bring the loss back to where it was, at step {step}")
        start = max(0, samples - self.job.spikes.skip_steps * self.job.global_batch_size)
        skipped = [*self.skipped, (start, samples)]
        self.checkpoints.wait()
        self.restore(self.checkpoints.newest())
        self.skipped = skipped
        self.report("rewind", step=self.step, isRollback=True)
        self.report("loss-spike", step=step, loss=printable(loss), gradNorm=printable(grad_norm), zScore=printable(z_score),
                    action="rolled-back", skippedSamples=[start, samples])  # fmt: skip

    def preflight(self) -> None:
        """Machines, network, and one forward and backward pass at the real shape, thrown away."""
        found = preflight(self.world)
        started = time.monotonic()
        windows = list(range(self.job.global_batch_size))
        loss, grad_norm, _ = self.gradients(batches := self.batches(self.data.train, windows), self.total_weight(batches)[0])
        self.optimizer.zero_gradients()
        if not (math.isfinite(loss) and math.isfinite(grad_norm.item())) and self.job.spikes.policy != "act":
            raise NotFiniteError(f"the first forward and backward pass gives loss {loss}, gradient norm {grad_norm.item()}")
        self.report("preflight-end", **found, loss=printable(loss), seconds=time.monotonic() - started, peakMemoryBytes=self.memory_bytes())

    def report_performance(self, step: int, seconds: float) -> None:
        tokens = self.job.global_batch_size * self.job.sequence_length
        peak = peak_flops(self.world.device, self.job.torch.peak_tflops)
        flops = flops_per_token(self.config, self.job.sequence_length)
        rate = tokens / seconds / dist.get_world_size()
        mfu = {kind: rate * value / peak if peak else None for kind, value in flops.items()}
        self.report("performance", step=step, tokensPerSecondPerDevice=rate, mfu=mfu, peakMemoryBytes=self.memory_bytes())

    def memory_bytes(self) -> int:
        if self.world.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.world.device)
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    def report(self, event: str, **members: Any) -> None:
        if self.world.is_main:
            emit(event, **members)


def device_name(world: World) -> str:
    return torch.cuda.get_device_name(world.device) if world.device.type == "cuda" else "CPU"


def printable(value: float) -> float:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else sys.float_info.max


# Failures that another try would meet again: class of the error on the TypeScript side, code, what to do.
EXPECTED: dict[type[BaseException], tuple[str, str, str]] = {
    SettingsError: ("ConfigError", "TRAIN_BAD_JOB", "correct the settings"),
    ConfigFileError: ("ConfigError", "MODEL_CONFIG", "use a Llama, Mistral, Qwen2 or Qwen3 model"),
    DataError: ("DataError", "TRAIN_BAD_DATA", "tokenize again with the tokenizer of the model"),
    WeightsError: ("DataError", "MODEL_TENSOR", "give the directory that the weights were saved in, whole"),
    CheckpointError: ("ConfigError", "TRAIN_BAD_CHECKPOINT", "use a directory of its own for each engine"),
    NotFiniteError: ("NumericError", "TRAIN_NOT_FINITE", "the last checkpoint is kept; look at these samples, lower the learning "
                     "rate, or set spikes.policy: act to skip them"),
    UnstableError: ("NumericError", "TRAIN_UNSTABLE", "lower the learning rate or the gradient clip, or look at the data there"),
    torch.OutOfMemoryError: ("ConfigError", "TRAIN_MEMORY", "lower microBatchSize, set recompute: true, or shard over more GPUs; "
                             "`meditron plan` shows what fits"),
}  # fmt: skip


def main(path: str) -> int:
    launch = load_launch(path)
    job = launch.job
    random.seed(job.seed)
    torch.manual_seed(job.seed)
    if job.threads:
        torch.set_num_threads(job.threads)
    if job.torch.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
        torch.utils.deterministic.fill_uninitialized_memory = False
    trainer = None
    try:
        trainer = Trainer(launch, start_processes(job))
        trainer.run()
    except Cancelled:
        trainer.report("train-cancelled", step=trainer.step)
    except BaseException as error:
        step = trainer.step if trainer else 0
        known = next((known for kind, known in EXPECTED.items() if isinstance(error, kind)), None)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            known = ("RetryableError", "IO_DISK_FULL", "free some space and run again: it resumes from the last complete checkpoint")
        if known is None:
            raise
        kind, code, remedy = known
        emit("train-failed", step=step, code=code, message=str(error)[:2000], kind=kind, remedy=remedy)
        # Success as far as torchrun is concerned: it must not try the same again.
    dist.barrier()
    return 0


if __name__ == "__main__":
    status = 1
    try:
        status = main(sys.argv[1])
    except BaseException:
        import traceback

        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    # gloo's threads may still hold tensors when the interpreter tears down, which aborts it: leave without tearing down. After a
    # failure a collective would wait for ranks that will not come.
    os._exit(status)
