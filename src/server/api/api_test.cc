// Every protocol over the real service and tiny models, without sockets: requests in, answers out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "env/clock.h"
#include "runtime/tasks/scores.h"
#include "server/api/aside.h"
#include "server/api/openapi.h"
#include "server/api/rerank.h"
#include "server/api/router.h"
#include "server/api/routes.h"
#include "server/http/target.h"
#include "server/test_models.h"

namespace hone::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using Json = nlohmann::json;

class ApiTest : public ServiceTest {
 protected:
  // One service for a test, with the tiny models of these names.
  void Serve(const std::vector<std::string>& names) {
    ServiceOptions options;
    options.threads = 1;
    options.max_texts = 8;
    for (std::size_t i = 0; i < names.size(); ++i) {
      options.models.push_back(
          {.name = base::StrCat("m", i), .directory = TinyModel(names[i], base::StrCat("d", i))});
    }
    service_ = Start(options);
    ASSERT_TRUE(service_);
    api_ = MakeApi({.service = *service_,
                    .front_metrics = [] { return "front 1\n"; },
                    .aside = aside_,
                    .writer = writer_});
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  HttpResponse Ask(const std::string& method, const std::string& path, const std::string& body = {},
                   const Headers& headers = {}) {
    HttpRequest request{.method = method,
                        .path = {},
                        .query = {},
                        .headers = headers,
                        .body = body,
                        .tenant = {},
                        .arrival = env::NowNs()};
    EXPECT_TRUE(ParseTarget(path, &request).ok()) << path;
    std::mutex mutex;
    std::condition_variable ready;
    std::optional<HttpResponse> response;
    api_(std::move(request), [&](HttpResponse r) {
      const std::lock_guard lock(mutex);
      response = std::move(r);
      ready.notify_one();
    });
    std::unique_lock lock(mutex);
    ready.wait(lock, [&] { return response.has_value(); });
    Complete(&*response);  // as the front does
    return *std::move(response);
  }
  HttpResponse Post(const std::string& path, const std::string& body, const Headers& headers = {}) {
    return Ask("POST", path, body, headers);
  }
  // The body of a 200.
  Json Get(const std::string& path) { return Good(Ask("GET", path)); }
  Json Good(const HttpResponse& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    Json json = Json::parse(response.body, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << response.body;
    return json;
  }
  static std::string HeaderOf(const HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return "";
  }

  std::unique_ptr<Service> service_;
  // These end before the service.
  Aside aside_{"loader", kMaxModelsWaiting}, writer_{"writer", kMaxAnswersWaiting};
  HttpHandler api_;
};

std::vector<float> Floats(const Json& array) {
  return array.get<std::vector<float>>();
}

std::vector<float> UnBase64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(digits.find(c));
    count += 6;
    if (count >= 8) bytes += static_cast<char>(bits >> (count -= 8) & 255);
  }
  std::vector<float> floats(bytes.size() / 4);
  std::memcpy(floats.data(), bytes.data(), floats.size() * 4);
  return floats;
}

TEST_F(ApiTest, OpenAiEmbeddingsAreTheModelsOwnInEveryForm) {
  Serve({"bert/embed-mean"});
  const std::vector<float> expected = Alone(service_->options().models[0].directory, "a b")[0];
  const HttpResponse response = Post("/v1/embeddings", R"({"model":"m0","input":"a b"})");
  const Json json = Good(response);
  EXPECT_EQ(Floats(json["data"][0]["embedding"]), expected) << "the shortest text reads back";
  EXPECT_EQ(json["usage"]["prompt_tokens"], 4);
  EXPECT_EQ(HeaderOf(response, "X-Hone-Rung"), "model");
  EXPECT_GT(std::stod(HeaderOf(response, "X-Hone-Compute-Ms")), 0);

  const Json base64 =
      Good(Post("/v1/embeddings", R"({"input":["b","a b"],"encoding_format":"base64"})"));
  EXPECT_EQ(UnBase64(base64["data"][1]["embedding"]), expected);

  text::Encoding tokens;
  service_->Find("m0")->tokenizer->Encode("a b", {}, &tokens);
  const std::string ids = "[" + base::Join(tokens.ids, ",") + "]";
  EXPECT_EQ(
      Floats(Good(Post("/v1/embeddings", R"({"input":)" + ids + "}"))["data"][0]["embedding"]),
      expected);
  EXPECT_EQ(
      Floats(Good(Post("/v1/embeddings", R"({"input":[)" + ids + "]}"))["data"][0]["embedding"]),
      expected);

  const auto shorter = Floats(
      Good(Post("/v1/embeddings", R"({"input":"a b","dimensions":2})"))["data"][0]["embedding"]);
  ASSERT_EQ(shorter.size(), 2U);
  EXPECT_NEAR(shorter[0] * shorter[0] + shorter[1] * shorter[1], 1, 1e-5);
  EXPECT_NEAR(shorter[0] / shorter[1], expected[0] / expected[1], 1e-4);
}

