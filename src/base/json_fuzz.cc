// JSON: any bytes give a Status or a tree that can be walked, and that reads the same once written.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/json.h"

namespace {

int Walk(const hone::base::JsonValue& value, int depth) {
  HONE_CHECK(depth <= hone::base::Json::kMaxDepth);
  int count = 1;
  for (const hone::base::JsonValue child : value) count += Walk(child, depth + 1);
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hone::base::Json;
  using hone::base::JsonWriter;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = Json::Parse(text, "fuzz");
  if (!json.ok()) {
    HONE_CHECK(!json.status().message().empty());
    return 0;
  }
  const int values = Walk(json->root(), 0);
  HONE_CHECK(static_cast<std::size_t>(values) <= size);
  JsonWriter first;
  const std::string once = first.Value(json->root()).Take();
  const auto again = Json::Parse(once, "written");
  HONE_CHECK(again.ok() && Walk(again->root(), 0) == values);
  JsonWriter second;
  HONE_CHECK(second.Value(again->root()).Take() == once);
  return 0;
}
