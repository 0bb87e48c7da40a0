#include "cli/model_flags.h"

#include <algorithm>
#include <cstdio>

#include "base/quantities.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/isa.h"
#include "cli/progress.h"
#include "compress/ladder/ladder.h"
#include "env/cpus.h"

namespace hone::cli {

void ModelFlags::AddEngineOnly(Flags& flags) {
  flags.Required("-m,--model", &model, "model directory (Hugging Face layout)");
  flags.Choice("--dtype", &dtype, {"f32", "bf16", "int8", "int4"},
               "number format to compute in; default: as stored");
  flags.Int("-t,--threads", &threads, 0, 256, "threads; 0: all that affinity and cgroup allow");
  AddRung(flags);
}

void ModelFlags::AddRung(Flags& flags) {
  flags.Text("--rung", &rung, "of a ladder: name or index; default: the first, the most accurate");
  flags.Text("--deadline", &deadline,
             "of a ladder: the most accurate rung whose p95 meets this (2ms, 1.5ms, 800us)");
}

base::StatusOr<double> ParseMilliseconds(const std::string& text, std::string_view flag) {
  const auto duration = base::ParseDuration(text, base::BareNumber::kMilliseconds);
  if (!duration.ok()) return InvalidUsage(base::StrCat(flag, " ", duration.status().message()));
  return static_cast<double>(*duration) / base::kMillisecondNs;
}

base::StatusOr<std::string> ModelFlags::Directory() const {
  env::FileSystem& files = env::RealFileSystem();
  if (!rung.empty() && !deadline.empty()) {
    return InvalidUsage("--rung and --deadline both choose the rung; give one");
  }
  if (!compress::IsLadder(files, model)) {
    if (rung.empty() && deadline.empty()) return model;
    return InvalidUsage(base::StrCat(rung.empty() ? "--deadline" : "--rung", ": ", model,
                                     " is no ladder (hone compress makes one)"));
  }
  HONE_ASSIGN_OR_RETURN(const compress::LadderReport ladder, compress::ReadLadder(files, model));
  const compress::LadderRung* chosen = nullptr;
  if (deadline.empty()) {
    HONE_ASSIGN_OR_RETURN(chosen, compress::FindRung(ladder, rung.empty() ? "0" : rung));
  } else {
    HONE_ASSIGN_OR_RETURN(const double ms, ParseMilliseconds(deadline, "--deadline"));
    const auto within = compress::RungWithin(ladder, ms);
    if (!within.ok()) return base::Annotate(within.status(), model);
    chosen = *within;
    std::fprintf(stderr, "rung %s: p95 %.3f ms, %s %.4f\n", chosen->path.c_str(),
                 chosen->model.latency.p95_ms, chosen->model.metric.name.c_str(),
                 chosen->model.metric.value);
  }
  return env::JoinPath(model, chosen->path);
}

void ModelFlags::Add(Flags& flags) {
  AddEngineOnly(flags);
  flags.Int("--max-tokens", &max_tokens, 0, 1 << 20,
            "cut texts to this many tokens; 0: the model's limit");
  flags.Switch("--no-truncate", &no_truncate, "refuse texts longer than the limit");
}

base::StatusOr<runtime::EngineOptions> ModelFlags::Engine() const {
  runtime::EngineOptions options;
  if (!dtype.empty()) {
    HONE_ASSIGN_OR_RETURN(options.format, quant::ParseFormat(dtype));
  }
  options.threads =
      threads > 0 ? threads : std::min(env::UsableCpus(), base::ThreadPool::kMaxThreads);
  options.isa = IsaLimit();
  // Quantising a large model as it is loaded takes seconds. The line lives as long as the options.
  options.progress = [line = std::make_shared<Progress>("packing")](int done, int total) {
    line->Update(done, total);
  };
  return options;
}

base::StatusOr<std::unique_ptr<runtime::TextModel>> ModelFlags::Open() const {
  HONE_ASSIGN_OR_RETURN(const std::string directory, Directory());
  HONE_ASSIGN_OR_RETURN(runtime::EngineOptions engine, Engine());
  HONE_ASSIGN_OR_RETURN(auto opened, runtime::TextModel::Open(env::RealFileSystem(), directory,
                                                              {.engine = std::move(engine),
                                                               .max_tokens = max_tokens,
                                                               .refuse_too_long = no_truncate}));
  const int special = opened->tokenizer().added_special_tokens(/*pair=*/false);
  if (max_tokens > 0 && max_tokens <= special) {
    return InvalidUsage(base::StrCat("--max-tokens ", max_tokens, ": the model's tokenizer adds ",
                                     special, " special tokens; at least ", special + 1,
                                     " leave room for a text"));
  }
  return opened;
}

void OutputFlag::Add(Flags& flags) {
  flags.Choice("-o,--output", &format, {"md", "json", "csv"}, "output format");
}

void WarnTruncated(int truncated, int max_tokens) {
  if (truncated == 0) return;
  std::fprintf(stderr, "warning: %d text%s cut to %d tokens (--no-truncate refuses instead)\n",
               truncated, truncated == 1 ? " was" : "s were", max_tokens);
}

}  // namespace hone::cli