TEST_F(ApiTest, OpenAiNamesModelsAndRefusesInItsShape) {
  Serve({"bert/embed-mean", "bert/ForTokenClassification"});
  EXPECT_EQ(Get("/v1/models")["data"][1]["id"], "m1");
  EXPECT_EQ(Get("/v1/models/m0")["object"], "model");
  const struct {
    std::string body;
    int status;
    std::string param, message;
  } cases[] = {
      {R"({"model":"x","input":"a"})", 404, "model", "there is no model"},
      {R"({"model":"m1","input":"a"})", 400, "model", "not supported by this model"},
      {R"({"input":7})", 400, "input", "expected a string"},
      {R"({"input":["a",7]})", 400, "input[1]", "expected a string, found a number"},
      {R"({"input":[]})", 400, "input", "is empty"},
      {R"({})", 400, "input", "missing"},
      {R"({"input":["a","a","a","a","a","a","a","a","a"]})", 400, "input", "limit of 8"},
      {R"({"input":[5,99999999]})", 400, "input[1]", "token id 99999999"},
      {R"({"input":[5,-1]})", 400, "input[1]", "-1 is not from 0"},
      {R"({"input":[5,1e99]})", 400, "input[1]", ""},
      {R"({"input":"a","dimensions":0})", 400, "dimensions", "0 is not from 1"},
      {R"({"input":"a","dimensions":4096})", 400, "dimensions", "more than the model's"},
      {R"({"input":"a","encoding_format":"hex"})", 400, "encoding_format", "hex"},
      {R"({"input":"a")", 400, "", "malformed JSON"},
      {R"(["a"])", 400, "", "must be a JSON object"},
      {"", 400, "", "empty"},
  };
  for (const auto& c : cases) {
    const HttpResponse response = Post("/v1/embeddings", c.body);
    EXPECT_EQ(response.status, c.status) << c.body;
    const Json error = Json::parse(response.body)["error"];
    EXPECT_THAT(error["message"].get<std::string>(), HasSubstr(c.message)) << c.body;
    if (c.param.empty()) {
      EXPECT_TRUE(error["param"].is_null()) << response.body;
    } else {
      EXPECT_EQ(error["param"], c.param) << c.body;
    }
  }
}

TEST_F(ApiTest, ATextOverTheLimitIsRefusedOrCut) {
  Serve({"bert/embed-mean"});
  const int limit = service_->Find("m0")->max_tokens;
  std::string text;
  for (int i = 0; i < limit + 3; ++i) text += "a ";
  HttpResponse response = Post("/v1/embeddings", Json{{"input", {"b", text}}}.dump());
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(Json::parse(response.body)["error"]["code"], "context_length_exceeded");
  EXPECT_EQ(Json::parse(response.body)["error"]["param"], "input[1]");
  response = Post("/embed", Json{{"inputs", text}}.dump());
  EXPECT_EQ(response.status, 413) << response.body;
  EXPECT_EQ(Json::parse(response.body)["error_type"], "Validation");
  EXPECT_THAT(Json::parse(response.body)["error"].get<std::string>(), StartsWith("inputs: must"));
  Good(Post("/v1/embeddings", Json{{"input", text}, {"truncate", true}}.dump()));
  Good(Post("/embed", Json{{"inputs", text}, {"truncate", true}}.dump()));
}

TEST_F(ApiTest, TermsHaveLimits) {
  Serve({"bert/embed-mean"});
  for (const std::string bad : {"0", "-5", "nan", "inf", "1e300", "soon", "", "5ms", "1e-9"}) {
    const HttpResponse response =
        Post("/embed", R"({"inputs":"a"})", {{"x-hone-deadline-ms", bad}});
    EXPECT_EQ(response.status, 422) << bad;
    EXPECT_THAT(response.body, HasSubstr("X-Hone-Deadline-Ms")) << bad;
  }
  for (const std::string bad : {"3", "-1", "urgent", "99999999999999999999"}) {
    EXPECT_EQ(Post("/embed", R"({"inputs":"a"})", {{"x-hone-priority", bad}}).status, 422) << bad;
  }
  Good(Post("/embed", R"({"inputs":"a"})",
            {{"x-hone-deadline-ms", "5000.5"}, {"x-hone-priority", "high"}}));
  // Nobody can answer within a microsecond.
  const HttpResponse refused =
      Post("/embed", R"({"inputs":"a"})", {{"x-hone-deadline-ms", "0.001"}});
  EXPECT_EQ(refused.status, 429) << refused.body;
  EXPECT_GE(std::stoi(HeaderOf(refused, "Retry-After")), 1);
  EXPECT_EQ(Json::parse(refused.body)["error_type"], "Overloaded");
}

