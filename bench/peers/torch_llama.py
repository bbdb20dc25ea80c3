"""The peers' models: a hand-written Llama, and the transformers one of the same shape. Tied head, kv cache optional."""
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

    def forward(self, x, cos, sin, cache, position):
        B, T, d = x.shape

        def rotate(y):
            a, b = y.chunk(2, -1)
            return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).to(y.dtype)

        h = self.norm1(x)
        q, k, v = (p(h).view(B, T, n, self.size).transpose(1, 2) for p, n in ((self.q, self.heads), (self.k, self.kv), (self.v, self.kv)))
        q, k = rotate(q), rotate(k)
        if cache is not None:
            keys, values = cache
            keys[:, :, position : position + T] = k
            values[:, :, position : position + T] = v
            k, v = keys[:, :, : position + T], values[:, :, : position + T]
        a = F.scaled_dot_product_attention(q, k, v, is_causal=T > 1, enable_gqa=self.kv != self.heads)
        x = x + self.o(a.transpose(1, 2).reshape(B, T, d))
        h = self.norm2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self, c, positions):
        super().__init__()
        self.embed = nn.Embedding(c["vocab"], c["dim"])
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.norm = nn.RMSNorm(c["dim"], eps=1e-5)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)
        half = c["dim"] // c["heads"] // 2
        angle = torch.arange(positions).float()[:, None] / 10000 ** (torch.arange(half).float() / half)
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, ids, caches=None, position=0):
        """Logits of every row in training, of the last one with a cache."""
        x = self.embed(ids)
        end = position + ids.shape[1]
        for i, block in enumerate(self.blocks):
            x = block(x, self.cos[position:end], self.sin[position:end], caches[i] if caches is not None else None, position)
        return F.linear(self.norm(x if caches is None else x[:, -1:]), self.embed.weight)


def transformers_llama(c):
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=c["vocab"], hidden_size=c["dim"], intermediate_size=c["ffn"], num_hidden_layers=c["layers"],
            num_attention_heads=c["heads"], num_key_value_heads=c["kvHeads"], max_position_embeddings=4096, tie_word_embeddings=True,
        )
    )
