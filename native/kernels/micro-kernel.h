// The inner loop of every matrix product: a tile of C, a few rows by two vectors, kept in registers over all of k.
//
// Both operands are streams of 32-bit words. Under float32 a word is one number; under bfloat16 with hardware support it is a
// pair of neighbours along k, and a step advances k by two. Precision is thus a property of the product, not of the storage.
//
// A processor without bfloat16 multiply-adds has two other ways. With float16 arithmetic (twice the rate of float32) a word is a pair of
// float16: rows of A and columns of B are scaled by powers of two, block of k by block of k, so that range is no matter, and sums in float16
// go no further than kChain words before they are added in float32. That is closer to the exact product than rounding
// inputs to bfloat16 (11 bits against 8; measured in docs/decisions/0007-engine.md). Else inputs are rounded to bfloat16 and multiplied as float32.
#pragma once
#include "simd.h"

namespace meditron::MEDITRON_ISA {

// Words of both precisions: how many k they hold and how they are made from stored numbers.
struct F32 {
  static constexpr int kPerWord = 1;
  static constexpr int kScaleRows = 0;  // of a panel, before its words
  static constexpr bool kRounds = false;
  static MEDITRON_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return fma_in_place(a, b, c); }
  // kLanes words from numbers that follow each other along k; n numbers are left.
  template <class S>
  static MEDITRON_INLINE Vec along(const S* p, int64_t n) {
    return n >= kLanes ? load(p) : load(p, Part{static_cast<int>(n)});
  }
  // One word for each lane from row k (and k + 1, `odd`, which may be missing).
  template <class S, class Lanes>
  static MEDITRON_INLINE Vec across(const S* even, const S*, Lanes lanes) {
    return load(even, lanes);
  }
};

#if defined(__AVX512FP16__)
struct F16 {
  static constexpr int kPerWord = 2;
  static constexpr int kScaleRows = 1;
  static MEDITRON_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return multiply_add_f16(a, b, c); }
  static MEDITRON_INLINE Vec pair(Vec even, Vec odd) { return interleave_f16(even, odd); }
  static MEDITRON_INLINE void store_halves(uint16_t* p, Vec v) { _mm256_storeu_ph(p, _mm512_cvtxps_ph(v)); }
  // `factor` is the scale of a float32, and how far a bfloat16's exponent moves: see factors_of.
  static MEDITRON_INLINE Vec along(const float* p, int64_t n, Vec factor) {
    if (n >= 2 * kLanes) return pair_up_f16(load(p) * factor, load(p + kLanes) * factor);
    if (n > kLanes) return pair_up_f16(load(p) * factor, load(p + kLanes, Part{static_cast<int>(n - kLanes)}) * factor);
    return pair_up_f16((n == kLanes ? load(p) : load(p, Part{static_cast<int>(n)})) * factor, zero());
  }
  static MEDITRON_INLINE Vec along(const bf16* p, int64_t n, Vec factor) {
    return to_f16(n >= 2 * kLanes ? load_words(p) : load_words(p, static_cast<int>(n)), factor);
  }
  template <class Lanes>
  static MEDITRON_INLINE Vec across(const float* even, const float* odd, Lanes lanes, Vec factor) {
    return interleave_f16(load(even, lanes) * factor, odd ? load(odd, lanes) * factor : zero());
  }
  template <class Lanes>
  static MEDITRON_INLINE Vec across(const bf16* even, const bf16* odd, Lanes lanes, Vec factor) {
    const auto row = [&](const bf16* p) MEDITRON_LAMBDA { return _mm256_maskz_loadu_epi16(first(Part{count(lanes)}), p); };
    return to_f16((Vec)interleave_halves(join(row(even), odd ? row(odd) : _mm256_setzero_si256())), factor);
  }
  // The power of two that brings a largest magnitude to [8, 16): products stay below 2^8, and a chain of 64 of them below the largest
  // float16. What is 2^-17 of the largest or less loses bits (or becomes zero, stored as bfloat16).
  static MEDITRON_INLINE Vec scale_for(Vec largest) {
    const Ints wanted = 257 - (Ints)((Bits)largest >> 23);
    return (Vec)((wanted < 239 ? wanted : 239) << 23);
  }
  static MEDITRON_INLINE Vec factors_of(Vec scales, const float*) { return scales; }
  static MEDITRON_INLINE Vec factors_of(Vec scales, const bf16*) {
    const Bits offset = (0x77800000u - (Bits)scales) >> 16;  // 239 is the exponent of a scale that moves bfloat16 to float16 as it is
    return (Vec)(offset | offset << 16);
  }
};
constexpr int64_t kChain = 64;
// Where nothing is packed, float32 costs no more.
struct Bf16 : F32 {};
using PackedBf16 = F16;
#elif defined(__AVX512BF16__)
struct Bf16 {
  static constexpr int kPerWord = 2;
  static constexpr int kScaleRows = 0;
  static constexpr bool kRounds = true;
  static MEDITRON_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return dot_pairs(a, b, c); }
  static MEDITRON_INLINE Vec pair(Vec even, Vec odd) { return interleave(even, odd); }
  static MEDITRON_INLINE void store_halves(uint16_t* p, Vec v) { store(reinterpret_cast<bf16*>(p), v); }
  static MEDITRON_INLINE Vec along(const float* p, int64_t n) {
    if (n >= 2 * kLanes) return pair_up(load(p), load(p + kLanes));
    if (n > kLanes) return pair_up(load(p), load(p + kLanes, Part{static_cast<int>(n - kLanes)}));
    return pair_up(n == kLanes ? load(p) : load(p, Part{static_cast<int>(n)}), zero());
  }
  static MEDITRON_INLINE Vec along(const bf16* p, int64_t n) {
    return n >= 2 * kLanes ? load_words(p) : load_words(p, static_cast<int>(n));
  }
  template <class S, class Lanes>
  static MEDITRON_INLINE Vec across(const S* even, const S* odd, Lanes lanes) {
    return interleave(load(even, lanes), odd ? load(odd, lanes) : zero());
  }
};
using PackedBf16 = Bf16;
#else
struct Bf16 {
  static constexpr int kPerWord = 1;
  static constexpr int kScaleRows = 0;
  static constexpr bool kRounds = true;
  static MEDITRON_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return fma_in_place(a, b, c); }
  static MEDITRON_INLINE Vec along(const float* p, int64_t n) { return round_bf16(F32::along(p, n)); }
  static MEDITRON_INLINE Vec along(const bf16* p, int64_t n) { return F32::along(p, n); }
  template <class S, class Lanes>
  static MEDITRON_INLINE Vec across(const S* even, const S*, Lanes lanes) {
    return round_bf16(load(even, lanes));
  }
};
using PackedBf16 = Bf16;
#endif

