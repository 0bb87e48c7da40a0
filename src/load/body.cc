#include "load/body.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "base/json.h"
#include "base/strings.h"
#include "load/random.h"

namespace hone::load {
namespace {

constexpr std::size_t kMore = 4;  // texts beside the first, where a route wants several
constexpr std::string_view kRoutes[] = {"/embed",
                                        "/predict",
                                        "/rerank",
                                        "/v1/embeddings",
                                        "/v1/rerank",
                                        "/v1/hone/tag",
                                        "/v1/hone/classify",
                                        "/v1/hone/answer",
                                        "/v2",
                                        "/v2/models/{model}/infer"};

std::string Path(std::string_view route, const std::string& model) {
  if (!route.starts_with("/v2")) return std::string(route);
  return base::StrCat("/v2/models/", model, "/infer");
}

void Strings(base::JsonWriter& json, std::string_view key, std::span<const std::string> texts) {
  json.Key(key).BeginArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

// `texts`: the one that the request is about, then the others that some routes want.
std::string Body(std::string_view route, const std::string& model,
                 std::span<const std::string> texts) {
  base::JsonWriter json;
  json.BeginObject();
  const std::string& text = texts.front();
  if (route.starts_with("/v2")) {
    json.Key("parameters").BeginObject().Key("truncate").Bool(true).EndObject();
    json.Key("inputs").BeginArray().BeginObject();
    json.Key("name").String("text").Key("datatype").String("BYTES");
    json.Key("shape").BeginArray().Int(1).EndArray();
    Strings(json, "data", texts.first(1));
    json.EndObject().EndArray().EndObject();
    return json.Take();
  }
  json.Key("model").String(model);
  if (route == "/rerank" || route == "/v1/rerank") {
    json.Key("query").String(text);
    Strings(json, route == "/rerank" ? "texts" : "documents", texts.subspan(1));
  } else if (route == "/v1/hone/answer") {
    const std::vector<std::string> others(texts.begin() + 1, texts.end());
    json.Key("question").String(text).Key("context").String(base::Join(others, " "));
  } else {
    const bool hone = route.starts_with("/v1/hone/");
    json.Key(hone ? "text" : route == "/v1/embeddings" ? "input" : "inputs").String(text);
  }
  if (!route.starts_with("/v1/") || route == "/v1/hone/tag" || route == "/v1/hone/classify") {
    json.Key("truncate").Bool(true);
  }
  json.EndObject();
  return json.Take();
}

std::string WithLength(const std::string& body) {
  return base::StrCat("Content-Length: ", body.size(), "\r\n\r\n", body);
}

}  // namespace

base::Status CheckRoute(std::string_view route) {
  if (std::ranges::find(kRoutes, route) != std::end(kRoutes)) return base::OkStatus();
  return base::BadInput("route \"", route, "\": known are ", base::Join(kRoutes, ", "));
}

StreamRequests::StreamRequests(const Stream& stream, const std::vector<std::string>& texts,
                               const std::string& host, const std::string& api_key, int max_tokens,
                               std::uint64_t seed)
    : by_tokens_(static_cast<std::size_t>(max_tokens) + 1),
      route_(stream.route),
      model_(stream.model) {
  head_ = base::StrCat("POST ", Path(route_, model_), " HTTP/1.1\r\nHost: ", host,
                       "\r\nContent-Type: application/json\r\n");
  if (!api_key.empty()) base::StrAppend(&head_, "Authorization: Bearer ", api_key, "\r\n");
  if (!stream.priority.empty()) {
    base::StrAppend(&head_, "X-Hone-Priority: ", stream.priority, "\r\n");
  }
  // Fisher and Yates' shuffle: streams with seeds of their own do not send the same text at once.
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  by_text_.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::vector<std::string> together;
    for (std::size_t k = 0; k <= kMore; ++k)
      together.push_back(texts[order[(i + k) % order.size()]]);
    by_text_.push_back(WithLength(Body(route_, model_, together)));
    const std::string& text = texts[order[i]];
    for (std::size_t at = 0; at < text.size() && words_.size() <= by_tokens_.size();) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) words_.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  if (words_.empty()) words_.push_back("a");
}

const std::string& StreamRequests::OfTokens(int tokens) {
  const std::size_t count = std::min(static_cast<std::size_t>(tokens), by_tokens_.size() - 1);
  std::string& request = by_tokens_[count];
  if (request.empty()) {
    std::string text = words_[0];
    for (std::size_t i = 1; i < count; ++i) base::StrAppend(&text, " ", words_[i % words_.size()]);
    const std::vector<std::string> together(1 + kMore, text);
    request = WithLength(Body(route_, model_, together));
  }
  return request;
}

void StreamRequests::Next(int tokens, double remaining_ms, std::string* out) {
  *out = head_;
  if (remaining_ms > 0) {
    base::StrAppend(out, "X-Hone-Deadline-Ms: ", base::Fixed(remaining_ms, 3), "\r\n");
  }
  if (tokens > 0 && by_tokens_.size() > 1) {
    *out += OfTokens(tokens);
  } else {
    *out += by_text_[next_];
    next_ = next_ + 1 == by_text_.size() ? 0 : next_ + 1;
  }
}

}  // namespace hone::load
