// The addon: every kernel behind N-API. Calls come from src/native/addon.ts with their options spread into positions; each is checked
// here, at the door, so that no kernel reads or writes outside its arrays whatever JavaScript passes.
#include <node_api.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "../kernels/kernels.h"
#include "../kernels/thread-pool.h"
#include "arguments.h"

namespace meditron {
namespace {

const Kernels* g_kernels = nullptr;

constexpr int64_t kMostRows = INT32_MAX;
constexpr const char* kBuilds[] = {
    "portable",
#if defined(MEDITRON_X64)
    "avx2", "avx512", "avx512bf16",
#if defined(MEDITRON_FP16)
    "avx512fp16",
#endif
#endif
};

const Kernels& build(int index) {
#if defined(MEDITRON_X64)
  switch (index) {
    case 1: return avx2::kernels();
    case 2: return avx512::kernels();
    case 3: return avx512bf16::kernels();
#if defined(MEDITRON_FP16)
    case 4: return avx512fp16::kernels();
#endif
    default: break;
  }
#endif
  static_cast<void>(index);
  return portable::kernels();
}

// Whether this CPU (and system) can run a build.
bool supported(int index) {
#if defined(MEDITRON_X64)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  switch (index) {
    case 1: return avx2;
    case 2: return avx512;
    case 3: return avx512 && __builtin_cpu_supports("avx512bf16");
#if defined(MEDITRON_FP16)
    case 4: return avx512 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512fp16");
#endif
    default: break;
  }
#endif
  return index == 0;
}

// Whether a build is the better choice where it runs. Intel's vdpbf16ps starts every other cycle: measured on Emerald Rapids, 85
// GFLOP/s a core against 170 for float32 multiply-adds and 375 for float16 ones, so there bfloat16 products are best made of
// scaled float16. On AMD vdpbf16ps is twice float32 (Zen 5). A rule and no stopwatch, so that the same machine always gives the same bits.
bool preferred(int index) {
#if defined(MEDITRON_X64)
  if (index == 3) return !__builtin_cpu_is("intel");
  if (index == 4) return __builtin_cpu_is("intel");
#endif
  static_cast<void>(index);
  return true;
}

constexpr int kBuildCount = static_cast<int>(sizeof kBuilds / sizeof *kBuilds);

// Elements that a matrix of `rows` rows spans.
int64_t span(int64_t rows, int64_t columns, int64_t stride) { return rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns; }

Precision precision(Arguments& args, int index) { return args.flag(index, "precision") ? Precision::bf16 : Precision::f32; }

// A kernel call with its arguments, and what of them may change before it runs again.
struct Call {
  std::function<void()> run;
  std::vector<Indices> indices;
};
// Where calls of this thread are noted down instead of run: see `record`.
thread_local std::vector<Call>* g_recorded = nullptr;

// Runs a kernel, or notes it down.
template <class Run>
napi_value perform(const Arguments& args, Run run) {
  if (g_recorded) {
    g_recorded->push_back({run, {args.begin(), args.end()}});
  } else {
    const pool::Turn turn;
    run();
  }
  return nullptr;
}

// For kernels that belong to one step only.
void refuse_recording(Arguments& args) { args.require(!g_recorded, "cannot be recorded: it depends on more than its arrays"); }

#define MEDITRON_FUNCTION(name) napi_value name([[maybe_unused]] napi_env env, napi_callback_info info)

// gemm(c, a, b, m, n, k, transposeA, transposeB, accumulate, bf16, lda, ldb, ldc, alpha)
MEDITRON_FUNCTION(gemm) {
  Arguments args(env, info, "gemm");
  Gemm g{};
  g.m = args.integer(3, "m", 0, kMostRows);
  g.n = args.integer(4, "n", 0, kMostRows);
  g.k = args.integer(5, "k", 0, kMostRows);
  g.transpose_a = args.flag(6, "transposeA");
  g.transpose_b = args.flag(7, "transposeB");
  g.accumulate = args.flag(8, "accumulate");
  g.precision = precision(args, 9);
  const int64_t a_rows = g.transpose_a ? g.k : g.m, a_columns = g.transpose_a ? g.m : g.k;
  const int64_t b_rows = g.transpose_b ? g.n : g.k, b_columns = g.transpose_b ? g.k : g.n;
  g.lda = args.integer(10, "lda", a_columns);
  g.ldb = args.integer(11, "ldb", b_columns);
  g.ldc = args.integer(12, "ldc", g.n);
  g.alpha = static_cast<float>(args.number(13, "alpha"));
  g.c = args.tensor(0, "c", span(g.m, g.n, g.ldc));
  g.a = args.tensor(1, "a", span(a_rows, a_columns, g.lda));
  g.b = args.tensor(2, "b", span(b_rows, b_columns, g.ldb));
  if (!args.ok()) return nullptr;
  return perform(args, [=] { g_kernels->gemm(g); });
}

// addBias(y, bias, rows, channels, stride)
MEDITRON_FUNCTION(add_bias) {
  Arguments args(env, info, "addBias");
  const int64_t rows = args.integer(2, "rows", 0, kMostRows), channels = args.integer(3, "channels", 1), stride = args.integer(4, "stride", channels);
  const Tensor y = args.tensor(0, "y", span(rows, channels, stride));
  const float* const bias = args.floats(1, "bias", channels);
  if (!args.ok() || rows == 0) return nullptr;
  return perform(args, [=] { g_kernels->add_bias(y, bias, rows, channels, stride); });
}

// addBiasBackward(dBias, dy, rows, channels, stride)
MEDITRON_FUNCTION(add_bias_backward) {
  Arguments args(env, info, "addBiasBackward");
  refuse_recording(args);
  const int64_t rows = args.integer(2, "rows", 0, kMostRows), channels = args.integer(3, "channels", 1), stride = args.integer(4, "stride", channels);
  float* const d_bias = args.floats(0, "dBias", channels);
  const Tensor dy = args.tensor(1, "dy", span(rows, channels, stride));
  if (!args.ok() || rows == 0) return nullptr;
  const pool::Turn turn;
  g_kernels->add_bias_backward(d_bias, dy, rows, channels, stride);
  return nullptr;
}

// embedding(y, ids, table, rows, channels)
MEDITRON_FUNCTION(embedding) {
  Arguments args(env, info, "embedding");
  const int64_t rows = args.integer(3, "rows", 0, kMostRows), channels = args.integer(4, "channels", 1);
  const Tensor y = args.tensor(0, "y", rows * channels);
  const int32_t* const ids = args.ints(1, "ids", rows);
  const Tensor table = args.tensor(2, "table", 0);
  args.within(ids, rows, args.length(2, "table") / channels, "ids", "rows of the table");
  if (!args.ok() || rows == 0) return nullptr;
  return perform(args, [=] { g_kernels->embedding(y, ids, table, rows, channels); });
}

// embeddingBackward(dTable, ids, dy, rows, channels)
MEDITRON_FUNCTION(embedding_backward) {
  Arguments args(env, info, "embeddingBackward");
  refuse_recording(args);
  const int64_t rows = args.integer(3, "rows", 0, kMostRows), channels = args.integer(4, "channels", 1);
  float* const d_table = args.floats(0, "dTable", 0);
  const int32_t* const ids = args.ints(1, "ids", rows);
  const Tensor dy = args.tensor(2, "dy", rows * channels);
  args.within(ids, rows, args.length(0, "dTable") / channels, "ids", "rows of the table");
  if (!args.ok() || rows == 0) return nullptr;
  const pool::Turn turn;
  g_kernels->embedding_backward(d_table, ids, dy, rows, channels);
  return nullptr;
}

// rows, channels, epsilon, groups, strideX, strideY from position `at`
Norm norm_shape(Arguments& args, int at) {
  Norm norm{};
  norm.rows = args.integer(at, "rows", 0, kMostRows);
  norm.channels = args.integer(at + 1, "channels", 1);
  norm.epsilon = static_cast<float>(args.number(at + 2, "epsilon"));
  norm.groups = args.integer(at + 3, "groups", 1);
  norm.stride_x = args.integer(at + 4, "strideX", norm.groups * norm.channels);
  norm.stride_y = args.integer(at + 5, "strideY", norm.groups * norm.channels);
  return norm;
}

// rmsnorm(y, r, x, w, ...shape)
MEDITRON_FUNCTION(rmsnorm) {
  Arguments args(env, info, "rmsnorm");
  const Norm norm = norm_shape(args, 4);
  const int64_t width = norm.groups * norm.channels;
  const Tensor y = args.tensor(0, "y", span(norm.rows, width, norm.stride_y));
  float* const r = args.floats(1, "r", norm.rows * norm.groups);
  const Tensor x = args.tensor(2, "x", span(norm.rows, width, norm.stride_x));
  const float* const w = args.floats(3, "w", norm.channels);
  if (!args.ok() || norm.rows == 0) return nullptr;
  return perform(args, [=] { g_kernels->rmsnorm(y, r, x, w, norm); });
}

// rmsnormBackward(dx, dw, dy, x, w, r, ...shape, accumulate)
MEDITRON_FUNCTION(rmsnorm_backward) {
  Arguments args(env, info, "rmsnormBackward");
  refuse_recording(args);
  const Norm norm = norm_shape(args, 6);
  const int64_t width = norm.groups * norm.channels;
  const Tensor dx = args.tensor(0, "dx", span(norm.rows, width, norm.stride_x));
  float* const dw = args.floats(1, "dw", norm.channels);
  const Tensor dy = args.tensor(2, "dy", span(norm.rows, width, norm.stride_y));
  const Tensor x = args.tensor(3, "x", span(norm.rows, width, norm.stride_x));
  const float* const w = args.floats(4, "w", norm.channels);
  const float* const r = args.floats(5, "r", norm.rows * norm.groups);
  const bool accumulate = args.flag(12, "accumulate");
  if (!args.ok() || norm.rows == 0) return nullptr;
  const pool::Turn turn;
  g_kernels->rmsnorm_backward(dx, dw, dy, x, w, r, norm, accumulate);
  return nullptr;
}

// rope(qkv, cos, sin, positions, rows, rotatedHeads, headSize, stride, direction)
MEDITRON_FUNCTION(rope) {
  Arguments args(env, info, "rope");
  Rotation r{};
  r.rows = args.integer(4, "rows", 0, kMostRows);
  r.heads = args.integer(5, "rotatedHeads", 0);
  r.head_size = args.integer(6, "headSize", 2);
  r.stride = args.integer(7, "stride", r.heads * r.head_size);
  r.direction = static_cast<float>(args.number(8, "direction"));
  args.require(r.head_size % 2 == 0, "headSize is odd; rotary pairs need an even one");
  args.require(r.direction == 1 || r.direction == -1, "direction is neither 1 nor -1");
  const Tensor qkv = args.tensor(0, "qkv", span(r.rows, r.heads * r.head_size, r.stride));
  r.cos = args.floats(1, "rope.cos", 0);
  r.sin = args.floats(2, "rope.sin", args.length(1, "rope.cos"));
  r.positions = args.ints(3, "rope.positions", r.rows);
  args.within(r.positions, r.rows, args.length(1, "rope.cos") / (r.head_size / 2), "rope.positions", "rows of the rotary table");
  if (!args.ok() || r.rows == 0 || r.heads == 0) return nullptr;
  return perform(args, [=] { g_kernels->rope(qkv, r); });
}

// batch, tokens, heads, kvHeads, headSize, window, documents, bf16 from position `at`
Attention attention_shape(Arguments& args, int at) {
  Attention s{};
  s.batch = args.integer(at, "batch", 0, kMostRows);
  s.tokens = args.integer(at + 1, "tokens", 0, kMostRows);
  s.heads = args.integer(at + 2, "heads", 1, 1 << 16);
  s.kv_heads = args.integer(at + 3, "kvHeads", 1, 1 << 16);
  s.head_size = args.integer(at + 4, "headSize", 1, 1 << 12);
  s.window = args.integer(at + 5, "window", 0);
  s.documents = args.ints(at + 6, "documents", s.batch * s.tokens, true);
  s.precision = precision(args, at + 7);
  args.require(s.heads % s.kv_heads == 0, "heads is no multiple of kvHeads");
  return s;
}

// attention(o, lse, qkv, ...shape)
MEDITRON_FUNCTION(attention) {
  Arguments args(env, info, "attention");
  const Attention s = attention_shape(args, 3);
  const int64_t rows = s.batch * s.tokens;
  const Tensor o = args.tensor(0, "o", rows * s.heads * s.head_size);
  float* const lse = args.floats(1, "lse", rows * s.heads);
  const Tensor qkv = args.tensor(2, "qkv", rows * (s.heads + 2 * s.kv_heads) * s.head_size);
  if (!args.ok() || rows == 0) return nullptr;
  return perform(args, [=] { g_kernels->attention(o, lse, qkv, s); });
}

// attentionBackward(dqkv, dO, qkv, o, lse, ...shape)
MEDITRON_FUNCTION(attention_backward) {
  Arguments args(env, info, "attentionBackward");
  refuse_recording(args);
  const Attention s = attention_shape(args, 5);
  const int64_t rows = s.batch * s.tokens, width = (s.heads + 2 * s.kv_heads) * s.head_size;
  const Tensor dqkv = args.tensor(0, "dqkv", rows * width);
  const Tensor d_o = args.tensor(1, "dO", rows * s.heads * s.head_size);
  const Tensor qkv = args.tensor(2, "qkv", rows * width);
  const Tensor o = args.tensor(3, "o", rows * s.heads * s.head_size);
  const float* const lse = args.floats(4, "lse", rows * s.heads);
  if (!args.ok() || rows == 0) return nullptr;
  const pool::Turn turn;
  g_kernels->attention_backward(dqkv, d_o, qkv, o, lse, s);
  return nullptr;
}

// cachedAttention(o, qkv, cache, rows, heads, kvHeads, headSize, maxTokens, sequence, position, window, continuing)
MEDITRON_FUNCTION(cached_attention) {
  Arguments args(env, info, "cachedAttention");
  CachedAttention s{};
  s.rows = args.integer(3, "rows", 0, kMostRows);
  s.heads = args.integer(4, "heads", 1, 1 << 16);
  s.kv_heads = args.integer(5, "kvHeads", 1, 1 << 16);
  s.head_size = args.integer(6, "headSize", 1, 1 << 12);
  s.max_tokens = args.integer(7, "maxTokens", 1, kMostRows);
  s.sequence = args.ints(8, "sequence", s.rows);
  s.position = args.ints(9, "position", s.rows);
  s.window = args.integer(10, "window", 0);
  s.continuing = args.integer(11, "continuing", -1, kMostRows);
  args.require(s.heads % s.kv_heads == 0, "heads is no multiple of kvHeads");
  const Tensor o = args.tensor(0, "o", s.rows * s.heads * s.head_size);
  const Tensor qkv = args.tensor(1, "qkv", s.rows * (s.heads + 2 * s.kv_heads) * s.head_size);
  const Tensor cache = args.tensor(2, "cache", 0);
  const int64_t slot = 2 * s.kv_heads * s.max_tokens * s.head_size;
  args.within(s.sequence, s.rows, args.length(2, "cache") / slot, "sequence", "slots of the cache");
  args.within(s.position, s.rows, s.max_tokens, "position", "maxTokens");
  if (!args.ok() || s.rows == 0) return nullptr;
  return perform(args, [=] { g_kernels->cached_attention(o, qkv, cache, s); });
}

// swiglu(h, gateUp, rows, features)
MEDITRON_FUNCTION(swiglu) {
  Arguments args(env, info, "swiglu");
  const int64_t rows = args.integer(2, "rows", 0, kMostRows), features = args.integer(3, "features", 1);
  const Tensor h = args.tensor(0, "h", rows * features), gate_up = args.tensor(1, "gateUp", rows * 2 * features);
  if (!args.ok() || rows == 0) return nullptr;
  return perform(args, [=] { g_kernels->swiglu(h, gate_up, rows, features); });
}

// swigluBackward(dGateUp, h, dh, gateUp, rows, features)
MEDITRON_FUNCTION(swiglu_backward) {
  Arguments args(env, info, "swigluBackward");
  refuse_recording(args);
  const int64_t rows = args.integer(4, "rows", 0, kMostRows), features = args.integer(5, "features", 1);
  const Tensor d_gate_up = args.tensor(0, "dGateUp", rows * 2 * features), h = args.tensor(1, "h", rows * features);
  const Tensor dh = args.tensor(2, "dh", rows * features), gate_up = args.tensor(3, "gateUp", rows * 2 * features);
  if (!args.ok() || rows == 0) return nullptr;
  const pool::Turn turn;
  g_kernels->swiglu_backward(d_gate_up, h, dh, gate_up, rows, features);
  return nullptr;
}

// headCrossEntropy(loss, hidden, head, targets, weights, rows, channels, vocab, bf16, best, dHidden, dHead, scale)
MEDITRON_FUNCTION(head_cross_entropy) {
  Arguments args(env, info, "headCrossEntropy");
  refuse_recording(args);
  Head h{};
  h.rows = args.integer(5, "rows", 0, kMostRows);
  h.channels = args.integer(6, "channels", 1);
  h.vocab = args.integer(7, "vocab", 1, kMostRows);
  h.precision = precision(args, 8);
  h.loss = args.floats(0, "loss", h.rows);
  h.hidden = args.tensor(1, "hidden", h.rows * h.channels);
  h.head = args.tensor(2, "head", h.vocab * h.channels);
  h.targets = args.ints(3, "targets", h.rows);
  h.weights = args.floats(4, "weights", h.rows);
  h.best = args.ints(9, "best", h.rows, true);
  h.gradient = args.given(10);
  if (h.gradient) {
    h.d_hidden = args.tensor(10, "gradient.dHidden", h.rows * h.channels);
    h.d_head = args.floats(11, "gradient.dHead", h.vocab * h.channels, true);
    h.scale = static_cast<float>(args.number(12, "gradient.scale"));
  }
  // A target is looked at only where its weight is not zero; others may be any mark for "ignored".
  if (h.targets && h.weights) {
    for (int64_t n = 0; n < h.rows; n++) {
      if (h.weights[n] != 0 && (h.targets[n] < 0 || h.targets[n] >= h.vocab)) args.within(h.targets, n + 1, h.vocab, "targets", "the vocabulary");
    }
  }
  if (!args.ok() || h.rows == 0) return nullptr;
  const pool::Turn turn;
  g_kernels->head_cross_entropy(h);
  return nullptr;
}

// sumSquares(x): number
MEDITRON_FUNCTION(sum_squares) {
  Arguments args(env, info, "sumSquares");
  refuse_recording(args);
  const float* const x = args.floats(0, "x", 0);
  const int64_t n = args.length(0, "x");
  if (!args.ok()) return nullptr;
  double total;
  {
    const pool::Turn turn;
    total = n == 0 ? 0 : g_kernels->sum_squares(x, n);
  }
  napi_value result;
  napi_create_double(env, total, &result);
  return result;
}

// adamw(p, g, m, v, step, learningRate, beta1, beta2, epsilon, weightDecay, gradScale, roundingSeed)
MEDITRON_FUNCTION(adamw) {
  Arguments args(env, info, "adamw");
  refuse_recording(args);
  const int64_t n = args.length(0, "p");
  float* const p = args.floats(0, "p", n);
  const float* const g = args.floats(1, "g", n);
  const Tensor m = args.tensor(2, "m", n), v = args.tensor(3, "v", n);
  AdamW o{};
  o.step = args.integer(4, "step", 1);
  o.learning_rate = args.number(5, "learningRate");
  o.beta1 = args.number(6, "beta1");
  o.beta2 = args.number(7, "beta2");
  o.epsilon = args.number(8, "epsilon");
  o.weight_decay = args.number(9, "weightDecay");
  o.grad_scale = args.number(10, "gradScale");
  o.seed = static_cast<uint32_t>(args.integer(11, "roundingSeed", 0, INT64_C(1) << 52) + o.step);
  if (!args.ok() || n == 0) return nullptr;
  const pool::Turn turn;
  g_kernels->adamw(p, g, m, v, n, o);
  return nullptr;
}

// scaleAdd(y, x, a, accumulate)
MEDITRON_FUNCTION(scale_add) {
  Arguments args(env, info, "scaleAdd");
  const int64_t n = args.length(0, "y");
  const Tensor y = args.tensor(0, "y", n), x = args.tensor(1, "x", n);
  const float a = static_cast<float>(args.number(2, "a"));
  const bool accumulate = args.flag(3, "accumulate");
  if (!args.ok() || n == 0) return nullptr;
  return perform(args, [=] { g_kernels->scale_add(y, x, n, a, accumulate); });
}

// fill(x, value)
MEDITRON_FUNCTION(fill) {
  Arguments args(env, info, "fill");
  const int64_t n = args.length(0, "x");
  const Tensor x = args.tensor(0, "x", n);
  const float value = static_cast<float>(args.number(1, "value"));
  if (!args.ok() || n == 0) return nullptr;
  return perform(args, [=] { g_kernels->fill(x, n, value); });
}

// peak(iterations, bf16): floating-point operations done
MEDITRON_FUNCTION(peak) {
  Arguments args(env, info, "peak");
  const int64_t iterations = args.integer(0, "iterations", 1);
  const Precision kind = precision(args, 1);
  if (!args.ok()) return nullptr;
  double operations;
  {
    const pool::Turn turn;
    operations = g_kernels->peak(iterations, kind);
  }
  napi_value result;
  napi_create_double(env, operations, &result);
  return result;
}

// ---- memory, choice of build --------------------------------------------------------------------------------------------

// allocate(bytes): ArrayBuffer over pages of the system, given back when it is collected
MEDITRON_FUNCTION(allocate) {
  Arguments args(env, info, "allocate");
  const int64_t bytes = args.integer(0, "bytes", 0);
  if (!args.ok()) return nullptr;
  napi_value result = nullptr;
  if (bytes == 0) {
    void* unused;
    napi_create_arraybuffer(env, 0, &unused, &result);
    return result;
  }
  void* const memory = pool::map_memory(static_cast<size_t>(bytes));
  if (!memory) {
    napi_throw_error(env, "NATIVE_OUT_OF_MEMORY", "allocate: the system has no memory of that size left");
    return nullptr;
  }
  const auto release = [](napi_env, void* data, void* size) { pool::unmap_memory(data, reinterpret_cast<size_t>(size)); };
  if (napi_create_external_arraybuffer(env, memory, static_cast<size_t>(bytes), release, reinterpret_cast<void*>(bytes), &result) != napi_ok) {
    pool::unmap_memory(memory, static_cast<size_t>(bytes));
    napi_throw_error(env, "NATIVE_OUT_OF_MEMORY", "allocate: this Node does not allow memory from outside its heap");
    return nullptr;
  }
  return result;
}

// record(calls): a function that runs the kernel calls that calls() makes now. Their arrays must outlive it.
MEDITRON_FUNCTION(record) {
  size_t count = 1;
  napi_value calls, unused, replay;
  napi_get_cb_info(env, info, &count, &calls, nullptr, nullptr);
  auto* const recorded = new std::vector<Call>;
  g_recorded = recorded;
  napi_get_undefined(env, &unused);
  const napi_status status = napi_call_function(env, unused, calls, 0, nullptr, &unused);
  g_recorded = nullptr;
  const auto run = [](napi_env env, napi_callback_info info) -> napi_value {
    void* data;
    napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
    for (const Call& call : *static_cast<std::vector<Call>*>(data)) {
      for (const Indices& indices : call.indices) {
        const int64_t at = indices.misfit();
        if (at < 0) continue;
        indices.complain(env, at);
        return nullptr;
      }
      const pool::Turn turn;
      call.run();
    }
    return nullptr;
  };
  const auto release = [](napi_env, void* data, void*) { delete static_cast<std::vector<Call>*>(data); };
  if (status != napi_ok || napi_create_function(env, "replay", NAPI_AUTO_LENGTH, run, recorded, &replay) != napi_ok ||
      napi_add_finalizer(env, replay, recorded, release, nullptr, nullptr) != napi_ok) {
    delete recorded;  // what calls() threw goes on
    return nullptr;
  }
  return replay;
}

// select(isa): boolean; false when the CPU cannot run it
MEDITRON_FUNCTION(select) {
  size_t count = 1;
  napi_value value;
  napi_get_cb_info(env, info, &count, &value, nullptr, nullptr);
  char name[32] = {};
  napi_get_value_string_utf8(env, value, name, sizeof name, nullptr);
  bool done = false;
  for (int i = 0; i < kBuildCount; i++) {
    if (std::strcmp(name, kBuilds[i]) != 0 || !supported(i)) continue;
    const pool::Turn turn;
    g_kernels = &build(i);
    done = true;
  }
  napi_value result;
  napi_get_boolean(env, done, &result);
  return result;
}

// threads(n): n threads from now on
MEDITRON_FUNCTION(set_threads) {
  Arguments args(env, info, "threads");
  const int64_t n = args.integer(0, "threads", 1, 256);
  if (!args.ok()) return nullptr;
  const pool::Turn turn;
  pool::set_threads(static_cast<int>(n));
  return nullptr;
}

// describe(): { isa, hasBf16, threads, defaultThreads, builds: { [isa]: supported } }
MEDITRON_FUNCTION(describe) {
  static_cast<void>(info);
  napi_value result, value, builds;
  napi_create_object(env, &result);
  napi_create_string_utf8(env, g_kernels->isa, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "isa", value);
  napi_get_boolean(env, g_kernels->has_bf16, &value);
  napi_set_named_property(env, result, "hasBf16", value);
  napi_create_int32(env, pool::threads(), &value);
  napi_set_named_property(env, result, "threads", value);
  napi_create_int32(env, pool::default_threads(), &value);
  napi_set_named_property(env, result, "defaultThreads", value);
  napi_create_object(env, &builds);
  for (int i = 0; i < kBuildCount; i++) {
    napi_get_boolean(env, supported(i), &value);
    napi_set_named_property(env, builds, kBuilds[i], value);
  }
  napi_set_named_property(env, result, "builds", builds);
  return result;
}

napi_value init(napi_env env, napi_value exports) {
  if (!g_kernels) {
    for (int i = 0; i < kBuildCount; i++)
      if (supported(i) && preferred(i)) g_kernels = &build(i);
  }
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {
      {"gemm", gemm}, {"addBias", add_bias}, {"addBiasBackward", add_bias_backward}, {"embedding", embedding},
      {"embeddingBackward", embedding_backward}, {"rmsnorm", rmsnorm}, {"rmsnormBackward", rmsnorm_backward}, {"rope", rope},
      {"attention", attention}, {"attentionBackward", attention_backward}, {"cachedAttention", cached_attention}, {"swiglu", swiglu},
      {"swigluBackward", swiglu_backward}, {"headCrossEntropy", head_cross_entropy}, {"sumSquares", sum_squares}, {"adamw", adamw},
      {"scaleAdd", scale_add}, {"fill", fill}, {"peak", peak}, {"allocate", allocate}, {"select", select}, {"threads", set_threads},
      {"describe", describe}, {"record", record},
  };
  for (const auto& function : functions) {
    napi_value value;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, nullptr, &value);
    napi_set_named_property(env, exports, function.name, value);
  }
  return exports;
}

}  // namespace
}  // namespace meditron

NAPI_MODULE(meditron, meditron::init)
