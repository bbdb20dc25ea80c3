"""The Llama family (Llama, Mistral, Qwen2, Qwen3) with Hugging Face's module names, so a parameter's name is its name on file.

    x  = E[token]
    x += O · attention(rope(QKV · norm(x)))        for each block
    x += D · (silu(G · norm(x)) * (U · norm(x)))
    z  = H · norm(x)

Shapes in the names: B windows, T tokens, N query heads, K key/value heads, H head size, C channels, V vocabulary. Under tensor
parallelism N, K and V are this rank's share.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, Partial, Replicate
from torch.nn import functional as F
from torch.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts

from loss import head_cross_entropy


class ConfigFileError(Exception):
    """config.json asks for what this model does not do."""


@dataclass(frozen=True)
class ModelConfig:
    """What the equations need of a config.json. `src/model/config.ts` has checked the file field by field."""

    family: str
    vocab_size: int
    channels: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    features: int
    norm_epsilon: float
    initializer_range: float
    rope_theta: float
    rope_scaling: dict[str, Any]
    qkv_bias: bool
    output_bias: bool
    mlp_bias: bool
    head_norm: bool
    tied_head: bool
    windows: tuple[int | None, ...]
    """Sliding window of each layer in tokens; None sees everything before it."""
    json: dict[str, Any] = field(repr=False, default_factory=dict)


def load_config(directory: str) -> ModelConfig:
    return parse_config(json.loads((Path(directory) / "config.json").read_text()))


def parse_config(c: dict[str, Any]) -> ModelConfig:
    family = c.get("model_type")
    if family not in ("llama", "mistral", "qwen2", "qwen3"):
        raise ConfigFileError(f"model_type {family!r} is not llama, mistral, qwen2 or qwen3")
    channels, heads, layers = c["hidden_size"], c["num_attention_heads"], c["num_hidden_layers"]
    attention_bias = family in ("llama", "qwen3") and c.get("attention_bias", False)
    inner = c.get("rope_scaling") or c.get("rope_parameters") or {}
    scaling = {**inner, "type": inner.get("rope_type", inner.get("type", "default"))}
    if scaling["type"] not in ("default", "linear", "llama3"):
        raise ConfigFileError(f"rope type {scaling['type']!r} is not default, linear or llama3")
    scaling.setdefault("original_max_position_embeddings", c.get("max_position_embeddings", 2048))
    return ModelConfig(
        family=family,
        vocab_size=c["vocab_size"],
        channels=channels,
        layers=layers,
        heads=heads,
        kv_heads=c.get("num_key_value_heads") or heads,
        head_size=c.get("head_dim") or (128 if family == "qwen3" and "head_dim" not in c else channels // heads),
        features=c["intermediate_size"],
        norm_epsilon=c.get("rms_norm_eps", 1e-6),
        initializer_range=c.get("initializer_range", 0.02),
        rope_theta=inner.get("rope_theta", c.get("rope_theta", 10_000.0)),
        rope_scaling=scaling,
        qkv_bias=family == "qwen2" or attention_bias,
        output_bias=attention_bias,
        mlp_bias=family == "llama" and c.get("mlp_bias", False),
        head_norm=family == "qwen3",
        tied_head=c.get("tie_word_embeddings", False),
        windows=layer_windows(c, family, layers),
        json=c,
    )


def layer_windows(c: dict[str, Any], family: str, layers: int) -> tuple[int | None, ...]:
    window = c.get("sliding_window", 4096)
    if family == "mistral":
        return (window,) * layers
    if family == "llama" or not c.get("use_sliding_window", False):
        return (None,) * layers
    first = c.get("max_window_layers", 28)
    kinds = c.get("layer_types") or ["sliding_attention" if i >= first else "full_attention" for i in range(layers)]
    return tuple(window if kind == "sliding_attention" else None for kind in kinds)


# --- positions ----------------------------------------------------------------------------------------------------------------


def frequencies(config: ModelConfig) -> Tensor:
    """f_i = theta^(-2i/H), scaled as the config says. Shape [H/2], float64."""
    exponents = torch.arange(0, config.head_size, 2, dtype=torch.float64) / config.head_size
    plain = config.rope_theta**-exponents
    s = config.rope_scaling
    if s["type"] == "linear":
        return plain / s["factor"]
    if s["type"] == "llama3":  # wavelengths beyond the original context are stretched, short ones kept, those between blended
        turns = s["original_max_position_embeddings"] * plain / (2 * math.pi)
        low, high = s["low_freq_factor"], s["high_freq_factor"]
        kept = ((turns - low) / (high - low)).clamp(0, 1)
        return (1 - kept) * plain / s["factor"] + kept * plain
    return plain


def positions_of(documents_BT: Tensor) -> Tensor:
    """0, 1, 2 ... and again from 0 where a new document begins. Shape [B, T]."""
    T = documents_BT.shape[1]
    at = torch.arange(T, device=documents_BT.device).expand_as(documents_BT)
    begins = torch.ones_like(documents_BT, dtype=torch.bool)
    begins[:, 1:] = documents_BT[:, 1:] != documents_BT[:, :-1]
    return at - torch.where(begins, at, 0).cummax(dim=1).values


def rotate(x_BTNH: Tensor, cos_BTH: Tensor, sin_BTH: Tensor) -> Tensor:
    """Rotary embedding of the pairs (i, i + H/2), as in Hugging Face's files. The tables are float32, the result like x."""
    first, second = x_BTNH.chunk(2, dim=-1)
    turned = torch.cat([-second, first], dim=-1)
    return (x_BTNH * cos_BTH[:, :, None] + turned * sin_BTH[:, :, None]).to(x_BTNH.dtype)


