// Errors that a caller can act on.
//
// Bad input, a missing resource, overload and a missed deadline are a Status whose message says
// where: file and byte offset, line, or JSON path. A bug of ours is a HONE_CHECK (base/check.h).
//
// Usage
//   base::StatusOr<Config> Read(std::string_view path) {
//     HONE_ASSIGN_OR_RETURN(base::Json json, base::Json::Parse(bytes, path));
//     if (json.kind() != base::JsonKind::kObject) return base::BadInput(path, ": not an object");
//     HONE_RETURN_IF_ERROR(Validate(json));
//     ...
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/strings.h"

namespace hone::base {

using absl::OkStatus;
using absl::Status;
using absl::StatusOr;

// The input is wrong and stays wrong: the message names the place and what was expected.
template <typename... Args>
Status BadInput(const Args&... args) {
  return absl::InvalidArgumentError(StrCat(args...));
}

// The input is legal, but Hone cannot do this with it (an unknown architecture or component).
template <typename... Args>
Status Unsupported(const Args&... args) {
  return absl::UnimplementedError(StrCat(args...));
}

template <typename... Args>
Status NotFound(const Args&... args) {
  return absl::NotFoundError(StrCat(args...));
}

// The machine is short of something: memory, disk, descriptors.
template <typename... Args>
Status OutOfResource(const Args&... args) {
  return absl::ResourceExhaustedError(StrCat(args...));
}

// The same status with `where` and ": " before its message.
Status Annotate(const Status& status, std::string_view where);

}  // namespace hone::base

#define HONE_CONCAT_INNER(a, b) a##b
#define HONE_CONCAT(a, b) HONE_CONCAT_INNER(a, b)

#define HONE_RETURN_IF_ERROR(expression)                                                  \
  do {                                                                                    \
    if (::absl::Status hone_status = (expression); !hone_status.ok()) return hone_status; \
  } while (false)

#define HONE_ASSIGN_OR_RETURN(declaration, expression) \
  HONE_ASSIGN_OR_RETURN_INNER(HONE_CONCAT(hone_status_or_, __LINE__), declaration, expression)

#define HONE_ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                        \
  if (!temporary.ok()) return temporary.status();                       \
  declaration = *std::move(temporary)
