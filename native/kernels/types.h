// Plain types shared by every build of the kernels. Nothing here may emit code: this header is compiled under several
// instruction sets at once, and an inline function could be linked from the wrong one.
#pragma once
#include <cstdint>

namespace meditron {

// bfloat16: the upper half of a float32.
struct bf16 {
  uint16_t bits;
};

enum class Type : uint8_t { f32, bf16 };

// Products in float32, or of inputs rounded to bfloat16 with float32 sums.
enum class Precision : uint8_t { f32, bf16 };

// Numbers in memory and how they are stored. The shape travels beside it.
struct Tensor {
  void* data;
  Type type;
};

}  // namespace meditron
