#include "cli/command.h"

namespace hone::cli {

base::Status InvalidUsage(const std::string& message) {
  return base::Status(base::StatusCode::kWrongUsage, message);
}

bool IsInvalidUsage(const base::Status& status) {
  return status.code() == base::StatusCode::kWrongUsage;
}

}  // namespace hone::cli