TEST_F(ApiTest, TeiEmbedsSimilarsAndTokenizes) {
  Serve({"bert/embed-mean"});
  const std::string directory = service_->options().models[0].directory;
  const std::vector<float> expected = Alone(directory, "a b")[0];
  EXPECT_EQ(Floats(Good(Post("/embed", R"({"inputs":"a b","normalize":false})"))[0]), expected);
  const auto unit = Floats(Good(Post("/embed", R"({"inputs":["a b","c"]})"))[0]);
  double square = 0;
  for (const float x : unit) square += double{x} * double{x};
  EXPECT_NEAR(square, 1, 1e-5);

  const Json all = Good(Post("/embed_all", R"({"inputs":["a b","c"]})"));
  ASSERT_EQ(all.size(), 2U);
  ASSERT_EQ(all[0].size(), 4U);
  // The model pools by the mean, and normalises.
  std::vector<float> mean(expected.size());
  for (const Json& row : all[0]) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += row[i].get<float>() / 4;
  }
  EXPECT_NEAR(runtime::Cosine(mean, expected), 1, 1e-6);
  const Json near = Good(
      Post("/similarity", R"({"inputs":{"source_sentence":"a b","sentences":["c d","a b"]}})"));
  EXPECT_NEAR(near[1].get<double>(), 1, 1e-6);
  EXPECT_LT(near[0].get<double>(), 0.9999999);

  const Json tokens = Good(Post("/tokenize", R"({"inputs":"a ä b"})"))[0];
  EXPECT_EQ(tokens[0]["text"], "[CLS]");
  EXPECT_EQ(tokens[0]["special"], true);
  EXPECT_EQ(tokens[3]["text"], "b");
  EXPECT_EQ(tokens[3]["start"], 4) << "characters, not bytes";
  EXPECT_EQ(tokens[3]["stop"], 5);
  Json ids;
  for (const Json& token : tokens) ids.push_back(token["id"]);
  EXPECT_EQ(Good(Post("/decode", Json{{"ids", ids}}.dump()))[0], "a a b");

  EXPECT_EQ(Get("/info")["model_type"]["embedding"]["pooling"], "mean");
  const HttpResponse sparse = Post("/embed_sparse", R"({"inputs":"a"})");
  EXPECT_EQ(sparse.status, 424);
  EXPECT_THAT(sparse.body, HasSubstr("not supported by this model"));
}

TEST_F(ApiTest, TeiPredictsTextsPairsAndBatches) {
  Serve({"bert/embed-mean", "bert/ForSequenceClassification"});
  const Json one = Good(Post("/predict", R"({"inputs":"a b"})"));
  EXPECT_GE(one[0]["score"].get<double>(), one[1]["score"].get<double>());
  double sum = 0;
  for (const Json& label : one) sum += label["score"].get<double>();
  EXPECT_NEAR(sum, 1, 1e-5);
  const Json pair = Good(Post("/predict", R"({"inputs":["a b","c d"]})"));
  EXPECT_TRUE(pair[0].is_object());
  const Json batch =
      Good(Post("/predict", R"({"inputs":[["a b"],["a b","c d"]],"raw_scores":false})"));
  EXPECT_EQ(batch[0], one);
  EXPECT_EQ(batch[1], pair);
  EXPECT_EQ(Post("/predict", R"({"inputs":["a","b","c"]})").status, 422);
  EXPECT_EQ(Post("/predict", R"({"inputs":"a","model":"m0"})").status, 424);
  EXPECT_EQ(Post("/predict", R"({"inputs":"a"})", {{"x-hone-model", "none"}}).status, 404);
}

