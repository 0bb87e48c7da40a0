// The directory that the assistant's training starts from: a BERT with the joint head, described
// but without weights, and a tokenizer of its own, in Hugging Face's layout.
//
//   config.json  vocab.txt  tokenizer.json  tokenizer_config.json
#pragma once

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

// The vocabulary is made from `commands`. Files that are there are replaced.
base::Status WriteBlank(env::FileSystem& files, const std::string& directory,
                        const AssistantShape& shape, std::span<const eval::Example> commands);

}  // namespace hone::demo
