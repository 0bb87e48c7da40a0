// config.json, modules.json and the pooling config from arbitrary bytes: errors, never a crash, and
// what is accepted keeps its promises.
#include <cstdlib>

#include "base/check.h"
#include "base/json.h"
#include "formats/directory.h"
#include "model/heads/head_kind.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)formats::ParseModules(text, "modules.json");
  const auto json = base::Json::Parse(text, "config.json");
  if (!json.ok()) return 0;
  (void)model::ParsePooling(json->root(), 384);
  (void)model::ParseLabels(json->root(), "id2label");
  const auto config = model::ParseConfig(json->root());
  if (!config.ok()) return 0;
  HONE_CHECK(config->width > 0 && config->head_size > 0 && config->vocabulary > 0);
  HONE_CHECK(config->max_tokens > 0 && config->layer_count() > 0);
  for (const model::LayerShape& layer : config->layers) {
    HONE_CHECK(layer.heads >= 0 && layer.ffn >= 0);
    HONE_CHECK(layer.heads * config->head_size <= config->width);
  }
  const model::Architecture* architecture = model::FindArchitecture(config->architecture);
  HONE_CHECK(architecture != nullptr);
  model::ConfigReader reader(json->root());
  (void)architecture->heads(reader, *config);
  return 0;
}
