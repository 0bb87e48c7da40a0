// The flags that every command with a model shares, and what they open.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "cli/flags.h"
#include "runtime/text_model.h"

namespace hone::cli {

struct ModelFlags {
  std::string model;
  std::string dtype;  // empty: as stored
  int threads = 0;    // 0: as many as the machine gives
  int max_tokens = 0;
  bool no_truncate = false;

  void Add(Flags& flags);            // all of them
  void AddEngineOnly(Flags& flags);  // model, dtype, threads

  base::StatusOr<runtime::EngineOptions> Engine() const;
  base::StatusOr<std::unique_ptr<runtime::TextModel>> Open() const;
};

// How results are written: "md" for people, "json" and "csv" for scripts.
struct OutputFlag {
  std::string format = "md";
  void Add(Flags& flags);
  bool json() const { return format == "json"; }
};

// A warning line on stderr where texts were cut.
void WarnTruncated(int truncated, int max_tokens);

}  // namespace hone::cli
