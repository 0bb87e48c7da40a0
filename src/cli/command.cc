#include "cli/command.h"

namespace hone::cli {

base::Status InvalidUsage(const std::string& message) {
  return absl::FailedPreconditionError(message);
}

bool IsInvalidUsage(const base::Status& status) {
  return status.code() == absl::StatusCode::kFailedPrecondition;
}

}  // namespace hone::cli
