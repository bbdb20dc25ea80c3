// Vectors of float32 at the width of the instruction set this file is compiled for. The only place with intrinsics.
//
//   portable     4 lanes   GCC/Clang vector extensions: SSE2, NEON, anything
//   avx2         8 lanes   AVX2 + FMA
//   avx512      16 lanes   AVX-512 F, BW, DQ, VL
//   avx512bf16  16 lanes   the same, with products of bfloat16 pairs in hardware (vdpbf16ps)
//   avx512fp16  16 lanes   AVX-512 with float16 arithmetic, twice the rate of float32: products of scaled float16 pairs
//
// A load or store takes `Full{}` (all lanes) or `Part{n}` (the first n lanes; the others read as zero and stay unwritten), so
// that one body serves a loop and its remainder; see `each`.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "types.h"

#if defined(__AVX2__)
// GCC 12 warns about its own headers: their undefined vectors are "used uninitialized" (bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#ifndef MEDITRON_ISA
#error "MEDITRON_ISA names the namespace of this build: portable, avx2, avx512, avx512bf16 or avx512fp16"
#endif

#define MEDITRON_INLINE inline __attribute__((always_inline))
// Lambdas that must melt into their loop carry this after their parameters.
#define MEDITRON_LAMBDA __attribute__((always_inline))

namespace meditron::MEDITRON_ISA {

#if defined(__AVX512F__)
using Vec = __m512;
constexpr int kLanes = 16;
#elif defined(__AVX2__)
using Vec = __m256;
constexpr int kLanes = 8;
#else
typedef float Vec __attribute__((vector_size(16)));
constexpr int kLanes = 4;
#endif
typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Bits __attribute__((vector_size(4 * kLanes)));
typedef uint16_t Halves __attribute__((vector_size(2 * kLanes)));
typedef double Doubles __attribute__((vector_size(8 * kLanes)));

struct Full {};
struct Part {
  int n;
};
MEDITRON_INLINE constexpr int count(Full) { return kLanes; }
MEDITRON_INLINE constexpr int count(Part part) { return part.n; }

// std::min and std::max would be emitted once for all instruction sets; these stay in their namespace.
MEDITRON_INLINE constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
MEDITRON_INLINE constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
MEDITRON_INLINE constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }
MEDITRON_INLINE constexpr int64_t ceil_div(int64_t n, int64_t step) { return (n + step - 1) / step; }

MEDITRON_INLINE Vec set(float x) { return x - Vec{}; }
MEDITRON_INLINE Vec zero() { return Vec{}; }
MEDITRON_INLINE Ints lane_index() {
  Ints index;
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; i++) index[i] = i;
  return index;
}
MEDITRON_INLINE Vec blend(Ints mask, Vec yes, Vec no) { return (Vec)((mask & (Ints)yes) | (~mask & (Ints)no)); }

// ---- arithmetic -----------------------------------------------------------------------------------------------------

