// hone simulate: the server's scheduler in virtual time, over measured latency tables.
#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/quantities.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/stream_flags.h"
#include "cli/table.h"
#include "env/file.h"
#include "load/load.h"
#include "sim/scene.h"

namespace hone::cli {
namespace {

constexpr std::uint64_t kMaxTableBytes = std::uint64_t{4} << 20;
constexpr double kMostRequests = 2e7;  // a gigabyte

class SimulateCommand : public Command {
 public:
  std::string name() const override { return "simulate"; }
  std::string summary() const override {
    return "how each scheduling policy would serve given arrivals, in virtual time";
  }
  std::string example() const override {
    return "  hone simulate --models intent.json --models embed.json --rate 300 --rate 60 \\\n"
           "      --deadline 15ms --deadline 80ms --arrivals gamma:4 --duration 60s\n"
           "  hone simulate --models intent.json --models embed.json --memory 48MiB --policy "
           "ladder\n"
           "  hone simulate --models intent.json --trace arrivals.csv --rate 500 --policy ladder\n"
           "A model's file is the latency tables that hone serve keeps. Repeated flags belong\n"
           "together in their order; a single value holds for every --models.";
  }

  void AddFlags(Flags& flags) override {
    flags.TextList("--models", &models_, "latency tables of a model (JSON); once for each");
    flags.TextList("--rate", &rates_,
                   "requests a second (10); of a trace its mean, as recorded without this");
    flags.TextList("--arrivals", &arrivals_,
                   "poisson (default), uniform, gamma:CV (bursts: gamma:4), trace:FILE");
    flags.TextList("--trace", &traces_, "FILE, as --arrivals trace:FILE");
    flags.TextList("--deadline", &deadlines_, "from arrival: 20ms (100ms)");
    flags.TextList("--priority", &priorities_, "low, normal (default), high");
    flags.IntList("--tokens", &tokens_, 1, 1 << 16, "of a request, each as likely");
    flags.Int("--max-tokens", &max_tokens_, 1, 1 << 16, "where a trace has more");
    flags.Text("--duration", &duration_, "how long: 60s, 10m");
    flags.Text("--policy", &policy_, "all, or one of ladder, edf, round_robin, fcfs");
    flags.Text(
        "--memory", &memory_,
        "for packed weights (64MiB): rungs are loaded and evicted as hone serve would; default: "
        "all are in memory");
    flags.TextList("--pin", &pinned_, "a model whose rungs all stay in memory");
    flags.TextList("--reserve-memory", &reserved_,
                   "of the budget: nobody else's rungs take it; none");
    flags.TextList("--limit-memory", &limits_, "the model's rungs take no more; none");
    flags.Int("--cores", &cores_, 1, 1024, "cores to compute on");
    flags.IntList("--split", &split_, 1, 1024,
                  "threads of each executor; default: as hone serve splits --cores, anew as the "
                  "load changes");
    flags.Real("--sigma", &machine_.sigma, "spread of a batch's time, of its logarithm");
    flags.Int("--stall-every", &machine_.stall_every, 0, 1 << 30, "batches; 0: no stalls");
    flags.Real("--stall-ms", &machine_.stall_ms, "how long one is");
    flags.Real("--front-ms", &machine_.front_ms, "of a core, that receiving a request costs");
    flags.Real("--overhead-ms", &overhead_ms_, "between a batch's end and its answers");
    flags.Int("--seed", &seed_, 0, 1 << 30, "of arrivals and the machine");
    output_.Add(flags);
  }

  base::Status Run() override;

 private:
  base::Status ReadStreams();
  base::Status ReadStream(std::size_t i, sim::Stream* stream) const;
  base::Status ReadModels();
  base::StatusOr<sim::Memory> ReadMemory() const;
  void Print(const std::string& policy, const sim::SimResult& result, double bound_per_s,
             TableWriter* table) const;