TEST_F(ApiTest, ACrossEncoderRanksByItsLogitOfThePair) {
  Serve({"distilbert/ForSequenceClassification", "bert/ForSequenceClassification"});
  const std::vector<std::string> texts = {"c d", "a b", "e"};
  std::map<int, double> logits;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto tensor = [](const char* name, const std::string& text) {
      return Json{{"name", name}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {text}}};
    };
    const Json infer = {{"inputs", {tensor("text", "a b"), tensor("text_pair", texts[i])}}};
    const Json answer = Good(Post("/v2/models/m0/infer", infer.dump()));
    ASSERT_EQ(answer["outputs"][0]["name"], "logits");
    ASSERT_EQ(answer["outputs"][0]["data"].size(), 1u);
    logits[static_cast<int>(i)] = answer["outputs"][0]["data"][0].get<double>();
  }
  for (const bool raw : {false, true}) {
    const Json asked = {{"query", "a b"}, {"texts", texts}, {"raw_scores", raw}, {"model", "m0"}};
    const Json ranks = Good(Post("/rerank", asked.dump()));
    ASSERT_EQ(ranks.size(), texts.size());
    double before = HUGE_VAL;
    for (const Json& rank : ranks) {
      const double logit = logits.at(rank["index"].get<int>());
      EXPECT_NEAR(rank["score"].get<double>(), raw ? logit : 1 / (1 + std::exp(-logit)), 1e-5);
      EXPECT_LE(rank["score"].get<double>(), before);
      before = rank["score"].get<double>();
    }
  }
  const HttpResponse three_labels = Post("/rerank", R"({"query":"a","texts":["b"],"model":"m1"})");
  EXPECT_EQ(three_labels.status, 424);
  EXPECT_THAT(three_labels.body, HasSubstr("a cross-encoder with one label"));
}

TEST_F(ApiTest, AnEmbeddingModelRanksByTheCosine) {
  Serve({"bert/embed-mean"});
  const Json ranks =
      Good(Post("/rerank", R"({"query":"a b","texts":["c d","a b"],"return_text":true})"));
  EXPECT_EQ(ranks[0]["index"], 1);
  EXPECT_EQ(ranks[0]["text"], "a b");
  EXPECT_NEAR(ranks[0]["score"].get<double>(), 1, 1e-6);
  const Json cohere = Good(Post(
      "/v1/rerank",
      R"({"query":"a b","documents":["c d",{"text":"a b"}],"top_n":1,"return_documents":true})"));
  ASSERT_EQ(cohere["results"].size(), 1U);
  EXPECT_EQ(cohere["results"][0]["index"], 1);
  EXPECT_EQ(cohere["results"][0]["document"]["text"], "a b");
  EXPECT_EQ(Post("/rerank", R"({"query":"a"})").status, 422);
}

TEST_F(ApiTest, HoneTagsAnswersAndFills) {
  Serve({"bert/ForTokenClassification", "bert/ForQuestionAnswering", "bert/ForMaskedLM",
         "bert/Joint"});
  const Json tags =
      Good(Post("/v1/hone/tag", R"({"model":"m0","words":["a","bc","d"],"aggregation":"none"})"));
  ASSERT_FALSE(tags["results"][0]["entities"].empty());
  for (const Json& entity : tags["results"][0]["entities"]) {
    EXPECT_LE(entity["first_word"], entity["last_word"]);
  }
  const Json answers = Good(Post(
      "/v1/hone/answer", R"({"question":"a b","context":"ä c d e f g h","top":2,"stride":2})"));
  ASSERT_GE(answers["answers"].size(), 1U);
  const Json best = answers["answers"][0];
  EXPECT_LE(best["start"].get<int>(), best["end"].get<int>());
  const Json filled = Good(Post("/v1/hone/fill", R"({"text":"a [MASK] c [MASK]","top":3})"));
  ASSERT_EQ(filled["results"][0]["masks"].size(), 2U);
  EXPECT_EQ(filled["results"][0]["masks"][1].size(), 3U);
  EXPECT_EQ(Post("/v1/hone/tag", R"({"text":"a","texts":["b"]})").status, 400);
  EXPECT_EQ(Post("/v1/hone/answer", R"({"question":"a","context":"b","stride":-1})").status, 400);
  EXPECT_EQ(Get("/v1/hone/models")["models"].size(), 4U);
}

TEST_F(ApiTest, ALongContextIsCountedBeforeItIsCut) {
  Serve({"bert/ForQuestionAnswering"});
  std::string context;
  for (int i = 0; i < 20000; ++i) context += "a ";
  const HttpResponse response = Post(
      "/v1/hone/answer", Json{{"question", "b"}, {"context", context}, {"stride", 65536}}.dump());
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, HasSubstr("windows, more than the limit of 8"));
}