#if defined(__AVX512F__)
MEDITRON_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
MEDITRON_INLINE Vec fma_in_place(Vec a, Vec b, Vec c) { return fma(a, b, c); }
MEDITRON_INLINE Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }
MEDITRON_INLINE Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
MEDITRON_INLINE Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
MEDITRON_INLINE Vec sqrt(Vec a) { return _mm512_sqrt_ps(a); }
// One load for all lanes. Left to itself the compiler folds the broadcast into each multiply and loads twice.
MEDITRON_INLINE Vec broadcast(const float* p) {
  Vec v;
  asm("vbroadcastss %1, %0" : "=v"(v) : "m"(*p));
  return v;
}
#elif defined(__AVX2__)
MEDITRON_INLINE Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
MEDITRON_INLINE Vec fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }
MEDITRON_INLINE Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
MEDITRON_INLINE Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
MEDITRON_INLINE Vec sqrt(Vec a) { return _mm256_sqrt_ps(a); }
MEDITRON_INLINE Vec broadcast(const float* p) { return _mm256_broadcast_ss(p); }
// a · b + c in the register of c. Left to itself the compiler moves the sums of a tile about, and spills some: they fill the registers.
MEDITRON_INLINE Vec fma_in_place(Vec a, Vec b, Vec c) {
  asm("vfmadd231ps %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
  return c;
}
#else
MEDITRON_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
MEDITRON_INLINE Vec fma_in_place(Vec a, Vec b, Vec c) { return fma(a, b, c); }
MEDITRON_INLINE Vec fnma(Vec a, Vec b, Vec c) { return c - a * b; }
// As the x86 instructions: when one side is NaN, the second operand is the result.
MEDITRON_INLINE Vec max(Vec a, Vec b) { return blend(a > b, a, b); }
MEDITRON_INLINE Vec min(Vec a, Vec b) { return blend(a < b, a, b); }
MEDITRON_INLINE Vec sqrt(Vec a) {
  for (int i = 0; i < kLanes; i++) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
MEDITRON_INLINE Vec broadcast(const float* p) { return set(*p); }
#endif

// Sum and maximum of all lanes, by halves: the same order at every call.
#if defined(__AVX512F__)
MEDITRON_INLINE float sum(Vec v) { return _mm512_reduce_add_ps(v); }
MEDITRON_INLINE float max_lane(Vec v) { return _mm512_reduce_max_ps(v); }
#else
MEDITRON_INLINE float sum(Vec v) {
#pragma GCC unroll 3
  for (int half = kLanes / 2; half > 0; half /= 2)
#pragma GCC unroll 4
    for (int i = 0; i < half; i++) v[i] += v[i + half];
  return v[0];
}
MEDITRON_INLINE float max_lane(Vec v) {
  float m = v[0];
#pragma GCC unroll 8
  for (int i = 1; i < kLanes; i++) m = m > v[i] ? m : v[i];
  return m;
}
#endif

// out[i] = sum(v[i]) for 16 vectors, to the same bits: the halves of neighbours are added together, so that no lane is idle.
MEDITRON_INLINE void sum_each(const Vec* v, float* out) {
#if defined(__AVX512F__)
  __m512 a[8], b[4], c[2];
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) a[i] = _mm512_shuffle_f32x4(v[2 * i], v[2 * i + 1], 0x44) + _mm512_shuffle_f32x4(v[2 * i], v[2 * i + 1], 0xee);
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) b[i] = _mm512_shuffle_f32x4(a[2 * i], a[2 * i + 1], 0x88) + _mm512_shuffle_f32x4(a[2 * i], a[2 * i + 1], 0xdd);
#pragma GCC unroll 2
  for (int i = 0; i < 2; i++) c[i] = _mm512_shuffle_ps(b[2 * i], b[2 * i + 1], 0x44) + _mm512_shuffle_ps(b[2 * i], b[2 * i + 1], 0xee);
  // Lane 4q + r now holds vector 4r + q, for the 128-bit block q.
  const __m512 sums = _mm512_shuffle_ps(c[0], c[1], 0x88) + _mm512_shuffle_ps(c[0], c[1], 0xdd);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  _mm512_storeu_ps(out, _mm512_permutexvar_ps(order, sums));
#else
  for (int i = 0; i < 16; i++) out[i] = sum(v[i]);
#endif
}

// Lanes in [from, to) of v, the others of `other`.
MEDITRON_INLINE Vec keep(Vec v, int64_t from, int64_t to, Vec other) {
#if defined(__AVX512F__)
  const uint32_t below_to = to >= 16 ? 0xffffu : to <= 0 ? 0u : (1u << to) - 1u;
  const uint32_t below_from = from >= 16 ? 0xffffu : from <= 0 ? 0u : (1u << from) - 1u;
  return _mm512_mask_mov_ps(other, static_cast<__mmask16>(below_to & ~below_from), v);
#else
  const Ints index = lane_index();
  const int32_t a = static_cast<int32_t>(most(least(from, kLanes), 0)), b = static_cast<int32_t>(most(least(to, kLanes), 0));
  return blend((index >= a) & (index < b), v, other);
#endif
}

// ---- bfloat16 -------------------------------------------------------------------------------------------------------

