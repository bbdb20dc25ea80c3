"""Training windows by global sample number, in the order of `src/tokens` (Megatron's GPTDataset and blending, bit for bit).

The whole data position of a run is one integer, so any engine, batch size and number of processes reads the same samples.
File layout and algorithms are described where they live first: src/tokens/indexed-dataset.ts, sample-order.ts, blending.ts.
"""

import json
import struct
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from settings import Finetuning, Pretraining, TrainJob

FULL_EPOCH_FRACTION = 0.8
BLEND_SURPLUS_FRACTION = 0.005


class DataError(Exception):
    """A token file or example is malformed; the message says where."""


class Sample(NamedTuple):
    """One window. T tokens in, T targets, loss weight of each target, document of each input position (or None)."""

    tokens_T: np.ndarray
    targets_T: np.ndarray
    weights_T: np.ndarray
    documents_T: np.ndarray | None


class SampleSource(Protocol):
    def __len__(self) -> int: ...
    def sample(self, index: int) -> Sample: ...


class TokenFile:
    """Random access to a `.bin/.idx` pair; both are mapped, not read."""

    def __init__(self, prefix: str):
        index = Path(f"{prefix}.idx")
        if not index.exists():
            raise DataError(f"{index}: no such token index")
        head = index.open("rb").read(34)
        if len(head) < 34 or head[:9] != b"MMIDIDX\0\0":
            raise DataError(f"{index}: not a Megatron index (MMIDIDX)")
        version, code, sequences, boundaries = struct.unpack("<QBQQ", head[9:])
        if version != 1 or code not in (4, 8):
            raise DataError(f"{index}: version {version}, number type {code}; expected version 1 with u16 (8) or i32 (4)")
        if index.stat().st_size != 34 + 12 * sequences + 8 * boundaries:
            raise DataError(f"{index}: {index.stat().st_size} bytes do not hold {sequences} sequences")
        self.prefix = prefix
        self.lengths = np.fromfile(index, dtype="<i4", count=sequences, offset=34)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)])
        self.ids = np.memmap(f"{prefix}.bin", dtype="<u2" if code == 8 else "<i4", mode="r")
        if len(self.ids) != self.starts[-1]:
            raise DataError(f"{prefix}.bin: {len(self.ids)} tokens, but the index counts {self.starts[-1]}")

    def read(self, sequence: int, offset: int, length: int) -> np.ndarray:
        start = self.starts[sequence] + offset
        return self.ids[start : start + length]


