// Calibration data: tokenised texts, and a view of what flows into a model's matrices on them.
//
//   HONE_ASSIGN_OR_RETURN(Calibration data, ReadCalibration(…, 2048));
//   HONE_RETURN_IF_ERROR(Capture(model, data, {.layer = 3, .tap = runtime::Tap::kDownInput}, …));
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/draft.h"
#include "eval/example.h"
#include "eval/tasks.h"
#include "text/tokenizer.h"

namespace hone::compress {

// Texts as tokens, in batches of similar length that fill `tokens_per_batch`; ragged, no padding.
struct CalibrationBatch {
  std::vector<std::int32_t> ids, types, begins;
  std::vector<std::size_t> texts;  // index of each into Calibration::examples, or of the texts
};

struct Calibration {
  std::vector<CalibrationBatch> batches;
  std::vector<eval::Example> examples;  // those chosen, with their targets
  std::size_t tokens = 0;
};

// `count` examples, chosen by seed; all where there are fewer. Question answering takes the window
// that holds the answer.
base::StatusOr<Calibration> MakeCalibration(const eval::Examples& examples, const eval::Task& task,
                                            const text::Tokenizer& tokenizer, int max_tokens,
                                            bool token_types, std::size_t count,
                                            std::uint64_t seed);

}  // namespace hone::compress
