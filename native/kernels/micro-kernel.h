// The inner loop of every matrix product: a tile of C, a few rows by two vectors, kept in registers over all of k.
//
// Both operands are streams of 32-bit words. Under float32 a word is one number; under bfloat16 with hardware support it is a
// pair of neighbours along k, and a step advances k by two. Without such hardware, inputs are rounded to bfloat16 and multiplied as
// float32. Precision is thus a property of the product, not of the storage.
#pragma once
#include "simd.h"

namespace meditron::MEDITRON_ISA {

// Words of both precisions: how many k they hold and how they are made from stored numbers.
struct F32 {
  static constexpr int kPerWord = 1;
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

#if defined(__AVX512BF16__)
struct Bf16 {
  static constexpr int kPerWord = 2;
  static MEDITRON_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return dot_pairs(a, b, c); }
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
#else
struct Bf16 {
  static constexpr int kPerWord = 1;
  static MEDITRON_INLINE Vec multiply_add(Vec a, Vec b, Vec c) { return fma_in_place(a, b, c); }
  static MEDITRON_INLINE Vec along(const float* p, int64_t n) { return round_bf16(F32::along(p, n)); }
  static MEDITRON_INLINE Vec along(const bf16* p, int64_t n) { return F32::along(p, n); }
  template <class S, class Lanes>
  static MEDITRON_INLINE Vec across(const S* even, const S*, Lanes lanes) {
    return round_bf16(load(even, lanes));
  }
};
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

  // C is asked for now and needed after the loop.
  if constexpr (InMemory) {
    const int64_t row_bytes = out.stride * (out.type == Type::f32 ? 4 : 2);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; i++) {
      prefetch_for_write(static_cast<char*>(out.c) + i * row_bytes);
      if constexpr (Vecs > 1) prefetch_for_write(static_cast<char*>(out.c) + i * row_bytes + 64);
    }
  }

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

// Runs the smallest compiled tile that holds out.rows rows of an A panel of kTileRows (a[step][kTileRows]).
template <class Math>
MEDITRON_INLINE void panel_tile(int64_t steps, const float* a, const float* b, const TileOutput& out, const Ahead& ahead) {
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

}  // namespace meditron::MEDITRON_ISA
