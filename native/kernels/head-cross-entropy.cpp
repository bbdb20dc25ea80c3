// Output head and cross-entropy in chunks of rows, so that logits [N, vocabulary] never exist as a whole
// (the idea of Liger Kernel's fused linear cross-entropy, arXiv:2410.10989)
//
//   z = hidden · headᵀ;   loss[n] = logsumexp(z[n]) − z[n, target];   dz = scale · weight[n] · (softmax(z[n]) − onehot(target))
//   dHidden = dz · head;   dHead += dzᵀ · hidden
//
// Logits are float32 whatever the precision; dz takes their place, as bfloat16 when products are. Rows of weight 0 are left out before
// any work (unless `best` asks for them). The chunk depends on sizes alone, and products on no thread count: neither do the results.
#include "declarations.h"

namespace meditron::MEDITRON_ISA {
namespace {

constexpr int64_t kLogitBytes = 64 << 20;  // a chunk of logits should stay in the last-level cache
constexpr int64_t kMostRows = 2048;

// Loss of one row of logits, which becomes its gradient when `scale` points to a factor.
float cross_entropy_row(float* z, int64_t stride, int64_t vocab, int32_t target, const float* scale, Precision precision) {
  Vec highest = set(-INFINITY);
  each(vocab, [&](int64_t v, auto lanes) MEDITRON_LAMBDA {
    highest = max(highest, keep(load(z + v, lanes), 0, count(lanes), set(-INFINITY)));
  });
  const float top = max_lane(highest), z_target = z[target];
  Vec total = zero();
  const bool gradient = scale != nullptr;
  each(vocab, [&](int64_t v, auto lanes) MEDITRON_LAMBDA {
    const Vec z_v = load(z + v, lanes), e = keep(exp(z_v - set(top)), 0, count(lanes), zero());
    total = total + e;
    if (gradient) store(z + v, e, lanes);
    __builtin_prefetch(z + stride + v);  // the next row is on its way while this one computes
  });
  const float s = sum(total);
  const float loss = __builtin_logf(s) + top - z_target;
  if (!gradient) return loss;
  z[target] -= s;  // (softmax − onehot) · s
  const Vec factor = set(*scale / s);
  // The bfloat16 row starts where the float32 row does: writing never passes reading.
  const Tensor dz{z, precision == Precision::bf16 ? Type::bf16 : Type::f32};
  each(vocab, [&](int64_t v, auto lanes) MEDITRON_LAMBDA { store(dz, v, load(z + v, lanes) * factor, lanes); });
  return loss;
}

int32_t argmax(const float* z, int64_t vocab) {
  int64_t best = 0;
  for (int64_t v = 1; v < vocab; v++)
    if (z[v] > z[best]) best = v;
  return static_cast<int32_t>(best);
}

}  // namespace

void head_cross_entropy(const Head& h) {
  const int64_t C = h.channels, V = h.vocab;
  // Rows that take part. `chosen` lists them; when it is all of them, nothing is gathered.
  int32_t* const chosen = static_cast<int32_t*>(pool::shared(pool::Slot::partials, h.rows * 4));
  int64_t rows = 0;
  for (int64_t n = 0; n < h.rows; n++) {
    h.loss[n] = 0;
    if (h.weights[n] != 0 || h.best) chosen[rows++] = static_cast<int32_t>(n);
  }
  const bool all = rows == h.rows;
  if (h.gradient && !all) fill(h.d_hidden, h.rows * C, 0.0f);
  if (rows == 0) return;

  const int64_t stride = round_up(V, 16);
  const int64_t most_rows = most(least(kLogitBytes / (stride * 4), kMostRows), 64);
  const int64_t chunk = ceil_div(rows, ceil_div(rows, most_rows));
  float* const z = static_cast<float*>(pool::shared(pool::Slot::logits, chunk * stride * 4));
  float* const gathered = all ? nullptr : static_cast<float*>(pool::shared(pool::Slot::gathered, 2 * chunk * C * 4));

  for (int64_t begin = 0; begin < rows; begin += chunk) {
    const int64_t count = least(chunk, rows - begin);
    const int32_t* const index = chosen + begin;
    Tensor hidden = all ? at(h.hidden, begin * C) : Tensor{gathered, h.hidden.type};
    if (!all) embedding(hidden, index, h.hidden, count, C);

    gemm({.c = {z, Type::f32}, .a = hidden, .b = h.head, .m = count, .n = V, .k = C, .lda = C, .ldb = C, .ldc = stride,
          .transpose_a = false, .transpose_b = true, .accumulate = false, .alpha = 1, .precision = h.precision});
    pool::parallel_range(count, ceil_div(1 << 13, V), [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) {
        const int32_t n = index[i];
        float* const z_i = z + i * stride;
        if (h.best) h.best[n] = argmax(z_i, V);
        const float scale = h.scale * h.weights[n];
        if (h.weights[n] == 0) {
          if (h.gradient) std::memset(z_i, 0, V * 4);
        } else {
          h.loss[n] = cross_entropy_row(z_i, stride, V, h.targets[n], h.gradient ? &scale : nullptr, h.precision);
        }
      }
    });
    if (!h.gradient) continue;

    const bool half = h.precision == Precision::bf16;
    const Tensor dz{z, half ? Type::bf16 : Type::f32};
    const int64_t dz_stride = half ? 2 * stride : stride;
    const Tensor d_hidden = all ? at(h.d_hidden, begin * C) : Tensor{gathered + chunk * C, Type::f32};
    gemm({.c = d_hidden, .a = dz, .b = h.head, .m = count, .n = C, .k = V, .lda = dz_stride, .ldb = C, .ldc = C,
          .transpose_a = false, .transpose_b = false, .accumulate = false, .alpha = 1, .precision = h.precision});
    if (!all) {
      for (int64_t i = 0; i < count; i++) scale_add(at(h.d_hidden, index[i] * C), at(d_hidden, i * C), C, 1.0f, false);
    }
    if (h.d_head) {
      gemm({.c = {h.d_head, Type::f32}, .a = dz, .b = hidden, .m = V, .n = C, .k = count, .lda = dz_stride, .ldb = C, .ldc = C,
            .transpose_a = true, .transpose_b = false, .accumulate = true, .alpha = 1, .precision = h.precision});
    }
  }
}

}  // namespace meditron::MEDITRON_ISA
