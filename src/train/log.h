// The record of a run: one JSON object, or one CSV row, a line.
//
//   {"step":40,"epoch":0.019,"loss":0.69,"task":0.69,"lr":0.000003,"norm":4.1,"tokens_per_s":9100}
//   {"step":1052,"epoch":0.5,"accuracy":0.8991,"best":0.8991}
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "env/file.h"

namespace hone::train {

struct LogRow {
  std::int64_t step = 0;
  double epoch = 0;
  // Means since the last row.
  double loss = 0, task = 0, logits = 0, hidden = 0, relations = 0, consistency = 0;
  double learning_rate = 0, norm = 0, tokens_per_s = 0;
  std::string metric;  // not empty: a row of an evaluation, with `value` and `best`
  double value = 0, best = 0;
};

class TrainingLog {
 public:
  // An empty path logs nothing. With `after_step` ≥ 0 an existing file is gone on with: its rows of
  // later steps are dropped, since those steps come again.
  static base::StatusOr<TrainingLog> Open(env::FileSystem& files, const std::string& path,
                                          std::int64_t after_step);
  // Each row reaches the file at once.
  base::Status Write(const LogRow& row);

 private:
  std::string path_;
};

}  // namespace hone::train
