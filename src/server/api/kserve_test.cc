// KServe's tensors: raw and JSON forms, the binary extension, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "server/api/kserve_json.h"
#include "server/api/router.h"
#include "server/api/vectors.h"

namespace hone::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

std::string BytesElement(std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  return std::string(reinterpret_cast<const char*>(&size), 4) + std::string(text);
}

InferTensor Tensor(TensorType type, std::vector<std::int64_t> shape) {
  return {.name = "t", .type = type, .shape = std::move(shape)};
}

TEST(RawTensors, ReadBackWhatWasWritten) {
  InferTensor bytes = Tensor(TensorType::kBytes, {3});
  bytes.bytes = {"", "a", std::string("b\0c", 3)};
  InferTensor again = Tensor(TensorType::kBytes, {3});
  ASSERT_FALSE(ReadRaw(WriteRaw(bytes), &again));
  EXPECT_EQ(again.bytes, bytes.bytes);
  InferTensor ints = Tensor(TensorType::kInt32, {1, 2});
  ints.ints = {-7, 9};
  again = Tensor(TensorType::kInt32, {1, 2});
  ASSERT_FALSE(ReadRaw(WriteRaw(ints), &again));
  EXPECT_EQ(again.ints, ints.ints);
}

TEST(RawTensors, BytesOfAnotherLengthAreRefused) {
  const auto fault = [](std::string_view raw, InferTensor tensor) {
    const MaybeFault result = ReadRaw(raw, &tensor);
    return result ? result->message : "";
  };
  EXPECT_THAT(fault("1234567", Tensor(TensorType::kInt64, {1})), HasSubstr("wants 8"));
  EXPECT_THAT(fault(BytesElement("ab").substr(0, 5), Tensor(TensorType::kBytes, {1})),
              HasSubstr("ends within element 0"));
  EXPECT_THAT(fault(BytesElement("ab") + "x", Tensor(TensorType::kBytes, {1})),
              HasSubstr("1 bytes too many"));
  EXPECT_THAT(fault("", Tensor(TensorType::kBytes, {1 << 20})), HasSubstr("do not hold"));
  EXPECT_THAT(fault("", Tensor(TensorType::kInt64, {std::int64_t{1} << 40, 1 << 30})),
              HasSubstr("out of all limits"));
  EXPECT_THAT(fault("", Tensor(TensorType::kInt64, {-1})), HasSubstr("out of all limits"));
}

TEST(KserveJson, BinaryTensorsLieBehindTheJson) {
  const std::string raw = BytesElement("turn on");
  const std::string json =
      R"({"id":"7","parameters":{"timeout":5000,"priority":1,"binary_data_output":true},"inputs":[
        {"name":"text","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":11}}]})";
  KserveHttpRequest request;
  const MaybeFault fault =
      ReadKserve(json + raw, std::to_string(json.size()), ServiceOptions{}, &request);
  ASSERT_FALSE(fault) << fault->message;
  EXPECT_THAT(request.infer.inputs[0].bytes, ElementsAre("turn on"));
  EXPECT_EQ(request.infer.timeout_us, 5000);
  EXPECT_EQ(request.infer.priority, scheduler::Priority::kHigh);
  EXPECT_TRUE(request.binary_by_default);
}

