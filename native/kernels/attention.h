// Tiled causal attention of one head, shared by training (attention.cpp) and inference over a cache (cached-attention.cpp).
#pragma once
#include "declarations.h"
#include "pack.h"

namespace meditron::MEDITRON_ISA {

// Queries go in blocks of four panels, keys in blocks of 256. A row of the score tile is a little wider than its keys: writing runs over
// the last panel, and the odd number of cache lines keeps rows out of each other's cache sets.
constexpr int64_t kQueryBlock = 4 * kTileRows;
constexpr int64_t kKeyBlock = 256;
constexpr int kScoreStride = kKeyBlock + 32;

// Rows of a matrix whose elements follow each other: element (row, i) = data[offset + row · stride + i].
struct Rows {
  Tensor data;
  int64_t offset, stride;
  MEDITRON_INLINE Tensor row(int64_t n) const { return at(data, offset + n * stride); }
};

// Keys and values of one head, packed for scores (K: panels of keys along D) and for outputs (V: panels of D along keys).
struct PackedKeys {
  const float* k;
  const float* v;
  int64_t keys;
};

MEDITRON_INLINE constexpr int64_t padded_keys(int64_t keys) { return round_up(keys, 32) + 32; }
MEDITRON_INLINE constexpr int64_t padded_size(int64_t D) { return round_up(D, kTileColumns); }

// Which keys a query sees: [first_key[i], i + 1) counted from the first key, i = the query's own position.
struct Visible {
  const int32_t* first_key;  // by position, or nullptr: all
  MEDITRON_INLINE int64_t begin(int64_t position) const { return first_key ? first_key[position] : 0; }
};

template <class Math>
MEDITRON_INLINE void pack_keys(const Rows& k, int64_t keys, int64_t D, float* panels) {
  pack_panels<Math, kTileColumns>(k.data, k.offset, k.stride, true, keys, D, 0, ceil_div(keys, kTileColumns), panels);
}
template <class Math>
MEDITRON_INLINE void pack_values(const Rows& v, int64_t keys, int64_t D, float* panels) {
  pack_panels<Math, kTileColumns>(v.data, v.offset, v.stride, false, D, keys, 0, ceil_div(D, kTileColumns), panels);
}

// One side of a product: its words, and the scales of their lanes where words have any (none: 1).
struct Words {
  const float* words;
  const float* scales;
};
// A panel of keys, queries or values: scales come before words.
template <class Math, int Width>
MEDITRON_INLINE Words panel_words(const float* panel, int64_t from = 0) {
  return {panel + (Math::kScaleRows + from) * Width, panel};
}

// A tile of kTileRows by two vectors, or by one where no more than that is wanted: C (+)= alpha · A B.
template <class Math, int ARow, int AStep>
MEDITRON_INLINE void whole_tile(int64_t steps, const Words& a, const Words& b, float* c, int64_t stride, bool accumulate, int64_t columns,
                                float alpha = 1.0f) {
  const bool wide = columns > kLanes;
  const TileOutput out{c, stride, Type::f32, accumulate, alpha, kTileRows, wide ? kTileColumns : kLanes};
#if defined(__AVX512FP16__)
  if constexpr (Math::kScaleRows > 0) {
    if (wide) scaled_tile<kTileRows, ARow, AStep, 2>(steps, a.words, a.scales, b.words, b.scales, out);
    else scaled_tile<kTileRows, ARow, AStep, 1>(steps, a.words, a.scales, b.words, b.scales, out);
    return;
  } else
#endif
  {
    if (wide) tile<Math, kTileRows, ARow, AStep>(steps, a.words, b.words, out);
    else tile<Math, kTileRows, ARow, AStep, 1>(steps, a.words, b.words, out);
  }
}

// Scores of one panel of queries against keys [0, limit) of a block: tile[row][key] = q · k, unscaled.
template <class Math>
MEDITRON_INLINE void score_tiles(const float* q, const float* k_panels, int64_t D, int64_t limit, float* scores) {
  for (int64_t c = 0; c < limit; c += kTileColumns) {
    whole_tile<Math, 1, kTileRows>(ceil_div(D, Math::kPerWord), panel_words<Math, kTileRows>(q),
                                   panel_words<Math, kTileColumns>(k_panels + c * panel_rows<Math>(D)), scores + c, kScoreStride, false, limit - c);
  }
}

// out[row][D] += weights[row][keys] · B, B packed along `keys` keys in all and read from word `from`.
template <class Math>
MEDITRON_INLINE void weigh_tiles(const Words& weights, const float* b, int64_t keys, int64_t from, int64_t words, int64_t D, float* sums) {
  const int64_t width = padded_size(D);
  for (int64_t c = 0; c < D; c += kTileColumns) {
    whole_tile<Math, kScoreStride, 1>(words, weights, panel_words<Math, kTileColumns>(b + c * panel_rows<Math>(keys), from), sums + c, width, true, D - c);
  }
}

// Words in place of float32 in a row of weights: half as wide where they are multiplied as pairs. Writing never passes reading.
template <class Math>
MEDITRON_INLINE void store_words(float* row, int64_t j, Vec v) {
  if constexpr (Math::kPerWord == 2) Math::store_halves(reinterpret_cast<uint16_t*>(row) + j, v);
  else if constexpr (Math::kRounds) store(row + j, round_bf16(v));
  else store(row + j, v);
}

// Floats that attend_head needs besides the packed keys.
MEDITRON_INLINE constexpr int64_t forward_floats(int64_t D) {
  return round_up(round_up(D, 2) * kQueryBlock + 64, 16) + kQueryBlock * kScoreStride + kQueryBlock * padded_size(D);
}

// Queries [0, rows) at positions first_position + row, with the keys that come before them: online softmax (Milakov & Gimelshein 2018).
// lse: log-sum-exp of the scaled scores of each row, or nullptr.
template <class Math>
void attend_head(const Rows& o, float* lse, const Rows& q, const PackedKeys& kv, int64_t rows, int64_t first_position, int64_t D,
                 const Visible& visible, float scale, float* scratch) {
  const int64_t d_rows = panel_rows<Math>(D), width = padded_size(D);
  float* const q_panels = scratch;
  float* const scores = q_panels + round_up(d_rows * kQueryBlock + 64, 16);
  float* const sums = scores + kQueryBlock * kScoreStride;
  float highest[kQueryBlock], total[kQueryBlock];

  for (int64_t r0 = 0; r0 < rows; r0 += kQueryBlock) {
    const int64_t block_rows = least(kQueryBlock, rows - r0), panels = ceil_div(block_rows, kTileRows);
    pack_panels<Math, kTileRows>(q.data, q.offset + r0 * q.stride, q.stride, true, block_rows, D, 0, panels, q_panels);
    for (int64_t i = 0; i < panels * kTileRows * width; i += kLanes) store(sums + i, zero());
    for (int64_t r = 0; r < panels * kTileRows; r++) highest[r] = -INFINITY, total[r] = 0;

    const int64_t first = first_position + r0, last_end = first + block_rows;
    for (int64_t k0 = visible.begin(first) / kKeyBlock * kKeyBlock; k0 < last_end; k0 += kKeyBlock) {
      for (int64_t p = 0; p < panels; p++) {
        const int64_t r_begin = p * kTileRows, r_end = least(r_begin + kTileRows, block_rows);
        const int64_t limit = least(kKeyBlock, first + r_end - k0);  // keys that some row of the panel sees
        if (limit <= 0) continue;
        float* const tile_scores = scores + r_begin * kScoreStride;
        score_tiles<Math>(q_panels + p * d_rows * kTileRows, kv.k + k0 * d_rows, D, limit, tile_scores);
        for (int64_t r = r_begin; r < r_begin + kTileRows; r++) {
          float* const s = scores + r * kScoreStride;
          const int64_t from = r < r_end ? most(visible.begin(first + r) - k0, 0) : 0;
          const int64_t to = r < r_end ? least(kKeyBlock, first + r + 1 - k0) : 0;
          if (from >= to) {
            for (int64_t j = 0; j < limit; j += kLanes) store_words<Math>(s, j, zero());
            continue;
          }
          // Whole vectors of visible keys need no masks; those at either end may.
          const int64_t start = from / kLanes * kLanes, inner_begin = least(round_up(from, kLanes), to), inner_end = to / kLanes * kLanes;
          Vec top = set(-INFINITY);
          const auto raise = [&](int64_t j) MEDITRON_LAMBDA { top = max(top, keep(load(s + j), from - j, to - j, set(-INFINITY))); };
          int64_t j = start;
          for (; j < inner_begin; j += kLanes) raise(j);
          for (; j < inner_end; j += kLanes) top = max(top, load(s + j));
          for (; j < to; j += kLanes) raise(j);
          const float old_top = highest[r], scaled = max_lane(top) * scale, new_top = old_top > scaled ? old_top : scaled;
          Vec sum_r = zero();
          const Vec scale_r = set(scale), top_r = set(-new_top);
          const auto weigh = [&](int64_t j, bool edge) MEDITRON_LAMBDA {
            Vec e = exp(fma(load(s + j), scale_r, top_r));
            if (edge) e = keep(e, from - j, to - j, zero());
            sum_r = sum_r + e;
            store_words<Math>(s, j, e);
          };
          for (j = 0; j < start; j += kLanes) store_words<Math>(s, j, zero());
          for (; j < inner_begin; j += kLanes) weigh(j, true);
          for (; j < inner_end; j += kLanes) weigh(j, false);
          for (; j < to; j += kLanes) weigh(j, true);
          for (; j < limit; j += kLanes) store_words<Math>(s, j, zero());
          // exp(old − new) shrinks what earlier blocks contributed.
          if (old_top != new_top && total[r] > 0) {
            const float shrink = __builtin_expf(old_top - new_top);
            total[r] *= shrink;
            for (int64_t d = 0; d < width; d += kLanes) store(sums + r * width + d, load(sums + r * width + d) * set(shrink));
          }
          total[r] += sum(sum_r);
          highest[r] = new_top;
        }
        weigh_tiles<Math>({tile_scores, nullptr}, kv.v, kv.keys, k0 / Math::kPerWord, ceil_div(limit, Math::kPerWord), D, sums + r_begin * width);
      }
    }
    for (int64_t r = 0; r < block_rows; r++) {
      const Tensor o_r = o.row(r0 + r);
      const Vec inverse = set(1.0f / total[r]);
      each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA { store(o_r, d, load(sums + r * width + d) * inverse, lanes); });
      if (lse) lse[r0 + r] = highest[r] + __builtin_logf(total[r]);
    }
  }
}

}  // namespace meditron::MEDITRON_ISA
