// AdamW, Loshchilov & Hutter 2019, arXiv:1711.05101, in one pass over p, g, m, v
//
//   m = β₁ m + (1 − β₁) g;   v = β₂ v + (1 − β₂) g²;   p = p (1 − lr λ) − lr · m̂ / (√v̂ + ε)
//   m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ),  g scaled first (clipping and accumulation)
//
// m and v may be bfloat16. They are then rounded up or down by chance (nearest would lose every change smaller than 1/256 of
// the value), with random bits drawn by (seed, element): the same whatever the threads. See counterRandom in src/core/random.ts.
#include "declarations.h"

namespace meditron::MEDITRON_ISA {
namespace {

// The `index`-th random number of a stream, for index = first, first + 2, first + 4 ... in the lanes.
MEDITRON_INLINE Bits counter_random(uint32_t seed, uint64_t first) {
  const Bits index = (Bits)lane_index() * 2u + static_cast<uint32_t>(first);
  Bits h = (index * 0x9e3779b1u) ^ (seed ^ static_cast<uint32_t>(first >> 32) * 0x85ebca6bu);
#pragma GCC unroll 2
  for (int round = 0; round < 2; round++) {
    h ^= h >> 16;
    h *= 0x7feb352du;
    h ^= h >> 15;
    h *= 0x846ca68bu;
    h ^= h >> 16;
    h += 0x6d2b79f5u;
  }
  return h;
}

// Adds 16 random bits below the half that is kept. The lower half of the result is cleared, so storing it as bfloat16 is exact.
MEDITRON_INLINE Vec round_by_chance(Vec v, Bits random) {
  const Bits rounded = ((Bits)v + (random & 0xffffu)) & 0xffff0000u;
  const Ints finite = ((Bits)v & 0x7f800000u) != 0x7f800000u;
  return blend(finite, (Vec)rounded, v);
}

template <class Lanes>
MEDITRON_INLINE void store_state(const Tensor& t, int64_t i, Vec v, uint32_t seed, uint64_t draw, Lanes lanes) {
  store(t, i, t.type == Type::bf16 ? round_by_chance(v, counter_random(seed, draw)) : v, lanes);
}

}  // namespace

void adamw(float* p, const float* g, Tensor m, Tensor v, int64_t n, const AdamW& o) {
  const double step = static_cast<double>(o.step);
  const Vec grad_scale = set(static_cast<float>(o.grad_scale)), decay = set(static_cast<float>(1 - o.learning_rate * o.weight_decay));
  const Vec beta1 = set(static_cast<float>(o.beta1)), rest1 = set(static_cast<float>(1 - o.beta1));
  const Vec beta2 = set(static_cast<float>(o.beta2)), rest2 = set(static_cast<float>(1 - o.beta2));
  const Vec rate = set(static_cast<float>(o.learning_rate / (1 - __builtin_pow(o.beta1, step))));
  const Vec unbias = set(static_cast<float>(1 / __builtin_sqrt(1 - __builtin_pow(o.beta2, step))));
  const Vec epsilon = set(static_cast<float>(o.epsilon));
  constexpr int64_t kLine = 64;
  pool::parallel_range(ceil_div(n, kLine), 64, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kLine, count = least(end * kLine, n) - first;
    each(count, [&](int64_t offset, auto lanes) MEDITRON_LAMBDA {
      const int64_t i = first + offset;
      const Vec grad = load(g + i, lanes) * grad_scale;
      const Vec m_i = fma(beta1, load(m, i, lanes), rest1 * grad);
      const Vec v_i = fma(beta2, load(v, i, lanes), rest2 * grad * grad);
      const Vec move = m_i / fma(sqrt(v_i), unbias, epsilon);
      store(p + i, fnma(rate, move, load(p + i, lanes) * decay), lanes);
      store_state(m, i, m_i, o.seed, 2 * static_cast<uint64_t>(i), lanes);
      store_state(v, i, v_i, o.seed, 2 * static_cast<uint64_t>(i) + 1, lanes);
    });
  });
}

}  // namespace meditron::MEDITRON_ISA
