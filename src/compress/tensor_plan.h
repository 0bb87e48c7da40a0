// Which tensors a quantised checkpoint has, and how each one's bytes are made from the source.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "formats/checkpoint.h"
#include "formats/safetensors_writer.h"
#include "quant/format.h"

namespace hone::compress {

struct PlanRequest {
  const formats::Checkpoint& source;
  std::string source_name;  // names the source in errors
  quant::Format format = quant::Format::kInt8;
  std::set<std::string> quantized;   // modules whose matrix becomes int8 or int4; empty for bf16
  std::set<std::string> embeddings;  // tensors that become F16; empty for bf16
  base::ThreadPool& pool;
};

// The tensors of the new checkpoint. Their producers read the source when called, and so must not
// outlive the request's referents; a weight that is NaN or infinite is their error.
base::StatusOr<std::vector<formats::TensorToWrite>> PlanTensors(const PlanRequest& request);

}  // namespace hone::compress
