// What each part of a model costs on one device: the latency table that compression searches in.
//
// A profile is for one device, thread count, batch, distribution of lengths, model width and head
// size. Blocks were timed inside whole forward passes, so that caches, fusing and waiting are as in
// use. JSON on disk (`hone profile-device`): keys are documented in docs/device-profile.md.
//
// Source  ZipLM (arXiv 2302.04089) section 3.2: tables rather than FLOPs.
#pragma once

#include <string>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
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

struct DeviceProfile {
  std::string processor, isa;  // fingerprint: of another instruction set it is refused
  Workload workload;
  std::string architecture;
  int width = 0, head_size = 0;
  std::vector<BlockCost> costs;  // sizes ascending within block and format
  double fixed_ms = 0;           // embeddings, head, waking the threads: with no layer at all

  // Between measured sizes: linear. Errors where the format was not measured.
  base::StatusOr<double> Cost(Block block, quant::Format format, int size) const;
};

}  // namespace hone::compress
