#include "planner/table_file.h"

#include <cmath>
#include <utility>

#include "base/json.h"

namespace hone::planner {
namespace {

using base::JsonValue;
using base::StatusOr;

constexpr std::int64_t kSchema = 1;
constexpr std::string_view kKind = "latency-tables";
// Far beyond what a server offers; they bound what a wrong file may cost.
constexpr int kMostRungs = 256, kMostWidths = 64, kMostThreads = 4096;

StatusOr<JsonValue> Array(const JsonValue& object, std::string_view name, int most) {
  HONE_ASSIGN_OR_RETURN(const JsonValue array, object.Get(name));
  if (!array.IsArray()) return array.Error("expected an array");
  if (array.size() < 1 || array.size() > most) {
    return array.Error(base::StrCat("expected 1 to ", most, " elements"));
  }
  return array;
}

StatusOr<RungTables> ReadRung(const JsonValue& json) {
  if (!json.IsObject()) return json.Error("expected an object");
  RungTables rung;
  HONE_ASSIGN_OR_RETURN(const JsonValue name_value, json.Get("name"));
  HONE_ASSIGN_OR_RETURN(const std::string_view name, name_value.String());
  rung.name = std::string(name);
  HONE_ASSIGN_OR_RETURN(rung.accuracy, json.DoubleOr("accuracy", 0));
  HONE_ASSIGN_OR_RETURN(const std::int64_t bytes, json.IntOr("bytes", 0));
  HONE_ASSIGN_OR_RETURN(rung.load_ms, json.DoubleOr("load_ms", 0));
  if (bytes < 0 || rung.load_ms < 0) return json.Error("a size or time is below 0");
  rung.bytes = static_cast<std::uint64_t>(bytes);
  HONE_ASSIGN_OR_RETURN(const JsonValue widths, Array(json, "widths", kMostWidths));
  for (const JsonValue value : widths) {
    HONE_ASSIGN_OR_RETURN(const std::int64_t width, value.Int());
    const int least = rung.widths.empty() ? 1 : rung.widths.back() + 1;
    if (width < least || width > kMostThreads) {
      return value.Error(base::StrCat("expected a number of threads from ", least, " to ",
                                      kMostThreads, ", ascending"));
    }
    rung.widths.push_back(static_cast<int>(width));
  }
  HONE_ASSIGN_OR_RETURN(const JsonValue tables, Array(json, "tables", kMostWidths));
  if (tables.size() != widths.size()) return tables.Error("expected one table a width");
  for (const JsonValue table : tables) {
    HONE_ASSIGN_OR_RETURN(rung.tables.emplace_back(), ReadLatencyGrid(table));
  }
  return rung;
}

}  // namespace

std::string ToJson(const TableFile& file) {
  base::JsonWriter json(1);
  json.BeginObject().Key("schema").Int(kSchema).Key("kind").String(kKind);
  json.Key("model").String(file.model).Key("device").String(file.device);
  json.Key("rungs").BeginArray();
  for (const RungTables& rung : file.rungs) {
    json.BeginObject().Key("name").String(rung.name).Key("accuracy").Double(rung.accuracy);
    json.Key("bytes").Int(static_cast<std::int64_t>(rung.bytes));
    json.Key("load_ms").Double(rung.load_ms, 6).Key("widths").BeginArray();
    for (const int width : rung.widths) json.Int(width);
    json.EndArray().Key("tables").BeginArray();
    for (const LatencyGrid& grid : rung.tables) json.Raw(ToJson(grid));
    json.EndArray().EndObject();
  }
  json.EndArray().EndObject();
  return json.Take() + "\n";
}

StatusOr<TableFile> ParseTableFile(std::string_view text, std::string_view source) {
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(text, source));
  const JsonValue root = document.root();
  if (!root.IsObject()) return root.Error("expected an object");
  HONE_ASSIGN_OR_RETURN(const std::string_view kind, root.StringOr("kind", ""));
  if (kind != kKind) return root.Error(base::StrCat("expected \"kind\": \"", kKind, "\""));
  HONE_ASSIGN_OR_RETURN(const std::int64_t schema, root.IntOr("schema", 0));
  if (schema != kSchema) {
    return root.Error(base::StrCat("this program reads schema ", kSchema, ", found ", schema));
  }
  TableFile file;
  HONE_ASSIGN_OR_RETURN(const std::string_view model, root.StringOr("model", ""));
  HONE_ASSIGN_OR_RETURN(const std::string_view device, root.StringOr("device", ""));
  file.model = std::string(model);
  file.device = std::string(device);
  HONE_ASSIGN_OR_RETURN(const JsonValue rungs, Array(root, "rungs", kMostRungs));
  for (const JsonValue rung : rungs) {
    HONE_ASSIGN_OR_RETURN(file.rungs.emplace_back(), ReadRung(rung));
  }
  return file;
}

}  // namespace hone::planner
