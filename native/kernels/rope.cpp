// Rotary position embedding, Su et al. 2021, arXiv:2104.09864, in Hugging Face's rotate-half form, in place
//
//   x'[i]       = x[i] cos − x[i + D/2] sin
//   x'[i + D/2] = x[i + D/2] cos + x[i] sin        for i < D/2, angles from the row of the token's position
//
// The rotation is orthogonal, so backward turns the gradient by the opposite angle (direction −1).
#include "declarations.h"

namespace meditron::MEDITRON_ISA {

void rope(Tensor qkv, const Rotation& rotation) {
  const int64_t half = rotation.head_size / 2;
  const Vec direction = set(rotation.direction);
  pool::parallel_range(rotation.rows, ceil_div(1 << 13, rotation.heads * rotation.head_size), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float* const cos = rotation.cos + rotation.positions[n] * half;
      const float* const sin = rotation.sin + rotation.positions[n] * half;
      for (int64_t h = 0; h < rotation.heads; h++) {
        const Tensor first = at(qkv, n * rotation.stride + h * rotation.head_size), second = at(first, half);
        each(half, [&](int64_t i, auto lanes) MEDITRON_LAMBDA {
          const Vec c = load(cos + i, lanes), s = direction * load(sin + i, lanes);
          const Vec a = load(first, i, lanes), b = load(second, i, lanes);
          store(first, i, fnma(b, s, a * c), lanes);
          store(second, i, fma(a, s, b * c), lanes);
        });
      }
    }
  });
}

}  // namespace meditron::MEDITRON_ISA
