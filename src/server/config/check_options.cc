#include "server/config/check_options.h"

#include <algorithm>
#include <cstdint>
#include <set>

#include "base/strings.h"
#include "base/thread_pool.h"
#include "env/cpus.h"
#include "planner/layouts.h"

namespace hone::server {
namespace {

using MaybeWrong = std::optional<WrongSetting>;

template <typename... Args>
WrongSetting Wrong(const std::string& setting, const Args&... what) {
  return {.setting = setting, .what = base::StrCat(what...)};
}

// What the models before this one have reserved, and this one.
struct Reserved {
  std::uint64_t bytes = 0;
  double cores = 0;
};

MaybeWrong CheckMemory(const ServiceOptions& options, const ModelOptions& model,
                       const std::string& of, Reserved* reserved) {
  const bool reserves = model.reserved_bytes > 0, limits = model.limit_bytes > 0;
  if (options.memory_bytes == 0 && (reserves || limits)) {
    return Wrong(of + (reserves ? "reserve_memory" : "limit_memory"),
                 "memory is reserved and limited only within a budget, which \"memory\" sets");
  }
  if (limits && model.limit_bytes < model.reserved_bytes) {
    return Wrong(of + "limit_memory", "is below reserve_memory");
  }
  reserved->bytes += model.reserved_bytes;
  // The sum may be too large for its type.
  if (reserved->bytes < model.reserved_bytes || reserved->bytes > options.memory_bytes) {
    return Wrong(of + "reserve_memory",
                 "with what the models before it reserve, that is more than ",
                 "the budget \"memory\" of ", base::WithCommas(options.memory_bytes), " bytes");
  }
  return std::nullopt;
}

MaybeWrong CheckCores(int cores, const ModelOptions& model, const std::string& of,
                      Reserved* reserved) {
  if (model.limit_cores > 0 && model.limit_cores < model.reserved_cores) {
    return Wrong(of + "limit_cores", "is below reserve_cores");
  }
  // Tenths do not add up exactly.
  constexpr double kRounding = 1e-9;
  reserved->cores += model.reserved_cores;
  if (model.reserved_cores > 0 && reserved->cores > cores + kRounding) {
    return Wrong(of + "reserve_cores", reserved->cores, " cores are reserved in all, ",
                 "more than the threads that compute, ", cores);
  }
  return std::nullopt;
}

WrongSetting DeadlineAbove(const std::string& of, const ServiceOptions& options) {
  return Wrong(of + "default_deadline", "is above what may be asked for, \"limits: deadline\" of ",
               options.max_deadline_ms / 1e3, " s");
}

MaybeWrong CheckModels(const ServiceOptions& options) {
  if (options.models.empty()) return Wrong("models", "there are no models to serve");
  const int cores = CoresOf(options);
  std::set<std::string> names;
  Reserved reserved;
  for (const ModelOptions& model : options.models) {
    if (model.name.empty()) return Wrong("models", model.directory, ": the model has no name");
    const std::string of = base::StrCat("models: ", model.name, ": ");
    if (!names.insert(model.name).second) {
      return Wrong("models", "two models are called \"", model.name, "\"");
    }
    if (model.max_texts < 1 || model.max_batch_tokens < 1 || model.reserved_cores < 0 ||
        model.limit_cores < 0 || model.default_deadline_ms < 0) {
      return Wrong("models", "\"", model.name, "\": a limit is below what makes sense");
    }
    if (MaybeWrong wrong = CheckCores(cores, model, of, &reserved)) return wrong;
    if (MaybeWrong wrong = CheckMemory(options, model, of, &reserved)) return wrong;
    if (model.default_deadline_ms > options.max_deadline_ms) {
      return DeadlineAbove(of, options);
    }
  }
  return std::nullopt;
}

}  // namespace

int CoresOf(const ServiceOptions& options) {
  return options.threads > 0 ? options.threads
                             : std::min(env::UsableCpus(), base::ThreadPool::kMaxThreads);
}

MaybeWrong CheckOptions(const ServiceOptions& options) {
  if (options.threads < 0 || options.threads > base::ThreadPool::kMaxThreads) {
    return Wrong("threads", options.threads, ": expected at most ", base::ThreadPool::kMaxThreads,
                 ", or 0 for all");
  }
  const base::Status split = planner::MakeLayouts(CoresOf(options), options.split).status();
  if (!split.ok()) return Wrong("split", split.message());
  if (!(options.default_deadline_ms > 0) || !(options.max_deadline_ms > 0) ||
      options.max_texts < 1 || options.max_queued < 1) {
    return Wrong("limits", "a deadline or limit of the service is not above 0");
  }
  if (options.default_deadline_ms > options.max_deadline_ms) {
    return DeadlineAbove("", options);
  }
  return CheckModels(options);
}

}  // namespace hone::server
