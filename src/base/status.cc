#include "base/status.h"

#include <cstdio>
#include <cstdlib>
#include <ostream>

#include "base/check.h"

namespace hone::base {

Status::Status(StatusCode code, std::string message)
    : error_(std::make_shared<const Error>(Error{code, std::move(message)})) {
  HONE_CHECK(code != StatusCode::kOk);
}

const std::string& Status::message() const {
  static const std::string none;
  return ok() ? none : error_->message;
}

std::ostream& operator<<(std::ostream& out, const Status& status) {
  return out << (status.ok() ? "ok" : status.message());
}

void NoValue(const Status& status) {
  std::fprintf(stderr, "hone: a value was taken that is not there: %s\n",
               status.ok() ? "and no error says why" : status.message().c_str());
  std::abort();
}

Status Annotate(const Status& status, std::string_view where) {
  if (status.ok()) return status;
  return Status(status.code(), StrCat(where, ": ", status.message()));
}

}  // namespace hone::base
