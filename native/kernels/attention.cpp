// Causal attention with grouped queries, in tiles: Dao et al. 2022, FlashAttention, arXiv:2205.14135
//
//   forward    S = Q Kᵀ / √D over visible keys,  P = softmax(S),  O = P V;   lse = logsumexp(S), kept for backward
//   backward   P again from lse;  D_i = Σ dO ∘ O;  dP = dO Vᵀ;  dS = P ∘ (dP − D_i) / √D
//              dQ = dS K;  dK = dSᵀ Q;  dV = Pᵀ dO, the last two summed over the query heads of the group
//
// qkv: [B·T, (H + 2 KV) · D], query heads first;  o: [B·T, H · D];  lse: [B, H, T].  A key/value head and its query heads belong to one
// thread, which goes through blocks of queries in order: no sum crosses threads. The window and the documents (runs of equal ids)
// bound the keys of a query from below.
#include "attention.h"

namespace meditron::MEDITRON_ISA {
namespace {

// First visible key of each position of one sequence, or nullptr when all earlier ones are seen.
const int32_t* first_keys(const Attention& shape, int64_t b, int32_t* buffer) {
  if (!shape.window && !shape.documents) return nullptr;
  int64_t document = 0;
  for (int64_t i = 0; i < shape.tokens; i++) {
    const int32_t* const ids = shape.documents ? shape.documents + b * shape.tokens : nullptr;
    if (ids && i > 0 && ids[i] != ids[i - 1]) document = i;
    const int64_t window = shape.window ? most(i + 1 - shape.window, 0) : 0;
    buffer[i] = static_cast<int32_t>(most(document, window));
  }
  return buffer;
}

// Queries, keys and values of a head in packed rows.
struct Heads {
  int64_t D, group, stride;
  Rows q, k, v;
  Heads(const Attention& s, Tensor qkv, int64_t b, int64_t kv) : D(s.head_size), group(s.heads / s.kv_heads), stride((s.heads + 2 * s.kv_heads) * D) {
    const int64_t from = b * s.tokens * stride;
    q = {qkv, from + kv * group * D, stride};
    k = {qkv, from + (s.heads + kv) * D, stride};
    v = {qkv, from + (s.heads + s.kv_heads + kv) * D, stride};
  }
};

template <class Math>
void forward(Tensor o, float* lse, Tensor qkv, const Attention& shape) {
  const int64_t T = shape.tokens, D = shape.head_size, group = shape.heads / shape.kv_heads;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(D));
  // When heads are fewer than threads, queries are cut too. The cut falls between blocks, so it changes no bits.
  const int64_t units = shape.batch * shape.kv_heads, blocks = ceil_div(T, kQueryBlock);
  const int64_t cuts = least(most(pool::threads() / units, 1), blocks);
  pool::parallel_range(units * cuts, 1, [&](int64_t begin, int64_t end, int thread) {
    const int64_t k_floats = padded_keys(T) * round_up(D, 2), v_floats = padded_keys(T) * padded_size(D);
    float* const scratch = static_cast<float*>(
        pool::own(pool::Slot::attention, thread, (k_floats + v_floats + forward_floats(D) + T + 64) * 4));
    float* const k_panels = scratch;
    float* const v_panels = k_panels + k_floats;
    float* const block = v_panels + v_floats;
    int32_t* const firsts = reinterpret_cast<int32_t*>(block + forward_floats(D));
    for (int64_t i = begin; i < end; i++) {
      const int64_t b = i / cuts / shape.kv_heads, kv = i / cuts % shape.kv_heads, cut = i % cuts;
      const Heads head(shape, qkv, b, kv);
      const int64_t r_begin = blocks * cut / cuts * kQueryBlock, r_end = least(blocks * (cut + 1) / cuts * kQueryBlock, T);
      const Visible visible{first_keys(shape, b, firsts)};
      // Scales come from all keys, so that they do not depend on the cut.
      const int64_t keys = Math::kScaleRows > 0 ? T : r_end;
      pack_keys<Math>(head.k, keys, D, k_panels);
      pack_values<Math>(head.v, keys, D, v_panels);
      for (int64_t h = kv * group; h < (kv + 1) * group; h++) {
        const Rows q{qkv, head.q.offset + (h - kv * group) * D + r_begin * head.stride, head.stride};
        const Rows out{o, (b * T + r_begin) * shape.heads * D + h * D, shape.heads * D};
        attend_head<Math>(out, lse + (b * shape.heads + h) * T + r_begin, q, {k_panels, v_panels, keys}, r_end - r_begin, r_begin, D,
                          visible, scale, block);
      }
    }
  });
}

// Transposed words of two rows of weights, for products that run along the rows: pairs of rows where words are pairs.
template <class Math>
MEDITRON_INLINE void store_row_pair(float* weights, int64_t r, int64_t j, Vec even, Vec odd) {
  if constexpr (Math::kPerWord == 2) {
    store(weights + r / 2 * kScoreStride + j, Math::pair(even, odd));
  } else {
    store_words<Math>(weights + r * kScoreStride, j, even);
    store_words<Math>(weights + (r + 1) * kScoreStride, j, odd);
  }
}

// sums[key][D] += alpha · weightsᵀ · B for one panel of keys; B packed along the rows of the block, read from word `from`.
template <class Math>
MEDITRON_INLINE void weigh_keys(const float* weights, const float* b, int64_t rows, int64_t from, int64_t D, float* sums, float alpha) {
  const int64_t width = padded_size(D);
  for (int64_t c = 0; c < D; c += kTileColumns) {
    whole_tile<Math, 1, kScoreStride>(ceil_div(rows, Math::kPerWord) - from, {weights + from * kScoreStride, nullptr},
                                      panel_words<Math, kTileColumns>(b + c * panel_rows<Math>(rows), from), sums + c, width, true, D - c, alpha);
  }
}

// No less than the length of a row, sqrt(Σ x²), also where squares are nothing or infinite.
float row_length(const Tensor& x, int64_t D) {
  Vec squares = zero(), largest = zero();
  each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA {
    const Vec x_d = load(x, d, lanes);
    squares = fma(x_d, x_d, squares);
    largest = max_bits(magnitude(x_d), largest);
  });
  const float most = max_lane(largest);
  const bool squarable = most > 1e-15f && most < 1e15f;
  return __builtin_sqrtf(squarable ? sum(squares) : static_cast<float>(D)) * (squarable ? 1.0f : most);
}

