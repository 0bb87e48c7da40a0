#include "train/result_text.h"

#include <limits>

#include "base/json.h"
#include "train/request_text.h"

namespace hone::train {

using base::StatusOr;
using compress::TrainResult;

namespace {

constexpr std::uint64_t kMaxBytes = 64 << 20;

StatusOr<double> NumberOrNan(const base::JsonValue& object, std::string_view name) {
  return object.DoubleOr(name, std::numeric_limits<double>::quiet_NaN());
}

}  // namespace

std::string ResultText(const TrainResult& result, const std::string& request) {
  base::JsonWriter json(2);
  json.BeginObject().Key("metric").String(result.metric);
  json.Key("best").Double(result.best).Key("last").Double(result.last);
  json.Key("best_step").Int(result.best_step).Key("steps").Int(result.steps);
  json.Key("seconds").Double(result.seconds, 6).Key("evaluations").BeginArray();
  for (const auto& [step, value] : result.evaluations) {
    json.BeginArray().Int(step).Double(value).EndArray();
  }
  json.EndArray().Key("request").Raw(request);
  return json.EndObject().Take() + "\n";
}

StatusOr<TrainResult> ReadResult(env::FileSystem& files, const std::string& out,
                                 const std::string& request) {
  const std::string path = env::JoinPath(out, kResultFile);
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  const base::JsonValue root = json.root();
  HONE_ASSIGN_OR_RETURN(const base::JsonValue asked, root.Get("request"));
  base::JsonWriter then;
  then.Value(asked);
  if (const std::string other = FirstDifference(request, then.Take()); !other.empty()) {
    return base::BadInput(path, ": the run that ended there was asked for something else: ", other);
  }
  TrainResult result;
  HONE_ASSIGN_OR_RETURN(const std::string_view metric, root.StringOr("metric", ""));
  result.metric = std::string(metric);
  HONE_ASSIGN_OR_RETURN(result.best, NumberOrNan(root, "best"));
  HONE_ASSIGN_OR_RETURN(result.last, NumberOrNan(root, "last"));
  HONE_ASSIGN_OR_RETURN(result.best_step, root.IntOr("best_step", 0));
  HONE_ASSIGN_OR_RETURN(result.steps, root.IntOr("steps", 0));
  HONE_ASSIGN_OR_RETURN(result.seconds, root.DoubleOr("seconds", 0));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue evaluations, root.Get("evaluations"));
  for (const base::JsonValue entry : evaluations) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue first, entry.At(0));
    HONE_ASSIGN_OR_RETURN(const base::JsonValue second, entry.At(1));
    HONE_ASSIGN_OR_RETURN(const std::int64_t step, first.Int());
    result.evaluations.emplace_back(
        step, second.IsNumber() ? *second.Double() : std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

}  // namespace hone::train
