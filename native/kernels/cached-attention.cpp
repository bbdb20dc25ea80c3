// Attention for inference: ragged rows over a key/value cache [slots, 2, kv_heads, max_tokens, D].
//
// Row n belongs to sequence[n] at position[n]. First the keys and values of all rows go into the cache, then each row looks at positions
// 0..position[n] of its sequence (the last `window` of them). Runs of neighbouring positions (a prompt) take the tiles of training, single rows
// (decoding) plain dot products: there reading the cache is what takes the time.
#include "attention.h"

namespace meditron::MEDITRON_ISA {
namespace {

constexpr int64_t kTiledRun = 8;  // rows for which packing the keys pays

// The two ways round differently. A tiled row's bits do not depend on the run around it, so a caller that says which rows are prompts
// gets the same results however they are cut.
bool is_tiled(int64_t begin, int64_t rows, int64_t continuing) { return continuing < 0 ? rows >= kTiledRun : begin >= continuing; }

struct Cache {
  Tensor data;
  int64_t kv_heads, max_tokens, D;
  // Offset of the keys (which = 0) or values (1) of one head.
  MEDITRON_INLINE int64_t head(int64_t slot, int64_t which, int64_t kv) const {
    return ((slot * 2 + which) * kv_heads + kv) * max_tokens * D;
  }
};

// scores[j] = scale · q · k[j] for keys [0, n), as many at a time as there are registers for.
void score_row(float* scores, const float* q, const Tensor& k, int64_t n, int64_t D, float scale) {
  constexpr int kAtOnce = kLanes == 16 ? 16 : 4;
  int64_t j = 0;
  for (; j + kAtOnce <= n; j += kAtOnce) {
    Vec dot[kAtOnce];
#pragma GCC unroll 16
    for (int i = 0; i < kAtOnce; i++) dot[i] = zero();
    each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA {
      const Vec q_d = load(q + d);
#pragma GCC unroll 16
      for (int i = 0; i < kAtOnce; i++) dot[i] = fma(q_d, load(k, (j + i) * D + d, lanes), dot[i]);
    });
    if constexpr (kAtOnce == 16) {
      sum_each(dot, scores + j);
      store(scores + j, load(scores + j) * set(scale));
    } else {
      for (int i = 0; i < kAtOnce; i++) scores[j + i] = sum(dot[i]) * scale;
    }
  }
  for (; j < n; j++) {
    Vec dot = zero();
    each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA { dot = fma(load(q + d), load(k, j * D + d, lanes), dot); });
    scores[j] = sum(dot) * scale;
  }
}

// scores = exp(scores − max); returns their sum.
float soften(float* scores, int64_t n) {
  Vec top = set(-INFINITY);
  each(n, [&](int64_t j, auto lanes) MEDITRON_LAMBDA { top = max(top, keep(load(scores + j, lanes), 0, count(lanes), set(-INFINITY))); });
  const Vec highest = set(max_lane(top));
  Vec total = zero();
  each(n, [&](int64_t j, auto lanes) MEDITRON_LAMBDA {
    const Vec e = keep(exp(load(scores + j, lanes) - highest), 0, count(lanes), zero());
    total = total + e;
    store(scores + j, e, lanes);
  });
  return sum(total);
}

// o[0, count(lanes) + (Vecs - 1) · kLanes) = Σ_j weights[j] · v[j] · inverse. Neighbouring j go to different sums, or each addition waits for the last.
template <int Vecs, class Lanes>
MEDITRON_INLINE void weigh_columns(const Tensor& o, int64_t at, const float* weights, Vec inverse, const Tensor& v, int64_t n, int64_t D, Lanes lanes) {
  constexpr int kChains = 4;
  Vec sums[kChains][Vecs];
#pragma GCC unroll 4
  for (int c = 0; c < kChains; c++)
#pragma GCC unroll 4
    for (int i = 0; i < Vecs; i++) sums[c][i] = zero();
  const auto add = [&](int64_t j, int c) MEDITRON_LAMBDA {
    const Vec w = set(weights[j]);
#pragma GCC unroll 4
    for (int i = 0; i < Vecs; i++) sums[c][i] = fma(w, load(v, j * D + at + i * kLanes, lanes), sums[c][i]);
  };
  int64_t j = 0;
  for (; j + kChains <= n; j += kChains) add(j, 0), add(j + 1, 1), add(j + 2, 2), add(j + 3, 3);
  for (; j < n; j++) add(j, 0);
#pragma GCC unroll 4
  for (int i = 0; i < Vecs; i++) store(o, at + i * kLanes, ((sums[0][i] + sums[1][i]) + (sums[2][i] + sums[3][i])) * inverse, lanes);
}

// o = Σ_j weights[j] · v[j] / total
void weigh_row(const Tensor& o, const float* weights, float total, const Tensor& v, int64_t n, int64_t D) {
  const Vec inverse = set(1.0f / total);
  int64_t d = 0;
  for (; d + 4 * kLanes <= D; d += 4 * kLanes) weigh_columns<4>(o, d, weights, inverse, v, n, D, Full{});
  for (; d + 2 * kLanes <= D; d += 2 * kLanes) weigh_columns<2>(o, d, weights, inverse, v, n, D, Full{});
  each(D - d, [&](int64_t rest, auto lanes) { weigh_columns<1>(o, d + rest, weights, inverse, v, n, D, lanes); });
}

