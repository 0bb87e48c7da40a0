#include "compress/latency/device_profile.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/version.h"

namespace hone::compress {
namespace {

using base::JsonValue;
using base::Status;
using base::StatusOr;
using quant::Format;

constexpr std::int64_t kSchema = 1;
// More than any processor, batch or model has; they bound what a wrong file can ask for.
constexpr int kMaxThreads = 256, kMaxBatch = 4096, kMaxTokens = 1 << 20;
constexpr int kMaxSize = 1 << 16, kMaxWidth = 1 << 16;
constexpr double kMaxMs = 1e7;

StatusOr<int> Ranged(const JsonValue& object, std::string_view name, int low, int high) {
  HONE_ASSIGN_OR_RETURN(const JsonValue value, object.Get(name));
  return value.IntIn(low, high);
}

StatusOr<double> Milliseconds(const JsonValue& value) {
  HONE_ASSIGN_OR_RETURN(const double ms, value.Double());
  if (!(ms >= 0 && ms <= kMaxMs)) {
    return value.Error(base::StrCat("expected 0 to ", kMaxMs, " milliseconds, found ", ms));
  }
  return ms;
}

StatusOr<std::string> Text(const JsonValue& object, std::string_view name) {
  HONE_ASSIGN_OR_RETURN(const JsonValue value, object.Get(name));
  HONE_ASSIGN_OR_RETURN(const std::string_view text, value.String());
  return std::string(text);
}

StatusOr<Workload> ReadWorkload(const JsonValue& json) {
  Workload workload;
  HONE_ASSIGN_OR_RETURN(workload.batch, Ranged(json, "batch", 1, kMaxBatch));
  HONE_ASSIGN_OR_RETURN(workload.threads, Ranged(json, "threads", 1, kMaxThreads));
  HONE_ASSIGN_OR_RETURN(const JsonValue lengths, json.Get("lengths"));
  if (!lengths.IsArray() || lengths.size() == 0) {
    return lengths.Error("expected an array of lengths");
  }
  for (const JsonValue length : lengths) {
    HONE_ASSIGN_OR_RETURN(workload.lengths.emplace_back(), length.IntIn(1, kMaxTokens));
  }
  return workload;
}

Status ReadCosts(const JsonValue& table, Block block, Format format,
                 std::vector<BlockCost>* costs) {
  if (!table.IsArray() || table.size() == 0) return table.Error("expected an array of costs");
  int last = -1;
  for (const JsonValue row : table) {
    if (!row.IsArray() || row.size() != 2) return row.Error("expected [size, ms]");
    HONE_ASSIGN_OR_RETURN(const JsonValue first, row.At(0));
    HONE_ASSIGN_OR_RETURN(const std::int64_t size, first.Int());
    if (size <= last || size > kMaxSize || (last < 0 && size != 0)) {
      return first.Error(base::StrCat("expected sizes ascending from 0 to ", kMaxSize));
    }
    HONE_ASSIGN_OR_RETURN(const JsonValue second, row.At(1));
    HONE_ASSIGN_OR_RETURN(const double ms, Milliseconds(second));
    last = static_cast<int>(size);
    costs->push_back({block, format, last, ms});
  }
  return base::OkStatus();
}

Status ReadFormats(const JsonValue& formats, DeviceProfile* profile) {
  if (!formats.IsArray() || formats.size() == 0) return formats.Error("expected an array");
  for (const JsonValue json : formats) {
    HONE_ASSIGN_OR_RETURN(const std::string name, Text(json, "format"));
    const StatusOr<Format> format = quant::ParseFormat(name);
    if (!format.ok()) return json.Error(format.status().message());
    if (profile->Has(*format)) return json.Error(base::StrCat("\"", name, "\" is there twice"));
    HONE_ASSIGN_OR_RETURN(const JsonValue fixed, json.Get("fixed_ms"));
    HONE_ASSIGN_OR_RETURN(const double ms, Milliseconds(fixed));
    profile->fixed.push_back({*format, ms});
    HONE_ASSIGN_OR_RETURN(const JsonValue attention, json.Get("attention"));
    HONE_RETURN_IF_ERROR(ReadCosts(attention, Block::kAttention, *format, &profile->costs));
    HONE_ASSIGN_OR_RETURN(const JsonValue ffn, json.Get("ffn"));
    HONE_RETURN_IF_ERROR(ReadCosts(ffn, Block::kFeedForward, *format, &profile->costs));
  }
  return base::OkStatus();
}

void WriteCosts(const DeviceProfile& profile, Block block, Format format, base::JsonWriter* json) {
  json->BeginArray();
  for (const BlockCost& cost : profile.costs) {
    if (cost.block != block || cost.format != format) continue;
    json->BeginArray().Int(cost.size).Double(cost.ms, 6).EndArray();
  }
  json->EndArray();
}

}  // namespace

bool DeviceProfile::Has(Format format) const {
  return std::ranges::find(fixed, format, &FixedCost::format) != fixed.end();
}

StatusOr<double> DeviceProfile::Fixed(Format format) const {
  const auto found = std::ranges::find(fixed, format, &FixedCost::format);
  if (found != fixed.end()) return found->ms;
  return base::NotFound("the device profile has no times for ", quant::NameOf(format));
}

StatusOr<double> DeviceProfile::Cost(Block block, Format format, int size) const {
  const BlockCost* below = nullptr;
  for (const BlockCost& cost : costs) {
    if (cost.block != block || cost.format != format) continue;
    if (cost.size == size) return cost.ms;
    if (cost.size < size) {
      below = &cost;
      continue;
    }
    // A block that is there at all costs what the smallest one measured does.
    if (below == nullptr || below->size == 0) return cost.ms;
    const double share =
        static_cast<double>(size - below->size) / static_cast<double>(cost.size - below->size);
    return below->ms + share * (cost.ms - below->ms);
  }
  if (below == nullptr) {
    return base::NotFound("the device profile has no times for ", quant::NameOf(format));
  }
  return below->size > 0 ? below->ms * size / below->size : below->ms;
}

StatusOr<double> DeviceProfile::Cost(Block block, BlockFormat format, int size,
                                     bool gated_ffn) const {
  HONE_ASSIGN_OR_RETURN(const double in, Cost(block, format.in, size));
  HONE_ASSIGN_OR_RETURN(const double out, Cost(block, format.out, size));
  const double share = ShareOfIn(block, gated_ffn);
  return share * in + (1 - share) * out;
}

StatusOr<double> DeviceProfile::Predict(const std::vector<model::LayerShape>& layers,
                                        Format format) const {
  HONE_ASSIGN_OR_RETURN(double total, Fixed(format));
  for (const model::LayerShape& layer : layers) {
    HONE_ASSIGN_OR_RETURN(const double attention, Cost(Block::kAttention, format, layer.heads));
    HONE_ASSIGN_OR_RETURN(const double ffn, Cost(Block::kFeedForward, format, layer.ffn));
    total += attention + ffn;
  }
  return total;
}

std::string ToJson(const DeviceProfile& profile) {
  base::JsonWriter json(1);
  json.BeginObject().Key("schema").Int(kSchema).Key("kind").String("device-profile");
  json.Key("tool").String(base::StrCat("hone ", base::kVersion));
  json.Key("processor").String(profile.processor).Key("isa").String(profile.isa);
  json.Key("workload").BeginObject().Key("batch").Int(profile.workload.batch);
  json.Key("threads").Int(profile.workload.threads).Key("lengths").BeginArray();
  for (const int length : profile.workload.lengths) json.Int(length);
  json.EndArray().EndObject();
  json.Key("model").BeginObject().Key("architecture").String(profile.architecture);
  json.Key("width").Int(profile.width).Key("head_size").Int(profile.head_size).EndObject();
  json.Key("formats").BeginArray();
  for (const FixedCost& fixed : profile.fixed) {
    json.BeginObject().Key("format").String(quant::NameOf(fixed.format));
    json.Key("fixed_ms").Double(fixed.ms, 6).Key("attention");
    WriteCosts(profile, Block::kAttention, fixed.format, &json);
    json.Key("ffn");
    WriteCosts(profile, Block::kFeedForward, fixed.format, &json);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return json.Take() + "\n";
}

StatusOr<DeviceProfile> ParseDeviceProfile(std::string_view text, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(text, path));
  const JsonValue root = document.root();
  HONE_ASSIGN_OR_RETURN(const std::string kind, Text(root, "kind"));
  if (kind != "device-profile") return root.Error("is no device profile (hone profile-device)");
  HONE_ASSIGN_OR_RETURN(const JsonValue schema, root.Get("schema"));
  HONE_ASSIGN_OR_RETURN(const std::int64_t version, schema.Int());
  if (version != kSchema) {
    return schema.Error(base::StrCat("this program reads schema ", kSchema, ", found ", version));
  }
  DeviceProfile profile;
  HONE_ASSIGN_OR_RETURN(profile.processor, Text(root, "processor"));
  HONE_ASSIGN_OR_RETURN(profile.isa, Text(root, "isa"));
  if (!base::ParseIsa(profile.isa).ok()) {
    return root.Error(base::StrCat("unknown instruction set \"", profile.isa, "\""));
  }
  HONE_ASSIGN_OR_RETURN(const JsonValue workload, root.Get("workload"));
  HONE_ASSIGN_OR_RETURN(profile.workload, ReadWorkload(workload));
  HONE_ASSIGN_OR_RETURN(const JsonValue model, root.Get("model"));
  HONE_ASSIGN_OR_RETURN(profile.architecture, Text(model, "architecture"));
  HONE_ASSIGN_OR_RETURN(profile.width, Ranged(model, "width", 1, kMaxWidth));
  HONE_ASSIGN_OR_RETURN(profile.head_size, Ranged(model, "head_size", 1, kMaxWidth));
  HONE_ASSIGN_OR_RETURN(const JsonValue formats, root.Get("formats"));
  HONE_RETURN_IF_ERROR(ReadFormats(formats, &profile));
  return profile;
}

Status CheckForModel(const DeviceProfile& profile, const model::ModelConfig& config,
                     const std::string& path) {
  if (profile.architecture == config.architecture && profile.width == config.width &&
      profile.head_size == config.head_size) {
    return base::OkStatus();
  }
  return base::BadInput(path, ": is for ", profile.architecture, " models of width ", profile.width,
                        " with heads of ", profile.head_size, "; this one is ", config.architecture,
                        " of width ", config.width, " with heads of ", config.head_size,
                        " (hone profile-device -m DIR makes one for it)");
}

Status CheckForDevice(const DeviceProfile& profile, base::Isa isa, const std::string& path) {
  if (profile.isa == base::IsaName(isa)) return base::OkStatus();
  return base::BadInput(path, ": was measured with ", profile.isa, " instructions (",
                        profile.processor, "); this run uses ", base::IsaName(isa),
                        ", so its times cannot stand for this device's");
}

}  // namespace hone::compress
