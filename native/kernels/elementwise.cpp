// Element-wise helpers: bias, scaled copies between storages, constants, and the norm of a gradient.
#include "declarations.h"

namespace meditron::MEDITRON_ISA {
namespace {
constexpr int64_t kGrain = 1 << 14;  // elements that are worth waking a worker
constexpr int64_t kLine = 64;        // elements; parts start on a boundary of it
}  // namespace

// y[n,c] += bias[c]
void add_bias(Tensor y, const float* bias, int64_t rows, int64_t channels, int64_t stride) {
  pool::parallel_range(rows, ceil_div(kGrain, channels), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      each(channels, [&](int64_t c, auto lanes) MEDITRON_LAMBDA {
        store(y, n * stride + c, load(y, n * stride + c, lanes) + load(bias + c, lanes), lanes);
      });
    }
  });
}

// dBias[c] += Σ_n dy[n,c]: each thread owns some channels and sums their rows in order.
void add_bias_backward(float* d_bias, Tensor dy, int64_t rows, int64_t channels, int64_t stride) {
  pool::parallel_range(ceil_div(channels, kLanes), ceil_div(kGrain, rows * kLanes), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kLanes, last = least(end * kLanes, channels);
    each(last - first, [&](int64_t i, auto lanes) {
      const int64_t c = first + i;
      Vec total = zero();
      for (int64_t n = 0; n < rows; n++) total = total + load(dy, n * stride + c, lanes);
      store(d_bias + c, load(d_bias + c, lanes) + total, lanes);
    });
  });
}

// y = a · x (+ y)
void scale_add(Tensor y, Tensor x, int64_t n, float a, bool accumulate) {
  pool::parallel_range(ceil_div(n, kLine), kGrain / kLine, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kLine, count = least(end * kLine, n) - first;
    each(count, [&](int64_t i, auto lanes) MEDITRON_LAMBDA {
      Vec v = set(a) * load(x, first + i, lanes);
      if (accumulate) v = v + load(y, first + i, lanes);
      store(y, first + i, v, lanes);
    });
  });
}

void fill(Tensor x, int64_t n, float value) {
  pool::parallel_range(ceil_div(n, kLine), kGrain / kLine, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kLine, count = least(end * kLine, n) - first;
    each(count, [&](int64_t i, auto lanes) MEDITRON_LAMBDA { store(x, first + i, set(value), lanes); });
  });
}

// Σ x² in float64: 16 running sums over each block of 8192, added in a fixed order, then the blocks in order.
double sum_squares(const float* x, int64_t n) {
  constexpr int64_t kBlock = 8192;
  constexpr int kSums = 16;
  const int64_t blocks = ceil_div(n, kBlock);
  double* const partials = static_cast<double*>(pool::shared(pool::Slot::partials, blocks * sizeof(double)));
  pool::parallel_range(blocks, 4, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; b++) {
      const int64_t last = least((b + 1) * kBlock, n);
      double sums[kSums] = {};
      int64_t i = b * kBlock;
      for (; i + kSums <= last; i += kSums)
        for (int j = 0; j < kSums; j++) sums[j] += static_cast<double>(x[i + j]) * static_cast<double>(x[i + j]);
      for (; i < last; i++) sums[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      double total = 0;
      for (int j = 0; j < kSums; j++) total += sums[j];
      partials[b] = total;
    }
  });
  double total = 0;
  for (int64_t b = 0; b < blocks; b++) total += partials[b];
  return total;
}

}  // namespace meditron::MEDITRON_ISA
