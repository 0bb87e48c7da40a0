// config.json's quantization_config: any bytes give a Status, or a configuration that survives
// being written and read again.
#include <cstdint>

#include "base/check.h"
#include "formats/quantization_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const auto json = base::Json::Parse({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!json.ok()) return 0;
  const auto config = formats::ParseQuantizationConfig(json->root());
  if (!config.ok() || config->groups.empty()) return 0;
  base::JsonWriter writer;
  writer.BeginObject().Key("quantization_config");
  formats::WriteQuantizationConfig(*config, &writer);
  const auto again = base::Json::Parse(writer.EndObject().Take(), "written");
  HONE_CHECK(again.ok());
  const auto read = formats::ParseQuantizationConfig(again->root());
  HONE_CHECK(read.ok() && read->ignore == config->ignore &&
             read->groups.size() == config->groups.size());
  for (std::size_t i = 0; i < read->groups.size(); ++i) {
    const formats::QuantizationGroup &a = read->groups[i], &b = config->groups[i];
    HONE_CHECK(a.kind == b.kind && a.group == b.group && a.symmetric == b.symmetric &&
               a.activations == b.activations && a.targets == b.targets);
  }
  return 0;
}