// The front's thread tokenizes and writes: what one request may cost it has limits of its own.
TEST_F(ApiTest, ARequestThatWouldKeepTheFrontIsRefused) {
  Serve({"bert/embed-mean", "bert/ForMaskedLM"});
  const auto refusal = [&](const std::string& path, const Json& body) {
    const HttpResponse response = Post(path, body.dump());
    EXPECT_EQ(response.status, 413) << response.body;
    return response.body;
  };
  const std::string large(std::size_t{900} << 10, 'x');
  std::string many;
  for (int i = 0; i < 40'000; ++i) many += "a ";
  EXPECT_THAT(refusal("/tokenize", {{"inputs", {many, many}}}), HasSubstr("tokens together"));
  EXPECT_THAT(
      refusal("/embed", {{"inputs", Json(std::vector<std::string>(5, large))}, {"truncate", true}}),
      HasSubstr("together are over the limit"));
  Endpoint pairs;
  pairs.task = model::Task::kSequenceClassification;
  Query query{.endpoint = std::make_shared<const Endpoint>(std::move(pairs))};
  const MaybeFault fault =
      EncodeRanking(large, std::vector<std::string>(6, "a"), {}, "query", "texts", &query);
  ASSERT_TRUE(fault);
  EXPECT_THAT(fault->message, HasSubstr("with each of the 6 texts"));
  EXPECT_THAT(refusal("/models/m1", {{"inputs", "[MASK] [MASK] [MASK] [MASK] [MASK] [MASK]"},
                                     {"parameters", {{"top_k", 1024}}}}),
              HasSubstr("6 masks with 1024 fillings"));
  Good(Post("/models/m1", Json{{"inputs", "a [MASK]"}, {"parameters", {{"top_k", 3}}}}.dump()));
  EXPECT_THAT(refusal("/v1/hone/fill",
                      {{"texts", Json(std::vector<std::string>(5, large))}, {"truncate", true}}),
              HasSubstr("together are over the limit"));
  EXPECT_THAT(refusal("/v1/hone/fill",
                      {{"text", "[MASK] [MASK] [MASK] [MASK] [MASK] [MASK]"}, {"top", 1000}}),
              HasSubstr("6 masks with 1000 fillings"));
  const std::vector<std::vector<int>> ids(3, std::vector<int>(30'000, 5));
  EXPECT_THAT(refusal("/decode", {{"model", "m0"}, {"ids", ids}}),
              HasSubstr("ids[2]: the token ids together"));
}

TEST_F(ApiTest, TheFieldStandsBeforeAMessageThatDoesNotBeginWithIt) {
  EXPECT_EQ(Say({.message = "9 texts are too many", .field = "text"}),
            "text: 9 texts are too many");
  EXPECT_EQ(Say({.message = "texts are too many", .field = "text"}), "text: texts are too many");
  EXPECT_EQ(Say({.message = "text: is empty", .field = "text"}), "text: is empty");
  EXPECT_EQ(Say({.message = "ids[3] is wrong", .field = "ids"}), "ids[3] is wrong");
  EXPECT_EQ(Say({.message = "no field", .field = ""}), "no field");
  Serve({"bert/embed-mean"});
  const HttpResponse response = Post("/decode", R"({"ids":[[5],[6,99999]]})");
  EXPECT_THAT(Json::parse(response.body)["error"].get<std::string>(), StartsWith("ids[1][1]: "));
}

// What TEI's router answers (router/src/http/server.rs, router/src/lib.rs).
TEST_F(ApiTest, TeiHasItsOwnWordsForNothingAndForTheWrongModel) {
  Serve({"bert/embed-mean"});
  for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
           {"/embed", R"({"inputs":[]})"},
           {"/embed", R"({"inputs":""})"},
           {"/embed", R"({"inputs":["a",""]})"},
           {"/embed_all", R"({"inputs":""})"},
           {"/rerank", R"({"query":"a","texts":[]})"}}) {
    const HttpResponse response = Post(path, body);
    EXPECT_EQ(response.status, 400) << path << body;
    EXPECT_EQ(Json::parse(response.body)["error_type"], "Empty") << path << body;
  }
  for (const char* path : {"/predict", "/embed_sparse"}) {
    const HttpResponse response = Post(path, R"({"inputs":"a"})");
    EXPECT_EQ(response.status, 424) << path;
    EXPECT_EQ(Json::parse(response.body)["error_type"], "Backend") << path;
  }
  // The query is not one of the texts that are counted.
  const Json texts(std::vector<std::string>(8, "a"));
  EXPECT_EQ(Good(Post("/rerank", Json{{"query", "b"}, {"texts", texts}}.dump())).size(), 8u);
  EXPECT_EQ(
      Good(Post("/v1/rerank", Json{{"query", "b"}, {"documents", texts}}.dump()))["results"].size(),
      8u);
  EXPECT_EQ(Good(Post("/similarity",
                      Json{{"inputs", {{"source_sentence", "b"}, {"sentences", texts}}}}.dump()))
                .size(),
            8u);
}

TEST_F(ApiTest, AModelOfTheConfigurationThatIsNotThereIsUnavailable) {
  Serve({"bert/embed-mean"});
  ASSERT_TRUE(service_->Unload("m0").ok());
  for (const auto& [path, body] : std::vector<std::pair<std::string, std::string>>{
           {"/v1/embeddings", R"({"model":"m0","input":"a"})"},
           {"/embed", R"({"inputs":"a"})"},
           {"/v2/models/m0/infer",
            R"({"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["a"]}]})"}}) {
    const HttpResponse response = Post(path, body);
    EXPECT_EQ(response.status, 503) << response.body;
    EXPECT_THAT(response.body, HasSubstr("unloaded"));
    EXPECT_EQ(HeaderOf(response, "Retry-After"), "1");
  }
  EXPECT_EQ(Ask("GET", "/v1/models/m0").status, 503);
  EXPECT_EQ(Ask("GET", "/v2/models/m0").status, 503);
  const HttpResponse ready = Ask("GET", "/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(HeaderOf(ready, "Retry-After"), "1");
  EXPECT_EQ(HeaderOf(ready, "X-Hone-Fault"), "unavailable");
  EXPECT_EQ(Post("/v1/embeddings", R"({"model":"x","input":"a"})").status, 404);
  EXPECT_EQ(Post("/v2/repository/models/x/load", "").status, 404);
  ASSERT_TRUE(service_->Load("m0").ok());
  Good(Post("/embed", R"({"inputs":"a"})"));
}