def sample_order(lengths: np.ndarray, sequence_length: int, samples: int | None, seed: int):
    """Megatron's three arrays: documents in training order, rows [samples + 1, 2] of (document position, offset), shuffle."""
    epoch_tokens = int(lengths.sum(dtype=np.int64))

    def windows(epochs: int) -> int:
        return (epochs * epoch_tokens - 1) // sequence_length

    if epoch_tokens == 0 or (samples is None and windows(1) < 1):
        raise DataError(f"{epoch_tokens} tokens do not fill one window of {sequence_length} + 1")
    epochs = 1 if samples is None else max(1, -(-(samples * sequence_length + 1) // epoch_tokens))
    first_part = windows(epochs - 1) if epochs > 1 else 0
    separate = epochs > 1 and samples - first_part < int(FULL_EPOCH_FRACTION * windows(1))

    random = np.random.RandomState(seed)
    documents = np.tile(np.arange(len(lengths), dtype=np.int32), epochs)
    total = windows(epochs)
    shuffle = np.arange(total, dtype=np.uint32)
    cut_documents = len(lengths) * (epochs - 1) if separate else len(documents)
    cut_windows = first_part if separate else total
    for array, cut in ((documents, cut_documents), (shuffle, cut_windows)):
        random.shuffle(array[:cut])
        if separate:
            random.shuffle(array[cut:])

    # Window k starts at token k·T of the documents laid end to end. A start that falls on a document's end is the next one's
    # first token (documents of no tokens are passed over), which is what walking token by token gives.
    ends = np.cumsum(lengths[documents], dtype=np.int64)
    at = np.arange(total + 1, dtype=np.int64) * sequence_length
    position = np.searchsorted(ends, at, side="right")
    begins = np.concatenate([[0], ends])
    rows = np.stack([position, at - begins[position]], axis=1)
    rows[0] = 0
    return documents, rows, shuffle


class TokenWindows:
    """Windows of one token set in Megatron's order. A window's weights are 1."""

    def __init__(self, tokens: TokenFile, sequence_length: int, samples: int | None, seed: int, mask_documents: bool):
        self.tokens, self.sequence_length, self.mask_documents = tokens, sequence_length, mask_documents
        self.documents, self.rows, self.shuffle = sample_order(tokens.lengths, sequence_length, samples, seed)
        self.weights_T = np.ones(sequence_length, dtype=np.float32)

    def __len__(self) -> int:
        return len(self.shuffle)

    def sample(self, index: int) -> Sample:
        position, offset = self.rows[self.shuffle[index]]
        needed = self.sequence_length + 1
        parts, documents = [], []
        while needed > 0:
            sequence = self.documents[position]
            length = min(int(self.tokens.lengths[sequence]) - offset, needed)
            if length > 0:
                parts.append(self.tokens.read(sequence, offset, length))
                documents.append(np.full(length, len(documents), dtype=np.int64))
            needed -= length
            position, offset = position + 1, 0
        window = np.concatenate(parts).astype(np.int64)
        documents_T = np.concatenate(documents)[:-1] if self.mask_documents else None
        return Sample(window[:-1], window[1:], self.weights_T, documents_T)


def build_blend(weights: list[float], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Set and its own sample number of each draw: the set that lags its share the most, the first of equals."""
    shares = np.array(weights, dtype=np.float64) / sum(weights)
    drawn = np.zeros(len(shares))
    sets, samples = np.empty(size, dtype=np.int16), np.empty(size, dtype=np.int64)
    for k in range(size):
        best = int(np.argmax(shares * max(k, 1) - drawn))
        sets[k], samples[k] = best, drawn[best]
        drawn[best] += 1
    return sets, samples


class Blend:
    """Several sources as one."""

    def __init__(self, sources: list[TokenWindows], weights: list[float], size: int):
        self.sources, self.size = sources, size
        self.sets, self.samples = build_blend(weights, size)

    def __len__(self) -> int:
        return self.size

    def sample(self, index: int) -> Sample:
        return self.sources[self.sets[index]].sample(int(self.samples[index]))


def pretraining_samples(data: Pretraining, sequence_length: int, samples: int, seed: int) -> SampleSource:
    weights = [token_set.weight for token_set in data.sets]
    shares = [weight / sum(weights) for weight in weights]
    sizes = [samples] if len(weights) == 1 else [
        int(np.ceil(np.ceil(samples * share) * (1 + BLEND_SURPLUS_FRACTION))) for share in shares
    ]
    sources = [
        TokenWindows(TokenFile(token_set.prefix), sequence_length, size, seed, data.mask_documents)
        for token_set, size in zip(data.sets, sizes)
    ]
    return sources[0] if len(sources) == 1 else Blend(sources, weights, samples)


class ExampleWindows:
    """Finetuning examples: one a window and padded, or several packed with document masks (src/train/examples.ts)."""

    def __init__(self, path: str, data: Finetuning, sequence_length: int, seed: int, pad_id: int, samples: int | None):
        """`samples` None: one pass in the file's order, one example a window (validation)."""
        self.sequence_length, self.pad_id = sequence_length, pad_id
        self.examples = load_examples(path, sequence_length)
        padded = samples is None or data.layout == "padded"
        self.packed = not padded
        count = len(self.examples)
        wanted = count if samples is None else samples
        order, self.windows = [], []
        epoch = 0
        while len(self.windows) < wanted:
            permutation = np.arange(count)
            if samples is not None:
                # Each epoch has its own generator, so its order does not depend on how many epochs there are.
                np.random.RandomState((seed + epoch) % 2**32).shuffle(permutation)
            filled = sequence_length + 2
            for i, example in enumerate(permutation):
                length = len(self.examples[example][0])
                if padded or filled + length > sequence_length + 1:
                    self.windows.append(epoch * count + i)
                    filled = 0
                filled += length
            order.append(permutation)
            epoch += 1
        self.order = np.concatenate(order)

    def __len__(self) -> int:
        return len(self.windows)

    def sample(self, index: int) -> Sample:
        window = np.full(self.sequence_length + 1, self.pad_id, dtype=np.int64)
        weights_T = np.zeros(self.sequence_length, dtype=np.float32)
        documents_T = np.zeros(self.sequence_length, dtype=np.int64)
        first = self.windows[index]
        last = self.windows[index + 1] if index + 1 < len(self.windows) else len(self.order)
        at = 0
        for document, i in enumerate(range(first, last)):
            tokens, weights = self.examples[self.order[i]]
            window[at : at + len(tokens)] = tokens
            # The first token of an example is nobody's label: in a packed window its context would be another example.
            weights_T[at : at + len(tokens) - 1] = weights[1:]
            documents_T[at:] = document
            at += len(tokens)
        return Sample(window[:-1], window[1:], weights_T, documents_T if self.packed else None)


def load_examples(path: str, sequence_length: int) -> list[tuple[np.ndarray, np.ndarray]]:
    examples = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
                tokens, weights = np.array(value["tokens"], dtype=np.int64), np.array(value["weights"], dtype=np.float32)
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}:{number}: not an example of tokens and weights ({error})") from error
            if len(tokens) != len(weights) or len(tokens) > sequence_length + 1:
                raise DataError(f"{path}:{number}: {len(tokens)} tokens and {len(weights)} weights do not fit the job")
            examples.append((tokens, weights))
    if not examples:
        raise DataError(f"{path}: the file has no examples")
    return examples


class TrainingData(NamedTuple):
    train: SampleSource
    validation: list[tuple[str, SampleSource]]


def open_data(job: TrainJob, samples: int, pad_id: int) -> TrainingData:
    """`samples`: training windows needed, as many epochs as that takes."""
    data = job.data
    if isinstance(data, Pretraining):
        return TrainingData(
            pretraining_samples(data, job.sequence_length, samples, job.seed),
            [(v.name, TokenWindows(TokenFile(v.prefix), job.sequence_length, None, job.seed, data.mask_documents))
             for v in data.validation],
        )
    windows = lambda path, samples: ExampleWindows(path, data, job.sequence_length, job.seed, pad_id, samples)
    return TrainingData(windows(data.examples, samples), [(v.name, windows(v.examples, None)) for v in data.validation])


def next_samples(start: int, count: int, skipped: list[tuple[int, int]]) -> list[int]:
    """The first `count` sample numbers from `start` on that lie in no skipped range [from, to)."""
    samples: list[int] = []
    sample = start
    while len(samples) < count:
        behind = next((high for low, high in skipped if low <= sample < high), None)
        if behind is None:
            samples.append(sample)
        sample = sample + 1 if behind is None else behind
    return samples
