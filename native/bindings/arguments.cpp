#include "arguments.h"

#include <cinttypes>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace meditron {
namespace {

const char* array_name(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array: return "an Int8Array";
    case napi_uint8_array: return "a Uint8Array";
    case napi_uint8_clamped_array: return "a Uint8ClampedArray";
    case napi_int16_array: return "an Int16Array";
    case napi_uint16_array: return "a Uint16Array";
    case napi_int32_array: return "an Int32Array";
    case napi_uint32_array: return "a Uint32Array";
    case napi_float32_array: return "a Float32Array";
    case napi_float64_array: return "a Float64Array";
    default: return "another typed array";
  }
}

}  // namespace

Arguments::Arguments(napi_env env, napi_callback_info info, const char* function) : env_(env), function_(function) {
  napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr);
}

void Arguments::fail(const char* format, ...) {
  if (error_[0]) return;
  const int used = std::snprintf(error_, sizeof error_, "%s: ", function_);
  va_list list;
  va_start(list, format);
  std::vsnprintf(error_ + used, sizeof error_ - static_cast<size_t>(used), format, list);
  va_end(list);
}

bool Arguments::ok() {
  if (!error_[0]) return true;
  napi_throw_range_error(env_, "NATIVE_ARGUMENT", error_);
  return false;
}

void Arguments::require(bool holds, const char* message) {
  if (!holds) fail("%s", message);
}

bool Arguments::given(int index) const {
  if (index >= static_cast<int>(count_)) return false;
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, values_[index], &type);
  return type != napi_undefined && type != napi_null;
}

void* Arguments::array(int index, const char* name, int64_t elements, bool optional, napi_typedarray_type first,
                       napi_typedarray_type second, const char* expected, napi_typedarray_type* type) {
  if (error_[0]) return nullptr;
  if (!given(index)) {
    if (!optional) fail("%s is missing; expected %s", name, expected);
    return nullptr;
  }
  bool is_array = false;
  napi_is_typedarray(env_, values_[index], &is_array);
  if (!is_array) {
    fail("%s is no typed array; expected %s", name, expected);
    return nullptr;
  }
  size_t length = 0;
  void* data = nullptr;
  napi_get_typedarray_info(env_, values_[index], type, &length, &data, nullptr, nullptr);
  if (*type != first && *type != second) {
    fail("%s is %s; expected %s%s", name, array_name(*type), expected,
         *type == napi_float64_array ? " (float64 is for the reference kernels only)" : "");
    return nullptr;
  }
  if (static_cast<int64_t>(length) < elements) {
    fail("%s.length is %zu; expected at least %" PRId64, name, length, elements);
    return nullptr;
  }
  return data;
}

Tensor Arguments::tensor(int index, const char* name, int64_t elements) {
  napi_typedarray_type type = napi_float32_array;
  void* const data = array(index, name, elements, false, napi_float32_array, napi_uint16_array,
                           "a Float32Array, or a Uint16Array of bfloat16 bits", &type);
  return {data, type == napi_float32_array ? Type::f32 : Type::bf16};
}

float* Arguments::floats(int index, const char* name, int64_t elements, bool optional) {
  napi_typedarray_type type;
  return static_cast<float*>(array(index, name, elements, optional, napi_float32_array, napi_float32_array, "a Float32Array", &type));
}

int32_t* Arguments::ints(int index, const char* name, int64_t elements, bool optional) {
  napi_typedarray_type type;
  return static_cast<int32_t*>(array(index, name, elements, optional, napi_int32_array, napi_int32_array, "an Int32Array", &type));
}

int64_t Arguments::length(int index, const char* name) {
  if (error_[0]) return 0;
  bool is_array = false;
  if (given(index)) napi_is_typedarray(env_, values_[index], &is_array);
  if (!is_array) {
    fail("%s is no typed array", name);
    return 0;
  }
  size_t length = 0;
  napi_get_typedarray_info(env_, values_[index], nullptr, &length, nullptr, nullptr, nullptr);
  return static_cast<int64_t>(length);
}

double Arguments::number(int index, const char* name) {
  double value = 0;
  if (error_[0]) return value;
  if (index >= static_cast<int>(count_) || napi_get_value_double(env_, values_[index], &value) != napi_ok) {
    fail("%s is no number", name);
  }
  return value;
}

int64_t Arguments::integer(int index, const char* name, int64_t least, int64_t most) {
  const double value = number(index, name);
  if (error_[0]) return least;
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(most)) || std::floor(value) != value) {
    fail("%s is %g; expected an integer of at least %" PRId64, name, value, least);
    return least;
  }
  return static_cast<int64_t>(value);
}

bool Arguments::flag(int index, const char* name) {
  bool value = false;
  if (!error_[0] && (index >= static_cast<int>(count_) || napi_get_value_bool(env_, values_[index], &value) != napi_ok)) {
    fail("%s is no boolean", name);
  }
  return value;
}

int64_t Indices::misfit() const {
  for (int64_t i = 0; i < n; i++)
    if (values[i] < 0 || values[i] >= limit) return i;
  return -1;
}

void Indices::complain(napi_env env, int64_t at) const {
  char text[512];
  std::snprintf(text, sizeof text, "%s: %s[%" PRId64 "] is %d; expected 0 to %" PRId64 " (%s)", function, name, at, values[at], limit - 1, limit_name);
  napi_throw_range_error(env, "NATIVE_ARGUMENT", text);
}

void Arguments::within(const int32_t* values, int64_t n, int64_t limit, const char* name, const char* limit_name) {
  if (error_[0] || !values) return;
  const Indices indices{function_, values, n, limit, name, limit_name};
  const int64_t at = indices.misfit();
  if (at >= 0) fail("%s[%" PRId64 "] is %d; expected 0 to %" PRId64 " (%s)", name, at, values[at], limit - 1, limit_name);
  else if (index_count_ < 4) indices_[index_count_++] = indices;
}

}  // namespace meditron
