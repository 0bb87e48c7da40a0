#include "cli/model_flags.h"

#include <algorithm>
#include <cstdio>

#include "base/thread_pool.h"
#include "cli/isa.h"
#include "cli/progress.h"
#include "env/cpus.h"

namespace hone::cli {

void ModelFlags::AddEngineOnly(Flags& flags) {
  flags.Required("-m,--model", &model, "model directory (Hugging Face layout)");
  flags.Choice("--dtype", &dtype, {"f32", "bf16", "int8", "int4"},
               "number format to compute in; default: as stored");
  flags.Int("-t,--threads", &threads, 0, 256, "threads; 0: all that affinity and cgroup allow");
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
  HONE_ASSIGN_OR_RETURN(runtime::EngineOptions engine, Engine());
  return runtime::TextModel::Open(
      env::RealFileSystem(), model,
      {.engine = std::move(engine), .max_tokens = max_tokens, .refuse_too_long = no_truncate});
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
