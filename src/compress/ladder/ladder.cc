#include "compress/ladder/ladder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/json.h"

namespace hone::compress {
namespace {

using base::JsonValue;
using base::Status;
using base::StatusOr;

constexpr std::int64_t kSchema = 1;
constexpr std::uint64_t kMaxLadderBytes = std::uint64_t{64} << 20;
constexpr int kDigits = 6;

void WriteMetric(const MetricFigure& metric, base::JsonWriter* json) {
  json->BeginObject().Key("name").String(metric.name).Key("value").Double(metric.value, kDigits);
  json->Key("low").Double(metric.low, kDigits).Key("high").Double(metric.high, kDigits);
  json->EndObject();
}

void WriteLatency(const LatencyFigures& latency, base::JsonWriter* json) {
  json->BeginObject().Key("p50_ms").Double(latency.p50_ms, kDigits);
  json->Key("p95_ms").Double(latency.p95_ms, kDigits);
  json->Key("p99_ms").Double(latency.p99_ms, kDigits).EndObject();
}

// Members of an object that has been begun.
void WriteFigures(const ModelFigures& model, base::JsonWriter* json) {
  json->Key("format").String(model.format).Key("latency");
  WriteLatency(model.latency, json);
  json->Key("metric");
  WriteMetric(model.metric, json);
  json->Key("parameters").Int(static_cast<std::int64_t>(model.parameters));
  json->Key("size_bytes").Int(static_cast<std::int64_t>(model.size_bytes));
  json->Key("width").Int(model.width).Key("layers").BeginArray();
  for (const LayerForm& layer : model.layers) {
    json->BeginObject().Key("heads").Int(layer.heads).Key("ffn").Int(layer.ffn);
    json->Key("attention_format").String(layer.attention_format);
    json->Key("ffn_format").String(layer.ffn_format).EndObject();
  }
  json->EndArray().Key("operations").BeginArray();
  for (const OperationTime& operation : model.operations) {
    json->BeginObject().Key("name").String(operation.name);
    json->Key("ms").Double(operation.ms, kDigits).EndObject();
  }
  json->EndArray();
}

void WriteTarget(const LadderTarget& target, base::JsonWriter* json) {
  json->BeginObject();
  if (target.speedup > 0) json->Key("speedup").Double(target.speedup, kDigits);
  if (target.latency_ms > 0) json->Key("latency_ms").Double(target.latency_ms, kDigits);
  if (target.max_drop > 0) json->Key("max_drop").Double(target.max_drop, kDigits);
  json->EndObject();
}

void WriteRung(const LadderRung& rung, base::JsonWriter* json) {
  json->BeginObject().Key("path").String(rung.path).Key("recipe").String(rung.recipe);
  json->Key("target");
  WriteTarget(rung.target, json);
  json->Key("speedup").Double(rung.speedup, kDigits);
  WriteFigures(rung.model, json);
  json->Key("recipe_text").String(rung.recipe_text);
  json->Key("changed_count").Int(static_cast<std::int64_t>(rung.changed_count));
  json->Key("changed").BeginArray();
  for (const ChangedAnswer& changed : rung.changed) {
    json->BeginObject().Key("text").String(changed.text).Key("expected").String(changed.expected);
    json->Key("dense").String(changed.dense).Key("rung").String(changed.rung).EndObject();
  }
  json->EndArray().EndObject();
}

void WritePoint(const LadderPoint& point, base::JsonWriter* json) {
  json->BeginObject().Key("stage").String(point.stage).Key("rung").String(point.rung);
  json->Key("latency_ms").Double(point.latency_ms, kDigits);
  json->Key("predicted").Bool(point.predicted);
  json->Key("metric").Double(point.metric, kDigits).Key("loss").Double(point.loss, kDigits);
  json->Key("size_bytes").Int(static_cast<std::int64_t>(point.size_bytes)).EndObject();
}

// Reading: a member that must be there, of the right kind.
StatusOr<std::string> Text(const JsonValue& object, std::string_view name) {
  HONE_ASSIGN_OR_RETURN(const JsonValue value, object.Get(name));
  HONE_ASSIGN_OR_RETURN(const std::string_view text, value.String());
  return std::string(text);
}

// null, which stands for a number that JSON cannot hold, reads as NaN.
StatusOr<double> Number(const JsonValue& object, std::string_view name) {
  if (object.IsObject() && !object.Find(name)) return NAN;
  HONE_ASSIGN_OR_RETURN(const JsonValue value, object.Get(name));
  return value.Double();
}

StatusOr<std::int64_t> Count(const JsonValue& object, std::string_view name) {
  HONE_ASSIGN_OR_RETURN(const JsonValue value, object.Get(name));
  HONE_ASSIGN_OR_RETURN(const std::int64_t count, value.Int());
  if (count < 0) return value.Error("expected a count");
  return count;
}

// A count that the report keeps in an int.
StatusOr<int> SmallCount(const JsonValue& object, std::string_view name) {
  HONE_ASSIGN_OR_RETURN(const JsonValue value, object.Get(name));
  return value.IntIn(0, std::numeric_limits<int>::max());
}

StatusOr<JsonValue> Array(const JsonValue& object, std::string_view name) {
  HONE_ASSIGN_OR_RETURN(const JsonValue value, object.Get(name));
  if (!value.IsArray()) return value.Error("expected an array");
  return value;
}

StatusOr<ModelFigures> ReadFigures(const JsonValue& json) {
  ModelFigures model;
  HONE_ASSIGN_OR_RETURN(model.format, Text(json, "format"));
  HONE_ASSIGN_OR_RETURN(const JsonValue latency, json.Get("latency"));
  HONE_ASSIGN_OR_RETURN(model.latency.p50_ms, Number(latency, "p50_ms"));
  HONE_ASSIGN_OR_RETURN(model.latency.p95_ms, Number(latency, "p95_ms"));
  HONE_ASSIGN_OR_RETURN(model.latency.p99_ms, Number(latency, "p99_ms"));
  HONE_ASSIGN_OR_RETURN(const JsonValue metric, json.Get("metric"));
  HONE_ASSIGN_OR_RETURN(model.metric.name, Text(metric, "name"));
  HONE_ASSIGN_OR_RETURN(model.metric.value, Number(metric, "value"));
  HONE_ASSIGN_OR_RETURN(model.metric.low, Number(metric, "low"));
  HONE_ASSIGN_OR_RETURN(model.metric.high, Number(metric, "high"));
  HONE_ASSIGN_OR_RETURN(const std::int64_t parameters, Count(json, "parameters"));
  HONE_ASSIGN_OR_RETURN(const std::int64_t size, Count(json, "size_bytes"));
  HONE_ASSIGN_OR_RETURN(model.width, SmallCount(json, "width"));
  model.parameters = static_cast<std::uint64_t>(parameters);
  model.size_bytes = static_cast<std::uint64_t>(size);
  HONE_ASSIGN_OR_RETURN(const JsonValue layers, Array(json, "layers"));
  for (const JsonValue layer : layers) {
    LayerForm& form = model.layers.emplace_back();
    HONE_ASSIGN_OR_RETURN(form.heads, SmallCount(layer, "heads"));
    HONE_ASSIGN_OR_RETURN(form.ffn, SmallCount(layer, "ffn"));
    HONE_ASSIGN_OR_RETURN(form.attention_format, Text(layer, "attention_format"));
    HONE_ASSIGN_OR_RETURN(form.ffn_format, Text(layer, "ffn_format"));
  }
  HONE_ASSIGN_OR_RETURN(const JsonValue operations, Array(json, "operations"));
  for (const JsonValue operation : operations) {
    OperationTime& time = model.operations.emplace_back();
    HONE_ASSIGN_OR_RETURN(time.name, Text(operation, "name"));
    HONE_ASSIGN_OR_RETURN(time.ms, Number(operation, "ms"));
  }
  return model;
}

StatusOr<LadderRung> ReadRung(const JsonValue& json) {
  LadderRung rung;
  HONE_ASSIGN_OR_RETURN(rung.path, Text(json, "path"));
  // A rung is a folder of the ladder: nothing may lead out of it.
  if (rung.path.empty() || rung.path == "." || rung.path == ".." ||
      rung.path.find('/') != std::string::npos) {
    return json.Error(base::StrCat("\"", rung.path, "\" is no folder of the ladder"));
  }
  HONE_ASSIGN_OR_RETURN(rung.recipe, Text(json, "recipe"));
  HONE_ASSIGN_OR_RETURN(const JsonValue target, json.Get("target"));
  HONE_ASSIGN_OR_RETURN(rung.target.speedup, target.DoubleOr("speedup", 0));
  HONE_ASSIGN_OR_RETURN(rung.target.latency_ms, target.DoubleOr("latency_ms", 0));
  HONE_ASSIGN_OR_RETURN(rung.target.max_drop, target.DoubleOr("max_drop", 0));
  HONE_ASSIGN_OR_RETURN(rung.speedup, Number(json, "speedup"));
  HONE_ASSIGN_OR_RETURN(rung.model, ReadFigures(json));
  HONE_ASSIGN_OR_RETURN(rung.recipe_text, Text(json, "recipe_text"));
  HONE_ASSIGN_OR_RETURN(const std::int64_t changed_count, Count(json, "changed_count"));
  rung.changed_count = static_cast<std::size_t>(changed_count);
  HONE_ASSIGN_OR_RETURN(const JsonValue changed, Array(json, "changed"));
  for (const JsonValue answer : changed) {
    ChangedAnswer& to = rung.changed.emplace_back();
    HONE_ASSIGN_OR_RETURN(to.text, Text(answer, "text"));
    HONE_ASSIGN_OR_RETURN(to.expected, Text(answer, "expected"));
    HONE_ASSIGN_OR_RETURN(to.dense, Text(answer, "dense"));
    HONE_ASSIGN_OR_RETURN(to.rung, Text(answer, "rung"));
  }
  return rung;
}

StatusOr<LadderPoint> ReadPoint(const JsonValue& json) {
  LadderPoint point;
  HONE_ASSIGN_OR_RETURN(point.stage, Text(json, "stage"));
  HONE_ASSIGN_OR_RETURN(point.rung, Text(json, "rung"));
  HONE_ASSIGN_OR_RETURN(point.latency_ms, Number(json, "latency_ms"));
  HONE_ASSIGN_OR_RETURN(point.predicted, json.BoolOr("predicted", false));
  HONE_ASSIGN_OR_RETURN(point.metric, Number(json, "metric"));
  HONE_ASSIGN_OR_RETURN(point.loss, Number(json, "loss"));
  HONE_ASSIGN_OR_RETURN(const std::int64_t size, Count(json, "size_bytes"));
  point.size_bytes = static_cast<std::uint64_t>(size);
  return point;
}

StatusOr<LadderDevice> ReadDevice(const JsonValue& json) {
  LadderDevice device;
  HONE_ASSIGN_OR_RETURN(device.processor, Text(json, "processor"));
  HONE_ASSIGN_OR_RETURN(device.isa, Text(json, "isa"));
  HONE_ASSIGN_OR_RETURN(device.threads, SmallCount(json, "threads"));
  HONE_ASSIGN_OR_RETURN(device.batch, SmallCount(json, "batch"));
  HONE_ASSIGN_OR_RETURN(const JsonValue tokens, json.Get("tokens"));
  HONE_ASSIGN_OR_RETURN(device.tokens_mean, Number(tokens, "mean"));
  HONE_ASSIGN_OR_RETURN(device.tokens_low, SmallCount(tokens, "low"));
  HONE_ASSIGN_OR_RETURN(device.tokens_high, SmallCount(tokens, "high"));
  HONE_ASSIGN_OR_RETURN(const JsonValue lengths, Array(tokens, "lengths"));
  for (const JsonValue length : lengths) {
    constexpr int kMostTokens = 1 << 20;
    HONE_ASSIGN_OR_RETURN(device.lengths.emplace_back(), length.IntIn(1, kMostTokens));
  }
  HONE_ASSIGN_OR_RETURN(device.predicted, json.BoolOr("predicted", false));
  return device;
}

// A relative name of plain parts: verify reads what it names.
bool StaysInside(std::string_view name) {
  if (name.empty() || name.starts_with('/')) return false;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

Status ReadFiles(const JsonValue& json, std::vector<formats::ManifestFile>* files) {
  if (!json.IsObject()) return json.Error("expected an object");
  for (const JsonValue file : json) {
    formats::ManifestFile& to = files->emplace_back();
    to.name = std::string(file.key());
    if (!StaysInside(to.name)) return file.Error("leaves the directory");
    HONE_ASSIGN_OR_RETURN(const std::int64_t bytes, Count(file, "bytes"));
    to.bytes = static_cast<std::uint64_t>(bytes);
    HONE_ASSIGN_OR_RETURN(to.sha256, Text(file, "sha256"));
  }
  return base::OkStatus();
}

}  // namespace

std::string ToJson(const LadderReport& ladder) {
  base::JsonWriter json(1);
  json.BeginObject().Key("schema").Int(kSchema).Key("kind").String("ladder");
  json.Key("tool").String(ladder.tool).Key("task").String(ladder.task);
  json.Key("source").String(ladder.source);
  const LadderDevice& device = ladder.device;
  json.Key("device").BeginObject().Key("processor").String(device.processor);
  json.Key("isa").String(device.isa).Key("threads").Int(device.threads);
  json.Key("batch").Int(device.batch).Key("tokens").BeginObject();
  json.Key("mean").Double(device.tokens_mean, kDigits).Key("low").Int(device.tokens_low);
  json.Key("high").Int(device.tokens_high).Key("lengths").BeginArray();
  for (const int length : device.lengths) json.Int(length);
  json.EndArray().EndObject();
  json.Key("predicted").Bool(device.predicted).EndObject();
  json.Key("dev_examples").Int(static_cast<std::int64_t>(ladder.dev_examples));
  json.Key("dense").BeginObject();
  WriteFigures(ladder.dense, &json);
  json.EndObject().Key("rungs").BeginArray();
  for (const LadderRung& rung : ladder.rungs) WriteRung(rung, &json);
  json.EndArray().Key("points").BeginArray();
  for (const LadderPoint& point : ladder.points) WritePoint(point, &json);
  json.EndArray().Key("files").BeginObject();
  for (const formats::ManifestFile& file : ladder.files) {
    json.Key(file.name).BeginObject().Key("bytes").Int(static_cast<std::int64_t>(file.bytes));
    json.Key("sha256").String(file.sha256).EndObject();
  }
  json.EndObject().EndObject();
  return json.Take() + "\n";
}

StatusOr<LadderReport> ParseLadder(std::string_view text, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(text, path));
  const JsonValue root = document.root();
  HONE_ASSIGN_OR_RETURN(const std::string_view kind, root.StringOr("kind", ""));
  if (kind != "ladder") return root.Error("is no ladder (hone compress)");
  HONE_ASSIGN_OR_RETURN(const std::int64_t schema, Count(root, "schema"));
  if (schema != kSchema) {
    return root.Error(base::StrCat("this program reads schema ", kSchema, ", found ", schema));
  }
  LadderReport ladder;
  HONE_ASSIGN_OR_RETURN(ladder.tool, Text(root, "tool"));
  HONE_ASSIGN_OR_RETURN(ladder.task, Text(root, "task"));
  HONE_ASSIGN_OR_RETURN(ladder.source, Text(root, "source"));
  HONE_ASSIGN_OR_RETURN(const JsonValue device, root.Get("device"));
  HONE_ASSIGN_OR_RETURN(ladder.device, ReadDevice(device));
  HONE_ASSIGN_OR_RETURN(const std::int64_t examples, Count(root, "dev_examples"));
  ladder.dev_examples = static_cast<std::size_t>(examples);
  HONE_ASSIGN_OR_RETURN(const JsonValue dense, root.Get("dense"));
  HONE_ASSIGN_OR_RETURN(ladder.dense, ReadFigures(dense));
  HONE_ASSIGN_OR_RETURN(const JsonValue rungs, Array(root, "rungs"));
  for (const JsonValue rung : rungs) {
    HONE_ASSIGN_OR_RETURN(ladder.rungs.emplace_back(), ReadRung(rung));
  }
  HONE_ASSIGN_OR_RETURN(const JsonValue points, Array(root, "points"));
  for (const JsonValue point : points) {
    HONE_ASSIGN_OR_RETURN(ladder.points.emplace_back(), ReadPoint(point));
  }
  HONE_ASSIGN_OR_RETURN(const JsonValue files, root.Get("files"));
  HONE_RETURN_IF_ERROR(ReadFiles(files, &ladder.files));
  return ladder;
}

bool IsLadder(env::FileSystem& files, const std::string& directory) {
  const std::string path = env::JoinPath(directory, formats::kManifestFile);
  if (!files.IsFile(path)) return false;
  const StatusOr<std::string> text = files.Read(path, kMaxLadderBytes);
  if (!text.ok()) return false;
  const StatusOr<base::Json> json = base::Json::Parse(*text, path);
  if (!json.ok() || !json->root().IsObject()) return false;
  const StatusOr<std::string_view> kind = json->root().StringOr("kind", "");
  return kind.ok() && *kind == "ladder";
}

StatusOr<LadderReport> ReadLadder(env::FileSystem& files, const std::string& directory) {
  const std::string path = env::JoinPath(directory, formats::kManifestFile);
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxLadderBytes));
  return ParseLadder(text, path);
}

