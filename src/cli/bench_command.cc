// hone bench: the speed of a model, of its parts, and of the machine.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <numeric>

#include "base/aligned_buffer.h"
#include "base/strings.h"
#include "bench/forward_bench.h"
#include "bench/roofline_report.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/isa.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "env/clock.h"
#include "env/cpus.h"
#include "env/file.h"
#include "formats/tokenizer_files.h"
#include "load/random.h"
#include "model/model.h"

namespace hone::cli {
namespace {

constexpr int kMaxBatch = 4096;
constexpr std::size_t kMostTexts = 1 << 16;  // of --lengths: seconds to tokenise, megabytes of ids
constexpr int kParts = 1000;                 // of a row, that progress counts

// The last part of a path, as a model's name.
std::string BaseName(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path.substr(path.find_last_of('/') + 1);
}

class BenchCommand : public Command {
 public:
  std::string name() const override { return "bench"; }
  std::string summary() const override {
    return "measure a model's latency, or the machine's limits";
  }
  std::string example() const override {
    return "  hone bench -m minilm -b 1 -s 16,128 -t 2 --dtype int8 -o json\n"
           "  hone bench -m minilm -b 8 --lengths sentences.txt\n"
           "  hone bench --roofline";
  }

  void AddFlags(Flags& flags) override {
    flags.Text("-m,--model", &model_.model, "model directory (Hugging Face layout)");
    flags.Choice("--dtype", &model_.dtype, {"f32", "bf16", "int8", "int4"},
                 "number format to compute in; default: as stored");
    flags.Int("-t,--threads", &model_.threads, 0, 256, "threads; 0: all that are allowed");
    model_.AddRung(flags);
    flags.IntList("-b,--batch", &batches_, 1, kMaxBatch, "texts in a batch");
    flags.IntList("-s,--seq", &lengths_, 1, 1 << 16, "tokens in each text (16,128)");
    flags.Text("--lengths", &lengths_file_,
               "use the natural lengths of the lines of this file, in an order of chance that is "
               "the same each time; 65,536 of a longer one");
    flags.Int("-r,--reps", &effort_.reps, 0, 1 << 24, "passes; 0: as many as fit in --seconds");
    flags.Real("--seconds", &effort_.seconds, "time for each row");
    flags.Switch("--random-weights", &random_weights_,
                 "make up the weights from config.json alone");
    flags.Switch("--profile", &profile_, "add the time of each layer and operation");
    flags.Switch("--roofline", &roofline_, "print the machine's limits instead");
    flags.Switch("--kernels", &kernels_, "print the speed of every product and attention kernel");
    output_.Add(flags);
  }

  base::Status Run() override {
    HONE_RETURN_IF_ERROR(CheckFlags());
    if (lengths_.empty()) lengths_ = {16, 128};
    HONE_ASSIGN_OR_RETURN(const runtime::EngineOptions options, model_.Engine());
    TableWriter table(output_.format);
    if (roofline_ || kernels_) {
      Progress progress("measuring");
      const auto update = [&](std::int64_t done, std::int64_t total) {
        progress.Update(done, total);
      };
      for (const bench::Limit& limit :
           roofline_ ? bench::MeasureRoofline(options.threads, options.isa)
                     : bench::MeasureKernels(options.threads, options.isa, update)) {
        table.Write({{"what", limit.what},
                     {"threads", limit.threads},
                     {"value", Cell(limit.value, 1)},
                     {"unit", limit.unit},
                     {"share_of_peak", Cell(limit.share, 3)}});
      }
      return base::OkStatus();
    }
    HONE_ASSIGN_OR_RETURN(model_.model, model_.Directory());
    return BenchModel(options, table);
  }

 private:
  base::Status CheckFlags() const;
  base::Status BenchModel(const runtime::EngineOptions& options, TableWriter& table);
  base::StatusOr<std::vector<std::vector<int>>> NaturalBatches(int batch, int limit) const;
  void PrintProfile(runtime::LocalEngine& engine, int reps) const;

