// The table of this build, and the peak of the machine under it.
#include "declarations.h"
#include "micro-kernel.h"

namespace meditron::MEDITRON_ISA {
namespace {

#define MEDITRON_TEXT(name) #name
#define MEDITRON_NAME(name) MEDITRON_TEXT(name)

// Independent multiply-adds on registers: the most that the micro-kernel could reach.
template <class Math>
double multiply_add_only(int64_t iterations) {
  constexpr int kSums = kTileRows * kTileVecs;
  Vec sums[kSums];
#pragma GCC unroll 32
  for (int i = 0; i < kSums; i++) sums[i] = set(static_cast<float>(i));  // different, or the compiler keeps only one
  Vec a = set(1e-9f), b = set(1e-9f);
  for (int64_t k = 0; k < iterations; k++) {
#if defined(__x86_64__)
    asm volatile("" : "+x"(a), "+x"(b));
#endif
#pragma GCC unroll 32
    for (int i = 0; i < kSums; i++) sums[i] = Math::multiply_add(a, b, sums[i]);
  }
  Vec total = zero();
  for (int i = 0; i < kSums; i++) total = total + sums[i];
  volatile float sink = sum(total);
  static_cast<void>(sink);
  return 2.0 * static_cast<double>(iterations) * kSums * kLanes * Math::kPerWord;
}

double peak(int64_t iterations, Precision precision) {
  double operations = 0;
  pool::parallel(pool::threads(), [&](int part, int parts, int) {
    const double mine = precision == Precision::bf16 ? multiply_add_only<PackedBf16>(iterations) : multiply_add_only<F32>(iterations);
    if (part == 0) operations = mine * parts;
  });
  return operations;
}

}  // namespace

const Kernels& kernels() {
  static constexpr Kernels table = {
      .isa = MEDITRON_NAME(MEDITRON_ISA),
      .has_bf16 = PackedBf16::kPerWord == 2,
      .gemm = gemm,
      .add_bias = add_bias,
      .add_bias_backward = add_bias_backward,
      .embedding = embedding,
      .embedding_backward = embedding_backward,
      .rmsnorm = rmsnorm,
      .rmsnorm_backward = rmsnorm_backward,
      .rope = rope,
      .attention = attention,
      .attention_backward = attention_backward,
      .cached_attention = cached_attention,
      .swiglu = swiglu,
      .swiglu_backward = swiglu_backward,
      .head_cross_entropy = head_cross_entropy,
      .sum_squares = sum_squares,
      .adamw = adamw,
      .scale_add = scale_add,
      .fill = fill,
      .peak = peak,
  };
  return table;
}

}  // namespace meditron::MEDITRON_ISA