// Tile size: as many accumulators as there are registers, less those for B and for the broadcast of A.
#if defined(__AVX512F__)
constexpr int kTileRows = 14;
#elif defined(__AVX2__)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVecs = 2;
constexpr int kTileColumns = kTileVecs * kLanes;

// Where a tile goes: C (+)= alpha · product. The tile may hang over the edge; only rows x columns of it are written.
struct TileOutput {
  void* c;
  int64_t stride;
  Type type;
  bool accumulate;
  float alpha;
  int rows;
  int columns;
};

template <int Vecs, class T>
MEDITRON_INLINE void write_tile_row(T* c, const Vec* sums, const TileOutput& out) {
  const Vec alpha = set(out.alpha);
#pragma GCC unroll 2
  for (int j = 0; j < Vecs; j++) {
    const int left = out.columns - j * kLanes;
    T* const p = c + j * kLanes;
    if (left >= kLanes) {
      store(p, out.accumulate ? fma(alpha, sums[j], load(p)) : alpha * sums[j]);
    } else if (left > 0) {
      const Part part{left};
      store(p, out.accumulate ? fma(alpha, sums[j], load(p, part)) : alpha * sums[j], part);
    }
  }
}

// Asks for C at the beginning of a tile; it is needed at the end.
template <int Rows, int Vecs>
MEDITRON_INLINE void fetch_output(const TileOutput& out) {
  const int64_t row_bytes = out.stride * (out.type == Type::f32 ? 4 : 2);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; i++) {
    prefetch_for_write(static_cast<char*>(out.c) + i * row_bytes);
    if constexpr (Vecs > 1) prefetch_for_write(static_cast<char*>(out.c) + i * row_bytes + 64);
  }
}

// Memory that will be needed soon and that a tile asks for on its way, one cache line every four steps: at + 4 lines `line` bytes apart, then
// the same `row` bytes further on. It arrives in the second-level cache while the tile computes.
struct Ahead {
  const char* at;
  int64_t line, row;
};

// A is read word by word at a[row · ARow + step · AStep], B as panels b[step][kTileColumns]. Each element of C is one chain of
// sums over k in order, whatever the number of rows of the tile that computes it. A tile of one vector (Vecs = 1) leaves out the right half.
// InMemory: C is not in the first-level cache, and `ahead` is wanted.
template <class Math, int Rows, int ARow, int AStep, int Vecs = kTileVecs, bool InMemory = false>
[[gnu::noinline]] void tile(int64_t steps, const float* a, const float* b, const TileOutput& out, const Ahead& ahead = {}) {
  Vec c[Rows][Vecs];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; i++)