float longest_row(const Rows& x, int64_t rows, int64_t D) {
  float longest = 0;
  for (int64_t r = 0; r < rows; r++) {
    const float length = row_length(x.row(r), D);
    longest = length > longest ? length : longest;
  }
  return longest;
}

// Powers of two by which the scores' gradients are multiplied where words have a limited range: one for each query (for dQ), and one for
// the whole block (for dK, whose sums run over queries). |dS| <= 2 |dO_i| max |V_j| / √D, since O_i is a mean of V.
struct ScoreScales {
  alignas(64) float row[kQueryBlock + kLanes];
  float block = 1, block_inverse = 1;
  template <class Math>
  MEDITRON_INLINE void choose(const float* bounds) {
    if constexpr (Math::kScaleRows > 0) {
      Vec highest = zero();
      each(kQueryBlock, [&](int64_t r, auto lanes) MEDITRON_LAMBDA {
        const Vec bound = load(bounds + r, lanes);
        highest = max_bits(bound, highest);
        store(row + r, Math::scale_for(bound), lanes);
      });
      block = Math::scale_for(set(max_lane(highest)))[0];
      block_inverse = 1 / block;
    }
  }
};

// Scratch of one thread, carved from one buffer.
struct Backward {
  float *k_panels, *v_panels, *k_columns;        // K and V along D, K along keys
  float *q_panels, *do_panels, *q_columns, *do_columns;  // a block of queries: along D, and along its rows
  float *scores, *d_scores, *p_pairs, *ds_pairs;
  float *dq, *dk, *dv;
  int32_t* firsts;
  int64_t floats;
  Backward(float* base, int64_t T, int64_t D) : floats(0) {
    const int64_t keys = padded_keys(T), width = padded_size(D), depth = round_up(D, 2), key_rows = keys + kKeyBlock + kTileRows;
    const auto take = [&](int64_t n) {
      float* const part = base ? base + floats : nullptr;
      floats += round_up(n, 16);
      return part;
    };
    k_panels = take(keys * depth), v_panels = take(keys * depth), k_columns = take(keys * width);
    q_panels = take(kQueryBlock * depth + 64), do_panels = take(kQueryBlock * depth + 64);
    q_columns = take((kQueryBlock + 2) * width), do_columns = take((kQueryBlock + 2) * width);
    scores = take((kQueryBlock + 2) * kScoreStride), d_scores = take((kQueryBlock + 2) * kScoreStride);
    p_pairs = take((kQueryBlock + 2) * kScoreStride), ds_pairs = take((kQueryBlock + 2) * kScoreStride);
    dq = take(kQueryBlock * width), dk = take(key_rows * width), dv = take(key_rows * width);
    firsts = reinterpret_cast<int32_t*>(take(T));
  }
};

MEDITRON_INLINE void clear(float* p, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes) store(p + i, zero());
}

