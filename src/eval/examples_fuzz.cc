// Feeds bytes to the readers of every task, plain, by a mapping, and leaving bad rows out; what is
// read is then scored against itself, so that the metrics see hostile text too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "eval/tasks.h"

using hone::eval::Examples;
using hone::eval::Prediction;
using hone::eval::Task;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Task& task = hone::eval::Tasks()[data[0] % hone::eval::Tasks().size()];
  const std::uint8_t flags = data[1];
  std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  hone::eval::ReadOptions options;
  options.skip_bad_rows = flags & 1;
  if (flags & 2) {  // the first line is a mapping
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    options.columns = std::string(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  const auto examples =
      hone::eval::ReadExamples(task, bytes, flags & 4 ? "f.jsonl" : "f.tsv", options);
  if (!examples.ok()) {
    HONE_CHECK(!examples.status().message().empty());
    return 0;
  }
  HONE_CHECK(!examples->items.empty());
  std::vector<Prediction> predictions;
  for (const auto& example : examples->items) {
    HONE_CHECK(task.output != hone::eval::Output::kLabel ||
               static_cast<std::size_t>(example.label) < task.labels.size());
    HONE_CHECK(example.tags.size() == example.words.size());
    predictions.push_back({.label = example.label,
                           .score = example.score,
                           .answer = example.answers.empty() ? example.text : example.answers[0],
                           .tags = example.tags,
                           .intent = example.intent});
  }
  HONE_CHECK(!task.score(examples->items, predictions).empty());
  return 0;
}
