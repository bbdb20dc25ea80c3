"""PyTorch's full training step on the CPU, as the peer of the embedded engine.

Reads one JSON command a line on stdin and answers with one JSON line, so that the benchmark can interleave both sides:
  {"do": "prepare", "config": {...}, "implementation": "module"|"transformers", "mode": "eager"|"compile", "dtype": "f32"|"bf16"|"f16", "threads": 2}
  {"do": "steps", "count": 3}            -> {"seconds": [..], "loss": last}
  {"do": "quit"}
config: dim, layers, heads, kvHeads, ffn, vocab, sequenceLength, batch. Tied head; forward, backward, clip to 1, fused AdamW.
"""
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

from torch_llama import Llama, transformers_llama


def prepare(command):
    c = command["config"]
    torch.manual_seed(0)
    torch.set_num_threads(command.get("threads", 2))
    torch._dynamo.reset()
    if command["implementation"] == "transformers":
        model = transformers_llama(c)
        logits = lambda ids: model(input_ids=ids, use_cache=False).logits
    else:
        model = Llama(c, c["sequenceLength"])
        logits = model
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1, fused=True)
    ids = torch.randint(0, c["vocab"], (c["batch"], c["sequenceLength"] + 1))
    x, y = ids[:, :-1].contiguous(), ids[:, 1:].reshape(-1)

    def forward(x, y):
        z = logits(x)
        return F.cross_entropy(z.view(-1, z.shape[-1]).float(), y)

    if command["mode"] == "compile":
        forward = torch.compile(forward)
    parameters = list(model.parameters())

    def step():
        half = {"bf16": torch.bfloat16, "f16": torch.float16}.get(command["dtype"])
        with torch.autocast("cpu", half or torch.bfloat16, enabled=half is not None):
            loss = forward(x, y)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    start = time.perf_counter()
    step()
    step()
    return step, time.perf_counter() - start


step = None
for line in sys.stdin:
    command = json.loads(line)
    try:
        if command["do"] == "quit":
            break
        if command["do"] == "prepare":
            step = None
            step, seconds = prepare(command)
            answer = {"ready": True, "seconds": seconds, "torch": torch.__version__}
        else:
            seconds, loss = [], None
            for _ in range(command["count"]):
                start = time.perf_counter()
                loss = step()
                seconds.append(time.perf_counter() - start)
            answer = {"seconds": seconds, "loss": loss, "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    except Exception as error:  # one variant that cannot run here (no compiler, say) must not end the comparison
        answer = {"error": f"{type(error).__name__}: {error}"[:500]}
    print(json.dumps(answer), flush=True)
