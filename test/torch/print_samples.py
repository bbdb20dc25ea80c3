"""Samples as the worker reads them: print_samples.py launch.json samples index index ..."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "worker"))

from data import open_data  # noqa: E402
from settings import load_launch  # noqa: E402

launch = load_launch(sys.argv[1])
data = open_data(launch.job, int(sys.argv[2]), launch.pad_id)
for source in (data.train, *(source for _, source in data.validation)):
    for index in map(int, sys.argv[3:]):
        if index >= len(source):
            continue
        sample = source.sample(index)
        print(json.dumps({
            "window": [*sample.tokens_T.tolist(), int(sample.targets_T[-1])],
            "weights": sample.weights_T.tolist(),
            "documents": None if sample.documents_T is None else sample.documents_T.tolist(),
        }))  # fmt: skip
