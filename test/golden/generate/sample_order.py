"""Golden sample orders and blends by numpy: python test/golden/generate/sample_order.py > test/golden/sample-order.json

Written from the description of Megatron-LM's GPTDataset (documents, windows, shuffles of one RandomState) in the plainest
form: the concatenated token stream is cut by index arithmetic, not by walking documents, so it shares no code path with ours.
"""

import json
import sys

import numpy as np

CASES = [
    # (lengths, sequence length, samples, seed)
    ([7, 3, 12, 1, 9, 30, 4, 4], 8, None, 1234),
    ([7, 3, 12, 1, 9, 30, 4, 4], 8, 20, 1234),  # last epoch used by 2 of 8 windows: shuffled apart
    ([7, 3, 12, 1, 9, 30, 4, 4], 8, 24, 42),  # last epoch nearly full: all epochs mixed
    ([100], 16, 50, 0),
    ([5, 0, 0, 6, 17, 1, 1, 1, 40], 1, 100, 7),
    (np.random.RandomState(3).randint(1, 60, 400).tolist(), 32, 1000, 1234),
]
BLENDS = [([1.0, 1.0], 12), ([0.7, 0.2, 0.1], 50), ([0.99, 0.01], 250), ([3.0, 5.0, 11.0, 0.5], 200)]


def order(lengths, s, samples, seed):
    lengths = np.array(lengths)
    tokens = int(lengths.sum())
    epochs = 1
    if samples is not None:
        while epochs * tokens < samples * s + 1:
            epochs += 1
    total = (epochs * tokens - 1) // s
    before_last = ((epochs - 1) * tokens - 1) // s if epochs > 1 else 0
    separate = epochs > 1 and samples - before_last < int(0.80 * ((tokens - 1) // s))

    random = np.random.RandomState(seed)
    ids = np.arange(len(lengths), dtype=np.int32)
    if separate:
        head = np.tile(ids, epochs - 1)
        random.shuffle(head)
        random.shuffle(ids)
        documents = np.concatenate([head, ids])
    else:
        documents = np.tile(ids, epochs)
        random.shuffle(documents)

    # Token p of the stream lies in the document d with starts[d] <= p < starts[d + 1].
    ends = np.cumsum(lengths[documents])
    rows = []
    for k in range(total + 1):
        position = k * s
        d = int(np.searchsorted(ends, position, side="right"))
        rows.append([d, int(position - (ends[d - 1] if d else 0))] if k else [0, 0])

    if separate:
        head, tail = np.arange(before_last, dtype=np.uint32), np.arange(before_last, total, dtype=np.uint32)
        random.shuffle(head)
        random.shuffle(tail)
        shuffle = np.concatenate([head, tail])
    else:
        shuffle = np.arange(total, dtype=np.uint32)
        random.shuffle(shuffle)
    return {
        "lengths": lengths.tolist(), "sequenceLength": s, "samples": samples, "seed": seed, "epochs": epochs,
        "separate": bool(separate), "documents": documents.tolist(), "rows": rows, "shuffle": shuffle.tolist(),
    }  # fmt: skip


def blend(weights, size):
    w = np.array(weights, dtype=np.float64)
    w /= w.sum()
    drawn = np.zeros(len(w), dtype=np.int64)
    sets, samples = [], []
    for k in range(size):
        i = int(np.argmax(w * max(k, 1) - drawn))
        sets.append(i)
        samples.append(int(drawn[i]))
        drawn[i] += 1
    return {"weights": weights, "size": size, "sets": sets, "samples": samples}


json.dump(
    {"numpy": np.__version__, "orders": [order(*case) for case in CASES], "blends": [blend(*case) for case in BLENDS]},
    sys.stdout,
    separators=(",", ":"),
)
sys.stdout.write("\n")
