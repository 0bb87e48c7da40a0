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
//
// Cost    a Status is two words, null where all is well; a copy shares the message.
// Source  absl::Status and StatusOr, whose names and meaning these have; docs/decisions/0001 says why
//         they are not used themselves.
#pragma once

#include <concepts>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/strings.h"

namespace hone::base {

enum class StatusCode : std::uint8_t {
  kOk,
  kBadInput,          // the input is wrong and stays wrong
  kUnsupported,       // the input is legal, but Hone cannot do this with it
  kNotFound,          // what was named is not there
  kAlreadyExists,     // and would be overwritten
  kPermissionDenied,  // by the system
  kOutOfResource,     // the machine is short of something: memory, disk, descriptors
  kUnavailable,       // not now; the same may work later
  kWrongUsage,        // of a command's flags
};

class [[nodiscard]] Status {
 public:
  Status() = default;                            // all is well
  Status(StatusCode code, std::string message);  // CHECKs that it is an error

  bool ok() const { return error_ == nullptr; }
  StatusCode code() const { return ok() ? StatusCode::kOk : error_->code; }
  const std::string& message() const;  // "" where all is well
  void IgnoreError() const {}          // says that this is meant

 private:
  struct Error {
    StatusCode code;
    std::string message;
  };
  std::shared_ptr<const Error> error_;
};

inline Status OkStatus() {
  return {};
}

// The message, or "ok".
std::ostream& operator<<(std::ostream& out, const Status& status);

// Aborts with the message: a value was taken that is not there.
[[noreturn]] void NoValue(const Status& status);

template <typename T>
class StatusOr;

// What a StatusOr<T> can be made of beside an error.
template <typename U, typename T>
concept ValueFor = std::convertible_to<U&&, T> && !std::same_as<std::remove_cvref_t<U>, Status> &&
                   !std::same_as<std::remove_cvref_t<U>, StatusOr<T>>;

// A value, or the error for which there is none. Taking an absent value aborts.
template <typename T>
class [[nodiscard]] StatusOr {
 public:
  StatusOr(Status status) : status_(std::move(status)) {
    if (status_.ok()) NoValue(status_);
  }
  template <ValueFor<T> U = T>  // ValueFor leaves out this class itself
  // NOLINTNEXTLINE(bugprone-forwarding-reference-overload)
  StatusOr(U&& value) : value_(std::forward<U>(value)) {}
  template <ValueFor<T> U>
  StatusOr(StatusOr<U>&& other) : status_(other.status()) {
    if (other.ok()) value_.emplace(*std::move(other));
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  T& value() & { return Checked(*this); }
  const T& value() const& { return Checked(*this); }
  T&& value() && { return std::move(Checked(*this)); }
  T& operator*() & { return Checked(*this); }
  const T& operator*() const& { return Checked(*this); }
  T&& operator*() && { return std::move(Checked(*this)); }
  T* operator->() { return &Checked(*this); }
  const T* operator->() const { return &Checked(*this); }
  template <typename U>
  T value_or(U&& other) const& {
    return value_.value_or(std::forward<U>(other));
  }

 private:
  template <typename Self>
  static auto& Checked(Self& self) {
    if (!self.value_.has_value()) [[unlikely]]
      NoValue(self.status_);
    return *self.value_;
  }

  Status status_;
  std::optional<T> value_;
};

template <typename... Args>
Status BadInput(const Args&... args) {
  return Status(StatusCode::kBadInput, StrCat(args...));
}
template <typename... Args>
Status Unsupported(const Args&... args) {
  return Status(StatusCode::kUnsupported, StrCat(args...));
}
template <typename... Args>
Status NotFound(const Args&... args) {
  return Status(StatusCode::kNotFound, StrCat(args...));
}
template <typename... Args>
Status AlreadyExists(const Args&... args) {
  return Status(StatusCode::kAlreadyExists, StrCat(args...));
}
template <typename... Args>
Status OutOfResource(const Args&... args) {
  return Status(StatusCode::kOutOfResource, StrCat(args...));
}
template <typename... Args>
Status Unavailable(const Args&... args) {
  return Status(StatusCode::kUnavailable, StrCat(args...));
}

// The same status with `where` and ": " before its message.
Status Annotate(const Status& status, std::string_view where);

}  // namespace hone::base

#define HONE_CONCAT_INNER(a, b) a##b
#define HONE_CONCAT(a, b) HONE_CONCAT_INNER(a, b)

#define HONE_RETURN_IF_ERROR(expression)                                                        \
  do {                                                                                          \
    if (::hone::base::Status hone_status = (expression); !hone_status.ok()) return hone_status; \
  } while (false)

#define HONE_ASSIGN_OR_RETURN(declaration, expression) \
  HONE_ASSIGN_OR_RETURN_INNER(HONE_CONCAT(hone_status_or_, __LINE__), declaration, expression)

#define HONE_ASSIGN_OR_RETURN_INNER(temporary, declaration, expression) \
  auto temporary = (expression);                                        \
  if (!temporary.ok()) return temporary.status();                       \
  declaration = *std::move(temporary)
