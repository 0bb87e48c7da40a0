#include "formats/quantization_config.h"

#include <limits>
#include <optional>

#include "base/check.h"

namespace hone::formats {
namespace {

using base::JsonValue;
using base::JsonWriter;
using base::Status;
using base::StatusOr;
using base::StrCat;
using base::Unsupported;

constexpr std::string_view kIntFormat = "int-quantized";
constexpr std::string_view kPackFormat = "pack-quantized";

struct Args {
  std::int64_t bits = 8;
  bool symmetric = true;
  bool dynamic = false;
  std::string strategy;
  std::int64_t group = 0;
};

// QuantizationArgs: what weights and activations are described by.
StatusOr<Args> ParseArgs(const JsonValue& value) {
  if (!value.IsObject()) return value.Error("expected an object");
  Args args;
  HONE_ASSIGN_OR_RETURN(args.bits, value.IntOr("num_bits", 8));
  HONE_ASSIGN_OR_RETURN(const std::string_view type, value.StringOr("type", "int"));
  if (type != "int") return Unsupported(value.Where(), ".type: \"", type, "\"; Hone reads \"int\"");
  HONE_ASSIGN_OR_RETURN(args.symmetric, value.BoolOr("symmetric", true));
  HONE_ASSIGN_OR_RETURN(args.group, value.IntOr("group_size", 0));
  if (args.group < -1 || args.group > std::numeric_limits<int>::max() / 16) {
    return value.Error(StrCat("group_size is ", args.group, "; expected a number of inputs"));
  }
  HONE_ASSIGN_OR_RETURN(const std::string_view strategy, value.StringOr("strategy", ""));
  args.strategy = std::string(strategy);
  // The package's own rule for an absent strategy.
  if (strategy.empty()) {
    args.strategy = args.group > 0 ? "group" : args.group == -1 ? "channel" : "tensor";
  }
  if (const std::optional<JsonValue> dynamic = value.Find("dynamic")) {
    if (dynamic->IsString()) {
      return Unsupported(dynamic->Where(), ": only true and false are supported");
    }
    HONE_ASSIGN_OR_RETURN(args.dynamic, dynamic->Bool());
  }
  if (const std::optional<JsonValue> order = value.Find("actorder"); order && order->IsString()) {
    const std::string_view name = *order->String();
    if (name != "weight" && name != "static") {
      return Unsupported(order->Where(), ": \"", name, "\" (reordered inputs) is not supported");
    }
  }
  return args;
}

Status CheckActivations(const JsonValue& scheme) {
  if (const std::optional<JsonValue> outputs = scheme.Find("output_activations")) {
    return Unsupported(outputs->Where(), ": quantised outputs are not supported");
  }
  const std::optional<JsonValue> inputs = scheme.Find("input_activations");
  if (!inputs) return base::OkStatus();
  HONE_ASSIGN_OR_RETURN(const Args args, ParseArgs(*inputs));
  if (args.bits != 8 || !args.symmetric || !args.dynamic || args.strategy != "token") {
    return Unsupported(inputs->Where(),
                       ": Hone quantises activations to 8 bits, symmetric, "
                       "dynamic, by token; this asks for ",
                       args.bits, " bits, ", args.symmetric ? "symmetric" : "asymmetric", ", ",
                       args.dynamic ? "dynamic" : "static", ", by ", args.strategy);
  }
  return base::OkStatus();
}

StatusOr<std::vector<std::string>> ParseNames(const JsonValue& parent, std::string_view field) {
  std::vector<std::string> names;
  const std::optional<JsonValue> list = parent.Find(field);
  if (!list) return names;
  if (!list->IsArray()) return list->Error("expected a list of names");
  for (const JsonValue item : *list) {
    HONE_ASSIGN_OR_RETURN(const std::string_view name, item.String());
    names.emplace_back(name);
  }
  return names;
}

// One member of config_groups.
StatusOr<QuantizationConfig> ParseScheme(const JsonValue& scheme, std::string_view model_format) {
  if (!scheme.IsObject()) {
    return Unsupported(scheme.Where(), ": expected an object; presets by name are not supported");
  }
  HONE_ASSIGN_OR_RETURN(const std::string_view format, scheme.StringOr("format", model_format));
  if (format != kIntFormat && format != kPackFormat) {
    return Unsupported(scheme.Where(), ": format \"", format, "\"; Hone reads \"", kIntFormat,
                       "\" and \"", kPackFormat, "\"");
  }
  HONE_ASSIGN_OR_RETURN(const JsonValue weights, scheme.Get("weights"));
  HONE_ASSIGN_OR_RETURN(const Args args, ParseArgs(weights));
  if (args.dynamic) return Unsupported(weights.Where(), ": dynamic weights are not supported");
  HONE_RETURN_IF_ERROR(CheckActivations(scheme));
  QuantizationConfig config;
  if (format == kIntFormat) {
    if (args.bits != 8 || !args.symmetric || args.strategy != "channel") {
      return Unsupported(weights.Where(), ": Hone reads ", kIntFormat,
                         " weights of 8 bits, symmetric, by channel; these are ", args.bits,
                         " bits, ", args.symmetric ? "symmetric" : "asymmetric", ", by ",
                         args.strategy);
    }
    config.kind = StoredKind::kInt8;
  } else {
    if (args.bits != 4 || (args.strategy != "group" && args.strategy != "channel")) {
      return Unsupported(weights.Where(), ": Hone reads ", kPackFormat,
                         " weights of 4 bits by group or channel; these are ", args.bits,
                         " bits by ", args.strategy);
    }
    if (args.strategy == "group" && args.group < 1) {
      return weights.Error(StrCat("group_size is ", args.group, "; expected 1 or more"));
    }
    config.kind = StoredKind::kInt4;
    config.group = args.strategy == "group" ? static_cast<int>(args.group) : 0;
    config.symmetric = args.symmetric;
  }
  HONE_ASSIGN_OR_RETURN(config.targets, ParseNames(scheme, "targets"));
  return config;
}

void WriteArgs(int bits, bool symmetric, std::string_view strategy, int group, bool dynamic,
               JsonWriter* json) {
  json->BeginObject();
  json->Key("num_bits").Int(bits).Key("type").String("int").Key("symmetric").Bool(symmetric);
  json->Key("strategy").String(strategy);
  json->Key("group_size");
  if (group > 0) {
    json->Int(group);
  } else {
    json->Null();
  }
  json->Key("dynamic").Bool(dynamic).EndObject();
}

void WriteNames(const std::vector<std::string>& names, JsonWriter* json) {
  json->BeginArray();
  for (const std::string& name : names) json->String(name);
  json->EndArray();
}

}  // namespace

StatusOr<QuantizationConfig> ParseQuantizationConfig(const JsonValue& config) {
  const std::optional<JsonValue> found = config.Find("quantization_config");
  if (!found) return QuantizationConfig{};
  if (!found->IsObject()) return found->Error("expected an object");
  HONE_ASSIGN_OR_RETURN(const std::string_view method, found->StringOr("quant_method", ""));
  if (method != "compressed-tensors") {
    return Unsupported(found->Where(), ".quant_method: \"", method,
                       "\"; Hone reads \"compressed-tensors\"");
  }
  if (const std::optional<JsonValue> cache = found->Find("kv_cache_scheme")) {
    return Unsupported(cache->Where(), ": a quantised cache is not supported");
  }
  if (const std::optional<JsonValue> sparse = found->Find("sparsity_config")) {
    HONE_ASSIGN_OR_RETURN(const std::string_view format, sparse->StringOr("format", "dense"));
    if (format != "dense")
      return Unsupported(sparse->Where(), ": \"", format, "\" is not supported");
  }
  HONE_ASSIGN_OR_RETURN(const std::string_view format, found->StringOr("format", ""));
  HONE_ASSIGN_OR_RETURN(const JsonValue groups, found->Get("config_groups"));
  if (!groups.IsObject() || groups.size() == 0) {
    return groups.Error("expected an object with a group");
  }
  std::optional<QuantizationConfig> all;
  for (const JsonValue scheme : groups) {
    HONE_ASSIGN_OR_RETURN(const QuantizationConfig one, ParseScheme(scheme, format));
    if (!all) {
      all = one;
      continue;
    }
    if (one.kind != all->kind || one.group != all->group || one.symmetric != all->symmetric) {
      return Unsupported(scheme.Where(),
                         ": differs in format from the groups before it; Hone reads "
                         "one number format a model");
    }
    all->targets.insert(all->targets.end(), one.targets.begin(), one.targets.end());
  }
  HONE_ASSIGN_OR_RETURN(all->ignore, ParseNames(*found, "ignore"));
  return *std::move(all);
}

void WriteQuantizationConfig(const QuantizationConfig& config, JsonWriter* json) {
  HONE_CHECK(config.kind != StoredKind::kFloat);
  const bool int8 = config.kind == StoredKind::kInt8;
  const std::string_view format = int8 ? kIntFormat : kPackFormat;
  json->BeginObject().Key("quant_method").String("compressed-tensors");
  json->Key("format").String(format).Key("quantization_status").String("compressed");
  json->Key("config_groups").BeginObject().Key("group_0").BeginObject();
  json->Key("format").String(format).Key("targets");
  WriteNames(config.targets, json);
  json->Key("weights");
  if (int8) {
    WriteArgs(8, true, "channel", 0, false, json);
  } else {
    WriteArgs(4, config.symmetric, config.group > 0 ? "group" : "channel", config.group, false,
              json);
  }
  json->Key("input_activations");
  WriteArgs(8, true, "token", 0, true, json);
  json->Key("output_activations").Null().EndObject().EndObject();
  json->Key("ignore");
  WriteNames(config.ignore, json);
  json->Key("kv_cache_scheme").Null();
  // compressed-tensors 0.20 lays a compressed module out with unpacked zero points, which no packed
  // file fits; asking transformers to dequantise while it loads takes the way round that.
  if (!int8 && !config.symmetric) json->Key("dequantize").Bool(true);
  json->EndObject();
}

}  // namespace hone::formats
