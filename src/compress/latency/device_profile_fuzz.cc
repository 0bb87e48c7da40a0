// Device profiles come from other machines: any bytes must parse or be refused, and what parses must
// predict finite times and write itself again.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "compress/latency/device_profile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hone::compress::Block;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto profile = hone::compress::ParseDeviceProfile(text, "fuzz.json");
  if (!profile.ok()) {
    HONE_CHECK(profile.status().message().find("fuzz.json") != std::string_view::npos);
    return 0;
  }
  for (const hone::compress::FixedCost& fixed : profile->fixed) {
    for (const int columns : {0, 1, 7, 1 << 16}) {
      const auto ms = profile->Cost(Block::kFeedForward, fixed.format, columns);
      HONE_CHECK(ms.ok() && std::isfinite(*ms) && *ms >= 0);
    }
  }
  const std::string written = ToJson(*profile);
  const auto again = hone::compress::ParseDeviceProfile(written, "again.json");
  HONE_CHECK(again.ok() && ToJson(*again) == written);
  return 0;
}
