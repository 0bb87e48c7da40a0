// Writes a safetensors file (layout: formats/safetensors.h) without holding it in memory.
//
// Deterministic  the same tensors give the same bytes: widest elements first, then by name, so that
//                every tensor is aligned to its element; the header is padded to
//                kSafetensorsAlignment.
// Atomic         through env::PendingFile: on any error nothing is left.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "tensor/tensor.h"

namespace hone::formats {

// The data section begins at a cache line of the mapped file.
inline constexpr std::size_t kSafetensorsAlignment = 64;

using ByteSink = std::function<base::Status(std::span<const std::byte>)>;

struct TensorToWrite {
  std::string name;
  tensor::DType dtype = tensor::DType::kF32;
  tensor::Shape shape;
  // Gives the tensor's bytes to the sink, in as many pieces as it likes; called once.
  std::function<base::Status(const ByteSink&)> produce;
};

// Names must be unique and every producer must give exactly its tensor's bytes (HONE_CHECKed).
base::Status WriteSafetensors(env::FileSystem& files, const std::string& path,
                              std::vector<TensorToWrite> tensors,
                              std::span<const std::pair<std::string, std::string>> metadata);

}  // namespace hone::formats
