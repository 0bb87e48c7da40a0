// model.safetensors.index.json: any bytes give a Status or shards that are plain file names.
#include <cstdint>

#include "base/check.h"
#include "formats/shard_index.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const auto index = formats::ParseShardIndex({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!index.ok()) {
    HONE_CHECK(index.status().message().find("fuzz") != std::string_view::npos);
    return 0;
  }
  HONE_CHECK(!index->shards.empty() && index->shards.size() <= index->places.size());
  for (const std::string& shard : index->shards) {
    HONE_CHECK(shard.find('/') == std::string::npos && shard != "..");
  }
  return 0;
}