// The nearest bfloat16 (ties to even) of each lane, as the bits of a float32 whose lower half is zero. NaN stays NaN.
MEDITRON_INLINE Bits round_bits(Vec v) {
  const Bits bits = (Bits)v;
  const Bits rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  const Ints number = v == v;
  return (((Bits)number & rounded) | (~(Bits)number & (bits | 0x400000u))) & 0xffff0000u;
}
MEDITRON_INLINE Vec round_bf16(Vec v) { return (Vec)round_bits(v); }
MEDITRON_INLINE Vec widen(Halves h) { return (Vec)(__builtin_convertvector(h, Bits) << 16); }
MEDITRON_INLINE Halves narrow(Vec v) {
#if defined(__AVX512BF16__)
  return (Halves)_mm512_cvtneps_pbh(v);
#else
  return __builtin_convertvector(round_bits(v) >> 16, Halves);
#endif
}

// ---- load, store ----------------------------------------------------------------------------------------------------

MEDITRON_INLINE Vec load(const float* p, Full = {}) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
MEDITRON_INLINE void store(float* p, Vec v, Full = {}) { std::memcpy(p, &v, sizeof v); }
MEDITRON_INLINE Vec load(const bf16* p, Full = {}) {
  Halves h;
  std::memcpy(&h, p, sizeof h);
  return widen(h);
}
MEDITRON_INLINE void store(bf16* p, Vec v, Full = {}) {
  const Halves h = narrow(v);
  std::memcpy(p, &h, sizeof h);
}

#if defined(__AVX512F__)
MEDITRON_INLINE __mmask16 first(Part part) { return static_cast<__mmask16>((1u << part.n) - 1u); }
MEDITRON_INLINE Vec load(const float* p, Part part) { return _mm512_maskz_loadu_ps(first(part), p); }
MEDITRON_INLINE void store(float* p, Vec v, Part part) { _mm512_mask_storeu_ps(p, first(part), v); }
MEDITRON_INLINE Vec load(const bf16* p, Part part) { return widen((Halves)_mm256_maskz_loadu_epi16(first(part), p)); }
MEDITRON_INLINE void store(bf16* p, Vec v, Part part) { _mm256_mask_storeu_epi16(p, first(part), (__m256i)narrow(v)); }
#else
MEDITRON_INLINE Vec load(const float* p, Part part) {
#if defined(__AVX2__)
  return _mm256_maskload_ps(p, (__m256i)(lane_index() < part.n));
#else
  float x[kLanes] = {};
  for (int i = 0; i < part.n; i++) x[i] = p[i];
  return load(x);
#endif
}
MEDITRON_INLINE void store(float* p, Vec v, Part part) {
  for (int i = 0; i < part.n; i++) p[i] = v[i];
}
MEDITRON_INLINE Vec load(const bf16* p, Part part) {
  bf16 x[kLanes] = {};
  for (int i = 0; i < part.n; i++) x[i] = p[i];
  return load(x);
}
MEDITRON_INLINE void store(bf16* p, Vec v, Part part) {
  const Halves h = narrow(v);
  for (int i = 0; i < part.n; i++) p[i].bits = h[i];
}
#endif

// The first N lanes, N known to the compiler: lane by lane takes several times as long.
template <int N>
MEDITRON_INLINE void store_first(float* p, Vec v) {
#if defined(__AVX512F__)
  store(p, v, Part{N});
#elif defined(__AVX2__)
  static_assert(N == 6);
  _mm_storeu_ps(p, _mm256_castps256_ps128(v));
  _mm_storel_pi(reinterpret_cast<__m64*>(p + 4), _mm256_extractf128_ps(v, 1));
#else
  std::memcpy(p, &v, N * sizeof(float));
#endif
}

// The same on a tensor of either storage. The branch is the same at every step of a loop, so it costs next to nothing.
template <class Lanes = Full>
MEDITRON_INLINE Vec load(const Tensor& t, int64_t i, Lanes lanes = {}) {
  return t.type == Type::f32 ? load(static_cast<const float*>(t.data) + i, lanes) : load(static_cast<const bf16*>(t.data) + i, lanes);
}
template <class Lanes = Full>
MEDITRON_INLINE void store(const Tensor& t, int64_t i, Vec v, Lanes lanes = {}) {
  if (t.type == Type::f32) store(static_cast<float*>(t.data) + i, v, lanes);
  else store(static_cast<bf16*>(t.data) + i, v, lanes);
}
MEDITRON_INLINE Tensor at(const Tensor& t, int64_t i) {
  return {static_cast<char*>(t.data) + i * (t.type == Type::f32 ? 4 : 2), t.type};
}

