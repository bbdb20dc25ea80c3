"""What each option of the torch engine is worth: one row an option, each on top of the ones before, and Hugging Face's Trainer beside them.

    python bench/torch_ladder.py --shape 7b --sequence 2048 --micro 6 --tokens runs/x/tokens/train --curves 200 --save    on a GPU
    python bench/torch_ladder.py --shape 7b --sequence 4096 --micro 3 --tokens runs/x/tokens/train --save                 on a GPU
    python bench/torch_ladder.py --shape tiny --sequence 64 --micro 2 --steps 4 --curves 20 --device cpu                  anywhere

Random weights, real token windows when `--tokens` names a token set. Every row runs in a process of its own, so peaks of memory do not
mix. The Trainer is measured in several settings; its fastest is the peer. `--curves N` first trains each row N steps from the same
numbers on the same windows and lays the losses over each other. The table goes to stdout, with `--save` also to bench/results/; `--json`
prints one object instead, in the form of `npm run bench`.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "worker"))

SHAPES = {
    "tiny": dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, intermediate_size=160, vocab_size=512),
    "1b": dict(hidden_size=2048, num_hidden_layers=16, num_attention_heads=32, num_key_value_heads=8, intermediate_size=8192, vocab_size=32000),
    "7b": dict(hidden_size=4096, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=32, intermediate_size=11008, vocab_size=32000),
}
# Changes of the job, each on top of the ones before: (name, job, torch).
LADDER = [
    ("eager, full recomputation", dict(recompute=True), dict(compile="off", attention="flash", headChunkTokens=1 << 20)),
    ("+ compiled blocks (on GPUs)", {}, dict(compile="auto")),
    ("+ cuDNN attention", {}, dict(attention="cudnn")),
    ("+ chunked head", {}, dict(headChunkTokens=2048)),
    ("+ no recomputation", dict(recompute=False), {}),
    ("+ bf16 moments", dict(optimizer=dict(states="bf16")), {}),
    ("+ bf16 masters", {}, dict(masters="bf16")),
    ("+ fp8 products", {}, dict(fp8=True)),
]
# The Trainer's settings: weights in bf16 alone (what people use to fit 7B on one card) or in float32, recomputing or not.
PEERS = [
    ("Trainer, bf16 weights", dict(dtype="bfloat16", recompute=False)),
    ("Trainer, bf16 weights, recomputation", dict(dtype="bfloat16", recompute=True)),
    ("Trainer, f32 weights, recomputation", dict(dtype="float32", recompute=True)),
]
WARMUP_STEPS = 2
LEARNING_RATE, WARMUP_CURVE_STEPS = 3e-4, 20
# What we want to see: tokens/s of Llama-2-7B's shape by window, times the Trainer, and the paper's share of the peak (6N).
GOALS = {("7b", 2048): 13_000, ("7b", 4096): 12_000}
GOAL_RATIO, GOAL_MFU = 1.3, 0.423


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="tiny")
    parser.add_argument("--sequence", type=int, default=2048)
    parser.add_argument("--micro", type=int, default=4, help="windows computed at once")
    parser.add_argument("--accumulate", type=int, default=4, help="micro-batches of a step")
    parser.add_argument("--steps", type=int, default=8, help="measured steps, after 2 to warm up")
    parser.add_argument("--tokens", help="prefix of a .bin/.idx pair; without it, random tokens")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--peak-tflops", type=float, help="of the device, where its name is not known")
    parser.add_argument("--curves", type=int, default=0, help="steps of a loss curve of each row from the same start")
    parser.add_argument("--rows", help="only these, as in 0,4,7 (counted from 0); peers are measured all the same")
    parser.add_argument("--save", action="store_true", help="write bench/results/torch_ladder_<shape>_<sequence>_<device>_<month>.md")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        kind, number = args.row.split(":")
        result = measure_trainer(args, int(number)) if kind == "peer" else measure(args, int(number))
        print("RESULT " + json.dumps(result), flush=True)
        os._exit(0)  # see worker/train.py on leaving gloo
    chosen = [int(row) for row in args.rows.split(",")] if args.rows else range(len(LADDER))
    with tempfile.TemporaryDirectory() as folder:
        if not args.tokens:
            args.tokens = random_tokens(Path(folder) / "random", SHAPES[args.shape]["vocab_size"], args)
        peers = [run_row(args, f"peer:{i}", name) for i, (name, _) in enumerate(PEERS)]
        rows = [run_row(args, f"ours:{i}", LADDER[i][0]) for i in chosen]
    report(peers, rows, args)


def run_row(args: argparse.Namespace, row: str, name: str) -> dict:
    command = [sys.executable, __file__, "--row", row, "--tokens", args.tokens]
    for key in ("shape", "sequence", "micro", "accumulate", "steps", "device", "curves"):
        command += [f"--{key}", str(getattr(args, key))]
    if args.peak_tflops:
        command += ["--peak-tflops", str(args.peak_tflops)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:  # out of memory, no such kernel: a row of the table too
        errors = [line for line in done.stderr.strip().splitlines() if "Error" in line]
        reason = (errors or done.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"{name}: {reason}", file=sys.stderr)
        return {"case": name, "failed": reason[:200]}
    return {"case": name, **json.loads(lines[-1][len("RESULT "):])}


def report(peers: list[dict], rows: list[dict], args: argparse.Namespace) -> None:
    best = max(peers, key=lambda row: row.get("tokensPerSecond", 0))
    peer = best.get("tokensPerSecond")
    results = [{**row, "ours": row.get("tokensPerSecond"), "peer": peer, "peerName": f"transformers {best['case']}",
                "ratio": row["tokensPerSecond"] / peer if peer and "tokensPerSecond" in row else None} for row in rows]  # fmt: skip
    subject = f"torch-ladder {args.shape} {args.sequence}"
    if args.json:
        print(json.dumps({"subject": subject, "unit": "tokens/s", "peers": peers, "results": results}))
        return
    known = next((row for row in rows + peers if "device" in row), {})
    text = "\n".join([
        f"{args.shape}, {args.sequence} tokens, micro-batch {args.micro} x {args.accumulate}, {known.get('device')}, torch {known.get('torch')}",
        "", *table(peers, rows, peer), *goals(rows, peer, args), *overlay(rows),
    ])  # fmt: skip
    print(text)
    if args.save:
        device = str(known.get("device", "none")).lower().replace("nvidia ", "").split(" ")[0]
        path = ROOT / "bench" / "results" / f"torch_ladder_{args.shape}_{args.sequence}_{device}_{time.strftime('%Y-%m')}.md"
        path.parent.mkdir(exist_ok=True)
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        path.write_text(f"# {subject}\n\nCommit {commit or 'unknown'}; command `python {' '.join(sys.argv)}`.\n\n{text}\n")
        print(f"\n{path}", file=sys.stderr)


def table(peers: list[dict], rows: list[dict], peer: float | None) -> list[str]:
    percent = lambda value: "" if value is None else f"{100 * value:.1f}%"
    lines = [f"| {'':36} | tokens/s | MFU attention | 6N | causal | peak memory | x Trainer |", "|---|---|---|---|---|---|---|"]
    for row in peers + rows:
        if "failed" in row:
            lines.append(f"| {row['case']:36} | {row['failed'][:80]} | | | | | |")
            continue
        mfu, ratio = row["mfu"], f"{row['tokensPerSecond'] / peer:.2f}" if peer else ""
        lines.append(f"| {row['case']:36} | {row['tokensPerSecond']:,.0f} | {percent(mfu['attention'])} | {percent(mfu['parameters'])} | "
                     f"{percent(mfu['causal'])} | {row['peakBytes'] / 2**30:.1f} GiB | {ratio} |")  # fmt: skip
    return lines


def goals(rows: list[dict], peer: float | None, args: argparse.Namespace) -> list[str]:
    """The best bf16 row against what was asked for."""
    measured = [row for row in rows if "tokensPerSecond" in row and "fp8" not in row["case"]]
    goal = GOALS.get((args.shape, args.sequence))
    if not measured or goal is None:
        return []
    best = max(measured, key=lambda row: row["tokensPerSecond"])
    rate, mfu = best["tokensPerSecond"], best["mfu"]["parameters"]
    met = lambda is_met: "met" if is_met else "missed"
    return ["", f"Best bf16 row: {best['case']}.", f"- {goal:,} tokens/s: {rate:,.0f}, {met(rate >= goal)}",
            *([f"- {GOAL_RATIO} x Trainer: {rate / peer:.2f}, {met(rate >= GOAL_RATIO * peer)}"] if peer else []),
            *([f"- the paper's {GOAL_MFU:.1%} (6N): {mfu:.1%}, {met(mfu > GOAL_MFU)}"] if mfu else [])]  # fmt: skip


def overlay(rows: list[dict]) -> list[str]:
    """Losses of the rows laid over those of the first."""
    curves = [(row["case"], row["losses"]) for row in rows if row.get("losses")]
    if not curves:
        return []
    first = curves[0][1]
    tail = max(1, len(first) // 10)
    lines = ["", f"Losses over {len(first)} steps from the same start:", "",
             f"| {'':36} | first | last {tail}, mean | largest distance | mean distance |", "|---|---|---|---|---|"]  # fmt: skip
    for name, losses in curves:
        apart = [abs(a - b) for a, b in zip(losses, first)]
        lines.append(f"| {name:36} | {losses[0]:.4f} | {sum(losses[-tail:]) / tail:.4f} | {max(apart):.4f} | {sum(apart) / len(apart):.4f} |")
    return lines


def job_of(args: argparse.Namespace, folder: str, row: int) -> dict:
    job = dict(
        name="ladder", engine="torch", directory=folder, model=folder, tokenizer=folder,
        data=dict(kind="pretraining", sets=[dict(prefix=args.tokens, weight=1)]), sequenceLength=args.sequence,
        globalBatchSize=args.micro * args.accumulate, microBatchSize=args.micro, steps=WARMUP_STEPS + args.steps + args.curves,
        schedule=dict(shape="constant", peakLearningRate=3e-4, minLearningRate=3e-4, warmupSteps=0, decaySteps=1), precision="bf16",
    )  # fmt: skip
    settings = dict(device=args.device, preflight=False, asyncCheckpoints=False)
    for _, changes, torch_changes in LADDER[: row + 1]:
        job |= changes
        settings |= torch_changes
    return {**job, "torch": settings}


def measure(args: argparse.Namespace, row: int) -> dict:
    import torch

    from data import open_data
    from metrics import flops_per_token, peak_flops
    from model import parse_config
    from optimizer import AdamW
    from parallel import Runner, build_stages, local, start_processes
    from preflight import attention_backend, synchronize
    from settings import TrainJob, parse

    config = parse_config({"model_type": "llama", "max_position_embeddings": args.sequence, **SHAPES[args.shape]})
    with tempfile.TemporaryDirectory() as folder:
        job = parse(TrainJob, job_of(args, folder, row))
    os.environ.setdefault("MASTER_PORT", str(20000 + os.getpid() % 20000))
    world = start_processes(job)
    parts = build_stages(config, job, world)
    random = torch.Generator(world.device).manual_seed(0)
    for part in parts:
        part.to_empty(device=world.device)
        with torch.no_grad():
            for p in part.parameters():  # drawn in float32, so that every row starts from the same numbers
                drawn = torch.randn(p.shape, device=world.device, generator=random) * 0.02 if p.dim() > 1 else torch.ones(p.shape)
                local(p).copy_(drawn)
    optimizer = AdamW({n: p for part in parts for n, p in part.named_parameters()}, job.optimizer, 0)
    runner = Runner(parts, job, world, args.accumulate)
    data = open_data(job, job.steps * job.global_batch_size, 0)

    def step(number: int) -> float:
        samples = [data.train.sample((number - 1) * job.global_batch_size + i) for i in range(job.global_batch_size)]
        stack = lambda arrays: torch.stack([torch.from_numpy(a.copy()) for a in arrays]).to(world.device)
        batches = []
        for at in range(0, len(samples), args.micro):
            part = samples[at : at + args.micro]
            scale = 1 / (job.global_batch_size * args.sequence)
            batches.append({"tokens": stack([s.tokens_T for s in part]), "targets": stack([s.targets_T for s in part]),
                            "weights": stack([s.weights_T for s in part]) * scale})  # fmt: skip
        optimizer.zero_gradients()
        loss = runner.train(batches)
        optimizer.step(number, LEARNING_RATE * min(1, number / WARMUP_CURVE_STEPS), optimizer.grad_norm())
        return loss

    attention = job.torch.attention if world.device.type == "cuda" else "flash"
    with attention_backend(attention, world.device):
        curve = [float(step(number)) for number in range(1, args.curves + 1)]
        for number in range(args.curves + 1, args.curves + WARMUP_STEPS + 1):
            step(number)
        synchronize(world.device)
        start = time.perf_counter()
        for number in range(args.curves + WARMUP_STEPS + 1, job.steps + 1):
            step(number)
        synchronize(world.device)
        seconds = time.perf_counter() - start
    rate = args.steps * job.global_batch_size * args.sequence / seconds
    peak = peak_flops(world.device, args.peak_tflops)
    flops = flops_per_token(config, args.sequence)
    return {"tokensPerSecond": rate, "mfu": {k: rate * f / peak if peak else None for k, f in flops.items()},
            "peakBytes": peak_bytes(world.device), "device": device_name(world.device), "torch": torch.__version__,
            **({"losses": curve} if curve else {})}  # fmt: skip


def measure_trainer(args: argparse.Namespace, setting: int) -> dict:
    """Hugging Face's Trainer: bf16 products, compiled, fused AdamW, SDPA attention; same windows, same micro-batches."""
    import torch
    from torch.utils.data import Dataset
    from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

    from data import TokenFile, TokenWindows
    from metrics import flops_per_token, peak_flops
    from model import parse_config
    from preflight import synchronize

    cuda = args.device != "cpu" and torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    shape = SHAPES[args.shape]
    total = (WARMUP_STEPS + args.steps) * args.micro * args.accumulate
    windows = TokenWindows(TokenFile(args.tokens), args.sequence, total, 1234, False)

    class Windows(Dataset):
        def __len__(self):
            return total

        def __getitem__(self, index):
            ids = torch.from_numpy(windows.sample(index).tokens_T.copy())
            return {"input_ids": ids, "labels": ids}

    marks = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_, **__):
            synchronize(device)
            marks.append(time.perf_counter())

    torch.manual_seed(0)
    chosen = PEERS[setting][1]
    with torch.device(device):
        model = LlamaForCausalLM(LlamaConfig(max_position_embeddings=args.sequence, **shape)).to(getattr(torch, chosen["dtype"]))
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=args.micro, gradient_accumulation_steps=args.accumulate,
            max_steps=WARMUP_STEPS + args.steps, bf16=True, torch_compile=cuda, optim="adamw_torch_fused", gradient_checkpointing=chosen["recompute"],
            report_to=[], save_strategy="no", logging_steps=1000, use_cpu=not cuda, disable_tqdm=True, dataloader_num_workers=0,
        )  # fmt: skip
        Trainer(model=model, args=arguments, train_dataset=Windows(), callbacks=[Clock()]).train()
    seconds = marks[-1] - marks[WARMUP_STEPS - 1]
    rate = args.steps * args.micro * args.accumulate * args.sequence / seconds
    flops = flops_per_token(parse_config({"model_type": "llama", **shape}), args.sequence)
    peak = peak_flops(device, args.peak_tflops)
    return {"tokensPerSecond": rate, "mfu": {k: rate * f / peak if peak else None for k, f in flops.items()},
            "peakBytes": peak_bytes(device), "device": device_name(device), "torch": torch.__version__}  # fmt: skip


def peak_bytes(device) -> int:
    import resource

    import torch

    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def device_name(device) -> str:
    import torch

    return torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"


def random_tokens(prefix: Path, vocabulary: int, args: argparse.Namespace) -> str:
    import numpy as np

    count = (WARMUP_STEPS + args.steps + args.curves) * args.micro * args.accumulate * args.sequence + args.sequence + 1
    ids = np.random.RandomState(0).randint(0, vocabulary, count)
    ids.astype("<u2").tofile(f"{prefix}.bin")
    index = b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 8, 1, 2) + struct.pack("<i", count) + struct.pack("<qqq", 0, 0, 1)
    Path(f"{prefix}.idx").write_bytes(index)
    return str(prefix)


if __name__ == "__main__":
    main()
