// Packing: copies a block of a matrix into panels of words, as the micro-kernel reads them. A panel holds `Width` lanes (rows of
// A or columns of B) for each word along k: panel[k / kPerWord][Width]. Lanes beyond the matrix are zero, and so is the missing
// half of a last odd k. Panels of scaled words begin with a row of scales, one for each lane.
#pragma once
#include "micro-kernel.h"

namespace meditron::MEDITRON_ISA {

// Words, and what scaled ones are made with: see F16.
template <class Math, class S>
MEDITRON_INLINE Vec word_along(const S* p, int64_t n, const float* factor) {
  if constexpr (Math::kScaleRows > 0) return Math::along(p, n, broadcast(factor));
  else return Math::along(p, n);
}
template <class Math, class S, class Lanes>
MEDITRON_INLINE Vec word_across(const S* even, const S* odd, Lanes lanes, const float* factors) {
  if constexpr (Math::kScaleRows > 0) return Math::across(even, odd, lanes, load(factors, lanes));
  else return Math::across(even, odd, lanes);
}
template <class Math, int Width, class S>
MEDITRON_INLINE void find_factors(const float* scales, float* factors) {
  if constexpr (Math::kScaleRows > 0) {
    each(Width, [&](int64_t lane, auto part) MEDITRON_LAMBDA {
      store(factors + lane, Math::factors_of(load(scales + lane, part), static_cast<const S*>(nullptr)), part);
    });
  }
}

#if defined(__AVX512FP16__)
// Scales of a panel's lanes from their largest magnitudes, read as they are stored: two bfloat16 a word.
template <class S>
struct Scales {
  static constexpr bool kHalf = sizeof(S) == 2;
  static constexpr int64_t kStep = kHalf ? 2 * kLanes : kLanes;
  static MEDITRON_INLINE Vec larger(Vec a, Vec b) {
    if constexpr (kHalf) return (Vec)_mm512_max_epu16((__m512i)a, (__m512i)b);
    else return max(a, b);
  }
  // The larger of `top` and what stands at p, of which n are left.
  static MEDITRON_INLINE Vec raise(Vec top, const S* p, int64_t n) {
    if constexpr (kHalf) return larger((Vec)((Bits)(n >= kStep ? load_words(p) : load_words(p, static_cast<int>(n))) & 0x7fff7fffu), top);
    else return larger(magnitude(n >= kStep ? load(p) : load(p, Part{static_cast<int>(n)})), top);
  }
  // The same down `rows` rows, one lane for each number; the result is float32.
  template <class Lanes>
  static MEDITRON_INLINE Vec down(const S* p, int64_t stride, int64_t rows, Lanes lanes) {
    if constexpr (kHalf) {
      __m256i top = _mm256_setzero_si256();
      for (int64_t i = 0; i < rows; i++) {
        top = _mm256_max_epu16(top, _mm256_and_si256(_mm256_maskz_loadu_epi16(first(Part{count(lanes)}), p + i * stride), _mm256_set1_epi16(0x7fff)));
      }
      return widen((Halves)top);
    } else {
      Vec top = zero();
      for (int64_t i = 0; i < rows; i++) top = max(magnitude(load(p + i * stride, lanes)), top);
      return top;
    }
  }
  static MEDITRON_INLINE Vec of(Vec largest) {
    const Vec scale = F16::scale_for(largest);
    if constexpr (!kHalf) return scale;  // infinities and NaN become those of float16
    else return (Vec)((Bits)largest >= 0x7f800000u ? Bits{} + 0x7fc00000u : (Bits)scale);  // integers know none: the whole lane is NaN
  }
};

template <int Width, class S>
MEDITRON_INLINE void scale_rows(const S* s, int64_t stride, int64_t lanes, int64_t k, float* scales) {
  using Kind = Scales<S>;
  for (int64_t lane = 0; lane < Width; lane += kLanes) {
    constexpr int kGroup = Width < kLanes ? Width : kLanes;
    const int64_t rows = least(kGroup, lanes - lane);
    Vec top[kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; i++) top[i] = zero();
    if (rows == kGroup) {
      for (int64_t at = 0; at < k; at += Kind::kStep) {
#pragma GCC unroll 16
        for (int i = 0; i < kGroup; i++) top[i] = Kind::raise(top[i], s + (lane + i) * stride + at, k - at);
      }
    } else {
      for (int64_t i = 0; i < rows; i++) {
        for (int64_t at = 0; at < k; at += Kind::kStep) top[i] = Kind::raise(top[i], s + (lane + i) * stride + at, k - at);
      }
    }
    transpose(top);
#pragma GCC unroll 16
    for (int i = 1; i < kLanes; i++) top[0] = Kind::larger(top[0], top[i]);
    if constexpr (Kind::kHalf) top[0] = max_bits((Vec)((Bits)top[0] << 16), (Vec)((Bits)top[0] & 0xffff0000u));
    const Vec scale = Kind::of(top[0]);
    if constexpr (Width % kLanes == 0) store(scales + lane, scale);
    else store_first<Width % kLanes>(scales + lane, scale);
  }
}

// The same where the source lies in columns, for panels [begin, end), `panel_size` apart.
template <int Width, class S>
MEDITRON_INLINE void scale_columns(const S* s, int64_t stride, int64_t lanes, int64_t k, int64_t begin, int64_t end, float* panels, int64_t panel_size) {
  constexpr int64_t kRows = 16;
  for (int64_t at = 0; at < k; at += kRows) {
    const int64_t rows = least(kRows, k - at);
    for (int64_t p = begin; p < end; p++) {
      float* const scales = panels + p * panel_size;
      if (at == 0) each(Width, [&](int64_t lane, auto part) MEDITRON_LAMBDA { store(scales + lane, zero(), part); });
      each(least(Width, lanes - p * Width), [&](int64_t lane, auto part) MEDITRON_LAMBDA {
        const Vec top = Scales<S>::down(s + at * stride + p * Width + lane, stride, rows, part);
        store(scales + lane, max_bits(top, load(scales + lane, part)), part);
      });
      if (at + rows == k) each(Width, [&](int64_t lane, auto part) MEDITRON_LAMBDA { store(scales + lane, Scales<S>::of(load(scales + lane, part)), part); });
    }
  }
}
#endif

// Source in rows: element (lane, k) = s[lane · stride + k]. Blocks of words are turned in registers.
// Where Width is no multiple of kLanes, the stores of a row run into the next one, which is written after it, and the last one up to
// kLanes words over the end of the panel: the buffer needs that much slack.
template <class Math, int Width, class S>
MEDITRON_INLINE void pack_rows(const S* s, int64_t stride, int64_t lanes, int64_t k, float* panel) {
  static_assert(Width <= kLanes || Width % kLanes == 0, "a narrow last group would overwrite the next row");
  constexpr int kStep = kLanes * Math::kPerWord;
  const int64_t words = ceil_div(k, Math::kPerWord);
  alignas(64) float factors[round_up(Width, kLanes)];
#if defined(__AVX512FP16__)
  if constexpr (Math::kScaleRows > 0) {
    scale_rows<Width>(s, stride, lanes, k, panel);
    find_factors<Math, Width, S>(panel, factors);
    panel += Width;
  }
#endif
  for (int64_t lane = 0; lane < Width; lane += kLanes) {
    constexpr int kGroup = Width < kLanes ? Width : kLanes;
    for (int64_t at = 0, word = 0; at < k; at += kStep, word += kLanes) {
      Vec r[kLanes];
      if (lane + kGroup <= lanes && at + kStep <= k) {
#pragma GCC unroll 16
        for (int i = 0; i < kGroup; i++) r[i] = word_along<Math>(s + (lane + i) * stride + at, kStep, factors + lane + i);
#pragma GCC unroll 16
        for (int i = kGroup; i < kLanes; i++) r[i] = zero();
      } else {
        for (int i = 0; i < kLanes; i++) {
          r[i] = i < kGroup && lane + i < lanes ? word_along<Math>(s + (lane + i) * stride + at, k - at, factors + lane + i) : zero();
        }
      }
      transpose(r);
      float* const p = panel + word * Width + lane;
      if (word + kLanes <= words) {
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; i++) store(p + i * Width, r[i]);
      } else {
        for (int i = 0; i < words - word; i++) store(p + i * Width, r[i]);
      }
    }
  }
}

