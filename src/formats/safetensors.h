// safetensors: a file of named tensors that can be mapped and used in place.
//
//   byte 0       8                 8+H                                  end of file
//   │ u64 LE: H  │ JSON of H bytes │ tensor data, back to back, no gaps │
//
//   JSON   {"__metadata__": {string: string, …},
//           "encoder.weight": {"dtype": "F32", "shape": [384, 384], "data_offsets": [0, 589824]},
//           …}
//          offsets are counted from byte 8+H; spaces may pad the end of the JSON.
//
// The reader trusts nothing: every tensor must lie in the file, be as long as its type and shape
// say, and the tensors together must cover the data without overlap or hole.
//
// Limits  header of 100 MB (the format's own), tensor::Shape::kMaxRank dimensions.
// Errors  name the file, the tensor, the byte and what was expected.
// Source  https://huggingface.co/docs/safetensors (format), version 0.4 and later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tensor/tensor.h"

namespace hone::formats {

inline constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;

struct SafetensorsEntry {
  std::string name;
  tensor::DType dtype = tensor::DType::kF32;
  tensor::Shape shape;
  std::uint64_t begin = 0, end = 0;  // bytes of the file, not of its data section
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> tensors;  // in order of their bytes
  std::vector<std::pair<std::string, std::string>> metadata;
};

// `file` is the whole file; only its header is read. `source` names it in errors.
base::StatusOr<SafetensorsHeader> ParseSafetensors(std::span<const std::byte> file,
                                                   std::string_view source);

}  // namespace hone::formats
