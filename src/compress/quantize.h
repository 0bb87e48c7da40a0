// From a Hugging Face directory to Hone's artefact in a smaller number format (formats/artefact.h).
//
//   int8, int4  The matrices of the encoder's layers are quantised; embeddings become F16, because
//               they are read row by row and never multiplied, so that 11 bits of mantissa cost no
//               measurable accuracy and half the bytes; norms, biases and heads stay F32. int4
//               leaves a matrix whose inputs are no multiple of 32 in F32: the convention on disk
//               knows no short groups.
//   bf16        Every float tensor becomes BF16, with torch_dtype "bfloat16".
//
// The tokenizer's files, modules.json with the folders it names, and the other small files are
// copied.
//
// Errors  name the file and tensor: a weight that is NaN or infinite, a source that is quantised
//         already, a target that exists. Nothing is left of a failed run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"
#include "env/file.h"
#include "quant/format.h"

namespace hone::compress {

struct QuantizeOptions {
  bool replace = false;  // an existing output directory
  int threads = 1;
};

// Called from the thread that called QuantizeDirectory, as bytes of the new weights are written.
using QuantizeProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// `format` is kBF16, kInt8 or kInt4. `progress` may be empty.
base::Status QuantizeDirectory(env::FileSystem& files, const std::string& in, quant::Format format,
                               const std::string& out, const QuantizeOptions& options,
                               const QuantizeProgress& progress);

}  // namespace hone::compress
