// Words a choice of formats for config.json: which modules each group of quantization_config names.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/quantization_config.h"
#include "quant/format.h"

namespace hone::compress {

// `modules`: what each matrix of the layers is stored as. A kind of matrix that has one format in
// all layers is one expression ("re:(.*[.])?layer[.][0-9]+[.]output[.]dense$"), else each module is
// an expression of its own. What precedes the layers' list is left open, because transformers drops
// or adds it (AutoModel on a checkpoint with a head). Embedding tables are a group of their own.
formats::QuantizationConfig WordTargets(const std::map<std::string, quant::Format>& modules,
                                        const std::vector<std::string>& tables,
                                        std::optional<quant::Format> table_format);

}  // namespace hone::compress
