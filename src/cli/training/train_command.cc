// hone train: fine-tuning, distillation, masked-language training.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/json.h"
#include "base/quantities.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/model_flags.h"
#include "cli/table.h"
#include "cli/training/training_progress.h"
#include "env/cpus.h"
#include "env/file.h"
#include "eval/tasks.h"
#include "train/trainer.h"

namespace hone::cli {
namespace {

using compress::TrainRequest;
using compress::TrainResult;

constexpr std::pair<std::string_view, compress::Schedule> kSchedules[] = {
    {"linear", compress::Schedule::kLinear},
    {"cosine", compress::Schedule::kCosine},
    {"constant", compress::Schedule::kConstant}};

base::StatusOr<double> ParseNumber(std::string_view text, std::string_view flag) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !(value >= 0)) {
    return InvalidUsage(base::StrCat(flag, ": \"", text, "\" is no number of 0 or more"));
  }
  return value;
}

// "task=0.5,logits=0.5": parts that are not named weigh nothing.
base::Status ParseLoss(std::string_view text, compress::LossWeights* loss) {
  const float temperature = loss->temperature;
  *loss = {.task = 0, .temperature = temperature};
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    float* const weight = name == "task"          ? &loss->task
                          : name == "logits"      ? &loss->logits
                          : name == "hidden"      ? &loss->hidden
                          : name == "relations"   ? &loss->relations
                          : name == "consistency" ? &loss->consistency
                                                  : nullptr;
    if (weight == nullptr || equals == std::string_view::npos) {
      return InvalidUsage(base::StrCat("--loss: \"", part,
                                       "\" is not one of task=, logits=, "
                                       "hidden=, relations=, consistency= and a weight"));
    }
    HONE_ASSIGN_OR_RETURN(const double value, ParseNumber(part.substr(equals + 1), "--loss"));
    *weight = static_cast<float>(value);
  }
  return base::OkStatus();
}

class TrainCommand : public Command {
 public:
  std::string name() const override { return "train"; }
  std::string summary() const override {
    return "fine-tune a model for a task, or distil it from another";
  }
  std::string example() const override {
    return "  hone train -m minilm --task sst2 --train SST-2/train.tsv --dev SST-2/dev.tsv "
           "--out minilm-sst2\n"
           "  hone train -m minilm --task sst2 --train train.tsv --dev dev.tsv --out ft "
           "--epochs 2 --lr 5e-5 -b 16 --accumulate 2 --warmup 0.06 --schedule cosine "
           "--weight-decay 0.01 --clip 1 --dropout 0.1 --seed 7 -t 2 --max-tokens 64 --patience 4 "
           "--evals-per-epoch 4 --log ft.jsonl -o json\n"
           "  hone train … --loss task=1,consistency=1    often more accurate, twice the time\n"
           "  hone train … --out ft --resume          goes on after a kill, as if there was none\n"
           "  hone train … --max-time 10m             lays the schedule out over ten minutes\n"
           "  hone train … --max-steps 500            or over so many steps\n"
           "  hone train -m small --teacher minilm-sst2 --loss task=0.3,logits=0.5,hidden=0.2 "
           "--temperature 2 --task sst2 --train train.tsv --dev dev.tsv --out small-sst2\n"
           "  hone train -m small --teacher minilm --loss logits=1 --task stsb --train lines.txt "
           "--dev sts-dev.csv --out small-sts    from lines of text alone\n"
           "  hone train -m small --teacher minilm --loss logits=1 --task none --train lines.txt "
           "--out small-any\n"
           "  hone train -m model --task sst2 --train mine.jsonl --columns text=review,label=stars "
           "--out mine\n"
           "  hone train --from-scratch config-dir --task mlm --train text.txt --out fresh";
  }

  void AddFlags(Flags& flags) override {
    flags.Text("-m,--model", &request_.model, "directory of the model to train");
    flags.Text("--from-scratch", &scratch_,
               "instead: a directory with config.json and a tokenizer; all weights are fresh");
    std::vector<std::string> names;
    for (const eval::Task& task : eval::Tasks()) names.emplace_back(task.name);
    names.emplace_back("mlm");
    names.emplace_back("none");
    flags.Choice("--task", &request_.task, names,
                 "what for; mlm: masked words; none: whatever the teacher says of the texts");
    flags.TextList("--train", &request_.train, "the task's training file; may be given again");
    flags.Text("--dev", &request_.dev, "the task's file that chooses the best checkpoint");
    flags.Text("--columns", &request_.columns, "which column holds what: text=a,pair=b,label=c");
    flags.Required("--out", &request_.out, "directory of the best checkpoint");
    AddLossFlags(flags);
    AddOptimiserFlags(flags);
    AddRunFlags(flags);
    output_.Add(flags);
  }

  base::Status Run() override {
    HONE_RETURN_IF_ERROR(ReadFlags());
    TrainingProgress progress;
    const compress::Trainer trainer = train::MakeTrainer(env::RealFileSystem());
    base::StatusOr<TrainResult> result =
        trainer(request_, [&](const compress::TrainProgress& now) { progress.Show(now); });
    progress.Wipe();
    HONE_RETURN_IF_ERROR(result.status());
    Print(*result);
    return base::OkStatus();
  }

