// Packing: copies a block of a matrix into panels of words, as the micro-kernel reads them. A panel holds `Width` lanes (rows of
// A or columns of B) for each word along k: panel[k / kPerWord][Width]. Lanes beyond the matrix are zero, and so is the missing
// half of a last odd k.
#pragma once
#include "micro-kernel.h"

namespace meditron::MEDITRON_ISA {

// Source in rows: element (lane, k) = s[lane · stride + k]. Blocks of words are turned in registers.
// Where Width is no multiple of kLanes, the stores of a row run into the next one, which is written after it, and the last one up to
// kLanes words over the end of the panel: the buffer needs that much slack.
template <class Math, int Width, class S>
MEDITRON_INLINE void pack_rows(const S* s, int64_t stride, int64_t lanes, int64_t k, float* panel) {
  static_assert(Width <= kLanes || Width % kLanes == 0, "a narrow last group would overwrite the next row");
  constexpr int kStep = kLanes * Math::kPerWord;
  const int64_t words = ceil_div(k, Math::kPerWord);
  for (int64_t lane = 0; lane < Width; lane += kLanes) {
    constexpr int kGroup = Width < kLanes ? Width : kLanes;
    for (int64_t at = 0, word = 0; at < k; at += kStep, word += kLanes) {
      Vec r[kLanes];
      if (lane + kGroup <= lanes && at + kStep <= k) {
#pragma GCC unroll 16
        for (int i = 0; i < kGroup; i++) r[i] = Math::along(s + (lane + i) * stride + at, kStep);
#pragma GCC unroll 16
        for (int i = kGroup; i < kLanes; i++) r[i] = zero();
      } else {
        for (int i = 0; i < kLanes; i++) {
          r[i] = i < kGroup && lane + i < lanes ? Math::along(s + (lane + i) * stride + at, k - at) : zero();
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
MEDITRON_INLINE void pack_columns(const S* s, int64_t stride, int64_t lanes, int64_t k, float* panel) {
  for (int64_t at = 0; at < k; at += Math::kPerWord, panel += Width) {
    const S* const even = s + at * stride;
    const S* const odd = Math::kPerWord == 2 && at + 1 < k ? even + stride : nullptr;
#pragma GCC unroll 4
    for (int lane = 0; lane < Width; lane += kLanes) {
      const int64_t left = lanes - lane;
      const S* const odd_lane = odd ? odd + lane : nullptr;
      Vec v = zero();
      if (left >= kLanes) v = Math::across(even + lane, odd_lane, Full{});
      else if (left > 0) v = Math::across(even + lane, odd_lane, Part{static_cast<int>(left)});
      if constexpr (Width % kLanes == 0) store(panel + lane, v);
      else if (lane + kLanes <= Width) store(panel + lane, v);
      else store_first<Width % kLanes>(panel + lane, v);
    }
  }
}

// Packs panels [begin, end) of a block of `lanes` lanes and k steps; `panels` starts at panel 0, each is `words` · Width long.
// `offset` is the element where the block starts; `in_rows` says whether k runs along the rows of the source.
template <class Math, int Width, class S>
void pack_panels(const S* s, int64_t stride, bool in_rows, int64_t lanes, int64_t k, int64_t begin, int64_t end, float* panels) {
  const int64_t panel_size = ceil_div(k, Math::kPerWord) * Width;
  if (in_rows) {
    for (int64_t p = begin; p < end; p++) {
      pack_rows<Math, Width>(s + p * Width * stride, stride, least(Width, lanes - p * Width), k, panels + p * panel_size);
    }
    return;
  }
  // A few rows of the source at a time, so that each of its cache lines is read once.
  constexpr int64_t kRows = 16;
  for (int64_t at = 0; at < k; at += kRows) {
    for (int64_t p = begin; p < end; p++) {
      pack_columns<Math, Width>(s + at * stride + p * Width, stride, lanes - p * Width, least(kRows, k - at),
                                panels + p * panel_size + at / Math::kPerWord * Width);
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