  std::vector<std::string> models_, rates_, arrivals_, traces_, deadlines_, priorities_;
  std::vector<int> tokens_ = {32}, split_;
  std::vector<std::string> pinned_, reserved_, limits_;
  std::string duration_ = "60s", policy_ = "all", memory_;
  int cores_ = 2, seed_ = 1, max_tokens_ = 512;
  double overhead_ms_ = 0.3;
  sim::Machine machine_;
  OutputFlag output_;
  std::vector<planner::TableFile> files_;
  std::vector<sim::Stream> streams_;
};

base::Status SimulateCommand::ReadModels() {
  if (models_.empty()) return InvalidUsage("needs --models FILE.json");
  for (const std::string& path : models_) {
    HONE_ASSIGN_OR_RETURN(const std::string json, env::RealFileSystem().Read(path, kMaxTableBytes));
    HONE_ASSIGN_OR_RETURN(planner::TableFile file, planner::ParseTableFile(json, path));
    files_.push_back(std::move(file));
  }
  return base::OkStatus();
}

base::StatusOr<sim::Memory> SimulateCommand::ReadMemory() const {
  if (memory_.empty()) {
    if (pinned_.empty() && reserved_.empty() && limits_.empty()) return sim::Memory{};
    return InvalidUsage("--pin, --reserve-memory, --limit-memory: need --memory");
  }
  HONE_RETURN_IF_ERROR(CheckCounts({{"--reserve-memory", &reserved_}, {"--limit-memory", &limits_}},
                                   "--models", models_.size()));
  const auto bytes = [](const char* flag,
                        const std::string& text) -> base::StatusOr<std::uint64_t> {
    if (text.empty() || text == "none") return std::uint64_t{0};
    const base::StatusOr<std::uint64_t> parsed = base::ParseBytes(text);
    if (!parsed.ok()) return InvalidUsage(base::StrCat(flag, " ", parsed.status().message()));
    return *parsed;
  };
  HONE_ASSIGN_OR_RETURN(const std::uint64_t budget, bytes("--memory", memory_));
  HONE_ASSIGN_OR_RETURN(sim::Memory memory, sim::MakeMemory(files_, budget));
  for (std::size_t i = 0; i < files_.size(); ++i) {
    sim::Memory::Model& model = memory.models[i];
    HONE_ASSIGN_OR_RETURN(model.reserved_bytes,
                          bytes("--reserve-memory", ValueOf(reserved_, i, "none")));
    HONE_ASSIGN_OR_RETURN(model.limit_bytes, bytes("--limit-memory", ValueOf(limits_, i, "none")));
  }
  for (const std::string& name : pinned_) {
    const auto found = std::ranges::find(files_, name, &planner::TableFile::model);
    if (found == files_.end()) {
      return InvalidUsage(base::StrCat("--pin \"", name, "\" is none of the models"));
    }
    memory.models[static_cast<std::size_t>(found - files_.begin())].pinned = true;
  }
  return memory;
}

base::Status SimulateCommand::ReadStream(std::size_t i, sim::Stream* stream) const {
  stream->model = static_cast<int>(i);
  stream->tokens = tokens_;
  stream->max_tokens = max_tokens_;
  const std::string trace = ValueOf(traces_, i, "");
  HONE_ASSIGN_OR_RETURN(
      StreamArrivals arrivals,
      ReadArrivals(trace.empty() ? ValueOf(arrivals_, i, "poisson") : "trace:" + trace,
                   ValueOf(rates_, i, "")));
  stream->arrivals = std::move(arrivals.spec);
  stream->trace = std::move(arrivals.trace);
  stream->rate_per_s = arrivals.rate_per_s;
  HONE_ASSIGN_OR_RETURN(const double deadline,
                        ReadSpan("--deadline", ValueOf(deadlines_, i, "100ms")));
  stream->deadline_ns = static_cast<base::TimeNs>(deadline * base::kSecondNs);
  const std::string priority = ValueOf(priorities_, i, "normal");
  HONE_RETURN_IF_ERROR(CheckPriority(priority));
  stream->priority = priority == "low"    ? scheduler::Priority::kLow
                     : priority == "high" ? scheduler::Priority::kHigh
                                          : scheduler::Priority::kNormal;
  return base::OkStatus();
}

base::Status SimulateCommand::ReadStreams() {
  HONE_RETURN_IF_ERROR(CheckCounts({{"--rate", &rates_},
                                    {"--arrivals", &arrivals_},
                                    {"--trace", &traces_},
                                    {"--deadline", &deadlines_},
                                    {"--priority", &priorities_}},
                                   "--models", models_.size()));
  if (!(machine_.sigma >= 0 && machine_.sigma <= 2)) return InvalidUsage("--sigma: 0 to 2");
  constexpr double kMostMs = 1e5;
  for (const double ms : {machine_.stall_ms, machine_.front_ms, overhead_ms_}) {
    if (!(ms >= 0 && ms <= kMostMs)) {
      return InvalidUsage("--stall-ms, --front-ms, --overhead-ms: 0 to 100,000");
    }
  }
  if (!traces_.empty() && !arrivals_.empty()) {
    return InvalidUsage("--trace and --arrivals: give one");
  }
  streams_.resize(models_.size());
  for (std::size_t i = 0; i < models_.size(); ++i) {
    HONE_RETURN_IF_ERROR(ReadStream(i, &streams_[i]));
  }
  return base::OkStatus();
}

base::Status SimulateCommand::Run() {
  if (const auto policy = scheduler::MakePolicy(policy_); policy_ != "all" && !policy.ok()) {
    return InvalidUsage(base::StrCat("--policy: ", policy.status().message()));
  }
  HONE_RETURN_IF_ERROR(ReadModels());
  HONE_RETURN_IF_ERROR(ReadStreams());
  HONE_ASSIGN_OR_RETURN(const double seconds, ReadSpan("--duration", duration_));
  double rate = 0;
  for (const sim::Stream& stream : streams_) rate += stream.rate_per_s;
  if (rate * seconds > kMostRequests) {
    return InvalidUsage(base::StrCat("--rate and --duration make more than ",
                                     base::WithCommas(static_cast<std::uint64_t>(kMostRequests)),
                                     " requests"));
  }
  HONE_ASSIGN_OR_RETURN(const planner::Layouts layouts,
                        split_.empty()
                            ? sim::MeasuredLayouts(files_, cores_)
                            : base::StatusOr<planner::Layouts>(planner::LayoutsOf({split_})));
  HONE_ASSIGN_OR_RETURN(scheduler::Setup setup, sim::MakeSetup(files_, layouts));
  setup.overhead_ns = static_cast<base::TimeNs>(overhead_ms_ * base::kMillisecondNs);
  sim::Resources resources;
  HONE_ASSIGN_OR_RETURN(resources.memory, ReadMemory());
  if (layouts.splits.size() > 1) resources.layouts = layouts;
  const auto seed = static_cast<std::uint64_t>(seed_);
  const std::vector<sim::SimRequest> requests =
      sim::MakeRequests(streams_, static_cast<base::TimeNs>(seconds * base::kSecondNs), seed);
  std::vector<std::string> splits;
  for (int split = 0; split < static_cast<int>(layouts.splits.size()); ++split) {
    splits.push_back(base::Join(layouts.WidthsOf(split), " + "));
  }
  std::fprintf(stderr, "%zu requests, executors of %s threads\n", requests.size(),
               base::Join(splits, " or ").c_str());
  TableWriter table(output_.format);
  double bound = 0;
  std::vector<std::string> policies = {policy_};
  if (policy_ == "all") {
    policies.clear();
    for (const std::string_view name : scheduler::PolicyNames()) policies.emplace_back(name);
  }
  Progress progress("simulating");
  const auto all = static_cast<std::int64_t>(requests.size() * policies.size());
  std::int64_t before = 0;  // requests of the policies that are done
  for (const std::string& policy : policies) {
    HONE_ASSIGN_OR_RETURN(const sim::SimResult result,
                          sim::Simulate(setup, policy, requests, machine_, seed, resources,
                                        [&](std::size_t done, std::size_t) {
                                          progress.Update(before + static_cast<std::int64_t>(done),
                                                          all);
                                        }));
    before += static_cast<std::int64_t>(requests.size());
    if (bound == 0)
      bound = static_cast<double>(sim::UpperBound(setup, requests, machine_.front_ms));
    progress.Clear();  // a row may be printed now
    Print(policy, result, bound / result.seconds, &table);
  }
  return base::OkStatus();
}

void SimulateCommand::Print(const std::string& policy, const sim::SimResult& result,
                            double bound_per_s, TableWriter* table) const {
  const auto write = [&](const std::string& model, const sim::SimModelResult& of, double goodput,
                         double accuracy_goodput, const Cell& bound, const Cell& switches) {
    base::JsonWriter json;
    json.BeginObject();
    std::vector<std::string> parts;
    for (const auto& [rung, count] : of.rungs) {
      json.Key(rung).Int(count);
      parts.push_back(base::StrCat(rung, "=", count));
    }
    json.EndObject();
    table->Write({{"policy", policy},
                  {"model", model},
                  {"sent", of.sent},
                  {"ok", of.ok},
                  {"late", of.late},
                  {"refused", of.refused},
                  {"goodput_per_s", Cell(goodput, 1)},
                  {"accuracy_goodput_per_s", Cell(accuracy_goodput, 1)},
                  {"bound_per_s", bound},
                  {"p50_ms", Cell(of.p50_ms, 2)},
                  {"p99_ms", Cell(of.p99_ms, 2)},
                  {"loads", of.loads},
                  {"evictions", of.evictions},
                  {"switches", switches},
                  {"rungs", output_.format == "md" ? Cell(base::Join(parts, "; "))
                                                   : Cell::RawJson(json.Take())}});
  };
  if (files_.size() > 1) {
    const Cell none = output_.json() ? Cell::RawJson("null") : Cell("");  // of all models alone
    for (std::size_t m = 0; m < files_.size(); ++m) {
      const sim::SimModelResult& model = result.models[m];
      const double goodput = static_cast<double>(model.ok) / result.seconds;
      write(files_[m].model, model, goodput, goodput * model.accuracy, none, none);
    }
  }
  write(files_.size() > 1 ? "all" : files_[0].model, result.total, result.goodput_per_s,
        result.accuracy_goodput_per_s, Cell(bound_per_s, 1), result.switches);
}

}  // namespace

std::unique_ptr<Command> MakeSimulateCommand() {
  return std::make_unique<SimulateCommand>();
}

}  // namespace hone::cli
