// The directory that the assistant's training starts from: an untrained BERT with the joint head and
// a tokenizer of its own, in Hugging Face's layout.
//
//   config.json  model.safetensors  vocab.txt  tokenizer.json  tokenizer_config.json
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/status.h"
#include "env/file.h"
#include "eval/example.h"

namespace hone::demo {

struct AssistantShape {
  int layers = 6, width = 192, heads = 6, ffn = 768;
  int vocabulary = 2048, positions = 64;
};

// Weights as BERT begins: matrices normal with a deviation of 0.02, norms 1, biases 0; from the
// seed, the same on every machine. Directories are made; a file that is there is replaced.
base::Status WriteUntrained(env::FileSystem& files, const std::string& directory,
                            const AssistantShape& shape, std::span<const eval::Example> commands,
                            std::uint64_t seed);

}  // namespace hone::demo
