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
constexpr std::string_view kMixedFormat = "mixed-precision";  // each group names its own

std::string_view FormatOf(const QuantizationGroup& group) {
  return group.kind == StoredKind::kInt8 ? kIntFormat : kPackFormat;
}

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
StatusOr<QuantizationGroup> ParseScheme(const JsonValue& scheme, std::string_view model_format) {
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
  QuantizationGroup config;
  config.activations = scheme.Find("input_activations").has_value();
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
  QuantizationConfig all;
  for (const JsonValue scheme : groups) {
    HONE_ASSIGN_OR_RETURN(QuantizationGroup one, ParseScheme(scheme, format));
    all.groups.push_back(std::move(one));
  }
  HONE_ASSIGN_OR_RETURN(all.ignore, ParseNames(*found, "ignore"));
  return all;
}

int QuantizationConfig::packed_group() const {
  int common = 0;
  for (const QuantizationGroup& group : groups) {
    if (group.kind != StoredKind::kInt4) continue;
    if (common != 0 && group.group != common) return 0;
    common = group.group;
  }
  return common;
}

namespace {

void WriteGroup(const QuantizationGroup& group, JsonWriter* json) {
  HONE_CHECK(group.kind != StoredKind::kFloat);
  json->BeginObject().Key("format").String(FormatOf(group)).Key("targets");
  WriteNames(group.targets, json);
  json->Key("weights");
  if (group.kind == StoredKind::kInt8) {
    WriteArgs(8, true, "channel", 0, false, json);
  } else {
    WriteArgs(4, group.symmetric, group.group > 0 ? "group" : "channel", group.group, false, json);
  }
  json->Key("input_activations");
  if (group.activations) {
    WriteArgs(8, true, "token", 0, true, json);
  } else {
    json->Null();
  }
  json->Key("output_activations").Null().EndObject();
}

}  // namespace

void WriteQuantizationConfig(const QuantizationConfig& config, JsonWriter* json) {
  HONE_CHECK(!config.groups.empty());
  std::string_view format = FormatOf(config.groups.front());
  bool zero_points = false;
  for (const QuantizationGroup& group : config.groups) {
    if (FormatOf(group) != format) format = kMixedFormat;
    zero_points |= group.kind == StoredKind::kInt4 && !group.symmetric;
  }
  json->BeginObject().Key("quant_method").String("compressed-tensors");
  json->Key("format").String(format).Key("quantization_status").String("compressed");
  json->Key("config_groups").BeginObject();
  for (std::size_t i = 0; i < config.groups.size(); ++i) {
    WriteGroup(config.groups[i], &json->Key(StrCat("group_", i)));
  }
  json->EndObject().Key("ignore");
  WriteNames(config.ignore, json);
  json->Key("kv_cache_scheme").Null();
  // compressed-tensors 0.20 lays a compressed module out with unpacked zero points, which no packed
  // file fits; asking transformers to dequantise while it loads takes the way round that.
  if (zero_points) json->Key("dequantize").Bool(true);
  json->EndObject();
}

}  // namespace hone::formats
