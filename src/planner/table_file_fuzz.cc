// Kept latency tables: a file of any bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "planner/table_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = hone::planner::ParseTableFile(text, "input");
  if (!file.ok()) {
    HONE_CHECK(file.status().message().find("input") != std::string_view::npos);
    return 0;
  }
  // What was accepted is written and read alike.
  const std::string json = hone::planner::ToJson(*file);
  const auto again = hone::planner::ParseTableFile(json, "again");
  if (!again.ok() || hone::planner::ToJson(*again) != json) __builtin_trap();
  return 0;
}
