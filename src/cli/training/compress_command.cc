// hone compress: from a latency target to a ladder of measured rungs.
#include <algorithm>
#include <cstdio>

#include "base/quantities.h"
#include "base/strings.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/isa.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "compress/compressor.h"
#include "compress/ladder/time_plan.h"
#include "env/clock.h"
#include "env/cpus.h"
#include "env/file.h"
#include "eval/tasks.h"
#include "train/trainer.h"

namespace hone::cli {
namespace {

constexpr std::uint64_t kMaxRecipeBytes = 1 << 20;

// "2,4,8" as numbers; the flag is for errors.
base::StatusOr<std::vector<double>> ParseSpeedups(const std::string& text) {
  std::vector<double> speedups;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    if (part.ends_with('x')) part.pop_back();
    std::size_t used = 0;
    double value = 0;
    try {
      value = std::stod(part, &used);
    } catch (const std::exception&) {
      used = std::string::npos;
    }
    if (used != part.size() || !(value > 1 && value <= 1000)) {
      return InvalidUsage(
          base::StrCat("--speedup ", text, ": expected numbers above 1, such as 2,4,8"));
    }
    speedups.push_back(value);
    begin = end + 1;
  }
  return speedups;
}

base::StatusOr<std::vector<double>> ParseLatencies(const std::string& text) {
  std::vector<double> latencies;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    HONE_ASSIGN_OR_RETURN(const double ms,
                          ParseMilliseconds(text.substr(begin, end - begin), "--target-latency"));
    latencies.push_back(ms);
    begin = end + 1;
  }
  return latencies;
}

class CompressCommand : public Command {
 public:
  std::string name() const override { return "compress"; }
  std::string summary() const override {
    return "make a ladder of smaller, faster models for latency targets on this device";
  }
  std::string example() const override {
    return "  hone compress -m minilm-sst2 --task sst2 --train train.tsv --dev dev.tsv \\\n"
           "      --speedup 2,4,8 -t 2 --out sst2-ladder\n"
           "  hone compress -m model --task sst2 --train train.tsv --dev dev.tsv \\\n"
           "      --target-latency 1.5ms -s 32 --budget 2h --out ladder\n"
           "  hone compress -m minilm --task stsb --text sentences.txt --dev sts-dev.csv \\\n"
           "      --speedup 4 --oneshot --out ladder\n"
           "A command that was killed goes on where it was when it is given again.";
  }

  void AddFlags(Flags& flags) override {
    flags.Required("-m,--model", &request_.model, "float model directory, fine-tuned for the task");
    std::vector<std::string> tasks;
    for (const eval::Task& task : eval::Tasks()) tasks.emplace_back(task.name);
    flags.Choice("--task", &request_.task, tasks, "what the model is for");
    flags.Text("--train", &train_, "training file of the task; calibration texts come from it");
    flags.Text("--text", &request_.text, "unlabelled lines instead of a training file");
    flags.Required("--dev", &request_.dev, "dev file: what accuracy means");
    flags.Text("--columns", &request_.columns, "which column holds what: text=a,pair=b,label=c");
    flags.Text("--speedup", &speedup_, "targets over the dense model in f32: 2,4,8");
    flags.Text("--target-latency", &latency_, "targets as p50: 1.5ms (several with commas)");
    flags.Real("--max-drop", &request_.max_drop,
               "points of the metric: adds the fastest rung that loses no more");
    flags.Int("-s,--seq", &request_.sequence, 0, 1 << 16,
              "tokens of every text that is timed; 0: the dev file's own lengths");
    flags.Text("--lengths", &request_.lengths, "time the natural lengths of this file's lines");
    flags.Int("-b,--batch", &request_.batch, 1, 4096, "texts in a batch that is timed");
    flags.Int("-t,--threads", &request_.threads, 0, 256,
              "threads that the model will have; 0: all that are allowed");
    request_.work_threads = 0;
    flags.Int("--work-threads", &request_.work_threads, 0, 256,
              "threads for training and searching; 0: all that are allowed");
    flags.Text("--device", &request_.device_profile,
               "profile of the device to compress for (hone profile-device); default: this one");
    flags.Text("--recipe", &recipe_,
               "a YAML file or a built-in name; fast, or with --oneshot oneshot");
    flags.Text("--budget", &budget_, "time that all of it may take: 2h, 90m");
    flags.Switch("--oneshot", &request_.oneshot, "no training: minutes instead of hours");
    flags.Int("--seed", &seed_, 0, 1 << 30, "of everything random");
    flags.Required("--out", &request_.out, "directory to write; must not exist");
    output_.Add(flags);
  }

