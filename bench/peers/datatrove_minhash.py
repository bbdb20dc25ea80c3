"""datatrove's MinHash deduplication, all four stages in one task: answers {"documents", "folder"} with CPU seconds and kept ids."""

import json
import logging
import sys
import time

from datatrove.data import Document
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.utils.hashes import xxhash as hashes
from datatrove.utils.hashing import HashConfig
from xxhash import xxh64_intdigest

try:
    from loguru import logger

    logger.remove()
except ImportError:
    pass
logging.disable(logging.CRITICAL)
# xxhash 4 takes no strings any more, and datatrove 0.10 hands it some.
hashes.xxhash64 = lambda data: xxh64_intdigest(data.encode() if isinstance(data, str) else data)


def read(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield Document(text=record["text"], id=record["id"])


def deduplicate(path, folder):
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8, n_grams=5)
    started = time.process_time()
    MinhashDedupSignature(f"{folder}/signatures", config=config).run(read(path), 0, 1)
    signed = time.process_time()
    buckets = MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)
    for bucket in range(14):
        buckets.run(None, bucket, 14)
    MinhashDedupCluster(f"{folder}/buckets", f"{folder}/remove", config=config).run(None, 0, 1)
    kept = [document.id for document in MinhashDedupFilter(f"{folder}/remove").run(read(path), 0, 1)]
    return {"seconds": time.process_time() - started, "signatureSeconds": signed - started, "kept": kept}


for line in sys.stdin:
    command = json.loads(line)
    if "version" in command:
        import datatrove

        print(json.dumps({"version": getattr(datatrove, "__version__", "")}), flush=True)
        continue
    try:
        print(json.dumps(deduplicate(command["documents"], command["folder"])), flush=True)
    except Exception as error:  # the bench says so and goes on without the peer
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
