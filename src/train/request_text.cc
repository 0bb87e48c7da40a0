#include "train/request_text.h"

#include <cmath>

#include "base/json.h"

namespace hone::train {

using base::Status;
using compress::TrainRequest;

// More is a slip, and steps must be countable.
constexpr double kMostEpochs = 1e6;

std::string RequestText(const TrainRequest& request, const std::vector<std::string>& contents) {
  base::JsonWriter json;
  json.BeginObject().Key("model").String(request.model);
  json.Key("from_scratch").Bool(request.from_scratch).Key("task").String(request.task);
  json.Key("train").BeginArray();
  for (const std::string& path : request.train) json.String(path);
  json.EndArray();
  if (request.text_lines) json.Key("text_lines").Bool(true);
  json.Key("dev").String(request.dev).Key("contents").BeginArray();
  for (const std::string& digest : contents) json.String(digest);
  json.EndArray().Key("columns").String(request.columns).Key("teacher").String(request.teacher);
  const auto number = [&](std::string_view key, double value) { json.Key(key).Double(value); };
  number("loss_task", double{request.loss.task});
  number("loss_logits", double{request.loss.logits});
  number("loss_hidden", double{request.loss.hidden});
  number("loss_relations", double{request.loss.relations});
  if (request.loss.consistency > 0) {
    number("loss_consistency", double{request.loss.consistency});
  }
  number("temperature", double{request.loss.temperature});
  number("epochs", request.epochs);
  json.Key("max_steps").Int(request.max_steps);
  number("max_seconds", request.max_seconds);
  json.Key("batch").Int(request.batch).Key("accumulate").Int(request.accumulate);
  number("learning_rate", request.learning_rate);
  number("warmup", request.warmup);
  json.Key("schedule").Int(static_cast<int>(request.schedule));
  number("weight_decay", request.weight_decay);
  number("clip", request.clip);
  number("dropout", request.dropout);
  json.Key("evaluations_per_epoch").Int(request.evaluations_per_epoch);
  if (request.min_tokens > 0) json.Key("min_tokens").Int(request.min_tokens);
  json.Key("patience").Int(request.patience).Key("max_tokens").Int(request.max_tokens);
  json.Key("seed").Int(static_cast<std::int64_t>(request.seed));
  // Sums are taken in another order by another number.
  json.Key("threads").Int(request.threads);
  return json.EndObject().Take();
}

std::string FirstDifference(std::string_view now, std::string_view then) {
  if (now == then) return "";
  const auto a = base::Json::Parse(now, "request"), b = base::Json::Parse(then, "request");
  if (!a.ok() || !b.ok()) return "the request";
  const base::JsonValue before = b->root();
  for (const base::JsonValue member : a->root()) {
    const auto text = [](const base::JsonValue& value) {
      base::JsonWriter json;
      return json.Value(value).Take();
    };
    const auto old = before.Find(member.key());
    const std::string is = text(member), was = old ? text(*old) : "absent";
    if (is != was) return base::StrCat(member.key(), ": ", is, ", was ", was);
  }
  return "the request";
}

Status CheckRequest(const TrainRequest& r) {
  const auto wrong = [](std::string_view what, double value, std::string_view expected) {
    return base::BadInput(what, " is ", value, "; expected ", expected);
  };
  if (r.train.empty()) return base::BadInput("there is no training file");
  if (r.batch < 1) return wrong("the batch", r.batch, "at least 1");
  if (r.accumulate < 1) return wrong("accumulate", r.accumulate, "at least 1");
  if (r.max_tokens < 4) return wrong("max-tokens", r.max_tokens, "at least 4");
  if (!(r.epochs > 0) || r.epochs > kMostEpochs) {
    return wrong("epochs", r.epochs, "more than 0 and at most 1,000,000");
  }
  if (!(r.learning_rate > 0) || r.learning_rate > 1) {
    return wrong("the learning rate", r.learning_rate, "more than 0 and at most 1");
  }
  if (!(r.warmup >= 0) || r.warmup >= 1) return wrong("warmup", r.warmup, "0 or a share below 1");
  if (!(r.dropout >= 0) || r.dropout >= 1) return wrong("dropout", r.dropout, "0 to below 1");
  if (!(r.weight_decay >= 0)) return wrong("weight-decay", r.weight_decay, "0 or more");
  if (!(r.clip >= 0)) return wrong("clip", r.clip, "0 or more");
  if (!(r.max_seconds >= 0)) return wrong("max-time", r.max_seconds, "0 or more");
  if (r.evaluations_per_epoch < 1) {
    return wrong("evals-per-epoch", r.evaluations_per_epoch, "at least 1");
  }
  const compress::LossWeights& loss = r.loss;
  for (const float weight :
       {loss.task, loss.logits, loss.hidden, loss.relations, loss.consistency}) {
    if (!(weight >= 0) || !std::isfinite(weight)) {
      return wrong("a weight of the loss", double{weight}, "0 or more");
    }
  }
  if (!(loss.temperature > 0)) {
    return wrong("the temperature", double{loss.temperature}, "more than 0");
  }
  if (loss.consistency > 0 && !(r.dropout > 0)) {
    return base::BadInput(
        "the loss's consistency compares two passes that differ by dropout, and dropout is 0");
  }
  const bool distils = loss.asks_teacher();
  if (distils && r.teacher.empty()) {
    return base::BadInput("the loss has parts of a teacher, but there is none");
  }
  if (!r.teacher.empty() && !distils) {
    return base::BadInput(
        "there is a teacher, but no part of the loss asks it; give weights, as in "
        "--loss task=0.5,logits=0.5");
  }
  if (r.task == "none" && r.teacher.empty()) {
    return base::BadInput("task none learns from a teacher; there is none");
  }
  if (r.task == "none" && !r.dev.empty()) {
    return base::BadInput(
        "task none has no metric for a dev file; name the task, with loss task=0");
  }
  if (r.text_lines && r.task != "none" && r.task != "mlm" && loss.task > 0) {
    return base::BadInput("lines of text alone have no labels, so the loss's task must be 0");
  }
  if (r.task != "none" && loss.task == 0 && !distils) {
    return base::BadInput("the loss has neither its task nor a teacher's part: all of them are 0");
  }
  return base::OkStatus();
}

}  // namespace hone::train
