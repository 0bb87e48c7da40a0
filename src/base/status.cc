#include "base/status.h"

namespace hone::base {

Status Annotate(const Status& status, std::string_view where) {
  if (status.ok()) return status;
  return Status(status.code(), StrCat(where, ": ", status.message()));
}

}  // namespace hone::base
