"""What transformers and PyTorch compute for tiny random models: the other side of the parity tests.

    python make_expected.py <folder>      reads <folder>/cases.json: [{"name", "config", "rope_scaling"?, "lora"?}]

For each case it writes <folder>/<name>/model (save_pretrained), expected.json (batch, loss, 20-step curve) and
expected.safetensors (logits, grad.<parameter>; with LoRA the adapters and their gradients too).
"""

import json
import math
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

BATCH, TOKENS, STEPS = 3, 12, 20
PEAK_LR, MIN_LR, WARMUP, DECAY_STEPS = 1e-2, 1e-3, 4, 40
CLIP, WEIGHT_DECAY, BETAS, EPSILON = 1.0, 0.1, (0.9, 0.95), 1e-5


def learning_rate(step: int) -> float:
    """Linear warmup, then half a cosine; steps count from 1."""
    if step <= WARMUP:
        return PEAK_LR * step / WARMUP
    share = (step - WARMUP) / (DECAY_STEPS - WARMUP)
    return MIN_LR + (PEAK_LR - MIN_LR) * 0.5 * (1 + math.cos(math.pi * share))


def weighted_loss(model, tokens, targets, weights):
    logits = model(input_ids=tokens).logits.float()
    nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (nats * weights.flatten()).sum() / weights.sum()


def add_lora(model, rank: int, alpha: float, targets: list[str]):
    """PEFT's formula by hand: y = W x + alpha/rank * B A x, base frozen. Returns {peft name: parameter}."""
    adapters = {}
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for name, module in list(model.named_modules()):
        if name.split(".")[-1] not in targets:
            continue
        a = torch.nn.Parameter(torch.randn(rank, module.in_features) * 0.2)
        b = torch.nn.Parameter(torch.randn(module.out_features, rank) * 0.2)
        adapters[f"base_model.model.{name}.lora_A.weight"] = a
        adapters[f"base_model.model.{name}.lora_B.weight"] = b
        hook = lambda _module, args, out, a=a, b=b: out + alpha / rank * (args[0] @ a.T) @ b.T
        module.register_forward_hook(hook)
    return adapters


def run_case(folder: Path, case: dict) -> None:
    torch.manual_seed(7)
    out = folder / case["name"]
    (out / "model").mkdir(parents=True)
    (out / "config").mkdir()
    (out / "config" / "config.json").write_text(json.dumps(case["config"]))
    config = AutoConfig.from_pretrained(out / "config")
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config).float()
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:  # norms and biases start at constants that hide mistakes
            parameter.data += 0.3 * torch.randn_like(parameter)
    model.save_pretrained(out / "model", max_shard_size=case.get("shard", "5GB"))

    def draw():
        return torch.randint(0, config.vocab_size, (BATCH, TOKENS))

    tensors, record = {}, {}
    if "lora" in case:
        parameters = add_lora(model, **case["lora"])
        tensors |= {name: p.detach().clone() for name, p in parameters.items()}
    else:
        parameters = dict(model.named_parameters())

    tokens, targets = draw(), draw()
    weights = torch.randint(0, 3, (BATCH, TOKENS)).float() / 2
    loss = weighted_loss(model, tokens, targets, weights)
    loss.backward()
    tensors["logits"] = model(input_ids=tokens).logits.detach().float().contiguous()
    tensors |= {f"grad.{name}": p.grad.clone() for name, p in parameters.items()}
    batch = lambda *three: [x.flatten().tolist() for x in three]
    record |= {"batch": batch(tokens, targets, weights), "loss": loss.item()}

    decayed = [p for p in parameters.values() if p.dim() >= 2]
    plain = [p for p in parameters.values() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}],
        lr=PEAK_LR, betas=BETAS, eps=EPSILON,
    )
    record |= {"batches": [], "curve": [], "norms": []}
    for step in range(1, STEPS + 1):
        tokens, targets = draw() // 4, draw() // 4  # a quarter of the vocabulary, so that there is something to learn
        weights = torch.ones(BATCH, TOKENS)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.zero_grad()
        loss = weighted_loss(model, tokens, targets, weights)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(parameters.values()), CLIP)
        optimizer.step()
        record["batches"].append(batch(tokens, targets, weights))
        record["curve"].append(loss.item())
        record["norms"].append(norm.item())
    record["learning_rates"] = [learning_rate(step) for step in range(1, STEPS + 1)]
    record |= {"clip": CLIP, "weight_decay": WEIGHT_DECAY, "betas": BETAS, "epsilon": EPSILON}
    (out / "expected.json").write_text(json.dumps(record))
    save_file(tensors, out / "expected.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    root = Path(sys.argv[1])
    for case in json.loads((root / "cases.json").read_text()):
        run_case(root, case)