TEST_F(ApiTest, KserveIgnoresNoInput) {
  Serve({"bert/embed-mean"});
  const std::string text = R"({"name":"text","datatype":"BYTES","shape":[1],"data":["a"]})";
  const std::string ids = R"({"name":"input_ids","datatype":"INT64","shape":[1,1],"data":[5]})";
  const auto tokens = [](const std::string& name) {
    return R"({"name":")" + name + R"(","datatype":"INT64","shape":[1,1],"data":[1]})";
  };
  const auto refusal = [&](const std::string& inputs) {
    const HttpResponse response = Post("/v2/models/m0/infer", R"({"inputs":[)" + inputs + "]}");
    EXPECT_EQ(response.status, 400) << inputs;
    return response.body;
  };
  EXPECT_THAT(refusal(text + "," + text), HasSubstr("text: is given twice"));
  EXPECT_THAT(refusal(text + "," + tokens("attention_mask")),
              HasSubstr("attention_mask: is of no use beside text"));
  EXPECT_THAT(refusal(ids + R"(,{"name":"text_pair","datatype":"BYTES","shape":[1],"data":["a"]})"),
              HasSubstr("text_pair: is of no use beside input_ids"));
  Good(Post("/v2/models/m0/infer", R"({"inputs":[)" + ids + "," + tokens("attention_mask") + "]}"));
}

TEST_F(ApiTest, PagesOfOtherSitesMayNotAsk) {
  Serve({"bert/embed-mean"});
  const std::string unload = "/v2/repository/models/m0/unload";
  for (const Headers& headers :
       std::vector<Headers>{{{"sec-fetch-site", "cross-site"}},
                            {{"sec-fetch-site", "same-site"}},
                            {{"origin", "https://evil.example"}, {"host", "localhost:8080"}},
                            {{"origin", "null"}, {"host", "localhost:8080"}}}) {
    const HttpResponse response = Post(unload, "", headers);
    EXPECT_EQ(response.status, 403) << response.body;
    EXPECT_THAT(response.body, HasSubstr("another site"));
  }
  EXPECT_TRUE(service_->Find("m0"));
  const std::string body = R"({"inputs":"a"})";
  Good(Post("/embed", body,
            {{"sec-fetch-site", "same-origin"}, {"origin", "https://a"}, {"host", "b"}}));
  Good(Post("/embed", body, {{"origin", "http://localhost:8080"}, {"host", "localhost:8080"}}));
  Good(Post("/embed", body, {{"host", "localhost:8080"}}));
  EXPECT_EQ(Ask("GET", "/health", "", {{"sec-fetch-site", "cross-site"}}).status, 200);
}