// Source in columns: element (lane, k) = s[k · stride + lane], `lanes` of them left in the source, of which Width are wanted. Rows are copied,
// in pairs when a word holds two.
template <class Math, int Width, class S>
MEDITRON_INLINE void pack_columns(const S* s, int64_t stride, int64_t lanes, int64_t k, float* panel, const float* scales) {
  alignas(64) float factors[round_up(Width, kLanes)];
  find_factors<Math, Width, S>(scales, factors);
  for (int64_t at = 0; at < k; at += Math::kPerWord, panel += Width) {
    const S* const even = s + at * stride;
    const S* const odd = Math::kPerWord == 2 && at + 1 < k ? even + stride : nullptr;
#pragma GCC unroll 4
    for (int lane = 0; lane < Width; lane += kLanes) {
      const int64_t left = lanes - lane;
      const S* const odd_lane = odd ? odd + lane : nullptr;
      Vec v = zero();
      if (left >= kLanes) v = word_across<Math>(even + lane, odd_lane, Full{}, factors + lane);
      else if (left > 0) v = word_across<Math>(even + lane, odd_lane, Part{static_cast<int>(left)}, factors + lane);
      if constexpr (Width % kLanes == 0) store(panel + lane, v);
      else if (lane + kLanes <= Width) store(panel + lane, v);
      else store_first<Width % kLanes>(panel + lane, v);
    }
  }
}