StatusOr<const LadderRung*> FindRung(const LadderReport& ladder, const std::string& name) {
  for (const LadderRung& rung : ladder.rungs) {
    if (rung.path == name) return &rung;
  }
  if (!name.empty() && name.size() < 6 &&
      name.find_first_not_of("0123456789") == std::string::npos) {
    const auto index = static_cast<std::size_t>(std::stoi(name));
    if (index < ladder.rungs.size()) return &ladder.rungs[index];
  }
  std::vector<std::string> names;
  for (const LadderRung& rung : ladder.rungs) names.push_back(rung.path);
  return base::NotFound("the ladder has no rung \"", name, "\"; there are ",
                        base::Join(names, ", "));
}

StatusOr<const LadderRung*> RungWithin(const LadderReport& ladder, double deadline_ms) {
  const LadderRung *best = nullptr, *fastest = nullptr;
  for (const LadderRung& rung : ladder.rungs) {
    const double p95 = rung.model.latency.p95_ms;
    if (fastest == nullptr || p95 < fastest->model.latency.p95_ms) fastest = &rung;
    if (p95 > deadline_ms) continue;
    if (best == nullptr || rung.model.metric.value > best->model.metric.value) best = &rung;
  }
  if (best != nullptr) return best;
  if (fastest == nullptr) return base::NotFound("the ladder has no rungs");
  return base::NotFound("no rung meets ", deadline_ms, " ms; the fastest, \"", fastest->path,
                        "\", took ", base::Fixed(fastest->model.latency.p95_ms, 3),
                        " ms (p95) where it was made");
}

}  // namespace hone::compress
