"""Tokenization as a careful Python program does it: HF tokenizers on all cores (Rust threads), numpy out, Megatron's .bin and .idx."""

import io
import json
import struct
import sys
import time

import numpy as np
import zstandard
from tokenizers import Tokenizer

BATCH = 512


def documents(path):
    with open(path, "rb") as raw, io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw), "utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def batches(path):
    batch = []
    for text in documents(path):
        batch.append(text)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def tokenize(shards, tokenizer_path, prefix, end):
    started = time.perf_counter()
    tokenizer = Tokenizer.from_file(tokenizer_path)
    tokenizer.no_truncation()
    dtype = np.uint16 if tokenizer.get_vocab_size() < 65500 else np.int32
    lengths = []
    with open(f"{prefix}.bin", "wb") as out:
        for shard in shards:
            for batch in batches(shard):
                for encoding in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                    ids = np.array(encoding.ids + [end], dtype=dtype)
                    out.write(ids.tobytes())
                    lengths.append(len(ids))
    sizes = np.array(lengths, dtype=np.int32)
    pointers = np.concatenate([[0], np.cumsum(sizes[:-1], dtype=np.int64)]) * np.dtype(dtype).itemsize
    with open(f"{prefix}.idx", "wb") as out:
        out.write(b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 8 if dtype == np.uint16 else 4, len(sizes), len(sizes) + 1))
        out.write(sizes.tobytes() + pointers.astype(np.int64).tobytes() + np.arange(len(sizes) + 1, dtype=np.int64).tobytes())
    return {"seconds": time.perf_counter() - started, "tokens": int(sizes.sum())}


for line in sys.stdin:
    command = json.loads(line)
    try:
        print(json.dumps(tokenize(command["shards"], command["tokenizer"], command["prefix"], command["end"])), flush=True)
    except Exception as error:  # the bench says so and goes on without the peer
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
