#include "runtime/batch_runs.h"

#include <cstddef>

namespace hone::runtime {

bool BatchRuns::Next(BatchRun* run) {
  if (text_ == batch_.texts()) return false;
  const int first = batch_.begin(text_), left = batch_.tokens() - first;
  const int runs = (left + most_ - 1) / most_;
  const int wanted = (left + runs - 1) / runs;
  int end = text_ + 1;
  const auto tokens = [&] { return batch_.begin(end) - first; };
  while (end < batch_.texts() && tokens() < wanted && tokens() + batch_.length(end) <= most_) ++end;
  begins_->clear();
  for (int b = text_; b <= end; ++b) begins_->push_back(batch_.begin(b) - first);
  const auto from = static_cast<std::size_t>(first), count = static_cast<std::size_t>(tokens());
  run->first_token = first;
  run->batch.ids = batch_.ids.subspan(from, count);
  run->batch.types = batch_.types.empty() ? batch_.types : batch_.types.subspan(from, count);
  run->batch.begins = *begins_;
  text_ = end;
  return true;
}

}  // namespace hone::runtime
