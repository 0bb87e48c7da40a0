// What each part of a model costs on one device: the latency table that compression searches in.
//
// A profile is for one device, thread count, batch, distribution of lengths, model width and head
// size. Blocks were timed inside whole forward passes, so that caches, fusing and waiting are as in
// use (measure_profile.h). JSON on disk (`hone profile-device`):
//
//   {"schema": 1, "kind": "device-profile", "tool": "hone 0.1.0",
//    "processor": "…", "isa": "avx512",
//    "workload": {"batch": 1, "threads": 2, "lengths": [14, 19, 25, 31, 40]},
//    "model": {"architecture": "bert", "width": 384, "head_size": 32},
//    "formats": [{"format": "int8", "fixed_ms": 0.05,
//                 "attention": [[0, 0.004], [1, 0.02], …], "ffn": [[0, 0.003], [17, 0.008], …]}]}
//
// Cost     cost of a model ≈ fixed_ms + Σ layers (attention[heads] + ffn[columns]), milliseconds of
//          one pass over the workload's lengths, on average.
// Source   ZipLM (arXiv 2302.04089) section 3.2: tables rather than FLOPs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "compress/block_format.h"
#include "compress/prune/snapshots.h"
#include "model/config.h"
#include "quant/format.h"

namespace hone::compress {

struct Workload {
  int batch = 1;
  int threads = 1;
  std::vector<int> lengths;  // tokens of the texts that are timed, in turn
};

struct BlockCost {
  Block block = Block::kAttention;
  quant::Format format = quant::Format::kF32;
  int size = 0;   // heads or columns; 0 is the cost of the block that is gone (its norm)
  double ms = 0;  // of one block of one layer
};

struct FixedCost {
  quant::Format format = quant::Format::kF32;
  double ms = 0;  // embeddings, head, waking the threads: with no layer at all
};

struct DeviceProfile {
  std::string processor, isa;  // fingerprint: of another instruction set it is refused
  Workload workload;
  std::string architecture;
  int width = 0, head_size = 0;
  std::vector<BlockCost> costs;  // sizes ascending within block and format
  std::vector<FixedCost> fixed;  // one a format

  // Between measured sizes: linear, but never below the smallest that is not 0, since a block that is
  // there at all costs that; beyond the largest: in proportion. An error where the format was not
  // measured.
  base::StatusOr<double> Cost(Block block, quant::Format format, int size) const;
  // Of a block of two formats: between its costs in either, by the weights in each.
  base::StatusOr<double> Cost(Block block, BlockFormat format, int size, bool gated_ffn) const;
  base::StatusOr<double> Fixed(quant::Format format) const;
  // Of a whole model with everything in one format.
  base::StatusOr<double> Predict(const std::vector<model::LayerShape>& layers,
                                 quant::Format format) const;
  bool Has(quant::Format format) const;
};

std::string ToJson(const DeviceProfile& profile);

// `path` names the text in errors. Sizes must ascend from 0, times be finite and not negative.
base::StatusOr<DeviceProfile> ParseDeviceProfile(std::string_view json, const std::string& path);

// Errors unless the profile is for models of this width, head size and architecture; `path` names it.
base::Status CheckForModel(const DeviceProfile& profile, const model::ModelConfig& config,
                           const std::string& path);

// Errors unless the profile was measured with this instruction set, so that its predictions can be
// compared with times taken here.
base::Status CheckForDevice(const DeviceProfile& profile, base::Isa isa, const std::string& path);

}  // namespace hone::compress
