// The engine of this machine's processor.
//
// Load maps the weights, packs them once in parallel into one arena, and drops the file's pages.
// Forward runs as one job on the thread pool; at each bar all workers meet (runtime/steps.h):
//
//   embed, norm, QKV | attention | output, norm, up, activation, down, norm, next QKV | attention …
//
// Everything but attention concerns one row at a time, so each worker takes blocks of rows through a
// whole phase, without waiting. Where rows are few for the weights, fetching these is what takes the
// time: every matrix product is then split by columns, and each worker reads only its share. A pass
// too small to be worth waking anybody for is the caller's alone (runtime/work_split.h).
//
// Owns           packed weights (with those that it shares them with), workspace (grows with the
//                largest batch seen), thread pool (unless it was handed one).
// Thread-safety  one caller at a time; engines that share a pool count as one. Engines that share
//                weights alone (Share) run at the same time.
// Invariants     1. Forward allocates nothing once a batch of as many tokens and texts, with as long a text and
//                   split the same way, has been seen.
//                2. Results do not depend on threads, on the split, or on the rest of the batch.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "model/model.h"
#include "quant/format.h"
#include "runtime/engine.h"
#include "runtime/profile.h"
#include "runtime/tap.h"
#include "runtime/work_split.h"

namespace hone::runtime {

struct EngineOptions {
  std::optional<quant::Format> format = {};  // of every matrix; unset: each as it is stored
  int threads = 1;
  base::Isa isa = base::DetectIsa();
  SplitLimits split = LimitsOfThisMachine();
  // Called while packing, from the thread that called Load; may be empty.
  std::function<void(int done, int total)> progress = {};
  // By module name ("encoder.layer.3.output.dense"), before `format`: what a search tries without
  // writing anything. Query, key and value are one matrix here: where they differ, the three take
  // the most exact of theirs.
  std::map<std::string, quant::Format, std::less<>> formats = {};
  // Runs on these threads (and `threads` is theirs): several models of one executor share a pool.
  std::shared_ptr<base::ThreadPool> pool = {};
};

// How long each phase of Load took, and what it made.
struct LoadReport {
  double pack_ms = 0;
  std::uint64_t packed_bytes = 0;
  std::string format;     // quant::NameOf, or "mixed" where the layers' matrices differ
  std::string kernel;     // name of the matrix-product kernel, or several: "int8_x+int4_x"
  std::string attention;  // and of attention
};

class LocalEngine : public Engine {
 public:
  // `model` must outlive nothing: what is needed is kept (the mapping of its embeddings included).
  static base::StatusOr<std::unique_ptr<LocalEngine>> Load(const model::Model& model,
                                                           const EngineOptions& options);

  // An engine of the same packed weights with a workspace of its own, on other threads.
  virtual std::unique_ptr<LocalEngine> Share(std::shared_ptr<base::ThreadPool> pool) const = 0;

  virtual const LoadReport& load_report() const = 0;
  virtual quant::Format format() const = 0;  // of most weights of the layers

  // Measures operations from now on; costs two clock reads each.
  virtual void StartProfile() = 0;
  virtual std::vector<ProfileRow> TakeProfile() = 0;

  // Hands out what enters the layers' matrices from now on; an empty function ends it. See tap.h.
  virtual void SetTap(TapFunction tap) = 0;
  // Columns of each of a layer's inputs, by Tap; 0 where that block is gone.
  virtual std::array<int, kTapCount> tap_widths(int layer) const = 0;
};

}  // namespace hone::runtime
