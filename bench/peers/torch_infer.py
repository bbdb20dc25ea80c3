"""PyTorch's generation on the CPU with a key/value cache, as the peer of the embedded engine.

One JSON command a line on stdin, one JSON answer a line:
  {"do": "prepare", "config": {...}, "implementation": "module"|"transformers", "mode": "eager"|"compile", "dtype": "f32"|"bf16"|"f16",
   "batch": 16, "promptTokens": 256, "newTokens": 32, "threads": 2}
  {"do": "steps", "count": 2}            -> {"prefill": [seconds ..], "decode": [seconds a token of all sequences ..]}
Greedy; only the last row's logits are computed in prefill.
"""
import json
import sys
import time

import torch

from torch_llama import Llama, transformers_llama


def prepare(command):
    c, B, P, N = command["config"], command["batch"], command["promptTokens"], command["newTokens"]
    torch.manual_seed(0)
    torch.set_num_threads(command.get("threads", 2))
    torch._dynamo.reset()
    dtype = {"bf16": torch.bfloat16, "f16": torch.float16}.get(command["dtype"], torch.float32)
    is_module = command["implementation"] == "module"
    model = (Llama(c, P + N) if is_module else transformers_llama(c)).to(dtype).eval()
    call = torch.compile(model, dynamic=True) if command["mode"] == "compile" else model
    ids = torch.randint(0, c["vocab"], (B, P))
    choose = lambda logits: logits[:, -1].argmax(-1, keepdim=True)

    def once():
        if is_module:
            shape = (B, c["kvHeads"], P + N, c["dim"] // c["heads"])
            caches = [(torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype)) for _ in range(c["layers"])]
            start = time.perf_counter()
            token = choose(call(ids, caches, 0))
            middle = time.perf_counter()
            for i in range(N):
                token = choose(call(token, caches, P + i))
        else:
            start = time.perf_counter()
            out = call(input_ids=ids, use_cache=True, logits_to_keep=1)
            token = choose(out.logits)
            middle = time.perf_counter()
            for _ in range(N):
                out = call(input_ids=token, past_key_values=out.past_key_values, use_cache=True)
                token = choose(out.logits)
        return middle - start, (time.perf_counter() - middle) / N

    once()
    return once


once = None
with torch.no_grad():
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "quit":
                break
            if command["do"] == "prepare":
                once = None
                once = prepare(command)
                answer = {"ready": True, "torch": torch.__version__}
            else:
                times = [once() for _ in range(command["count"])]
                answer = {"prefill": [p for p, _ in times], "decode": [d for _, d in times]}
        except Exception as error:  # one variant that cannot run here must not end the comparison
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), flush=True)
