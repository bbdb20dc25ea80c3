// The kernels of one build, declared so that they can call each other.
#pragma once
#include "kernels.h"
#include "simd.h"
#include "thread-pool.h"

namespace meditron::MEDITRON_ISA {

void gemm(const Gemm&);
void add_bias(Tensor y, const float* bias, int64_t rows, int64_t channels, int64_t stride);
void add_bias_backward(float* d_bias, Tensor dy, int64_t rows, int64_t channels, int64_t stride);
void embedding(Tensor y, const int32_t* ids, Tensor table, int64_t rows, int64_t channels);
void embedding_backward(float* d_table, const int32_t* ids, Tensor dy, int64_t rows, int64_t channels);
void rmsnorm(Tensor y, float* r, Tensor x, const float* w, const Norm&);
void rmsnorm_backward(Tensor dx, float* dw, Tensor dy, Tensor x, const float* w, const float* r, const Norm&, bool accumulate);
void rope(Tensor qkv, const Rotation&);
void attention(Tensor o, float* lse, Tensor qkv, const Attention&);
void attention_backward(Tensor dqkv, Tensor d_o, Tensor qkv, Tensor o, const float* lse, const Attention&);
void cached_attention(Tensor o, Tensor qkv, Tensor cache, const CachedAttention&);
void swiglu(Tensor h, Tensor gate_up, int64_t rows, int64_t features);
void swiglu_backward(Tensor d_gate_up, Tensor h, Tensor dh, Tensor gate_up, int64_t rows, int64_t features);
void head_cross_entropy(const Head&);
double sum_squares(const float* x, int64_t n);
void adamw(float* p, const float* g, Tensor m, Tensor v, int64_t n, const AdamW&);
void scale_add(Tensor y, Tensor x, int64_t n, float a, bool accumulate);
void fill(Tensor x, int64_t n, float value);

}  // namespace meditron::MEDITRON_ISA
