"""EleutherAI's lm-evaluation-harness (its `hf` model on the CPU) as the peer of `meditron eval --format lm-eval`.

Reads one JSON command a line on stdin and answers with one JSON line:
  {"do": "make-model", "directory": .., "tokenizer": "tokenizer.json", "config": {..}, "seed": 1}
  {"do": "load", "directory": .., "tasks": [{"name": "medqa", "config": "medqa/medqa.yaml", "items": jsonl, "demonstrations": jsonl}], "threads": 2}
  {"do": "evaluate", "task": "medqa", "shots": 5, "batchSize": 8} -> {"seconds": s, "samples": [{"logLikelihoods": [..], "correct": 1.0}]}
Tasks are the harness's own (prompt, choices, metric); only where their rows come from is changed to local files, and
demonstrations are the first ones, the same for every item.
"""
import json
import sys
import time
from pathlib import Path

out = sys.stdout
sys.stdout = sys.stderr  # libraries print; answers are ours alone

import datasets
import lm_eval
import torch
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

try:
    from lm_eval.tasks._yaml_loader import load_yaml
except ImportError:
    from lm_eval.utils import load_yaml_config

    def load_yaml(path, **_):
        return load_yaml_config(str(path), mode="full")

datasets.disable_progress_bars()
TASKS = Path(lm_eval.__file__).parent / "tasks"
state = {}


def make_model(directory, tokenizer, config, seed):
    fast = PreTrainedTokenizerFast(tokenizer_file=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    torch.manual_seed(seed)
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(fast), bos_token_id=1, eos_token_id=2, **config))
    model.save_pretrained(directory)
    fast.save_pretrained(directory)
    return {"parameters": model.num_parameters()}


def load(directory, tasks, threads):
    torch.set_num_threads(threads)
    state["directory"] = directory
    state["batch"] = None  # the model of an earlier directory is another one
    state["tasks"] = {}
    for task in tasks:
        config = dict(load_yaml(TASKS / task["config"], resolve_func=True))
        for key in ("tag", "group", "dataset_name", "include"):
            config.pop(key, None)
        files = {"test": task["items"], "train": task["demonstrations"]}
        config.update(
            dataset_path="json",
            dataset_kwargs={"data_files": files},
            training_split="train",
            validation_split=None,
            test_split="test",
            fewshot_split="train",
            fewshot_config={"sampler": "first_n"},
            task=task["name"],
        )
        state["tasks"][task["name"]] = ConfigurableTask(config=config)
    return {"version": lm_eval.__version__}


def evaluate(task, shots, batchSize):
    if state.get("batch") != batchSize:
        state["model"] = HFLM(
            pretrained=state["directory"], device="cpu", dtype="float32", batch_size=batchSize, max_length=4096, add_bos_token=False
        )
        state["batch"] = batchSize
    # Only the scoring itself is timed (tokenizing and the model), not the harness's set-up around it: the kinder figure.
    scoring = []

    def timed(requests, **options):
        start = time.perf_counter()
        answers = HFLM.loglikelihood(state["model"], requests, **options)
        scoring.append(time.perf_counter() - start)
        return answers

    state["model"].loglikelihood = timed
    result = lm_eval.simple_evaluate(
        model=state["model"],
        tasks=[state["tasks"][task]],
        num_fewshot=shots,
        log_samples=True,
        bootstrap_iters=0,
        verbosity="ERROR",
    )
    seconds = sum(scoring)
    samples = sorted(result["samples"][task], key=lambda sample: sample["doc_id"])
    return {
        "seconds": seconds,
        "accuracy": result["results"][task]["acc,none"],
        "samples": [
            {
                "logLikelihoods": [float(r[0][0]) for r in sample["resps"]],
                "correct": sample["acc"],
                "prompt": sample["arguments"][0][0],
            }
            for sample in samples
        ],
    }


HANDLERS = {"make-model": make_model, "load": load, "evaluate": evaluate}
for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = HANDLERS[command.pop("do")](**command)
    except Exception as error:  # the benchmark prints it
        answer = {"error": f"{type(error).__name__}: {error}"}
    out.write(json.dumps(answer) + "\n")
    out.flush()
