// Bodies of requests: any bytes give a fault that says something, or a request within its limits.
// The first byte picks the protocol.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "server/api/hone_json.h"
#include "server/api/kserve_invariant.h"
#include "server/api/kserve_json.h"
#include "server/api/openai_json.h"
#include "server/api/pipeline_json.h"
#include "server/api/tei_json.h"

namespace hone::server {
namespace {

constexpr int kMaxTexts = 8;

MaybeFault ReadTei(std::string_view body, MaybeFault (*read)(std::string_view, int, TeiRequest*)) {
  TeiRequest request;
  const MaybeFault fault = read(body, kMaxTexts, &request);
  HONE_CHECK(fault || (!request.inputs.empty() && request.inputs.size() <= kMaxTexts));
  return fault;
}

MaybeFault ReadInference(std::string_view body) {
  // The length of the JSON, as the header gives it, stands before it here.
  const std::size_t line = body.find('\n');
  std::optional<std::string_view> length;
  if (line != std::string_view::npos && line > 0) length = body.substr(0, line);
  if (line != std::string_view::npos) body.remove_prefix(line + 1);
  KserveHttpRequest request;
  const MaybeFault fault = ReadKserve(body, length, ServiceOptions{}, &request);
  if (fault) return fault;
  for (const InferTensor& tensor : request.infer.inputs) CheckTensor(tensor);
  return {};
}

MaybeFault Read(std::uint8_t protocol, std::string_view body) {
  switch (protocol % 12) {
    case 0: {
      EmbeddingsRequest request;
      return ReadEmbeddings(body, kMaxTexts, &request);
    }
    case 1: {
      RerankRequest request;
      return ReadRerank(body, kMaxTexts, &request);
    }
    case 2: return ReadTei(body, ReadTeiEmbed);
    case 3: return ReadTei(body, ReadTeiPredict);
    case 4: return ReadTei(body, ReadTeiSimilarity);
    case 5: return ReadTei(body, ReadTeiTokenize);
    case 6: {
      TeiRerankRequest request;
      return ReadTeiRerank(body, kMaxTexts, &request);
    }
    case 7: {
      TeiDecodeRequest request;
      return ReadTeiDecode(body, kMaxTexts, &request);
    }
    case 8: {
      AnswerRequest request;
      return ReadAnswer(body, &request);
    }
    case 9: {
      LabelRequest request;
      return ReadLabelRequest(body, kMaxTexts, &request);
    }
    case 10: return ReadInference(body);
    default: {
      PipelineRequest request;
      return ReadPipeline(body, kMaxTexts, &request);
    }
  }
}

}  // namespace
}  // namespace hone::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone::server;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const MaybeFault fault = Read(data[0], body);
  if (!fault) return 0;
  HONE_CHECK(!fault->message.empty());
  for (const Protocol protocol :
       {Protocol::kOpenAi, Protocol::kTei, Protocol::kKserve, Protocol::kHone}) {
    const HttpResponse response = FaultResponse(protocol, *fault);
    HONE_CHECK(response.status >= 400 && response.status < 500);
    HONE_CHECK(hone::base::Json::Parse(response.body, "fault").ok());
  }
  return 0;
}
