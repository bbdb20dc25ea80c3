// SwiGLU, Shazeer 2020, arXiv:2002.05202
//
//   forward    h = g · σ(g) · u
//   backward   du = dh · g · σ(g);   dg = dh · u · σ(g) · (1 + g (1 − σ(g)))
//
// gateUp: [N, 2F], gate columns first;  h: [N, F].  Backward needs gateUp only and writes h again, which the down projection's
// weight gradient wants; dGateUp may be gateUp.
#include "declarations.h"

namespace meditron::MEDITRON_ISA {
namespace {
constexpr int64_t kGrain = 1 << 12;
}

void swiglu(Tensor h, Tensor gate_up, int64_t rows, int64_t features) {
  pool::parallel_range(rows, ceil_div(kGrain, features), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const Tensor gate = at(gate_up, n * 2 * features), up = at(gate, features), h_n = at(h, n * features);
      each(features, [&](int64_t f, auto lanes) MEDITRON_LAMBDA {
        const Vec g = load(gate, f, lanes);
        store(h_n, f, g * sigmoid(g) * load(up, f, lanes), lanes);
      });
    }
  });
}

void swiglu_backward(Tensor d_gate_up, Tensor h, Tensor dh, Tensor gate_up, int64_t rows, int64_t features) {
  pool::parallel_range(rows, ceil_div(kGrain, features), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const Tensor gate = at(gate_up, n * 2 * features), up = at(gate, features);
      const Tensor d_gate = at(d_gate_up, n * 2 * features), d_up = at(d_gate, features);
      const Tensor h_n = at(h, n * features), dh_n = at(dh, n * features);
      each(features, [&](int64_t f, auto lanes) MEDITRON_LAMBDA {
        const Vec g = load(gate, f, lanes), u = load(up, f, lanes), d = load(dh_n, f, lanes);
        const Vec sigma = sigmoid(g), silu = g * sigma;
        store(d_up, f, d * silu, lanes);
        store(d_gate, f, d * u * fma(silu, set(1.0f) - sigma, sigma), lanes);
        store(h_n, f, silu * u, lanes);
      });
    }
  });
}

}  // namespace meditron::MEDITRON_ISA