def attention_mask(T: int, window: int | None, documents_BT: Tensor | None, device: torch.device) -> Tensor | None:
    """True where a row may look: before it, in its window, in its document. Shape [B or 1, 1, T, T]; None when plain causal."""
    if documents_BT is None and (window is None or window >= T):
        return None
    row = torch.arange(T, device=device)
    distance = row[:, None] - row[None, :]
    allowed = distance >= 0
    if window is not None:
        allowed &= distance < window
    if documents_BT is None:
        return allowed[None, None]
    return (allowed & (documents_BT[:, :, None] == documents_BT[:, None, :]))[:, None]


# --- modules ------------------------------------------------------------------------------------------------------------------


class RMSNorm(nn.Module):
    def __init__(self, size: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        # The mean square is taken in float32 whatever the activations are.
        normal = x.float() * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.epsilon)
        return normal.to(x.dtype) * self.weight


class Linear(nn.Linear):
    """y = x W' + b, with a LoRA adapter when asked: y += alpha/rank · (x A') B'."""

    adapter_scale = 0.0

    def add_adapter(self, rank: int, alpha: float) -> None:
        self.lora_A = nn.Linear(self.in_features, rank, bias=False)
        self.lora_B = nn.Linear(rank, self.out_features, bias=False)
        self.adapter_scale = alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y + self.adapter_scale * self.lora_B(self.lora_A(x)) if self.adapter_scale else y


class Attention(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        C, H = config.channels, config.head_size
        self.head_size = H
        self.q_proj = Linear(C, config.heads * H, bias=config.qkv_bias)
        self.k_proj = Linear(C, config.kv_heads * H, bias=config.qkv_bias)
        self.v_proj = Linear(C, config.kv_heads * H, bias=config.qkv_bias)
        self.o_proj = Linear(config.heads * H, C, bias=config.output_bias)
        if config.head_norm:
            self.q_norm = RMSNorm(H, config.norm_epsilon)
            self.k_norm = RMSNorm(H, config.norm_epsilon)
        self.has_head_norm = config.head_norm
        self.is_grouped = config.heads != config.kv_heads

    def forward(self, x_BTC: Tensor, cos_BTH: Tensor, sin_BTH: Tensor, mask: Tensor | None) -> Tensor:
        B, T, _ = x_BTC.shape
        # -1: under tensor parallelism each rank has its share of the heads.
        q, k, v = (p(x_BTC).view(B, T, -1, self.head_size) for p in (self.q_proj, self.k_proj, self.v_proj))
        if self.has_head_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        q, k = rotate(q, cos_BTH, sin_BTH), rotate(k, cos_BTH, sin_BTH)
        o = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2),
            attn_mask=mask, is_causal=mask is None, enable_gqa=self.is_grouped,
        )  # fmt: skip
        return self.o_proj(o.transpose(1, 2).reshape(B, T, -1))


