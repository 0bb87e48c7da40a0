// From float weights to smaller number formats: of a model in the making (draft.h), or of a whole
// Hugging Face directory (formats/artefact.h).
//
//   int8, int4  The matrices of the encoder's layers are quantised, each in the format asked for it.
//               int4 needs inputs that are a multiple of 32 (the convention on disk knows no short
//               groups): a pruned matrix without them becomes int8. Embedding tables become F16,
//               because they are read row by row and never multiplied, so that 11 bits of mantissa
//               cost no measurable accuracy and half the bytes; or int8 or int4 rows. Norms, biases
//               and heads are F32.
//   bf16        Every float tensor becomes BF16, with torch_dtype "bfloat16".
//
// How the weights are rounded:
//   nearest  by the weights alone
//   gptq     each input in turn, the later ones making up for it (quantize/gptq.h)
//   awq      ranges clipped by the error of the outputs (quantize/clip.h), after scales of the
//            inputs were folded into what comes before, where the architecture has such a place
//            (quantize/fold.h); for int8 these are SmoothQuant's
//   best     awq's scales, then for each matrix gptq or awq's clipping, whichever leaves the smaller
//            error of the outputs on an eighth of the calibration rows that neither has seen
// gptq, awq and best go from the bottom to the top: each layer sees inputs that come of the rounded layers
// below it. They need calibration texts, and all of the layer's matrices float.
//
// Usage
//   HONE_RETURN_IF_ERROR(QuantizeDraft(&draft, {.all = Format::kInt4},
//                                      {.method = Rounding::kGptq, .calibration = &data}, {}));
//   HONE_RETURN_IF_ERROR(draft.Write("minilm-int4", {.format = "int4"}));
//
// Errors  name the file and tensor: a weight that is NaN or infinite, a source that is quantised
//         already, a target that exists. Nothing is left of a failed run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "compress/calibration.h"
#include "compress/draft.h"
#include "compress/rounding.h"
#include "env/file.h"
#include "quant/format.h"

namespace hone::compress {

std::vector<std::string> RoundingNames();
base::StatusOr<Rounding> ParseRounding(std::string_view name);  // "nearest", "gptq", …

struct FormatRequest {
  quant::Format all = quant::Format::kInt8;  // of the layers' matrices
  // By module name, before `all`: what a search found. kF32 leaves the matrix as it is.
  std::map<std::string, quant::Format, std::less<>> modules = {};
  std::optional<quant::Format> embeddings = {};  // kInt8 or kInt4; unset: F16
};

struct RoundingOptions {
  Rounding method = Rounding::kNearest;
  const Calibration* calibration = nullptr;  // for all but nearest
  int threads = 1;
  // SmoothQuant's exponent for the inputs of int8 matrices, 0 … 1, before any method; 0: none (awq
  // searches its own). Taken only where it lowers the error. Needs the texts too.
  float smooth = 0;
  base::Isa isa = base::DetectIsa();
};

// The format that a matrix of `k` inputs gets where `asked` was asked for it: int4 has no short groups.
quant::Format WrittenFormat(quant::Format asked, int k);

// Called from the calling thread, as weights are done.
using QuantizeProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Quantises the draft's layers and embeddings, sets its quantization_config, and binds it.
base::Status QuantizeDraft(Draft* draft, const FormatRequest& formats,
                           const RoundingOptions& rounding, const QuantizeProgress& progress);

struct QuantizeOptions {
  bool replace = false;  // an existing output directory
  int threads = 1;
  Rounding method = Rounding::kNearest;
  float smooth = 0;
  std::string calibrate = {};  // file of texts, one a line
  std::size_t samples = 512;   // of them
  std::optional<quant::Format> embeddings = {};
  base::Isa isa = base::DetectIsa();
};

// Reads a directory, quantises, and writes another; `format` is kBF16, kInt8 or kInt4. `progress`
// may be empty.
base::Status QuantizeDirectory(env::FileSystem& files, const std::string& in, quant::Format format,
                               const std::string& out, const QuantizeOptions& options,
                               const QuantizeProgress& progress);

}  // namespace hone::compress
