// HONE_CHECK(condition): a bug of ours, never the user's. Prints the place and aborts, in every
// build.
#pragma once

namespace hone::base {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace hone::base

#define HONE_CHECK(condition)                                    \
  do {                                                           \
    if (!(condition)) [[unlikely]]                               \
      ::hone::base::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)
