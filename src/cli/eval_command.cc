// hone eval: a model's score on a task, by the task's own metric.
#include <cstdio>

#include "cli/command.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "env/clock.h"
#include "env/file.h"
#include "eval/model_predictor.h"
#include "eval/run.h"

namespace hone::cli {
namespace {

constexpr std::uint64_t kMaxDataBytes = std::uint64_t{4} << 30;

class EvalCommand : public Command {
 public:
  std::string name() const override { return "eval"; }
  std::string summary() const override { return "score a model on a task's data"; }
  std::string example() const override {
    return "  hone eval -m sst2-model --task sst2 --data glue/SST-2/dev.tsv -o json\n"
           "  hone eval -m minilm --task stsb --data sts-dev.csv --dtype int8\n"
           "  hone eval -m model --task sst2 --data mine.jsonl --columns text=review,label=stars";
  }

  void AddFlags(Flags& flags) override {
    model_.Add(flags);
    std::vector<std::string> names;
    for (const eval::Task& task : eval::Tasks()) names.emplace_back(task.name);
    flags.Choice("--task", &task_, names, "which task");
    flags.Required("--data", &data_, "the task's file, or JSON lines");
    flags.Text("--columns", &read_.columns, "which column holds what: text=a,pair=b,label=c");
    flags.Switch("--skip-bad-rows", &read_.skip_bad_rows, "leave out rows that cannot be read");
    flags.Int("-b,--batch", &batch_, 1, 4096, "examples in a forward pass");
    output_.Add(flags);
  }

  base::Status Run() override {
    if (task_.empty()) return InvalidUsage("needs --task");
    if (const auto columns = eval::Columns::Parse(read_.columns, "--columns"); !columns.ok()) {
      return InvalidUsage(columns.status().message());
    }
    HONE_ASSIGN_OR_RETURN(const eval::Task* task, eval::FindTask(task_));
    HONE_ASSIGN_OR_RETURN(const std::string bytes,
                          env::RealFileSystem().Read(data_, kMaxDataBytes));
    HONE_ASSIGN_OR_RETURN(const eval::Examples examples,
                          eval::ReadExamples(*task, bytes, data_, read_));
    if (examples.skipped > 0) {
      std::fprintf(stderr, "warning: %zu rows left out; the first: %s\n", examples.skipped,
                   examples.first_skipped.c_str());
    }
    HONE_ASSIGN_OR_RETURN(const auto model, model_.Open());
    HONE_ASSIGN_OR_RETURN(const eval::Predictor predictor, eval::MakePredictor(*task, *model));
    Progress progress("evaluating");
    HONE_ASSIGN_OR_RETURN(const eval::Report report,
                          eval::Run(*task, examples, predictor,
                                    {.batch = batch_,
                                     .now_ns = env::NowNs,
                                     .progress = [&](std::size_t done, std::size_t total) {
                                       progress.Update(static_cast<std::int64_t>(done),
                                                       static_cast<std::int64_t>(total));
                                     }}));
    WarnTruncated(static_cast<int>(report.truncated), model->max_tokens());
    Print(report);
    return base::OkStatus();
  }

 private:
  void Print(const eval::Report& report) const {
    if (output_.json()) {
      std::printf("%s\n", eval::ToJson(report).c_str());
      return;
    }
    TableWriter table(output_.format);
    for (const auto& [name, value] : report.metrics) {
      table.Write({{"task", report.task},
                   {"n", static_cast<std::int64_t>(report.n)},
                   {"metric", name},
                   {"value", Cell(value, 4)},
                   {"p50_ms", Cell(report.latency.p50_ms, 3)},
                   {"p99_ms", Cell(report.latency.p99_ms, 3)},
                   {"examples_per_s", Cell(report.latency.examples_per_s, 1)}});
    }
  }

  ModelFlags model_;
  OutputFlag output_;
  std::string task_, data_;
  eval::ReadOptions read_;
  int batch_ = 1;
};

}  // namespace

std::unique_ptr<Command> MakeEvalCommand() {
  return std::make_unique<EvalCommand>();
}

}  // namespace hone::cli