 private:
  void AddLossFlags(Flags& flags) {
    flags.Text("--teacher", &request_.teacher, "a model to learn from");
    flags.Text("--loss", &loss_,
               "weights of its parts: task=0.5,logits=0.5,hidden=0,relations=0,consistency=0");
    flags.Real("--temperature", &temperature_, "of the teacher's probabilities");
  }

  void AddOptimiserFlags(Flags& flags) {
    flags.Real("--epochs", &request_.epochs, "passes over the training file");
    flags.Real("--lr", &request_.learning_rate, "AdamW's learning rate");
    flags.Int("-b,--batch", &request_.batch, 1, 65536, "texts in a batch");
    flags.Int("--accumulate", &request_.accumulate, 1, 65536, "batches in a step");
    flags.Real("--warmup", &request_.warmup, "share of the steps in which the rate rises");
    flags.Choice("--schedule", &schedule_, {"linear", "cosine", "constant"},
                 "how the rate goes after that");
    flags.Real("--weight-decay", &request_.weight_decay, "AdamW's weight decay");
    flags.Real("--clip", &request_.clip, "largest norm of the gradient; 0: any");
    flags.Real("--dropout", &request_.dropout, "share of values dropped while training");
    flags.Int("--min-tokens", &request_.min_tokens, 0, 1 << 20, "shorter texts are left out");
    flags.Int("--max-tokens", &request_.max_tokens, 4, 1 << 20, "longer texts are cut");
  }

  void AddRunFlags(Flags& flags) {
    flags.Int("--evals-per-epoch", &request_.evaluations_per_epoch, 1, 1000,
              "evaluations on dev in an epoch");
    flags.Int("--patience", &request_.patience, 0, 1000,
              "evaluations without a better one after which to stop; 0: never");
    flags.Int("--max-steps", &max_steps_, 0, 1 << 30, "steps at most; 0: as the epochs have");
    flags.Text("--max-time", &max_time_, "time at most (90s, 10m, 2h)");
    flags.Int("--seed", &seed_, 0, 1 << 30, "the same seed gives the same model");
    flags.Int("-t,--threads", &threads_, 0, base::ThreadPool::kMaxThreads, "0: all processors");
    flags.Switch("--resume", &request_.resume, "go on with a run that was stopped");
    flags.Text("--log", &request_.log, "a record of the run: JSON lines, or .csv");
  }

  base::Status ReadFlags() {
    if (request_.model.empty() == scratch_.empty()) {
      return InvalidUsage("needs one of -m and --from-scratch");
    }
    if (request_.task.empty()) return InvalidUsage("needs --task");
    if (request_.train.empty()) return InvalidUsage("needs --train");
    request_.from_scratch = !scratch_.empty();
    if (request_.from_scratch) request_.model = scratch_;
    request_.loss.temperature = static_cast<float>(temperature_);
    if (loss_.empty() && !request_.teacher.empty()) loss_ = "task=0.5,logits=0.5";
    if (!loss_.empty()) HONE_RETURN_IF_ERROR(ParseLoss(loss_, &request_.loss));
    for (const auto& [name, schedule] : kSchedules) {
      if (schedule_ == name) request_.schedule = schedule;
    }
    if (!max_time_.empty()) {
      const auto duration = base::ParseDuration(max_time_, base::BareNumber::kSeconds);
      if (!duration.ok()) {
        return InvalidUsage(base::StrCat("--max-time ", duration.status().message()));
      }
      request_.max_seconds = static_cast<double>(*duration) / base::kSecondNs;
    }
    request_.max_steps = max_steps_;
    request_.seed = static_cast<std::uint64_t>(seed_);
    request_.threads =
        threads_ > 0 ? threads_ : std::min(env::UsableCpus(), base::ThreadPool::kMaxThreads);
    return base::OkStatus();
  }

  void Print(const TrainResult& result) const {
    if (output_.json()) {
      base::JsonWriter json;
      json.BeginObject().Key("out").String(request_.out).Key("task").String(request_.task);
      json.Key("metric").String(result.metric);
      json.Key("best").Double(result.best).Key("last").Double(result.last);
      json.Key("best_step").Int(result.best_step).Key("steps").Int(result.steps);
      json.Key("seconds").Double(result.seconds, 6).Key("evaluations").BeginArray();
      for (const auto& [step, value] : result.evaluations) {
        json.BeginObject().Key("step").Int(step).Key("value").Double(value).EndObject();
      }
      std::printf("%s\n", json.EndArray().EndObject().Take().c_str());
      return;
    }
    TableWriter table(output_.format);
    table.Write({{"out", request_.out},
                 {"metric", result.metric},
                 {"best", Cell(result.best, 4)},
                 {"at_step", result.best_step},
                 {"last", Cell(result.last, 4)},
                 {"steps", result.steps},
                 {"seconds", Cell(result.seconds, 1)}});
  }

  TrainRequest request_;
  OutputFlag output_;
  std::string scratch_, loss_, max_time_, schedule_ = "linear";
  double temperature_ = 2;
  int max_steps_ = 0, seed_ = 1, threads_ = 0;
};

}  // namespace

std::unique_ptr<Command> MakeTrainCommand() {
  return std::make_unique<TrainCommand>();
}

}  // namespace hone::cli
