// Checked arguments of one call from JavaScript. The first thing that is wrong is remembered and thrown by `ok`, in words that name the
// TypeScript function and argument, what came and what was expected; later getters then return harmless values.
#pragma once
#include <node_api.h>

#include <cstdint>

#include "../kernels/types.h"

namespace meditron {

// Numbers that must lie in [0, limit), looked at before each run of a recorded call.
struct Indices {
  const char* function;
  const int32_t* values;
  int64_t n, limit;
  const char* name;
  const char* limit_name;
  // The first that does not fit, or -1.
  int64_t misfit() const;
  // Throws what is wrong with the one at `at`.
  void complain(napi_env env, int64_t at) const;
};

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info, const char* function);

  // Float32Array or Uint16Array (bfloat16 bits) with at least `elements` elements; undefined gives {nullptr}.
  Tensor tensor(int index, const char* name, int64_t elements);
  // Float32Array; `optional`: undefined gives nullptr.
  float* floats(int index, const char* name, int64_t elements, bool optional = false);
  int32_t* ints(int index, const char* name, int64_t elements, bool optional = false);
  // Elements of a typed array.
  int64_t length(int index, const char* name);
  int64_t integer(int index, const char* name, int64_t least, int64_t most = int64_t{1} << 40);
  double number(int index, const char* name);
  bool flag(int index, const char* name);
  bool given(int index) const;

  // All of values[0..n) lie in [0, limit).
  void within(const int32_t* values, int64_t n, int64_t limit, const char* name, const char* limit_name);
  void require(bool holds, const char* message);
  // Throws what is wrong, if anything.
  bool ok();
  // What `within` was asked for.
  const Indices* begin() const { return indices_; }
  const Indices* end() const { return indices_ + index_count_; }

 private:
  static constexpr int kMost = 20;
  void fail(const char* format, ...) __attribute__((format(printf, 2, 3)));
  // Data of a typed array of one of the allowed types.
  void* array(int index, const char* name, int64_t elements, bool optional, napi_typedarray_type first, napi_typedarray_type second,
              const char* expected, napi_typedarray_type* type);

  napi_env env_;
  const char* function_;
  napi_value values_[kMost];
  size_t count_ = kMost;
  char error_[512] = {};
  Indices indices_[4];
  int index_count_ = 0;
};

}  // namespace meditron