// Rows [begin, begin + rows) of one sequence at positions first, first + 1 ...
struct Run {
  int64_t begin, rows, slot, first;
};

void attend_rows(Tensor o, Tensor qkv, const Cache& cache, const CachedAttention& shape, const Run& run, int64_t kv, int thread) {
  const int64_t D = shape.head_size, group = shape.heads / shape.kv_heads, stride = (shape.heads + 2 * shape.kv_heads) * D;
  const float scale = 1.0f / __builtin_sqrtf(static_cast<float>(D));
  float* const scores = static_cast<float*>(pool::own(pool::Slot::attention, thread, (shape.max_tokens + D + 64) * 4));
  float* const q = scores + round_up(shape.max_tokens, 16) + 16;
  for (int64_t r = 0; r < run.rows; r++) {
    const int64_t n = run.begin + r, last = run.first + r, first = shape.window ? most(last + 1 - shape.window, 0) : 0;
    const Tensor k = at(cache.data, cache.head(run.slot, 0, kv) + first * D), v = at(cache.data, cache.head(run.slot, 1, kv) + first * D);
    for (int64_t h = kv * group; h < (kv + 1) * group; h++) {
      each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA { store(q + d, load(qkv, n * stride + h * D + d, lanes)); });
      score_row(scores, q, k, last + 1 - first, D, scale);
      const float total = soften(scores, last + 1 - first);
      weigh_row(at(o, (n * shape.heads + h) * D), scores, total, v, last + 1 - first, D);
    }
  }
}

template <class Math>
void attend_run(Tensor o, Tensor qkv, const Cache& cache, const CachedAttention& shape, const Run& run, int64_t kv, int thread) {
  const int64_t D = shape.head_size, group = shape.heads / shape.kv_heads, stride = (shape.heads + 2 * shape.kv_heads) * D;
  const int64_t keys = run.first + run.rows;
  const int64_t k_floats = padded_keys(keys) * round_up(D, 2), v_floats = padded_keys(keys) * padded_size(D);
  float* const k_panels =
      static_cast<float*>(pool::own(pool::Slot::attention, thread, (k_floats + v_floats + forward_floats(D) + keys + 64) * 4));
  float* const v_panels = k_panels + k_floats;
  float* const block = v_panels + v_floats;
  int32_t* const firsts = reinterpret_cast<int32_t*>(block + forward_floats(D));
  if (shape.window) for (int64_t i = 0; i < keys; i++) firsts[i] = static_cast<int32_t>(most(i + 1 - shape.window, 0));
  pack_keys<Math>({cache.data, cache.head(run.slot, 0, kv), D}, keys, D, k_panels);
  pack_values<Math>({cache.data, cache.head(run.slot, 1, kv), D}, keys, D, v_panels);
  for (int64_t h = kv * group; h < (kv + 1) * group; h++) {
    attend_head<Math>({o, (run.begin * shape.heads + h) * D, shape.heads * D}, nullptr, {qkv, run.begin * stride + h * D, stride},
                      {k_panels, v_panels, keys}, run.rows, run.first, D, {shape.window ? firsts : nullptr},
                      1.0f / __builtin_sqrtf(static_cast<float>(D)), block);
  }
}

}  // namespace

void cached_attention(Tensor o, Tensor qkv, Tensor cache_data, const CachedAttention& shape) {
  const int64_t D = shape.head_size, stride = (shape.heads + 2 * shape.kv_heads) * D;
  const Cache cache{cache_data, shape.kv_heads, shape.max_tokens, D};

  Run* const runs = static_cast<Run*>(pool::shared(pool::Slot::partials, shape.rows * sizeof(Run)));
  int64_t count_runs = 0, work = 0;
  for (int64_t n = 0; n < shape.rows; n++) {
    const int64_t slot = shape.sequence[n], position = shape.position[n];
    for (int64_t which = 0; which < 2; which++) {
      for (int64_t kv = 0; kv < shape.kv_heads; kv++) {
        const int64_t from = n * stride + (shape.heads + which * shape.kv_heads + kv) * D;
        const int64_t to = cache.head(slot, which, kv) + position * D;
        each(D, [&](int64_t d, auto lanes) MEDITRON_LAMBDA { store(cache_data, to + d, load(qkv, from + d, lanes), lanes); });
      }
    }
    work += position + 1;
    Run* const last = count_runs > 0 ? &runs[count_runs - 1] : nullptr;
    if (last && last->slot == slot && last->first + last->rows == position && n != shape.continuing) last->rows++;
    else runs[count_runs++] = {n, 1, slot, position};
  }

  // Each unit is a run and a key/value head. Little work is not worth waking a worker.
  const int64_t units = count_runs * shape.kv_heads;
  const int64_t grain = work * shape.heads * D < (1 << 15) ? units : 1;
  pool::parallel_range(units, grain, [&](int64_t begin, int64_t end, int thread) {
    for (int64_t i = begin; i < end; i++) {
      const Run& run = runs[i / shape.kv_heads];
      const int64_t kv = i % shape.kv_heads;
      if (!is_tiled(run.begin, run.rows, shape.continuing)) attend_rows(o, qkv, cache, shape, run, kv, thread);
      else if (cache_data.type == Type::bf16) attend_run<Bf16>(o, qkv, cache, shape, run, kv, thread);
      else attend_run<F32>(o, qkv, cache, shape, run, kv, thread);
    }
  });
}

}  // namespace meditron::MEDITRON_ISA
