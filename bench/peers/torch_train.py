"""PyTorch's full training step on the CPU, as the peer of the embedded engine.

Reads one JSON command a line on stdin and answers with one JSON line, so that the benchmark can interleave both sides:
  {"do": "prepare", "config": {...}, "implementation": "module"|"transformers", "mode": "eager"|"compile", "dtype": "f32"|"bf16", "threads": 2}
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


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, self.heads, self.kv = c["dim"], c["heads"], c["kvHeads"]
        self.size = d // self.heads
        self.q, self.k, self.v, self.o = (nn.Linear(d, n, bias=False) for n in (d, self.kv * self.size, self.kv * self.size, d))
        self.gate, self.up, self.down = nn.Linear(d, c["ffn"], bias=False), nn.Linear(d, c["ffn"], bias=False), nn.Linear(c["ffn"], d, bias=False)
        self.norm1, self.norm2 = nn.RMSNorm(d, eps=1e-5), nn.RMSNorm(d, eps=1e-5)

    def forward(self, x, cos, sin):
        B, T, d = x.shape

        def rotate(y):
            a, b = y.chunk(2, -1)
            return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).to(y.dtype)

        h = self.norm1(x)
        q, k, v = (p(h).view(B, T, n, self.size).transpose(1, 2) for p, n in ((self.q, self.heads), (self.k, self.kv), (self.v, self.kv)))
        q, k = rotate(q), rotate(k)
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.kv != self.heads)
        x = x + self.o(a.transpose(1, 2).reshape(B, T, d))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed = nn.Embedding(c["vocab"], c["dim"])
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.norm = nn.RMSNorm(c["dim"], eps=1e-5)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)
        half = c["dim"] // c["heads"] // 2
        angle = torch.arange(c["sequenceLength"]).float()[:, None] / 10000 ** (torch.arange(half).float() / half)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids):
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return F.linear(self.norm(x), self.embed.weight)


def prepare(command):
    c = command["config"]
    torch.manual_seed(0)
    torch.set_num_threads(command.get("threads", 2))
    torch._dynamo.reset()
    if command["implementation"] == "transformers":
        from transformers import LlamaConfig, LlamaForCausalLM

        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=c["vocab"], hidden_size=c["dim"], intermediate_size=c["ffn"], num_hidden_layers=c["layers"],
                num_attention_heads=c["heads"], num_key_value_heads=c["kvHeads"], max_position_embeddings=4096, tie_word_embeddings=True,
            )
        )
        logits = lambda ids: model(input_ids=ids, use_cache=False).logits
    else:
        model = Llama(c)
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
        with torch.autocast("cpu", torch.bfloat16, enabled=command["dtype"] == "bf16"):
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