template <class Math>
void backward_head(const Rows& dq, const Rows& d_o, const Rows& q, const Rows& o, const float* lse, float longest_value, int64_t T, int64_t D,
                   const Visible& visible, float scale, const Backward& s) {
  const int64_t d_rows = panel_rows<Math>(D), width = padded_size(D);
  // Where words are pairs of rows, transposed weights have buffers of their own; else they are the weights themselves.
  constexpr bool kPairs = Math::kPerWord == 2;
  float* const p_words = kPairs ? s.p_pairs : s.scores;
  float* const ds_words = kPairs ? s.ds_pairs : s.d_scores;

  for (int64_t r0 = 0; r0 < T; r0 += kQueryBlock) {
    const int64_t rows = least(kQueryBlock, T - r0), panels = ceil_div(rows, kTileRows);
    pack_panels<Math, kTileRows>(q.data, q.offset + r0 * q.stride, q.stride, true, rows, D, 0, panels, s.q_panels);
    pack_panels<Math, kTileRows>(d_o.data, d_o.offset + r0 * d_o.stride, d_o.stride, true, rows, D, 0, panels, s.do_panels);
    pack_panels<Math, kTileColumns>(q.data, q.offset + r0 * q.stride, q.stride, false, D, rows, 0, ceil_div(D, kTileColumns), s.q_columns);
    pack_panels<Math, kTileColumns>(d_o.data, d_o.offset + r0 * d_o.stride, d_o.stride, false, D, rows, 0, ceil_div(D, kTileColumns),
                                    s.do_columns);
    float row_dot[kQueryBlock] = {}, row_lse[kQueryBlock] = {}, row_bound[kQueryBlock] = {};
    for (int64_t r = 0; r < rows; r++) {
      const Tensor do_r = d_o.row(r0 + r), o_r = o.row(r0 + r);
      Vec dot = zero();
      each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA { dot = fma(load(do_r, d, lanes), load(o_r, d, lanes), dot); });
      row_dot[r] = sum(dot);
      row_lse[r] = lse[r0 + r];
      if constexpr (Math::kScaleRows > 0) row_bound[r] = 2 * scale * longest_value * row_length(do_r, D);
    }
    ScoreScales scales;
    scales.choose<Math>(row_bound);
    clear(s.dq, panels * kTileRows * width);

    for (int64_t k0 = visible.begin(r0) / kKeyBlock * kKeyBlock; k0 < r0 + rows; k0 += kKeyBlock) {
      const int64_t block_limit = least(kKeyBlock, r0 + rows - k0);
      for (int64_t p = 0; p < panels; p++) {
        const int64_t r_begin = p * kTileRows, r_end = least(r_begin + kTileRows, rows);
        const int64_t limit = least(kKeyBlock, r0 + r_end - k0);
        // Panels of keys may hang over `limit`: their weights must read as zero.
        const int64_t clear_to = least(most(limit, 0) + kTileRows + kLanes, kScoreStride) / kLanes * kLanes;
        float* const s_p = s.scores + r_begin * kScoreStride;
        float* const ds_p = s.d_scores + r_begin * kScoreStride;
        if (limit > 0) {
          score_tiles<Math>(s.q_panels + p * d_rows * kTileRows, s.k_panels + k0 * d_rows, D, limit, s_p);
          score_tiles<Math>(s.do_panels + p * d_rows * kTileRows, s.v_panels + k0 * d_rows, D, limit, ds_p);
        }
        for (int64_t r = r_begin; r < r_begin + kTileRows; r += 2) {
          int64_t from[2], to[2];
          for (int i = 0; i < 2; i++) {
            const bool real = r + i < r_end;
            from[i] = real ? most(visible.begin(r0 + r + i) - k0, 0) : 0;
            to[i] = real ? least(kKeyBlock, r0 + r + i + 1 - k0) : 0;
          }
          const auto differentiate = [&](int64_t j, bool edge) MEDITRON_LAMBDA {
            Vec weight[2], d_score[2];
#pragma GCC unroll 2
            for (int i = 0; i < 2; i++) {
              weight[i] = d_score[i] = zero();
              if (edge && (j + kLanes <= from[i] || j >= to[i])) continue;
              const int64_t cell = (r + i) * kScoreStride + j;
              weight[i] = exp(fma(load(s.scores + cell), set(scale), set(-row_lse[r + i])));
              d_score[i] = load(s.d_scores + cell) - set(row_dot[r + i]);
              if (edge) {  // beyond it there may be anything, NaN too
                weight[i] = keep(weight[i], from[i] - j, to[i] - j, zero());
                d_score[i] = keep(d_score[i], from[i] - j, to[i] - j, zero());
              }
              d_score[i] = weight[i] * set(scale) * d_score[i];
            }
            store_row_pair<Math>(p_words, r, j, weight[0], weight[1]);
            if constexpr (Math::kScaleRows > 0) {
              store_row_pair<Math>(ds_words, r, j, d_score[0] * set(scales.block), d_score[1] * set(scales.block));
              d_score[0] = d_score[0] * set(scales.row[r]), d_score[1] = d_score[1] * set(scales.row[r + 1]);
            } else {
              store_row_pair<Math>(ds_words, r, j, d_score[0], d_score[1]);
            }
            if constexpr (kPairs) {
              store_words<Math>(s.d_scores + r * kScoreStride, j, d_score[0]);
              store_words<Math>(s.d_scores + (r + 1) * kScoreStride, j, d_score[1]);
            }
          };
          // Whole vectors that both rows see need no masks.
          const int64_t inner_end = least(to[0], to[1]) / kLanes * kLanes, inner_begin = round_up(most(from[0], from[1]), kLanes);
          int64_t j = 0;
          for (; j < least(inner_begin, clear_to); j += kLanes) differentiate(j, true);
          for (; j < inner_end; j += kLanes) differentiate(j, false);
          for (; j < clear_to; j += kLanes) differentiate(j, true);
        }
        if (limit > 0) {
          weigh_tiles<Math>({ds_p, Math::kScaleRows > 0 ? scales.row + r_begin : nullptr}, s.k_columns, T, k0 / Math::kPerWord, ceil_div(limit, Math::kPerWord), D, s.dq + r_begin * width);
        }
      }
      for (int64_t key = 0; key < block_limit; key += kTileRows) {
        // The first row that sees any key of this panel starts the sum: earlier weights are zero.
        const int64_t from = most(k0 + key - r0, 0) / kTileRows * kTileRows / Math::kPerWord;
        weigh_keys<Math>(ds_words + key, s.q_columns, rows, from, D, s.dk + (k0 + key) * width, scales.block_inverse);
        weigh_keys<Math>(p_words + key, s.do_columns, rows, from, D, s.dv + (k0 + key) * width, 1);
      }
    }
    for (int64_t r = 0; r < rows; r++) {
      const Tensor dq_r = dq.row(r0 + r);
      each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA { store(dq_r, d, load(s.dq + r * width + d), lanes); });
    }
  }
}

