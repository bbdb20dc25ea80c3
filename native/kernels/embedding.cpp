// Embedding: y[n] = table[ids[n]];  backward: dTable[ids[n]] += dy[n].
//
// y: [N, C];  table: [vocabulary, C].  Backward gives each thread some channels of all rows, so that the rows of a repeated id are
// summed in order whatever the number of threads.
#include "declarations.h"

namespace meditron::MEDITRON_ISA {

void embedding(Tensor y, const int32_t* ids, Tensor table, int64_t rows, int64_t channels) {
  pool::parallel_range(rows, ceil_div(1 << 14, channels), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const int64_t from = ids[n] * channels, to = n * channels;
      each(channels, [&](int64_t c, auto lanes) MEDITRON_LAMBDA { store(y, to + c, load(table, from + c, lanes), lanes); });
    }
  });
}

void embedding_backward(float* d_table, const int32_t* ids, Tensor dy, int64_t rows, int64_t channels) {
  constexpr int64_t kLine = 16;  // floats of a cache line: no two threads write to the same one
  pool::parallel_range(ceil_div(channels, kLine), ceil_div(1 << 14, rows * kLine), [&](int64_t begin, int64_t end) {
    const int64_t first = begin * kLine, count = least(end * kLine, channels) - first;
    for (int64_t n = 0; n < rows; n++) {
      float* const to = d_table + ids[n] * channels + first;
      const int64_t from = n * channels + first;
      each(count, [&](int64_t c, auto lanes) MEDITRON_LAMBDA {
        store(to + c, load(to + c, lanes) + load(dy, from + c, lanes), lanes);
      });
    }
  });
}

}  // namespace meditron::MEDITRON_ISA
