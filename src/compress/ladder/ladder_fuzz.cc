// A ladder's hone.json may come from anywhere: any bytes must parse or be refused, and names in it
// must stay inside the directory.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "compress/ladder/ladder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto ladder = hone::compress::ParseLadder(text, "fuzz.json");
  if (!ladder.ok()) {
    HONE_CHECK(ladder.status().message().find("fuzz.json") != std::string_view::npos);
    return 0;
  }
  for (const hone::compress::LadderRung& rung : ladder->rungs) {
    HONE_CHECK(rung.path.find('/') == std::string::npos && rung.path != "..");
  }
  for (const auto& file : ladder->files) {
    HONE_CHECK(!file.name.starts_with('/') && file.name.find("/../") == std::string::npos);
  }
  (void)hone::compress::RungWithin(*ladder, 2.0).ok();
  const std::string json = ToJson(*ladder);
  const auto again = hone::compress::ParseLadder(json, "again.json");
  HONE_CHECK(again.ok() && ToJson(*again) == json);
  return 0;
}
