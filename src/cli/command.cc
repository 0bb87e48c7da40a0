#include "cli/command.h"

#include <cstdio>

namespace hone::cli {

base::Status InvalidUsage(const std::string& message) {
  return base::Status(base::StatusCode::kWrongUsage, message);
}

bool IsInvalidUsage(const base::Status& status) {
  return status.code() == base::StatusCode::kWrongUsage;
}

int PrintError(const std::string& command, const base::Status& status) {
  std::fprintf(stderr, "hone %s: %s\n", command.c_str(), status.message().c_str());
  return IsInvalidUsage(status) ? kExitUsage : kExitFailed;
}

}  // namespace hone::cli