#pragma GCC unroll 2
    for (int j = 0; j < Vecs; j++) c[i][j] = zero();

  if constexpr (InMemory) fetch_output<Rows, Vecs>(out);

  const auto step = [&](const float* a_k, const float* b_k) MEDITRON_LAMBDA {
    Vec b_j[Vecs];
#pragma GCC unroll 2
    for (int j = 0; j < Vecs; j++) b_j[j] = load(b_k + j * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++) {
      const Vec a_i = broadcast(a_k + i * ARow);
#pragma GCC unroll 2
      for (int j = 0; j < Vecs; j++) c[i][j] = Math::multiply_add(a_i, b_j[j], c[i][j]);
    }
  };
  const auto four_steps = [&]() MEDITRON_LAMBDA {
    step(a, b);
    step(a + AStep, b + kTileColumns);
    step(a + 2 * AStep, b + 2 * kTileColumns);
    step(a + 3 * AStep, b + 3 * kTileColumns);
    a += 4 * AStep;
    b += 4 * kTileColumns;
  };
  int64_t k = 0;
  if constexpr (InMemory) {
    const char* wanted = ahead.at;
    for (; k + 16 <= steps; k += 16, wanted += ahead.row) {
#pragma GCC unroll 4
      for (int line = 0; line < 4; line++) {
        __builtin_prefetch(wanted + line * ahead.line, 0, 2);
        four_steps();
      }
    }
  }
  for (; k + 4 <= steps; k += 4) four_steps();
  for (; k < steps; k++, a += AStep, b += kTileColumns) step(a, b);

  if (out.type == Type::f32 && out.rows >= Rows && out.columns == Vecs * kLanes) {  // the common case, without a branch a row
    float* const to = static_cast<float*>(out.c);
    const Vec alpha = set(out.alpha);
    if (out.accumulate) {
#pragma GCC unroll 16
      for (int i = 0; i < Rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < Vecs; j++) c[i][j] = fma(alpha, c[i][j], load(to + i * out.stride + j * kLanes));
    } else if (out.alpha != 1.0f) {
#pragma GCC unroll 16
      for (int i = 0; i < Rows; i++)
#pragma GCC unroll 2
        for (int j = 0; j < Vecs; j++) c[i][j] = alpha * c[i][j];
    }
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++)
#pragma GCC unroll 2
      for (int j = 0; j < Vecs; j++) store(to + i * out.stride + j * kLanes, c[i][j]);
    return;
  }
#pragma GCC unroll 16
  for (int i = 0; i < Rows; i++) {
    if (i >= out.rows) return;
    if (out.type == Type::f32) write_tile_row<Vecs>(static_cast<float*>(out.c) + i * out.stride, c[i], out);
    else write_tile_row<Vecs>(static_cast<bf16*>(out.c) + i * out.stride, c[i], out);
  }
}

