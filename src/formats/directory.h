// What the small files of a model directory say about where the rest lies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file.h"

namespace hone::formats {

// Of config.json, modules.json and their like. The largest in use are some hundred KB of label names.
inline constexpr std::uint64_t kMaxConfigBytes = 64 << 20;

// modules.json's modules (sentence-transformers), by the last part of their type ("Pooling") and
// with their folder.
struct Module {
  std::string type;
  std::string path;
};
base::StatusOr<std::vector<Module>> ParseModules(std::string_view text, std::string_view source);

// Where config.json, the weights and the tokenizer lie: in the directory, or in the folder that
// modules.json gives its Transformer ("0_Transformer" in older sentence-transformers directories).
base::StatusOr<std::string> EncoderDirectory(env::FileSystem& files, const std::string& directory);

}  // namespace hone::formats
