// The kernels as the bindings see them: argument records, and one table of functions for each instruction set.
// What each routine computes is said where it is written (gemm.cpp, attention.cpp ...) and in src/native/kernels.ts.
//
// Lengths, shapes and ids are checked by the caller. No kernel throws; scratch comes from the pool.
#pragma once
#include <cstdint>

#include "types.h"

namespace meditron {

// C[M,N] (+)= alpha · op(A) op(B); strides in elements.
struct Gemm {
  Tensor c, a, b;
  int64_t m, n, k;
  int64_t lda, ldb, ldc;
  bool transpose_a, transpose_b, accumulate;
  float alpha;
  Precision precision;
};

struct Norm {
  int64_t rows, groups, channels;
  int64_t stride_x, stride_y;
  float epsilon;
};

struct Rotation {
  const float* cos;  // [positions, head_size / 2]
  const float* sin;
  const int32_t* positions;  // [rows]
  int64_t rows, heads, head_size, stride;
  float direction;  // 1 forward, -1 backward
};

// Causal attention over packed rows qkv [batch · tokens, (heads + 2 · kv_heads) · head_size].
struct Attention {
  int64_t batch, tokens, heads, kv_heads, head_size;
  int64_t window;            // 0: all earlier positions
  const int32_t* documents;  // [batch · tokens], or nullptr
  Precision precision;
};

struct CachedAttention {
  int64_t rows, heads, kv_heads, head_size, max_tokens;
  int64_t window;
  int64_t continuing;       // rows before it are single tokens, those from it on are prompts; -1: chosen by the length of a run
  const int32_t* sequence;  // [rows]
  const int32_t* position;  // [rows]
};

struct Head {
  float* loss;  // [rows]
  Tensor hidden, head;
  const int32_t* targets;
  const float* weights;
  int64_t rows, channels, vocab;
  Precision precision;
  bool gradient;
  Tensor d_hidden;  // with gradient
  float* d_head;    // nullptr: the head is frozen
  float scale;
  int32_t* best;  // or nullptr
};

struct AdamW {
  double learning_rate, beta1, beta2, epsilon, weight_decay, grad_scale;
  int64_t step;
  uint32_t seed;  // of stochastic rounding: that of the options plus the step
};

struct Kernels {
  const char* isa;
  bool has_bf16;
  void (*gemm)(const Gemm&);
  void (*add_bias)(Tensor y, const float* bias, int64_t rows, int64_t channels, int64_t stride);
  void (*add_bias_backward)(float* d_bias, Tensor dy, int64_t rows, int64_t channels, int64_t stride);
  void (*embedding)(Tensor y, const int32_t* ids, Tensor table, int64_t rows, int64_t channels);
  void (*embedding_backward)(float* d_table, const int32_t* ids, Tensor dy, int64_t rows, int64_t channels);
  void (*rmsnorm)(Tensor y, float* r, Tensor x, const float* w, const Norm&);
  void (*rmsnorm_backward)(Tensor dx, float* dw, Tensor dy, Tensor x, const float* w, const float* r, const Norm&, bool accumulate);
  void (*rope)(Tensor qkv, const Rotation&);
  void (*attention)(Tensor o, float* lse, Tensor qkv, const Attention&);
  void (*attention_backward)(Tensor dqkv, Tensor d_o, Tensor qkv, Tensor o, const float* lse, const Attention&);
  void (*cached_attention)(Tensor o, Tensor qkv, Tensor cache, const CachedAttention&);
  void (*swiglu)(Tensor h, Tensor gate_up, int64_t rows, int64_t features);
  void (*swiglu_backward)(Tensor d_gate_up, Tensor h, Tensor dh, Tensor gate_up, int64_t rows, int64_t features);
  void (*head_cross_entropy)(const Head&);
  double (*sum_squares)(const float* x, int64_t n);
  void (*adamw)(float* p, const float* g, Tensor m, Tensor v, int64_t n, const AdamW&);
  void (*scale_add)(Tensor y, Tensor x, int64_t n, float a, bool accumulate);
  void (*fill)(Tensor x, int64_t n, float value);
  // Runs multiply-adds on registers only, for benchmarks. Returns the floating-point operations of all threads.
  double (*peak)(int64_t iterations, Precision precision);
};

// Every build this file was compiled into, best last.
namespace portable {
const Kernels& kernels();
}
#if defined(MEDITRON_X64)
namespace avx2 {
const Kernels& kernels();
}
namespace avx512 {
const Kernels& kernels();
}
namespace avx512bf16 {
const Kernels& kernels();
}
#if defined(MEDITRON_FP16)
namespace avx512fp16 {
const Kernels& kernels();
}
#endif
#endif

}  // namespace meditron
