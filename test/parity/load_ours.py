"""Logits of model directories that we saved, as transformers computes them.

    python load_ours.py <folder>     reads <folder>/requests.json: [{"directory", "tokens": [[...]], "output"}]
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

torch.set_num_threads(1)
for request in json.loads((Path(sys.argv[1]) / "requests.json").read_text()):
    model, info = AutoModelForCausalLM.from_pretrained(
        request["directory"], dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    assert not info["missing_keys"] and not info["unexpected_keys"], (request["directory"], info)
    logits = model(input_ids=torch.tensor(request["tokens"])).logits
    save_file({"logits": logits.detach().contiguous()}, request["output"])
