// The flags that every command with a model shares, and what they open.
#pragma once

#include <memory>
#include <string>
#include <string_view>

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
  std::string rung;      // of a ladder: path or index; empty: the first, the most accurate
  std::string deadline;  // "2ms": the most accurate rung that meets it

  void Add(Flags& flags);            // all of them
  void AddEngineOnly(Flags& flags);  // model, dtype, threads, rung
  void AddRung(Flags& flags);        // rung and deadline

  // The model's directory: of a ladder (hone compress), that of the rung asked for, which is named on
  // stderr where a deadline chose it.
  base::StatusOr<std::string> Directory() const;

  base::StatusOr<runtime::EngineOptions> Engine() const;
  base::StatusOr<std::unique_ptr<runtime::TextModel>> Open() const;
};

// "2ms", "800us", "1s", or a number of milliseconds; an error of usage that names the flag.
base::StatusOr<double> ParseMilliseconds(const std::string& text, std::string_view flag);

// How results are written: "md" for people, "json" and "csv" for scripts.
struct OutputFlag {
  std::string format = "md";
  void Add(Flags& flags);
  bool json() const { return format == "json"; }
};

// A warning line on stderr where texts were cut.
void WarnTruncated(int truncated, int max_tokens);

}  // namespace hone::cli
