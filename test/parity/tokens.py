"""The other side of the token tests: transformers' AutoTokenizer on a tokenizer we trained, numpy on token files we wrote.

    python tokens.py <folder>

Reads <folder>/tokenizer, <folder>/texts.json and <folder>/ours.bin/.idx; writes <folder>/ids.json, <folder>/read.json, and
<folder>/theirs.bin/.idx with the documents reversed.
"""

import json
import sys
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer

folder = Path(sys.argv[1])
texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
ids = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
(folder / "ids.json").write_text(
    json.dumps(
        {
            "ids": ids,
            "withSpecial": [tokenizer.encode(text) for text in texts],
            "decoded": [tokenizer.decode(i, clean_up_tokenization_spaces=False) for i in ids],
            "size": len(tokenizer),
            "eos": tokenizer.eos_token_id,
            "pad": tokenizer.pad_token_id,
        }
    )
)


def read(prefix: Path):
    """Megatron's layout by numpy dtypes alone."""
    raw = (prefix.with_suffix(".idx")).read_bytes()
    assert raw[:9] == b"MMIDIDX\x00\x00"
    version, code, sequences, documents = (
        int(np.frombuffer(raw, t, 1, o)[0]) for t, o in (("<u8", 9), ("u1", 17), ("<u8", 18), ("<u8", 26))
    )
    assert (version, code) == (1, 8)
    lengths = np.frombuffer(raw, "<i4", sequences, 34)
    pointers = np.frombuffer(raw, "<i8", sequences, 34 + 4 * sequences)
    boundaries = np.frombuffer(raw, "<i8", documents, 34 + 12 * sequences)
    assert len(raw) == 34 + 12 * sequences + 8 * documents
    assert boundaries.tolist() == list(range(sequences + 1))
    data = np.memmap(prefix.with_suffix(".bin"), "<u2", "r")
    return [data[p // 2 : p // 2 + n].tolist() for p, n in zip(pointers, lengths)]


def write(prefix: Path, documents):
    lengths = np.array([len(d) for d in documents], "<i4")
    pointers = np.concatenate([[0], np.cumsum(lengths.astype("<i8") * 2)[:-1]]).astype("<i8")
    np.concatenate([np.array(d, "<u2") for d in documents]).tofile(prefix.with_suffix(".bin"))
    header = b"MMIDIDX\x00\x00" + np.array([1], "<u8").tobytes() + bytes([8])
    header += np.array([len(documents), len(documents) + 1], "<u8").tobytes()
    body = lengths.tobytes() + pointers.tobytes() + np.arange(len(documents) + 1, dtype="<i8").tobytes()
    prefix.with_suffix(".idx").write_bytes(header + body)


documents = read(folder / "ours")
(folder / "read.json").write_text(json.dumps(documents))
write(folder / "theirs", documents[::-1])
