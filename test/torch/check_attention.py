"""The attention self-test of worker/preflight.py on a CPU, where the backends are PyTorch's own: one that is right, one that is not there, and two
that are made wrong. Prints a JSON object of verdicts.
"""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "worker"))

import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import preflight  # noqa: E402

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
config = SimpleNamespace(heads=8, kv_heads=2, head_size=64)
job, world = SimpleNamespace(sequence_length=256), SimpleNamespace(tensor=2, device=torch.device("cpu"))
agree = lambda name: preflight.gradients_agree(name, config, job, world)
verdicts = {"math": agree("math"), "cudnn": agree("cudnn")}
attention = F.scaled_dot_product_attention
for name, factor in (("NaN", float("nan")), ("five percent off", 1.05)):
    calls = iter(range(2))
    F.scaled_dot_product_attention = lambda *q, **k: attention(*q, **k) * (factor if next(calls) == 0 else 1)
    verdicts[name] = agree("math")
print(json.dumps(verdicts), flush=True)
os._exit(0)
