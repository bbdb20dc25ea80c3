"""lm-evaluation-harness's `local-completions` against a server: python lm_eval_completions.py URL MODEL TOKENIZER REQUESTS.json OUT.json"""

import json
import sys

from lm_eval.api.instance import Instance
from lm_eval.models.openai_completions import LocalCompletionsAPI

url, model, tokenizer, requests_path, out = sys.argv[1:6]
requests = json.load(open(requests_path))
lm = LocalCompletionsAPI(
    base_url=url,
    model=model,
    tokenizer=tokenizer,
    tokenizer_backend="huggingface",
    num_concurrent=4,
    max_length=96,
    max_gen_toks=8,
)


def instances(kind, arguments):
    return [Instance(kind, {}, one, i) for i, one in enumerate(arguments)]


scored = lm.loglikelihood(instances("loglikelihood", [tuple(one) for one in requests["scored"]]), disable_tqdm=True)
written = lm.generate_until(
    instances("generate_until", [(one, {"until": requests["stop"], "max_gen_toks": 8}) for one in requests["written"]]),
    disable_tqdm=True,
)
json.dump({"scored": [[float(nats), bool(greedy)] for nats, greedy in scored], "written": written}, open(out, "w"))
