"""Numbers by (seed, index), without state: the same as `counterRandom`, `streamOf` and `fillNormal` of the embedded engine.

Initial weights, new vocabulary rows and adapters are therefore the same numbers on both engines, however tensors are cut.
"""

import numpy as np

U32 = np.uint32


def counter_random(seed: int, index: np.ndarray) -> np.ndarray:
    """The 32-bit number `index` of stream `seed`: two rounds of a strong integer mix. Shape of `index`, uint32."""
    index = index.astype(np.uint64)
    with np.errstate(over="ignore"):
        h = U32(seed & 0xFFFFFFFF) ^ (index.astype(U32) * U32(0x9E3779B1))
        h ^= (index >> np.uint64(32)).astype(U32) * U32(0x85EBCA6B)
        for _ in range(2):
            h ^= h >> U32(16)
            h *= U32(0x7FEB352D)
            h ^= h >> U32(15)
            h *= U32(0x846CA68B)
            h ^= h >> U32(16)
            h += U32(0x6D2B79F5)
    return h


def stream_of(name: str, seed: int) -> int:
    """A stream of its own for each name."""
    h = counter_random(seed, np.zeros(1))[0]
    for letter in name.encode("utf-16-le")[::2]:  # names are ASCII, as in charCodeAt
        h = counter_random(int(h), np.array([letter]))[0]
    return int(h)


def normal(count: int, stream: int, deviation: float, start: int = 0) -> np.ndarray:
    """Normal numbers `start .. start + count` of a stream by Box and Muller's transform. Shape [count], float64.

    Numbers 2i and 2i+1 come from draws 2i and 2i+1, so any range can be drawn alone.
    """
    first = start - start % 2
    draws = counter_random(stream, np.arange(first, start + count + (start + count) % 2)).astype(np.float64)
    radius = deviation * np.sqrt(-2 * np.log((draws[0::2] + 1) / 2**32))
    angle = 2 * np.pi * draws[1::2] / 2**32
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)
    return pairs[start - first : start - first + count]


def uniform(count: int, stream: int, bound: float) -> np.ndarray:
    """Uniform numbers in [-bound, bound). Shape [count], float64."""
    return bound * (counter_random(stream, np.arange(count)).astype(np.float64) / 2**31 - 1)