// Packs panels [begin, end) of a block of `lanes` lanes and k steps; `panels` starts at panel 0, each is panel_rows<Math>(k) · Width long.
// `offset` is the element where the block starts; `in_rows` says whether k runs along the rows of the source.
template <class Math>
MEDITRON_INLINE constexpr int64_t panel_rows(int64_t k) {
  return Math::kScaleRows + ceil_div(k, Math::kPerWord);
}
template <class Math, int Width, class S>
void pack_panels(const S* s, int64_t stride, bool in_rows, int64_t lanes, int64_t k, int64_t begin, int64_t end, float* panels) {
  const int64_t panel_size = panel_rows<Math>(k) * Width;
  if (in_rows) {
    for (int64_t p = begin; p < end; p++) {
      pack_rows<Math, Width>(s + p * Width * stride, stride, least(Width, lanes - p * Width), k, panels + p * panel_size);
    }
    return;
  }
#if defined(__AVX512FP16__)
  if constexpr (Math::kScaleRows > 0) scale_columns<Width>(s, stride, lanes, k, begin, end, panels, panel_size);
#endif
  // A few rows of the source at a time, so that each of its cache lines is read once.
  constexpr int64_t kRows = 16;
  for (int64_t at = 0; at < k; at += kRows) {
    for (int64_t p = begin; p < end; p++) {
      float* const panel = panels + p * panel_size;
      pack_columns<Math, Width>(s + at * stride + p * Width, stride, lanes - p * Width, least(kRows, k - at),
                                panel + (Math::kScaleRows + at / Math::kPerWord) * Width, panel);
    }
  }
}

template <class Math, int Width>
void pack_panels(const Tensor& s, int64_t offset, int64_t stride, bool in_rows, int64_t lanes, int64_t k, int64_t begin, int64_t end,
                 float* panels) {
  if (s.type == Type::f32) {
    pack_panels<Math, Width>(static_cast<const float*>(s.data) + offset, stride, in_rows, lanes, k, begin, end, panels);
  } else {
    pack_panels<Math, Width>(static_cast<const bf16*>(s.data) + offset, stride, in_rows, lanes, k, begin, end, panels);
  }
}

}  // namespace meditron::MEDITRON_ISA
