// hone rank: the lines of a file in the order of their closeness to a query.
#include <algorithm>
#include <cstdio>
#include <numeric>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "runtime/tasks/scores.h"

namespace hone::cli {
namespace {

// Texts in one forward pass: enough to fill the tiles, few enough for progress and memory.
constexpr std::size_t kBatch = 32;

class RankCommand : public Command {
 public:
  std::string name() const override { return "rank"; }
  std::string summary() const override {
    return "order lines of text by a query (embedding model or cross-encoder)";
  }
  std::string example() const override {
    return "  hone rank -m minilm --query \"how do I reset my password?\" faq.txt";
  }

  void AddFlags(Flags& flags) override {
    model_.Add(flags);
    flags.Required("--query", &query_, "what to look for");
    flags.Int("--top", &top_, 0, 1 << 30, "print only this many; 0: all");
    output_.Add(flags);
    flags.Arguments("file", &files_, "texts, one a line; default: standard input");
  }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(const auto model, model_.Open());
    const model::Head& head = model->model().head;
    const bool cross = head.task == model::Task::kSequenceClassification && head.labels.size() <= 1;
    if (head.task != model::Task::kEmbedding && !cross) {
      return base::BadInput(model_.model,
                            ": rank needs an embedding model or a cross-encoder with one score");
    }
    HONE_ASSIGN_OR_RETURN(const std::vector<Line> lines, ReadFiles());
    HONE_ASSIGN_OR_RETURN(const std::vector<float> scores,
                          cross ? CrossScores(*model, lines) : CosineScores(*model, lines));
    Print(lines, scores);
    return base::OkStatus();
  }

 private:
  struct Line {
    std::string text;
    std::string_view file;
    int number = 0;  // in the file, which may have empty ones between
  };

  base::StatusOr<std::vector<Line>> ReadFiles() const;
  template <typename Use>
  base::Status ForEachBatch(runtime::TextModel& model, const std::vector<Line>& lines, bool pair,
                            const Use& use);
  base::StatusOr<std::vector<float>> CosineScores(runtime::TextModel& model,
                                                  const std::vector<Line>& lines);
  base::StatusOr<std::vector<float>> CrossScores(runtime::TextModel& model,
                                                 const std::vector<Line>& lines);
  void Print(const std::vector<Line>& lines, const std::vector<float>& scores) const;

  ModelFlags model_;
  OutputFlag output_;
  std::string query_;
  int top_ = 0;
  std::vector<std::string> files_;
};

base::StatusOr<std::vector<RankCommand::Line>> RankCommand::ReadFiles() const {
  std::vector<Line> lines;
  const auto read = [&](const std::vector<std::string>& files, std::string_view name) {
    int number = 0;
    return ForEachLine(files, [&](std::string_view line) {
      ++number;
      if (!line.empty()) lines.push_back({std::string(line), name, number});
      return base::OkStatus();
    });
  };
  if (files_.empty()) HONE_RETURN_IF_ERROR(read({}, "standard input"));
  for (const std::string& file : files_) {
    HONE_RETURN_IF_ERROR(read({file}, file == "-" ? "standard input" : std::string_view(file)));
  }
  return lines;
}

template <typename Use>
base::Status RankCommand::ForEachBatch(runtime::TextModel& model, const std::vector<Line>& lines,
                                       bool pair, const Use& use) {
  Progress progress("ranking");
  int truncated = 0;
  for (std::size_t begin = 0; begin < lines.size(); begin += kBatch) {
    std::vector<runtime::TextInput> inputs;
    for (std::size_t i = begin; i < std::min(lines.size(), begin + kBatch); ++i) {
      const Line& line = lines[i];
      if (pair) {
        inputs.push_back({query_, line.text});
      } else {
        inputs.push_back({line.text});
      }
      inputs.back().name = base::StrCat(line.file, ":", line.number);
    }
    HONE_ASSIGN_OR_RETURN(const runtime::TextOutput output, model.Run(inputs));
    truncated += output.truncated;
    const std::size_t width = output.rows[0].size() / inputs.size();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      use(std::span(output.rows[0]).subspan(i * width, width));
    }
    progress.Update(static_cast<std::int64_t>(begin + inputs.size()),
                    static_cast<std::int64_t>(lines.size()));
  }
  WarnTruncated(truncated, model.max_tokens());
  return base::OkStatus();
}

base::StatusOr<std::vector<float>> RankCommand::CosineScores(runtime::TextModel& model,
                                                             const std::vector<Line>& lines) {
  const std::vector<runtime::TextInput> query = {{.text = query_, .name = "--query"}};
  HONE_ASSIGN_OR_RETURN(const runtime::TextOutput embedded, model.Run(query));
  if (embedded.truncated > 0) {
    std::fprintf(stderr, "warning: the query was cut to %d tokens\n", model.max_tokens());
  }
  std::vector<float> scores;
  HONE_RETURN_IF_ERROR(ForEachBatch(model, lines, false, [&](std::span<const float> row) {
    scores.push_back(static_cast<float>(runtime::Cosine(embedded.rows[0], row)));
  }));
  return scores;
}

base::StatusOr<std::vector<float>> RankCommand::CrossScores(runtime::TextModel& model,
                                                            const std::vector<Line>& lines) {
  std::vector<float> scores;
  HONE_RETURN_IF_ERROR(ForEachBatch(model, lines, true,
                                    [&](std::span<const float> row) { scores.push_back(row[0]); }));
  return scores;
}

void RankCommand::Print(const std::vector<Line>& lines, const std::vector<float>& scores) const {
  std::vector<std::size_t> order(lines.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  if (top_ > 0 && order.size() > static_cast<std::size_t>(top_)) {
    order.resize(static_cast<std::size_t>(top_));
  }
  TableWriter table(output_.format);
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const Line& line = lines[order[rank]];
    Row row = {{"rank", static_cast<int>(rank + 1)},
               {"score", Cell(double{scores[order[rank]]}, 4)}};
    if (files_.size() > 1) row.emplace_back("file", line.file);
    row.insert(row.end(), {{"line", line.number}, {"text", line.text}});
    table.Write(row);
  }
}

}  // namespace

std::unique_ptr<Command> MakeRankCommand() {
  return std::make_unique<RankCommand>();
}

}  // namespace hone::cli
