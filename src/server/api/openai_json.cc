#include "server/api/openai_json.h"

#include <algorithm>

#include "base/json.h"
#include "server/api/fields.h"
#include "server/api/vectors.h"

namespace hone::server {
namespace {

constexpr int kMaxDimensions = 1 << 16;

MaybeFault ReadDocument(const base::JsonValue& value, std::vector<std::string>* documents) {
  std::string& text = documents->emplace_back();
  if (!value.IsObject()) return AsString(value, &text);
  std::optional<base::JsonValue> member;
  HONE_RETURN_IF_FAULT(Require(value, "text", &member));
  return AsString(*member, &text);
}

}  // namespace

MaybeFault ReadEmbeddings(std::string_view body, int max_texts, EmbeddingsRequest* request) {
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(body, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  std::optional<base::JsonValue> input;
  HONE_RETURN_IF_FAULT(Require(root, "input", &input));
  bool single = false;
  HONE_RETURN_IF_FAULT(ReadTexts(*input, max_texts, &request->inputs, &single));
  std::string format = "float";
  HONE_RETURN_IF_FAULT(ReadString(root, "encoding_format", &format));
  if (format != "float" && format != "base64") {
    return BadRequest("encoding_format", "expected \"float\" or \"base64\", found \"",
                      format.substr(0, 40), "\"");
  }
  request->base64 = format == "base64";
  std::int64_t dimensions = 0;
  HONE_RETURN_IF_FAULT(ReadInt(root, "dimensions", 1, kMaxDimensions, &dimensions));
  request->dimensions = static_cast<int>(dimensions);
  return ReadBool(root, "truncate", &request->truncate);
}

std::string WriteEmbeddings(const EmbeddingsRequest& request, std::string_view model,
                            std::span<const TextResult> results, int tokens) {
  base::JsonWriter json;
  json.BeginObject().Key("object").String("list").Key("data").BeginArray();
  std::string vector;
  for (std::size_t i = 0; i < results.size(); ++i) {
    json.BeginObject()
        .Key("object")
        .String("embedding")
        .Key("index")
        .Int(static_cast<std::int64_t>(i));
    std::span<const float> values = results[i].outputs[0].values;
    std::vector<float> shorter;
    if (request.dimensions > 0) values = shorter = Shorten(values, request.dimensions);
    json.Key("embedding");
    if (request.base64) {
      json.String(Base64OfFloats(values));
    } else {
      vector.clear();
      AppendJson(values, &vector);
      json.Raw(vector);
    }
    json.EndObject();
  }
  json.EndArray().Key("model").String(model).Key("usage").BeginObject();
  json.Key("prompt_tokens").Int(tokens).Key("total_tokens").Int(tokens);
  return json.EndObject().EndObject().Take();
}

MaybeFault ReadRerank(std::string_view body, int max_texts, RerankRequest* request) {
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(body, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  std::optional<base::JsonValue> query, documents;
  HONE_RETURN_IF_FAULT(Require(root, "query", &query));
  HONE_RETURN_IF_FAULT(AsString(*query, &request->query));
  HONE_RETURN_IF_FAULT(Require(root, "documents", &documents));
  if (!documents->IsArray()) return Wrong(*documents, "expected an array of strings");
  HONE_RETURN_IF_FAULT(CheckCount(*documents, max_texts));
  for (const base::JsonValue document : *documents) {
    HONE_RETURN_IF_FAULT(ReadDocument(document, &request->documents));
  }
  std::int64_t top = 0;
  HONE_RETURN_IF_FAULT(ReadInt(root, "top_n", 1, 1 << 20, &top));
  request->top = static_cast<int>(top);
  HONE_RETURN_IF_FAULT(ReadBool(root, "return_documents", &request->return_documents));
  return ReadBool(root, "truncate", &request->truncate);
}

std::vector<Ranked> Rank(std::span<const float> scores, int top) {
  std::vector<Ranked> ranked;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    ranked.push_back({static_cast<int>(i), scores[i]});
  }
  std::ranges::stable_sort(ranked,
                           [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  if (top > 0 && static_cast<std::size_t>(top) < ranked.size()) {
    ranked.resize(static_cast<std::size_t>(top));
  }
  return ranked;
}

std::string WriteRerank(const RerankRequest& request, std::string_view model,
                        std::span<const Ranked> ranked, int tokens) {
  base::JsonWriter json;
  json.BeginObject().Key("object").String("list").Key("model").String(model);
  json.Key("results").BeginArray();
  for (const Ranked& one : ranked) {
    json.BeginObject().Key("index").Int(one.index);
    json.Key("relevance_score").Double(double{one.score}, 7);
    if (request.return_documents) {
      json.Key("document").BeginObject().Key("text");
      json.String(request.documents[static_cast<std::size_t>(one.index)]).EndObject();
    }
    json.EndObject();
  }
  json.EndArray().Key("usage").BeginObject();
  json.Key("prompt_tokens").Int(tokens).Key("total_tokens").Int(tokens);
  return json.EndObject().EndObject().Take();
}

}  // namespace hone::server