TEST_F(ApiTest, RoutesThatAreNotThere) {
  Serve({"bert/embed-mean"});
  HttpResponse response = Ask("GET", "/v2/nothing");
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(Json::parse(response.body)["error"].is_string()) << "KServe's shape";
  response = Ask("GET", "/v1/nothing");
  EXPECT_TRUE(Json::parse(response.body)["error"].is_object()) << "OpenAI's shape";
  response = FrontRefusal("/v2/models/m/infer", 413, "the body is too large");
  EXPECT_EQ(Json::parse(response.body)["error"], "the body is too large") << "KServe's shape";
  response = FrontRefusal("/embed", 503, "too much at once");
  EXPECT_EQ(Json::parse(response.body)["error_type"], "Unhealthy") << "TEI's shape";
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "1");
  EXPECT_EQ(HeaderOf(response, "X-Hone-Fault"), "unavailable");
  response = FrontRefusal("/v1/embeddings", 401, "no key");
  EXPECT_EQ(Json::parse(response.body)["error"]["code"], "invalid_api_key") << "OpenAI's shape";
  EXPECT_EQ(HeaderOf(response, "WWW-Authenticate"), "Bearer");
  response = Ask("DELETE", "/embed");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(HeaderOf(response, "Allow"), "POST");
  EXPECT_EQ(Json::parse(response.body)["error_type"], "Validation") << "TEI's shape";
  response = Post("/embed", "inputs=a", {{"content-type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(response.status, 415);
  Good(Post("/embed", R"({"inputs":"a"})", {{"content-type", "Application/JSON; charset=utf-8"}}));
  response = Ask("OPTIONS", "/health");
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(HeaderOf(response, "Allow"), "GET, HEAD, OPTIONS");
}

TEST_F(ApiTest, NoMoreModelsMayWaitToBeLoadedThanThereIsRoomFor) {
  Serve({"bert/embed-mean"});
  Aside none("loader", 0);
  api_ = MakeApi({.service = *service_, .front_metrics = {}, .aside = none, .writer = writer_});
  for (const char* what : {"load", "unload"}) {
    const HttpResponse response = Post(std::string("/v2/repository/models/m0/") + what, "");
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(HeaderOf(response, "Retry-After"), "1");
    EXPECT_THAT(response.body, HasSubstr("too many models are waiting"));
  }
  api_ = {};
}

TEST_F(ApiTest, AModelIsNamedOnceOrAlike) {
  Serve({"bert/embed-mean", "bert/embed-cls"});
  const auto served = [&](const char* path, const char* body, const Headers& headers) {
    const HttpResponse response = Post(path, body, headers);
    return response.status == 200 ? HeaderOf(response, "X-Hone-Model") : response.body;
  };
  const Headers header = {{"x-hone-model", "m1"}};
  EXPECT_EQ(served("/embed", R"({"inputs":"a"})", {}), "m0");
  EXPECT_EQ(served("/embed", R"({"inputs":"a"})", header), "m1");
  EXPECT_EQ(served("/embed?model=m1", R"({"inputs":"a"})", {}), "m1");
  EXPECT_EQ(served("/embed?model=m1", R"({"inputs":"a","model":"m1"})", header), "m1");
  EXPECT_THAT(served("/embed", R"({"inputs":"a","model":"m0"})", header),
              AllOf(HasSubstr("X-Hone-Model: names the model"), HasSubstr("m0")));
  EXPECT_THAT(served("/embed?model=m0", R"({"inputs":"a"})", header),
              HasSubstr("elsewhere the request names"));
  EXPECT_THAT(served("/embed?model=m0&model=m1", R"({"inputs":"a"})", {}),
              HasSubstr("elsewhere the request names"));
  EXPECT_THAT(served("/embed?model=", R"({"inputs":"a"})", {}), HasSubstr("is empty"));
  EXPECT_THAT(served("/models/m0", R"({"inputs":"a","model":"m1"})", {}),
              HasSubstr("elsewhere the request names"));
  EXPECT_EQ(Get("/info?model=m1")["model_id"], "m1");
}

TEST_F(ApiTest, OpenApiSaysWhatEachRouteTakesAndAnswers) {
  Serve({"bert/embed-mean"});
  const Json open = Get("/openapi.json");
  const auto names = [](const Json& operation) {
    std::vector<std::string> all;
    for (const Json& parameter : operation.value("parameters", Json::array())) {
      all.push_back(parameter["name"]);
      if (parameter["name"] == "model" || parameter["name"] == "X-Hone-Model") {
        EXPECT_EQ(parameter["schema"]["enum"], Json::array({"m0"}));
      }
    }
    return all;
  };
  const Json& paths = open["paths"];
  EXPECT_THAT(names(paths["/embed"]["post"]),
              ElementsAre("X-Hone-Deadline-Ms", "X-Hone-Priority", "X-Hone-Model", "model"));
  EXPECT_THAT(names(paths["/info"]["get"]), ElementsAre("X-Hone-Model", "model"));
  EXPECT_THAT(names(paths["/v2/models/{model}/versions/{version}/infer"]["post"]),
              ElementsAre("model", "version", "X-Hone-Deadline-Ms", "X-Hone-Priority",
                          "Inference-Header-Content-Length"));
  EXPECT_THAT(names(paths["/v2/repository/index"]["post"]), IsEmpty());
  const Json& infer = paths["/v2/models/{model}/infer"]["post"];
  EXPECT_TRUE(infer["requestBody"]["content"].contains("application/octet-stream"));
  EXPECT_TRUE(infer["responses"]["200"]["content"].contains("application/octet-stream"));
  EXPECT_FALSE(
      paths["/embed"]["post"]["requestBody"]["content"].contains("application/octet-stream"));
  EXPECT_EQ(paths["/v2/repository/index"]["post"]["requestBody"]["required"], false);
  EXPECT_TRUE(paths["/metrics"]["get"]["responses"]["200"]["content"].contains("text/plain"));
  EXPECT_TRUE(paths["/"]["get"]["responses"]["200"]["content"].contains("text/html"));
  EXPECT_EQ(paths["/ready"]["get"]["responses"]["503"]["content"]["application/json"]["schema"]
                 ["required"],
            (Json::array({"ready", "models"})));
  EXPECT_FALSE(open.contains("security"));
  // Octets where none are read, and an index that asks for nothing.
  EXPECT_EQ(
      Post("/embed", R"({"inputs":"a"})", {{"content-type", "application/octet-stream"}}).status,
      415);
  Good(Post("/v2/repository/index", "", {{"content-type", "application/x-www-form-urlencoded"}}));
}

TEST_F(ApiTest, OpenApiSaysWhichKeysAreWanted) {
  const Json open = Json::parse(WriteOpenApi(AllRoutes(), {"m0"}, true));
  EXPECT_EQ(open["security"].size(), 3u);
  for (const Json& one : open["security"]) {
    EXPECT_TRUE(open["components"]["securitySchemes"].contains(one.begin().key()));
  }
  const Json& paths = open["paths"];
  EXPECT_FALSE(paths["/embed"]["post"].contains("security"));
  EXPECT_FALSE(paths["/"]["post"].contains("security"));
  for (const char* path : {"/", "/health", "/ready", "/v2/health/live", "/v2/health/ready"}) {
    EXPECT_EQ(paths[path]["get"]["security"], Json::array()) << path;
  }
}

TEST_F(ApiTest, OperationSaysHowItIs) {
  Serve({"bert/embed-mean"});
  Good(Post("/embed", R"({"inputs":"a"})"));
  EXPECT_EQ(Get("/health")["status"], "ok");
  EXPECT_EQ(Get("/ready")["models"][0]["ready"], true);
  const std::string metrics = Ask("GET", "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("hone_requests_total{model=\"m0\",outcome=\"answered\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("hone_request_seconds_bucket{model=\"m0\",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("hone_rung_texts_total{model=\"m0\",rung=\"model\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("hone_rung_loads_total{model=\"m0\",rung=\"model\"} 0\n"));
  EXPECT_THAT(metrics, HasSubstr("hone_rung_evictions_total{model=\"m0\",rung=\"model\"} 0\n"));
  EXPECT_THAT(metrics, testing::EndsWith("front 1\n"));
  const HttpResponse page = Ask("GET", "/");
  EXPECT_THAT(page.body, StartsWith("<!doctype html>"));
  EXPECT_THAT(HeaderOf(page, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  const Json openapi = Get("/openapi.json");
  EXPECT_EQ(openapi["openapi"], "3.1.0");
  EXPECT_TRUE(openapi["paths"]["/v2/models/{model}/infer"]["post"].is_object());
  // {"text": null, "texts": […]} is answered, so it must be one of the two.
  const Json& classify = openapi["paths"]["/v1/hone/classify"]["post"]["requestBody"]["content"]
                                ["application/json"]["schema"];
  EXPECT_EQ(classify["oneOf"][0]["properties"]["text"]["not"]["type"], "null");
  EXPECT_EQ(classify["properties"]["text"]["type"], Json::array({"string", "null"}));
  // What is not required may be null, and is taken so.
  EXPECT_EQ(openapi["paths"]["/embed"]["post"]["requestBody"]["content"]["application/json"]
                   ["schema"]["properties"]["truncate"]["type"],
            (Json::array({"boolean", "null"})));
  Good(Post("/embed", R"({"inputs":"a","truncate":null,"model":null,"unknown":1})"));
}

}  // namespace
}  // namespace hone::server