  ModelFlags model_;
  OutputFlag output_;
  std::vector<int> batches_ = {1}, lengths_;
  std::string lengths_file_;
  bench::Effort effort_;
  bool random_weights_ = false, profile_ = false, roofline_ = false, kernels_ = false;
};

base::Status BenchCommand::CheckFlags() const {
  if (!lengths_.empty() && !lengths_file_.empty()) {
    return InvalidUsage("-s and --lengths: give one");
  }
  const bool machine = roofline_ || kernels_;
  if (!machine && model_.model.empty()) {
    return InvalidUsage("needs -m DIR, --roofline or --kernels");
  }
  if (machine && !(model_.model.empty() && lengths_.empty() && lengths_file_.empty())) {
    return InvalidUsage("--roofline and --kernels measure the machine: without -m, -s, --lengths");
  }
  return base::OkStatus();
}

base::StatusOr<std::vector<std::vector<int>>> BenchCommand::NaturalBatches(int batch,
                                                                           int limit) const {
  HONE_ASSIGN_OR_RETURN(const auto tokenizer,
                        formats::OpenTokenizer(env::RealFileSystem(), model_.model));
  HONE_ASSIGN_OR_RETURN(std::vector<std::string> lines, ReadLines({lengths_file_}));
  // Files are sorted by length, or by source; shuffled, whatever part is timed stands for the whole.
  load::Random random(1);
  for (std::size_t i = lines.size(); i > 1; --i) std::swap(lines[i - 1], lines[random.Below(i)]);
  if (lines.size() > kMostTexts) lines.resize(kMostTexts);
  std::vector<std::vector<int>> batches;
  text::Encoding encoding;
  for (const std::string& line : lines) {
    tokenizer->Encode(line, {.max_tokens = limit}, &encoding);
    if (encoding.ids.empty()) continue;
    if (batches.empty() || static_cast<int>(batches.back().size()) == batch) batches.emplace_back();
    batches.back().push_back(static_cast<int>(encoding.ids.size()));
  }
  if (batches.empty()) return base::BadInput(lengths_file_, ": has no line with a token");
  const std::size_t last = batches.back().size();
  // A short batch would count as a whole one.
  if (static_cast<int>(last) < batch) batches.pop_back();
  if (batches.empty()) {
    return base::BadInput(lengths_file_, ": has ", last, " lines with a token, too few for -b ",
                          batch);
  }
  return batches;
}

void BenchCommand::PrintProfile(runtime::LocalEngine& engine, int reps) const {
  // Summed over layers first: a glance shows where the time goes.
  std::map<runtime::Op, runtime::ProfileRow> totals;
  double all = 0;
  const std::vector<runtime::ProfileRow> rows = engine.TakeProfile();
  for (const runtime::ProfileRow& row : rows) {
    runtime::ProfileRow& total = totals[row.op];
    total.seconds += row.seconds;
    total.flops += row.flops;
    all += row.seconds;
  }
  const double peak = bench::PeakFlops(engine.format(), IsaLimit());
  TableWriter table(output_.format);
  const auto write = [&](const std::string& layer, runtime::Op op, double seconds, double flops) {
    const double rate = seconds > 0 ? flops / seconds : 0;
    table.Write({{"layer", layer},
                 {"op", runtime::NameOf(op)},
                 {"ms", Cell(seconds * 1e3 / reps, 4)},
                 {"share", Cell(seconds / all, 3)},
                 {"gflop_per_s", Cell(rate * 1e-9, 1)},
                 {"share_of_peak", Cell(peak > 0 ? rate / peak : 0, 3)}});
  };
  for (const auto& [op, total] : totals) write("all", op, total.seconds, total.flops);
  for (const runtime::ProfileRow& row : rows) {
    write(row.layer < 0 ? "-" : base::StrCat(row.layer), row.op, row.seconds, row.flops);
  }
}

base::Status BenchCommand::BenchModel(const runtime::EngineOptions& options, TableWriter& table) {
  const std::int64_t start = env::NowNs();
  HONE_ASSIGN_OR_RETURN(const model::Model model,
                        random_weights_
                            ? model::Model::Random(env::RealFileSystem(), model_.model, 1)
                            : model::Model::Open(env::RealFileSystem(), model_.model));
  HONE_ASSIGN_OR_RETURN(const auto engine, runtime::LocalEngine::Load(model, options));
  const double load_ms = env::MsSince(start);
  // The first answer of a fresh engine: it finds cold caches and allocates its workspace.
  const std::int64_t first_start = env::NowNs();
  {
    const int tokens = std::min(16, model.config.max_tokens);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens), 0), begins = {0, tokens};
    base::AlignedVector<float> hidden(ids.size() * static_cast<std::size_t>(engine->width()));
    engine->Forward(engine->all_layers(), {.ids = ids, .types = {}, .begins = begins}, hidden);
  }
  const double first_ms = env::MsSince(first_start);
  const int outputs = static_cast<int>(model.head.outputs.size());
  Progress progress("measuring");
  std::int64_t done = 0;  // in parts of a row
  const std::size_t rows = batches_.size() * (lengths_file_.empty() ? lengths_.size() : 1);
  const auto all = static_cast<std::int64_t>(rows) * kParts;
  for (const int batch : batches_) {
    std::vector<std::vector<std::vector<int>>> cases;
    if (lengths_file_.empty()) {
      for (const int length : lengths_) {
        if (length > model.config.max_tokens) {
          return base::BadInput("-s ", length, ": the model takes at most ",
                                model.config.max_tokens, " tokens");
        }
        cases.push_back({std::vector<int>(static_cast<std::size_t>(batch), length)});
      }
    } else {
      HONE_ASSIGN_OR_RETURN(auto natural, NaturalBatches(batch, model.max_text_tokens));
      cases.push_back(std::move(natural));
    }
    for (const std::vector<std::vector<int>>& lengths : cases) {
      if (profile_) engine->StartProfile();
      const bench::Timing timing = bench::BenchForward(
          *engine, outputs, model.config.vocabulary, lengths, effort_, [&](double share) {
            progress.Update(done + static_cast<std::int64_t>(share * kParts), all);
          });
      progress.Clear();  // a row may be printed now
      table.Write(
          {{"model", BaseName(model_.model)},
           {"dtype", engine->load_report().format},
           {"isa", base::IsaName(options.isa)},
           {"threads", options.threads},
           {"batch", batch},
           {"seq", Cell(timing.mean_tokens / batch, lengths_file_.empty() ? 0 : 1)},
           {"reps", timing.reps},
           {"p50_ms", Cell(timing.p50_ms, 3)},
           {"p95_ms", Cell(timing.p95_ms, 3)},
           {"p99_ms", Cell(timing.p99_ms, 3)},
           {"tokens_per_s", Cell(timing.tokens_per_s, 0)},
           {"load_ms", Cell(load_ms, 1)},
           {"first_ms", Cell(first_ms, 2)},
           {"peak_rss_mib", Cell(static_cast<double>(env::PeakResidentBytes()) / 1048576.0, 1)},
           {"kernel", engine->load_report().kernel},
           {"attention", engine->load_report().attention}});
      if (profile_) PrintProfile(*engine, timing.reps + timing.warm_ups);
      done += kParts;
      progress.Update(done, all);
    }
  }
  return base::OkStatus();
}

}  // namespace

std::unique_ptr<Command> MakeBenchCommand() {
  return std::make_unique<BenchCommand>();
}

}  // namespace hone::cli
