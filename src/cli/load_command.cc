// hone load: requests at a server in an open loop, and how many were answered in time.
#include <cmath>
#include <cstdio>

#include "base/json.h"
#include "base/strings.h"
#include "cli/command.h"
#include "cli/input.h"
#include "cli/model_flags.h"
#include "cli/progress.h"
#include "cli/stream_flags.h"
#include "cli/table.h"
#include "load/body.h"
#include "load/load.h"
#include "load/socket.h"

namespace hone::cli {
namespace {

std::string CountsJson(const std::map<std::string, std::int64_t, std::less<>>& counts) {
  base::JsonWriter json;
  json.BeginObject();
  for (const auto& [name, count] : counts) json.Key(name).Int(count);
  json.EndObject();
  return json.Take();
}

std::string CountsText(const std::map<std::string, std::int64_t, std::less<>>& counts) {
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) parts.push_back(base::StrCat(name, "=", count));
  return base::Join(parts, "; ");
}

class LoadCommand : public Command {
 public:
  std::string name() const override { return "load"; }
  std::string summary() const override {
    return "send requests to a server at a given rate, and count those answered in time";
  }
  std::string example() const override {
    return "  hone load --url http://127.0.0.1:8080 --model embed --rate 500 --deadline 20ms\n"
           "  hone load --url http://127.0.0.1:8080 --model intent --route /predict --rate 300 \\\n"
           "      --model embed --route /embed --rate 100 --arrivals gamma:4 --deadline 15ms "
           "--deadline 50ms\n"
           "  hone load --url http://127.0.0.1:8080 --model embed --ramp 200:5s,2000:10s,200:5s\n"
           "Repeated flags belong together in their order; a single value holds for every --model.";
  }

