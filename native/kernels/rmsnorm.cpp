// RMSNorm, Zhang & Sennrich 2019, arXiv:1910.07467
//
//   forward    y[c] = x[c] · r · w[c],   r = 1 / sqrt(mean_c x[c]² + ε)
//   backward   dx[c] = r · dy[c] · w[c] − x[c] · r³/C · Σ_j dy[j] w[j] x[j];   dw[c] += Σ_n dy[c] · x[c] · r
//
// A row of x holds `groups` vectors of C channels, each normalised on its own with the same w (groups > 1: q/k norm, one a head).
// r: [rows · groups], kept for backward. dw is summed over blocks of 64 vectors, then over blocks in order: any thread count
// gives the same bits. dx may be dy.
#include "declarations.h"

namespace meditron::MEDITRON_ISA {
namespace {
constexpr int64_t kGrain = 1 << 13;
constexpr int64_t kBlock = 64;
}  // namespace

void rmsnorm(Tensor y, float* r, Tensor x, const float* w, const Norm& norm) {
  const int64_t C = norm.channels;
  pool::parallel_range(norm.rows * norm.groups, ceil_div(kGrain, C), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t n = i / norm.groups, g = i % norm.groups;
      const Tensor x_i = at(x, n * norm.stride_x + g * C), y_i = at(y, n * norm.stride_y + g * C);
      Vec squares = zero();
      each(C, [&](int64_t c, auto lanes) MEDITRON_LAMBDA {
        const Vec v = load(x_i, c, lanes);
        squares = fma(v, v, squares);
      });
      r[i] = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(C) + norm.epsilon);
      const Vec scale = set(r[i]);
      each(C, [&](int64_t c, auto lanes) MEDITRON_LAMBDA { store(y_i, c, load(x_i, c, lanes) * scale * load(w + c, lanes), lanes); });
    }
  });
}

void rmsnorm_backward(Tensor dx, float* dw, Tensor dy, Tensor x, const float* w, const float* r, const Norm& norm, bool accumulate) {
  const int64_t C = norm.channels, vectors = norm.rows * norm.groups, blocks = ceil_div(vectors, kBlock);
  const int64_t width = round_up(C, 16);
  float* const partials = static_cast<float*>(pool::shared(pool::Slot::partials, blocks * width * 4));

  pool::parallel_range(blocks, ceil_div(kGrain, C * kBlock), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      float* const dw_b = partials + b * width;
      for (int64_t c = 0; c < width; c += kLanes) store(dw_b + c, zero());
      for (int64_t i = b * kBlock; i < least((b + 1) * kBlock, vectors); i++) {
        const int64_t n = i / norm.groups, g = i % norm.groups;
        const Tensor x_i = at(x, n * norm.stride_x + g * C), dx_i = at(dx, n * norm.stride_x + g * C);
        const Tensor dy_i = at(dy, n * norm.stride_y + g * C);
        Vec dot = zero();
        each(C, [&](int64_t c, auto lanes) MEDITRON_LAMBDA {
          dot = fma(load(dy_i, c, lanes) * load(w + c, lanes), load(x_i, c, lanes), dot);
        });
        const Vec scale = set(r[i]), pull = set(sum(dot) * r[i] * r[i] * r[i] / static_cast<float>(C));
        each(C, [&](int64_t c, auto lanes) MEDITRON_LAMBDA {
          const Vec dy_c = load(dy_i, c, lanes), x_c = load(x_i, c, lanes);
          Vec d = fnma(x_c, pull, scale * dy_c * load(w + c, lanes));
          if (accumulate) d = d + load(dx_i, c, lanes);
          store(dx_i, c, d, lanes);
          store(dw_b + c, fma(dy_c * x_c, scale, load(dw_b + c)));
        });
      }
    }
  });
  each(C, [&](int64_t c, auto lanes) {
    Vec total = zero();
    for (int64_t b = 0; b < blocks; b++) total = total + load(partials + b * width + c);
    store(dw + c, load(dw + c, lanes) + total, lanes);
  });
}

}  // namespace meditron::MEDITRON_ISA
