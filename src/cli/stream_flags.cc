#include "cli/stream_flags.h"

#include <charconv>
#include <cstdint>

#include "base/quantities.h"
#include "base/strings.h"
#include "cli/command.h"
#include "env/file.h"

namespace hone::cli {
namespace {

constexpr std::uint64_t kMaxTraceBytes = std::uint64_t{1} << 30;

base::Status Named(const char* flag, const base::Status& status) {
  return InvalidUsage(base::StrCat(flag, ": ", status.message()));
}

}  // namespace

std::string ValueOf(const FlagValues& values, std::size_t i, const char* fallback) {
  if (values.empty()) return fallback;
  return values[values.size() == 1 ? 0 : i];
}

base::Status CheckCounts(const std::vector<std::pair<const char*, const FlagValues*>>& flags,
                         const char* by, std::size_t streams) {
  for (const auto& [flag, values] : flags) {
    if (values->size() > 1 && values->size() != streams) {
      return InvalidUsage(base::StrCat(flag, " is given ", values->size(), " times, ", by, " ",
                                       streams, " times; once holds for all"));
    }
  }
  return base::OkStatus();
}

base::Status CheckPriority(const std::string& priority) {
  if (priority == "low" || priority == "normal" || priority == "high") return base::OkStatus();
  return InvalidUsage(base::StrCat("--priority \"", priority, "\": low, normal or high"));
}

base::StatusOr<StreamArrivals> ReadArrivals(const std::string& arrivals, const std::string& rate) {
  StreamArrivals result;
  auto spec = load::ParseArrivals(arrivals);
  if (!spec.ok()) return Named("--arrivals", spec.status());
  result.spec = *std::move(spec);
  if (result.spec.process == load::Process::kTrace) {
    const std::string& path = result.spec.trace;
    HONE_ASSIGN_OR_RETURN(const std::string csv, env::RealFileSystem().Read(path, kMaxTraceBytes));
    HONE_ASSIGN_OR_RETURN(result.trace, load::ParseTrace(csv, path));
    result.rate_per_s = 0;
  }
  if (rate.empty()) return result;
  const char* end = rate.data() + rate.size();
  const auto [read, error] = std::from_chars(rate.data(), end, result.rate_per_s);
  if (error != std::errc() || read != end || !(result.rate_per_s > 0)) {
    return InvalidUsage(base::StrCat("--rate \"", rate, "\" is no number above 0"));
  }
  return result;
}

base::StatusOr<double> ReadSpan(const char* flag, const std::string& text) {
  const auto duration = base::ParseDuration(text, base::BareNumber::kRefused);
  if (!duration.ok()) return Named(flag, duration.status());
  return static_cast<double>(*duration) / base::kSecondNs;
}

}  // namespace hone::cli