  void AddFlags(Flags& flags) override {
    flags.Required("--url", &request_.url, "the server, http://HOST:PORT");
    flags.TextList("--model", &models_, "its name in the requests; once for each stream");
    flags.TextList("--route", &routes_,
                   "/embed (default), /predict, /rerank, /v1/embeddings, /v1/rerank, /v1/hone/tag, "
                   "/v1/hone/answer, /v2");
    flags.TextList("--rate", &rates_,
                   "requests a second (10); of a trace its mean, as recorded without this");
    flags.TextList("--arrivals", &arrivals_,
                   "poisson (default), uniform, gamma:CV (bursts: gamma:4), trace:FILE");
    flags.TextList("--deadline", &deadlines_, "20ms: sent along, and later answers count as late");
    flags.TextList("--priority", &priorities_, "low, normal, high");
    flags.Text("--duration", &duration_, "how long: 30s, 2m");
    flags.Text("--ramp", &ramp_, "1000:5s,3000:10s: rates of all together, in place of --duration");
    flags.Text("--texts", &texts_, "texts to send, one a line; default: sentences of its own");
    flags.Int("--max-tokens", &request_.max_tokens, 1, 1 << 20,
              "longest text made for a trace's number of tokens");
    flags.Text("--api-key", &request_.api_key, "sent as Authorization: Bearer KEY");
    flags.Int("--connections", &request_.max_connections, 1, 60'000, "most open at a time");
    flags.Text("--timeout", &timeout_, "a request without an answer by then is an error");
    flags.Int("--seed", &seed_, 0, 1 << 30, "of arrivals and the order of texts");
    output_.Add(flags);
  }

  base::Status Run() override {
    HONE_RETURN_IF_ERROR(ReadFlags());
    HONE_ASSIGN_OR_RETURN(const load::LoadResult result, Load());
    Print(result);
    return AnyOk(result.total);
  }

 private:
  base::Status ReadFlags();
  base::StatusOr<load::LoadResult> Load() const;
  base::Status ReadStream(std::size_t i, load::Stream* stream) const;
  void Print(const load::LoadResult& result) const;
  static base::Status AnyOk(const load::StreamResult& total);
  Row MakeRow(const load::StreamResult& stream) const;

  load::LoadRequest request_;
  OutputFlag output_;
  std::vector<std::string> models_, routes_, rates_, arrivals_, deadlines_, priorities_;
  std::string duration_ = "30s", timeout_ = "10s", ramp_, texts_;
  int seed_ = 1;
};

base::Status LoadCommand::ReadStream(std::size_t i, load::Stream* stream) const {
  stream->model = models_[i];
  stream->route = ValueOf(routes_, i, "/embed");
  if (const base::Status route = load::CheckRoute(stream->route); !route.ok()) {
    return InvalidUsage(base::StrCat("--route: ", route.message()));
  }
  stream->priority = ValueOf(priorities_, i, "");
  if (!stream->priority.empty()) HONE_RETURN_IF_ERROR(CheckPriority(stream->priority));
  HONE_ASSIGN_OR_RETURN(StreamArrivals arrivals,
                        ReadArrivals(ValueOf(arrivals_, i, "poisson"), ValueOf(rates_, i, "")));
  stream->arrivals = std::move(arrivals.spec);
  stream->trace = std::move(arrivals.trace);
  stream->rate_per_s = arrivals.rate_per_s;
  if (stream->rate_per_s > load::kMaxRate) {
    return InvalidUsage(base::StrCat("--rate ", ValueOf(rates_, i, ""), ": at most ",
                                     base::WithCommas(static_cast<std::uint64_t>(load::kMaxRate)),
                                     " a second"));
  }
  const std::string deadline = ValueOf(deadlines_, i, "");
  if (!deadline.empty()) {
    HONE_ASSIGN_OR_RETURN(const double seconds, ReadSpan("--deadline", deadline));
    stream->deadline_ms = seconds * 1e3;
  }
  return base::OkStatus();
}

base::StatusOr<load::LoadResult> LoadCommand::Load() const {
  Progress progress("load");
  return load::RunLoad(request_, [&](double seconds, const load::StreamResult& so_far) {
    progress.Show(base::StrCat("load: ", base::Fixed(seconds, 1), " s, ", so_far.sent, " sent, ",
                               so_far.ok, " ok, ", so_far.late, " late, ", so_far.refused,
                               " refused, ", so_far.errors, " errors"));
  });
}

base::Status LoadCommand::ReadFlags() {
  if (models_.empty()) return InvalidUsage("needs --model NAME");
  if (const auto url = load::ParseUrl(request_.url); !url.ok()) {
    return InvalidUsage(base::StrCat("--url: ", url.status().message()));
  }
  HONE_RETURN_IF_ERROR(CheckCounts({{"--route", &routes_},
                                    {"--rate", &rates_},
                                    {"--arrivals", &arrivals_},
                                    {"--deadline", &deadlines_},
                                    {"--priority", &priorities_}},
                                   "--model", models_.size()));
  request_.streams.resize(models_.size());
  for (std::size_t i = 0; i < models_.size(); ++i) {
    HONE_RETURN_IF_ERROR(ReadStream(i, &request_.streams[i]));
  }
  HONE_ASSIGN_OR_RETURN(request_.seconds, ReadSpan("--duration", duration_));
  HONE_ASSIGN_OR_RETURN(request_.timeout_s, ReadSpan("--timeout", timeout_));
  if (!ramp_.empty()) {
    auto ramp = load::ParseRamp(ramp_);
    if (!ramp.ok()) return InvalidUsage(base::StrCat("--ramp: ", ramp.status().message()));
    request_.ramp = *std::move(ramp);
  }
  if (!texts_.empty()) {
    HONE_ASSIGN_OR_RETURN(request_.texts, ReadLines({texts_}));
    if (request_.texts.empty()) return base::BadInput(texts_, ": has no text");
  }
  request_.seed = static_cast<std::uint64_t>(seed_);
  if (const base::Status checked = load::CheckRequest(request_); !checked.ok()) {
    return InvalidUsage(checked.message());
  }
  return base::OkStatus();
}

Row LoadCommand::MakeRow(const load::StreamResult& stream) const {
  Row row = {{"model", stream.model},
             {"sent", stream.sent},
             {"ok", stream.ok},
             {"late", stream.late},
             {"refused", stream.refused},
             {"errors", stream.errors},
             {"goodput_per_s", Cell(stream.goodput_per_s, 1)},
             {"p50_ms", Cell(stream.p50_ms, 2)},
             {"p95_ms", Cell(stream.p95_ms, 2)},
             {"p99_ms", Cell(stream.p99_ms, 2)},
             {"max_ms", Cell(stream.max_ms, 2)},
             {"p50_queue_ms", Cell(stream.p50_queue_ms, 2)},
             {"p50_compute_ms", Cell(stream.p50_compute_ms, 2)}};
  if (output_.format != "md") {  // what a script may want and a terminal has no room for
    row.insert(row.end(), {{"p99_queue_ms", Cell(stream.p99_queue_ms, 2)},
                           {"p99_compute_ms", Cell(stream.p99_compute_ms, 2)},
                           {"p50_overhead_ms", Cell(stream.p50_overhead_ms, 2)},
                           {"p99_overhead_ms", Cell(stream.p99_overhead_ms, 2)},
                           {"p50_front_ms", Cell(stream.p50_front_ms, 2)},
                           {"p99_front_ms", Cell(stream.p99_front_ms, 2)},
                           {"faults", Cell::RawJson(CountsJson(stream.faults))}});
  }
  row.emplace_back("rungs", output_.format == "md" ? Cell(CountsText(stream.rungs))
                                                   : Cell::RawJson(CountsJson(stream.rungs)));
  return row;
}

// A row a stream and one of all; of a ramp the same for every step before them.
void LoadCommand::Print(const load::LoadResult& result) const {
  TableWriter table(output_.format);
  const auto write = [&](const std::vector<load::StreamResult>& streams,
                         const load::StreamResult& total, const Row& step) {
    for (const load::StreamResult& stream : streams) {
      Row row = step;
      for (auto& field : MakeRow(stream)) row.push_back(std::move(field));
      table.Write(row);
    }
    Row row = step;
    for (auto& field : MakeRow(total)) row.push_back(std::move(field));
    table.Write(row);
  };
  const auto of_step = [](const std::string& step, double begin_s, double seconds, double rate) {
    return Row{{"step", step},
               {"begin_s", Cell(begin_s, 2)},
               {"seconds", Cell(seconds, 2)},
               {"rate_per_s", Cell(rate, 0)}};
  };
  for (std::size_t k = 0; k < result.steps.size(); ++k) {
    const load::StepResult& step = result.steps[k];
    write(step.streams, step.total,
          of_step(base::StrCat(k + 1), step.begin_s, step.seconds, step.rate_per_s));
  }
  const double sent = static_cast<double>(result.total.sent);
  write(result.streams, result.total,
        result.steps.empty() ? Row() : of_step("all", 0, result.seconds, sent / result.seconds));
  const double us = sent > 0 ? result.processor_s * 1e6 / sent : 0;
  std::fprintf(
      stderr,
      "generator: %.1f us of processor a request, sent %.3f ms late at the median, %.3f ms "
      "at p99, %d connections\n",
      us, result.lateness_p50_ms, result.lateness_p99_ms, result.connections);
  for (const auto& [fault, count] : result.total.faults) {
    std::fprintf(stderr, "errors: %s, %lld times\n", fault.c_str(), static_cast<long long>(count));
  }
  if (!result.total.first_error.empty()) {
    std::fprintf(stderr, "the first: %s\n", result.total.first_error.c_str());
  }
}

// A script that measured nothing must not go on as if it had.
base::Status LoadCommand::AnyOk(const load::StreamResult& total) {
  if (total.ok > 0 || total.sent == 0) return base::OkStatus();
  const std::string& said = total.first_error.empty() ? total.first_refusal : total.first_error;
  return base::BadInput("none of ", total.sent, " requests was answered in time",
                        said.empty() ? "" : "; the server says: ", said);
}

}  // namespace

std::unique_ptr<Command> MakeLoadCommand() {
  return std::make_unique<LoadCommand>();
}

}  // namespace hone::cli