template <class Math>
void backward(Tensor dqkv, Tensor d_o, Tensor qkv, Tensor o, const float* lse, const Attention& shape) {
  const int64_t T = shape.tokens, D = shape.head_size, group = shape.heads / shape.kv_heads, width = padded_size(D);
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(D));
  pool::parallel_range(shape.batch * shape.kv_heads, 1, [&](int64_t begin, int64_t end, int thread) {
    const int64_t floats = Backward(nullptr, T, D).floats;
    const Backward s(static_cast<float*>(pool::own(pool::Slot::attention, thread, floats * 4)), T, D);
    for (int64_t i = begin; i < end; i++) {
      const int64_t b = i / shape.kv_heads, kv = i % shape.kv_heads;
      const Heads head(shape, qkv, b, kv), d_head(shape, dqkv, b, kv);
      const Visible visible{first_keys(shape, b, s.firsts)};
      pack_keys<Math>(head.k, T, D, s.k_panels);
      pack_keys<Math>(head.v, T, D, s.v_panels);
      pack_values<Math>(head.k, T, D, s.k_columns);
      const float longest_value = Math::kScaleRows > 0 ? longest_row(head.v, T, D) : 0;
      clear(s.dk, (padded_keys(T) + kKeyBlock) * width);
      clear(s.dv, (padded_keys(T) + kKeyBlock) * width);
      for (int64_t g = 0; g < group; g++) {
        const int64_t h = kv * group + g, rows_at = b * T * shape.heads * D + h * D;
        backward_head<Math>({dqkv, d_head.q.offset + g * D, head.stride}, {d_o, rows_at, shape.heads * D},
                            {qkv, head.q.offset + g * D, head.stride}, {o, rows_at, shape.heads * D},
                            lse + (b * shape.heads + h) * T, longest_value, T, D, visible, scale, s);
      }
      for (int64_t t = 0; t < T; t++) {
        const Tensor dk_t = d_head.k.row(t), dv_t = d_head.v.row(t);
        each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA {
          store(dk_t, d, load(s.dk + t * width + d), lanes);
          store(dv_t, d, load(s.dv + t * width + d), lanes);
        });
      }
    }
  });
}

}  // namespace

void attention(Tensor o, float* lse, Tensor qkv, const Attention& shape) {
  if (shape.precision == Precision::bf16) forward<PackedBf16>(o, lse, qkv, shape);
  else forward<F32>(o, lse, qkv, shape);
}

void attention_backward(Tensor dqkv, Tensor d_o, Tensor qkv, Tensor o, const float* lse, const Attention& shape) {
  if (shape.precision == Precision::bf16) backward<PackedBf16>(dqkv, d_o, qkv, o, lse, shape);
  else backward<F32>(dqkv, d_o, qkv, o, lse, shape);
}

}  // namespace meditron::MEDITRON_ISA
