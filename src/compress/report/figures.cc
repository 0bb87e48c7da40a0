// What the plots are drawn from: the ladder's figures in the units that people read.
#include "base/json.h"
#include "compress/report/html.h"

namespace hone::compress {
namespace {

void WriteModel(std::string_view name, const ModelFigures& model, const Points& points,
                base::JsonWriter* json) {
  json->Key("name").String(name).Key("ms").Double(model.latency.p50_ms, 6);
  json->Key("metric").Double(points.Of(model.metric.value), 6);
  json->Key("low").Double(points.Of(model.metric.low), 6);
  json->Key("high").Double(points.Of(model.metric.high), 6);
  json->Key("mb").Double(static_cast<double>(model.size_bytes) / 1e6, 6);
  json->Key("layers").BeginArray();
  for (const LayerForm& layer : model.layers) {
    json->BeginArray().Int(layer.heads).Int(layer.ffn);
    json->String(layer.attention_format).String(layer.ffn_format).EndArray();
  }
  json->EndArray().Key("operations").BeginArray();
  for (const OperationTime& operation : model.operations) {
    json->BeginArray().String(operation.name).Double(operation.ms, 6).EndArray();
  }
  json->EndArray();
}

}  // namespace

std::string FiguresJson(const LadderReport& ladder) {
  const Points points(ladder);
  base::JsonWriter json;
  json.BeginObject().Key("metric").String(points.name).Key("dense").BeginObject();
  WriteModel("dense", ladder.dense, points, &json);
  json.EndObject().Key("rungs").BeginArray();
  for (const LadderRung& rung : ladder.rungs) {
    json.BeginObject();
    WriteModel(rung.path, rung.model, points, &json);
    json.Key("speedup").Double(rung.speedup, 4).EndObject();
  }
  json.EndArray().Key("points").BeginArray();
  for (const LadderPoint& point : ladder.points) {
    json.BeginObject().Key("stage").String(point.stage).Key("rung").String(point.rung);
    json.Key("ms").Double(point.latency_ms, 6).Key("predicted").Bool(point.predicted);
    json.Key("metric").Double(points.Of(point.metric), 6).Key("loss").Double(point.loss, 6);
    json.Key("mb").Double(static_cast<double>(point.size_bytes) / 1e6, 6).EndObject();
  }
  json.EndArray().EndObject();
  return EscapeJsonIsland(json.Take());
}

}  // namespace hone::compress