TEST(KserveJson, RefusalsNameTheField) {
  const struct {
    std::string body, field;
  } cases[] = {
      {R"({"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":[1]}]})",
       "inputs[0].data[0]"},
      {R"({"inputs":[{"name":"text","datatype":"BYTES","shape":[2],"data":["a"]}]})",
       "inputs[0].data"},
      {R"({"inputs":[{"name":"text","datatype":"FP64","shape":[1],"data":[1]}]})",
       "inputs[0].datatype"},
      {R"({"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[4294967296]}]})",
       "inputs[0].data[0]"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[1.5]}]})",
       "inputs[0].data[0]"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[-1],"data":[]}]})",
       "inputs[0].shape[0]"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[2,2],"data":[[1,2,3],[4]]}]})",
       "inputs[0].data[0]"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[4],"data":[[1,2],[3,4]]}]})",
       "inputs[0].data"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[2],"data":[[1],[2]]}]})",
       "inputs[0].data[0]"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[2,1],"data":[[1],2]}]})",
       "inputs[0].data[1]"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[2],"data":[1,[2]]}]})",
       "inputs[0].data[1]"},
      {R"({"inputs":[{"datatype":"INT64","shape":[1],"data":[1]}]})", "inputs[0].name"},
      {R"({"inputs":[]})", "inputs"},
      {R"({"inputs":7})", "inputs"},
      {R"({"parameters":{"timeout":-1},"inputs":[]})", "timeout"},
      {R"({"parameters":{"priority":9},"inputs":[]})", "priority"},
      {R"({"parameters":{"priority":"urgent"},"inputs":[]})", "priority"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[1],
          "parameters":{"binary_data_size":9}}]})",
       "inputs[0].parameters"},
      {R"({"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[1],
          "parameters":{"binary_data_size":0}}]})",
       "inputs[0].data"},
  };
  for (const auto& c : cases) {
    KserveHttpRequest request;
    const MaybeFault fault = ReadKserve(c.body, std::nullopt, ServiceOptions{}, &request);
    ASSERT_TRUE(fault) << c.body;
    EXPECT_EQ(fault->field, c.field) << fault->message;
  }
  // Flat or nested, the same elements.
  for (const char* data : {"[1,2,3,4]", "[[1,2],[3,4]]"}) {
    KserveHttpRequest read;
    EXPECT_FALSE(ReadKserve(
        base::StrCat(R"({"inputs":[{"name":"x","datatype":"INT64","shape":[2,2],"data":)", data,
                     "}]}"),
        std::nullopt, ServiceOptions{}, &read));
    EXPECT_EQ(read.infer.inputs[0].ints, (std::vector<std::int64_t>{1, 2, 3, 4}));
  }
  KserveHttpRequest request;
  for (const std::string_view length : {"-1", "99", "x", ""}) {
    EXPECT_EQ(ReadKserve("{}", length, ServiceOptions{}, &request)->field,
              "Inference-Header-Content-Length");
  }
}

TEST(Vectors, Base64IsThatOfTheStandard) {
  // RFC 4648, section 10.
  const std::string_view text = "foobar";
  const std::string_view encoded[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                      "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t n = 0; n <= text.size(); ++n) {
    EXPECT_EQ(Base64(text.substr(0, n)), encoded[n]);
  }
}

TEST(Vectors, FloatsReadBackTheSame) {
  const std::vector<float> values = {0.0F,          -0.0F,  1.0F, -1.1754944e-38F,
                                     3.4028235e38F, 1e-45F, 0.1F, -16777216.0F};
  std::string text;
  AppendJson(values, &text);
  EXPECT_EQ(Json::parse(text).get<std::vector<float>>(), values) << text;
  text.clear();
  AppendJson(std::vector<float>{NAN, 2}, &text);
  EXPECT_EQ(text, "[null,2]");
  text.clear();
  AppendJson({}, &text);
  EXPECT_EQ(text, "[]");
}

TEST(Router, MatchesSegments) {
  std::vector<std::string> segments;
  EXPECT_TRUE(MatchPath("/v2/models/{m}/versions/{v}", "/v2/models/a/versions/1", &segments));
  EXPECT_THAT(segments, ElementsAre("a", "1"));
  EXPECT_FALSE(MatchPath("/v2/models/{m}", "/v2/models/", &segments));
  EXPECT_FALSE(MatchPath("/v2/models/{m}", "/v2/models/a/b", &segments));
  EXPECT_FALSE(MatchPath("/v2", "/v2/", &segments));
  EXPECT_TRUE(MatchPath("/", "/", &segments));
  EXPECT_FALSE(MatchPath("/", "", &segments));
}

}  // namespace
}  // namespace hone::server
