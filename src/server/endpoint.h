// A served model as its users see it: one task, one tokenizer, and the rungs that can answer. The same
// for a ladder and for a plain model directory, which is a ladder of one rung named "model".
//
// Thread-safety  const after it was made; shared by whoever serves or describes it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/head.h"
#include "text/tokenizer.h"

namespace hone::server {

// The parts of a cold start, milliseconds.
struct LoadPhases {
  double map_ms = 0;      // configuration, tokenizer, weights mapped
  double pack_ms = 0;     // packed for this processor
  double warm_ms = 0;     // first passes
  double measure_ms = 0;  // the latency table; 0 where it was kept from before
  int threads = 1;        // that mapped, packed and warmed

  double load_ms() const { return map_ms + pack_ms + warm_ms; }  // from disk to ready
};

enum class RungState : std::uint8_t { kOnDisk, kLoading, kReady, kFailed };
const char* NameOf(RungState state);  // "on_disk", "loading", "ready", "failed"

struct RungInfo {
  std::string name;    // "2x"; of a plain model "model"
  std::string format;  // "int8"
  RungState state = RungState::kOnDisk;
  std::string error;   // of kFailed
  std::string metric;  // name; empty where unknown
  double accuracy = 0;
  double p50_ms = 0, p95_ms = 0;  // expected for one text of a typical length, all cores
  std::uint64_t bytes = 0;        // packed weights
  LoadPhases load;
  std::int64_t served = 0;                // texts answered by it
  std::int64_t loads = 0, evictions = 0;  // within the memory budget, since the server began
};

struct Endpoint {
  std::string name;  // as requests call it
  std::string directory;
  std::string sha;           // of hone.json or config.json: what /info calls model_sha
  int number = 0;            // index in the scheduler
  std::string architecture;  // "bert"
  model::Task task = model::Task::kEmbedding;
  model::Head head;  // labels, outputs; weights' views are not for use
  int width = 0, vocabulary = 0, token_types = 0;
  int max_tokens = 0;  // of a text, special tokens included
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::vector<std::string> rungs;  // names, most accurate first
};

}  // namespace hone::server
