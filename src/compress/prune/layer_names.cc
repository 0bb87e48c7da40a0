#include "compress/prune/layer_names.h"

#include "base/check.h"
#include "base/strings.h"
#include "model/architecture.h"
#include "model/binder.h"

namespace hone::compress {

LayerNames NamesOfLayer(const model::ModelConfig& config, const formats::Checkpoint& checkpoint,
                        int layer) {
  const model::Architecture* architecture = model::FindArchitecture(config.architecture);
  HONE_CHECK(architecture != nullptr);
  const model::TensorNames& names = architecture->tensors;
  LayerNames layer_names;
  layer_names.prefix =
      base::StrCat(model::FindPrefix(*architecture, checkpoint), names.layers, layer, ".");
  const auto full = [&](std::string_view module) {
    return module.empty() ? std::string() : base::StrCat(layer_names.prefix, module);
  };
  layer_names.query = full(names.query);
  layer_names.key = full(names.key);
  layer_names.value = full(names.value);
  layer_names.query_key_value = full(names.query_key_value);
  layer_names.output = full(names.output);
  layer_names.attention_norm = full(names.attention_norm);
  layer_names.up = full(names.up);
  layer_names.down = full(names.down);
  layer_names.ffn_norm = full(names.ffn_norm);
  return layer_names;
}

}  // namespace hone::compress