// Calls body(i, lanes) for i = 0, kLanes, 2·kLanes ... < n; the last call may be a Part.
template <class Body>
MEDITRON_INLINE void each(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, Full{});
  if (i < n) body(i, Part{static_cast<int>(n - i)});
}

// ---- functions ------------------------------------------------------------------------------------------------------

// e^x to about 1 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, and a polynomial of degree 6 in r (Cephes' expf). Below -87.3 the
// result is 0, above 88.3 it stays at 2.2e38 (no caller needs infinity); NaN stays NaN.
MEDITRON_INLINE Vec exp(Vec x) {
  const Vec lowest = set(-87.33f), magic = set(12582912.0f);  // 1.5 · 2^23: adding it rounds to an integer
  const Vec clamped = min(set(88.3f), max(lowest, x));
  const Vec shifted = fma(clamped, set(1.44269504088896341f), magic);
  const Vec n = shifted - magic;
  Vec r = fnma(n, set(0.693359375f), clamped);
  r = fnma(n, set(-2.12194440e-4f), r);
  Vec p = set(1.9875691500e-4f);
  p = fma(p, r, set(1.3981999507e-3f));
  p = fma(p, r, set(8.3334519073e-3f));
  p = fma(p, r, set(4.1665795894e-2f));
  p = fma(p, r, set(1.6666665459e-1f));
  p = fma(p, r, set(5.0000001201e-1f));
  p = fma(p, r * r, r + set(1.0f));
#if defined(__AVX512F__)
  return _mm512_mask_mov_ps(_mm512_scalef_ps(p, n), _mm512_cmp_ps_mask(x, lowest, _CMP_LT_OQ), zero());
#else
  const Bits power = ((Bits)shifted - (Bits)magic + 127u) << 23;
  return (Vec)((Ints)(p * (Vec)power) & ~(x < lowest));
#endif
}

MEDITRON_INLINE Vec sigmoid(Vec x) { return set(1.0f) / (set(1.0f) + exp(-x)); }

// ---- 32-bit words: transposes and pairs of bfloat16 -------------------------------------------------------------------