class FeedForward(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        C, F_ = config.channels, config.features
        self.gate_proj = Linear(C, F_, bias=config.mlp_bias)
        self.up_proj = Linear(C, F_, bias=config.mlp_bias)
        self.down_proj = Linear(F_, C, bias=config.mlp_bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, config: ModelConfig):
        super().__init__()
        self.input_layernorm = RMSNorm(config.channels, config.norm_epsilon)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.channels, config.norm_epsilon)
        self.mlp = FeedForward(config)
        self.recompute: str | None = None
        """None, "full" or "selective": what the backward pass computes again."""

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        if self.recompute is None or not torch.is_grad_enabled():
            return self.compute(x, cos, sin, mask)
        context = {"context_fn": keep_expensive} if self.recompute == "selective" else {}
        return checkpoint(self.compute, x, cos, sin, mask, use_reentrant=False, **context)

    def compute(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


def keep_expensive():
    """Selective recomputation: keep attention and every second product, compute the rest again."""
    aten = torch.ops.aten
    attention = {
        getattr(aten, name).default
        for name in ("_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention",
                     "_scaled_dot_product_cudnn_attention", "_scaled_dot_product_flash_attention_for_cpu")
        if hasattr(aten, name)
    }  # fmt: skip
    products = {"forward": 0, "recompute": 0}

    def policy(ctx, op, *args, **kwargs):
        if op in attention:
            return CheckpointPolicy.MUST_SAVE
        if op is aten.mm.default:
            phase = "recompute" if ctx.is_recompute else "forward"
            products[phase] += 1
            if products[phase] % 2 == 1:
                return CheckpointPolicy.MUST_SAVE
        return CheckpointPolicy.PREFER_RECOMPUTE

    return create_selective_checkpoint_contexts(policy)


class Trunk(nn.Module):
    """embed_tokens, layers and norm; a pipeline stage has only some of them."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.embed_tokens: nn.Module | None = nn.Embedding(config.vocab_size, config.channels)
        self.layers = nn.ModuleDict({str(i): Block(config) for i in range(config.layers)})
        self.norm: nn.Module | None = RMSNorm(config.channels, config.norm_epsilon)


class Llama(nn.Module):
    def __init__(self, config: ModelConfig, head_chunk_tokens: int = 2048):
        super().__init__()
        self.config = config
        self.head_chunk_tokens = head_chunk_tokens
        self.model = Trunk(config)
        self.lm_head: nn.Module | None = nn.Linear(config.channels, config.vocab_size, bias=False)
        if config.tied_head:
            self.lm_head.weight = self.model.embed_tokens.weight
        self.tensor_mesh = None
        """Set under tensor parallelism: between blocks the tokens are cut over this mesh."""
        self.tables: dict[tuple[int, torch.device], tuple[Tensor, Tensor]] = {}

    def forward(
        self, x: Tensor, targets: Tensor | None = None, weights: Tensor | None = None, documents: Tensor | None = None
    ) -> Tensor:
        """Tokens [B, T] (first stage) or hidden states in; hidden states, or with `targets` Σ weight · nats [1], out."""
        T = x.shape[1] * (1 if self.model.embed_tokens or not self.tensor_mesh else self.tensor_mesh.size())
        cos, sin = self.rotary_tables(T, x.device)
        if documents is not None:
            positions = positions_of(documents)
            cos, sin = cos[0][positions], sin[0][positions]
        masks = {w: attention_mask(T, w, documents, x.device) for w in set(self.config.windows)}

        if self.model.embed_tokens is not None:
            x = self.model.embed_tokens(x)
        for index, block in self.model.layers.items():
            x = block(x, cos, sin, masks[self.config.windows[int(index)]])
        if self.lm_head is None:
            return x
        x = self.model.norm(x)
        return self.lm_head(x) if targets is None else self.loss(x, targets, weights)

    def loss(self, x: Tensor, targets_BT: Tensor, weights_BT: Tensor) -> Tensor:
        weight_VC, group = self.lm_head.weight, None
        if self.tensor_mesh is not None:
            # Tokens come together, the vocabulary stays cut; the gradient of x is a sum over the vocabulary's parts.
            x = x if isinstance(x, DTensor) else DTensor.from_local(x, self.tensor_mesh, [Replicate()])
            x = x.redistribute(placements=[Replicate()]).to_local(grad_placements=[Partial()])
            weight_VC, group = weight_VC.to_local(), self.tensor_mesh.get_group()
        return head_cross_entropy(
            x.reshape(-1, x.shape[-1]), weight_VC, targets_BT.reshape(-1), weights_BT.reshape(-1),
            vocab_size=self.config.vocab_size, group=group, chunk_tokens=self.head_chunk_tokens,
        )  # fmt: skip

    def rotary_tables(self, T: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """cos and sin of position · frequency, twice side by side. Shape [1, T, H] each, float32."""
        if (T, device) not in self.tables:
            angles = torch.outer(torch.arange(T, dtype=torch.float64), frequencies(self.config)).repeat(1, 2)
            self.tables[T, device] = tuple(f(angles).float()[None].to(device) for f in (torch.cos, torch.sin))
        return self.tables[T, device]
