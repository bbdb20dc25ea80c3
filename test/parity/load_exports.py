"""What transformers and PEFT make of exported folders: logits, token ids, a chat laid out.

    python load_exports.py <folder>     reads <folder>/requests.json: [{"directory", "base"?, "tokens": [[...]], "texts": [...],
                                        "messages": [...], "output"}]; with "base", the directory holds adapters for it
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

torch.set_num_threads(1)
for request in json.loads((Path(sys.argv[1]) / "requests.json").read_text()):
    directory, base = request["directory"], request.get("base")
    model, info = AutoModelForCausalLM.from_pretrained(base or directory, dtype=torch.float32, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"], (directory, info)
    if base:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, directory)
    logits = model(input_ids=torch.tensor(request["tokens"])).logits
    save_file({"logits": logits.detach().contiguous()}, request["output"] + ".safetensors")
    tokenizer = AutoTokenizer.from_pretrained(directory)
    said = {
        "ids": [tokenizer(text)["input_ids"] for text in request["texts"]],
        "chat": tokenizer.apply_chat_template(request["messages"], tokenize=False, add_generation_prompt=True),
    }
    Path(request["output"] + ".json").write_text(json.dumps(said))