// Transposes a kLanes x kLanes block of 32-bit words held in kLanes vectors.
#if defined(__AVX512F__)
MEDITRON_INLINE void transpose(Vec* rows) {
  __m512i r[16], t[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i++) r[i] = _mm512_castps_si512(rows[i]);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {  // 128-bit blocks: even ones of rows i, i+4 to t[i]; odd ones to t[i+4]; the same for i+8, i+12
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    rows[i] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(t[i], t[i + 8], 0x88));
    rows[i + 4] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88));
    rows[i + 8] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd));
    rows[i + 12] = _mm512_castsi512_ps(_mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd));
  }
}
#elif defined(__AVX2__)
MEDITRON_INLINE void transpose(Vec* r) {
  Vec t[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  Vec u[8];
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}
#else
MEDITRON_INLINE void transpose(Vec* r) {
  Vec t[kLanes];
  for (int i = 0; i < kLanes; i++)
    for (int j = 0; j < kLanes; j++) t[i][j] = r[j][i];
  for (int i = 0; i < kLanes; i++) r[i] = t[i];
}
#endif

#if defined(__AVX512BF16__)
// A word holds two bfloat16: the lower half comes first along k. Words are kept in Vec as raw bits.

// 32 consecutive numbers, given as two vectors, to 16 words.
MEDITRON_INLINE Vec pair_up(Vec first_half, Vec second_half) {
  return (Vec)_mm512_cvtne2ps_pbh(second_half, first_half);
}
// word[i] = (even[i], odd[i])
MEDITRON_INLINE Vec interleave(Vec even, Vec odd) {
  alignas(64) static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return (Vec)_mm512_permutexvar_epi16(_mm512_load_si512(order), (__m512i)_mm512_cvtne2ps_pbh(odd, even));
}
// 32 stored bfloat16 (or the first n, then zeros) as 16 words.
MEDITRON_INLINE Vec load_words(const bf16* p) { return (Vec)_mm512_loadu_si512(p); }
MEDITRON_INLINE Vec load_words(const bf16* p, int n) {
  return (Vec)_mm512_maskz_loadu_epi16(n >= 32 ? ~0u : (1u << n) - 1u, p);
}
// c + a.first · b.first + a.second · b.second in each lane; denormals count as zero.
MEDITRON_INLINE Vec dot_pairs(Vec a, Vec b, Vec c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
#endif

#if defined(__AVX512FP16__)
// A word holds two float16: the lower half comes first along k. Words are kept in Vec as raw bits.

MEDITRON_INLINE __m512i join(__m256i first_half, __m256i second_half) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(first_half), second_half, 1);
}
MEDITRON_INLINE __m512i halves(Vec first_half, Vec second_half) {
  return join(_mm256_castph_si256(_mm512_cvtxps_ph(first_half)), _mm256_castph_si256(_mm512_cvtxps_ph(second_half)));
}
// word[i] = (first_half[i], second_half[i])
MEDITRON_INLINE __m512i interleave_halves(__m512i halves) {
  alignas(64) static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_load_si512(order), halves);
}
// 32 consecutive numbers, given as two vectors, to 16 words.
MEDITRON_INLINE Vec pair_up_f16(Vec first_half, Vec second_half) { return (Vec)halves(first_half, second_half); }
// word[i] = (even[i], odd[i])
MEDITRON_INLINE Vec interleave_f16(Vec even, Vec odd) { return (Vec)interleave_halves(halves(even, odd)); }
// Words of bfloat16 to words of float16 by integers, exactly: `offset` is what exponents lose, in place in both halves. What
// would be less than a normal float16 becomes zero. No lane is infinite or NaN.
MEDITRON_INLINE Vec to_f16(Vec words, Vec offset) {
  const __m512i sign = _mm512_set1_epi16(static_cast<int16_t>(0x8000));
  const __m512i lower = _mm512_subs_epu16(_mm512_andnot_si512(sign, (__m512i)words), (__m512i)offset);
  const __m512i moved = _mm512_maskz_slli_epi16(_mm512_cmpge_epu16_mask(lower, _mm512_set1_epi16(0x80)), lower, 3);
  return (Vec)_mm512_ternarylogic_epi32(moved, (__m512i)words, sign, 0xf8);  // moved | (words & sign)
}
// (c.first + a.first · b.first, c.second + a.second · b.second) in each lane, rounded to float16. In place: see fma_in_place.
MEDITRON_INLINE Vec multiply_add_f16(Vec a, Vec b, Vec c) {
  asm("vfmadd231ph %2, %1, %0" : "+v"(c) : "v"(a), "v"(b));
  return c;
}
// 16 float16 in memory as float32. (From a register the same instruction needs a shuffle first.)
MEDITRON_INLINE Vec load_f16(const uint16_t* p) {
  Vec v;
  asm("vcvtph2psx %1, %0" : "=v"(v) : "m"(*reinterpret_cast<const __m256i_u*>(p)));
  return v;
}
// Even and odd numbers of 32 that lie in two vectors, added to each other.
MEDITRON_INLINE Vec add_pairs(Vec low, Vec high) {
  alignas(64) static const int32_t even[16] = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
  alignas(64) static const int32_t odd[16] = {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31};
  return _mm512_permutex2var_ps(low, _mm512_load_si512(even), high) + _mm512_permutex2var_ps(low, _mm512_load_si512(odd), high);
}
#endif

MEDITRON_INLINE Vec magnitude(Vec v) { return (Vec)((Bits)v & 0x7fffffffu); }
// The larger of two numbers that are not negative; NaN counts as the largest.
MEDITRON_INLINE Vec max_bits(Vec a, Vec b) { return (Vec)((Ints)a > (Ints)b ? (Ints)a : (Ints)b); }

MEDITRON_INLINE void prefetch_for_write(const void* p) { __builtin_prefetch(p, 1, 3); }

}  // namespace meditron::MEDITRON_ISA