  base::Status Run() override {
    HONE_RETURN_IF_ERROR(ReadFlags());
    Progress progress("compressing");
    std::string step;
    compress::CompressTools tools{.files = env::RealFileSystem(),
                                  .trainer = train::MakeTrainer(env::RealFileSystem()),
                                  .report = {},
                                  .now_ns = env::NowNs};
    tools.report = [&](const compress::CompressProgress& now) {
      if (!now.news.empty()) {
        progress.Clear();
        std::fprintf(stderr, "%s\n", now.news.c_str());
        return;
      }
      std::string line = now.step;
      if (now.done >= 0) base::StrAppend(&line, " ", base::Fixed(now.done * 100, 0), " %");
      if (now.seconds_left >= 0) {
        base::StrAppend(&line, ", about ", compress::SayDuration(now.seconds_left), " left in all");
      }
      progress.Show(line);
    };
    HONE_ASSIGN_OR_RETURN(const compress::LadderReport ladder, compress::Compress(request_, tools));
    progress.Clear();
    std::fprintf(stderr, "wrote %s\n", request_.out.c_str());
    Print(ladder);
    if (ladder.missed.empty()) return base::OkStatus();
    return base::NotFound(
        request_.out, " has not everything that was asked for: ", base::Join(ladder.missed, "; "));
  }

 private:
  base::Status ReadFlags();
  void Print(const compress::LadderReport& ladder) const;

  compress::CompressRequest request_;
  OutputFlag output_;
  std::string train_, speedup_, latency_, recipe_, budget_;
  int seed_ = 1;
};

base::Status CompressCommand::ReadFlags() {
  if (request_.task.empty()) return InvalidUsage("needs --task");
  if (train_.empty() && request_.text.empty()) return InvalidUsage("needs --train or --text");
  if (!train_.empty()) request_.train = {train_};
  if (request_.sequence > 0 && !request_.lengths.empty()) {
    return InvalidUsage("-s and --lengths: give one");
  }
  if (!speedup_.empty()) {
    HONE_ASSIGN_OR_RETURN(request_.speedups, ParseSpeedups(speedup_));
  }
  if (!latency_.empty()) {
    HONE_ASSIGN_OR_RETURN(request_.latencies_ms, ParseLatencies(latency_));
  }
  if (!budget_.empty()) {
    const auto duration = base::ParseDuration(budget_, base::BareNumber::kSeconds);
    if (!duration.ok()) {
      return InvalidUsage(base::StrCat("--budget ", duration.status().message()));
    }
    request_.budget_seconds = static_cast<double>(*duration) / base::kSecondNs;
  }
  for (int* threads : {&request_.threads, &request_.work_threads}) {
    if (*threads == 0) *threads = std::min(env::UsableCpus(), base::ThreadPool::kMaxThreads);
  }
  request_.isa = IsaLimit();
  request_.seed = static_cast<std::uint64_t>(seed_);
  while (request_.out.size() > 1 && request_.out.ends_with('/')) request_.out.pop_back();
  while (request_.model.size() > 1 && request_.model.ends_with('/')) request_.model.pop_back();
  const std::string name = !recipe_.empty() ? recipe_ : request_.oneshot ? "oneshot" : "fast";
  if (const compress::Recipe* built_in = compress::BuiltInRecipe(name)) {
    request_.recipe = *built_in;
    return base::OkStatus();
  }
  env::FileSystem& files = env::RealFileSystem();
  if (!files.IsFile(name)) {
    return InvalidUsage(base::StrCat("--recipe ", name, ": is no file, and the built-in ones are ",
                                     base::Join(compress::BuiltInRecipeNames(), ", ")));
  }
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(name, kMaxRecipeBytes));
  HONE_ASSIGN_OR_RETURN(request_.recipe, compress::ParseRecipe(text, name));
  return base::OkStatus();
}

void CompressCommand::Print(const compress::LadderReport& ladder) const {
  if (output_.json()) {
    std::printf("%s", compress::ToJson(ladder).c_str());
    return;
  }
  TableWriter table(output_.format);
  const auto write = [&](const std::string& path, double speedup,
                         const compress::ModelFigures& model) {
    table.Write({{"rung", path},
                 {"speedup", Cell(speedup, 2)},
                 {"p50_ms", Cell(model.latency.p50_ms, 3)},
                 {"p95_ms", Cell(model.latency.p95_ms, 3)},
                 {"p99_ms", Cell(model.latency.p99_ms, 3)},
                 {"metric", model.metric.name},
                 {"value", Cell(model.metric.value, 4)},
                 {"low", Cell(model.metric.low, 4)},
                 {"high", Cell(model.metric.high, 4)},
                 {"format", model.format},
                 {"parameters", static_cast<std::int64_t>(model.parameters)},
                 {"size_mib", Cell(static_cast<double>(model.size_bytes) / 1048576.0, 1)}});
  };
  write("dense", 1, ladder.dense);
  for (const compress::LadderRung& rung : ladder.rungs) write(rung.path, rung.speedup, rung.model);
}

}  // namespace

std::unique_ptr<Command> MakeCompressCommand() {
  return std::make_unique<CompressCommand>();
}

}  // namespace hone::cli