#if defined(__AVX512FP16__)
// The same over float16 words with the scales of their lanes. No a_scales: they are 1.
template <int Rows, int ARow, int AStep, int Vecs, bool InMemory = false>
[[gnu::noinline]] void scaled_tile(int64_t steps, const float* a, const float* a_scales, const float* b, const float* b_scales, const TileOutput& out,
                                   const Ahead& ahead = {}) {
  alignas(64) float sums[Rows][Vecs][2 * kLanes];
  alignas(64) uint16_t chain[Rows][Vecs][2 * kLanes];
  alignas(64) float a_inverse[kLanes];
  Vec b_inverse[Vecs];
  asm("" : "=m"(sums));  // written before it is read, which the compiler cannot know
  store(a_inverse, a_scales ? set(1.0f) / load(a_scales, Part{kTileRows}) : set(1.0f));
#pragma GCC unroll 2
  for (int j = 0; j < Vecs; j++) b_inverse[j] = set(1.0f) / load(b_scales + j * kLanes);

  if constexpr (InMemory) fetch_output<Rows, Vecs>(out);

  const char* wanted = ahead.at;
  for (int64_t begin = 0;;) {
    Vec c[Rows][Vecs];
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++)
#pragma GCC unroll 2
      for (int j = 0; j < Vecs; j++) c[i][j] = zero();
    const auto step = [&](int64_t k) MEDITRON_LAMBDA {
      Vec b_j[Vecs];
#pragma GCC unroll 2
      for (int j = 0; j < Vecs; j++) b_j[j] = load(b + k * kTileColumns + j * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < Rows; i++) {
        const Vec a_i = broadcast(a + k * AStep + i * ARow);
#pragma GCC unroll 2
        for (int j = 0; j < Vecs; j++) c[i][j] = F16::multiply_add(a_i, b_j[j], c[i][j]);
      }
    };
    const auto four_steps = [&]() MEDITRON_LAMBDA {
      step(0), step(1), step(2), step(3);
      a += 4 * AStep, b += 4 * kTileColumns;
    };
    const int64_t n = least(kChain, steps - begin);
    int64_t k = 0;
    for (; InMemory && k + 16 <= n; k += 16, wanted += ahead.row) {
#pragma GCC unroll 4
      for (int line = 0; line < 4; line++) {
        __builtin_prefetch(wanted + line * ahead.line, 0, 2);
        four_steps();
      }
    }
    for (; k + 4 <= n; k += 4) four_steps();
    for (; k < n; k++, a += AStep, b += kTileColumns) step(0);

#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++)
#pragma GCC unroll 2
      for (int j = 0; j < Vecs; j++) std::memcpy(chain[i][j], &c[i][j], sizeof(Vec));
    begin += kChain;
    if (begin >= steps) break;
    const auto add = [&](bool first) MEDITRON_LAMBDA {
#pragma GCC unroll 16
      for (int i = 0; i < Rows; i++)
#pragma GCC unroll 4
        for (int h = 0; h < 2 * Vecs; h++) {
          float* const to = sums[i][0] + h * kLanes;
          const Vec v = load_f16(chain[i][0] + h * kLanes);
          store(to, first ? v : v + load(to));
        }
    };
    if (begin == kChain) add(true);
    else add(false);
  }

  // The last chain goes straight to C.
  const auto write = [&](bool alone) MEDITRON_LAMBDA {
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++) {
      if (i >= out.rows) return;
      Vec row[Vecs];
#pragma GCC unroll 2
      for (int j = 0; j < Vecs; j++) {
        Vec low = load_f16(chain[i][j]), high = load_f16(chain[i][j] + kLanes);
        if (!alone) low = low + load(sums[i][j]), high = high + load(sums[i][j] + kLanes);
        row[j] = add_pairs(low, high) * (broadcast(a_inverse + i) * b_inverse[j]);
      }
      if (out.type == Type::f32) write_tile_row<Vecs>(static_cast<float*>(out.c) + i * out.stride, row, out);
      else write_tile_row<Vecs>(static_cast<bf16*>(out.c) + i * out.stride, row, out);
    }
  };
  if (steps <= kChain) write(true);
  else write(false);
}
#endif

// Runs the smallest compiled tile that holds out.rows rows of an A panel of kTileRows (a[step][kTileRows]).
template <class Math>
MEDITRON_INLINE void panel_tile(int64_t steps, const float* a, const float* b, const TileOutput& out, const Ahead& ahead) {
#if defined(__AVX512FP16__)
  if constexpr (Math::kScaleRows > 0) {
    const float *const a_words = a + kTileRows, *const b_words = b + kTileColumns;
    if (out.columns <= kLanes) return scaled_tile<14, 1, kTileRows, 1, true>(steps, a_words, a, b_words, b, out, ahead);
    if (out.rows > 12) return scaled_tile<14, 1, kTileRows, 2, true>(steps, a_words, a, b_words, b, out, ahead);
    if (out.rows > 8) return scaled_tile<12, 1, kTileRows, 2, true>(steps, a_words, a, b_words, b, out, ahead);
    if (out.rows > 4) return scaled_tile<8, 1, kTileRows, 2, true>(steps, a_words, a, b_words, b, out, ahead);
    return scaled_tile<4, 1, kTileRows, 2, true>(steps, a_words, a, b_words, b, out, ahead);
  } else
#endif
  {
#if defined(__AVX512F__)
  static_assert(kTileRows == 14);
  if (out.rows > 12 && out.columns <= kLanes) return tile<Math, 14, 1, kTileRows, 1, true>(steps, a, b, out, ahead);
  if (out.rows > 12) return tile<Math, 14, 1, kTileRows, kTileVecs, true>(steps, a, b, out, ahead);
  if (out.rows > 10) return tile<Math, 12, 1, kTileRows>(steps, a, b, out);
  if (out.rows > 8) return tile<Math, 10, 1, kTileRows>(steps, a, b, out);
  if (out.rows > 6) return tile<Math, 8, 1, kTileRows>(steps, a, b, out);
#endif
#if defined(__AVX2__)
  if (out.rows > 4) return tile<Math, 6, 1, kTileRows, kTileVecs, true>(steps, a, b, out, ahead);
#endif
  if (out.rows > 2) return tile<Math, 4, 1, kTileRows, kTileVecs, true>(steps, a, b, out, ahead);
  return tile<Math, 2, 1, kTileRows>(steps, a, b, out);
  }
}

}  // namespace meditron::MEDITRON_ISA
