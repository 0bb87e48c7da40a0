// What /openapi.json says of KServe's bodies.
#pragma once

#include <string_view>

namespace hone::server {

inline constexpr std::string_view kObjectAnswer = R"({"type":"object"})";

inline constexpr std::string_view kServerAnswer = R"({"type":"object","required":["name","version",
"extensions"],"properties":{"name":{"type":"string"},"version":{"type":"string"},
"extensions":{"type":"array","items":{"type":"string"}}}})";

inline constexpr std::string_view kMetadataAnswer = R"({"type":"object",
"required":["name","inputs","outputs"],"properties":{"name":{"type":"string"},
"versions":{"type":"array","items":{"type":"string"}},"platform":{"type":"string"},
"inputs":{"type":"array","items":{"type":"object"}},
"outputs":{"type":"array","items":{"type":"object"}}}})";

inline constexpr std::string_view kInferSchema = R"({"type":"object","required":["inputs"],
"properties":{"id":{"type":"string"},"parameters":{"type":"object","properties":{
"timeout":{"type":"integer","minimum":0,"maximum":600000000,"description":"microseconds"},
"priority":{"enum":[0,1,2,3,"high","normal","low"],"description":"1 high, 2 normal, 3 low"},
"truncate":{"type":"boolean"},"binary_data_output":{"type":"boolean"}}},
"inputs":{"type":"array","minItems":1,"maxItems":16,"items":{"type":"object",
"required":["name","datatype","shape","data"],"properties":{
"name":{"type":"string","enum":["text","text_pair","input_ids","attention_mask","token_type_ids"]},
"datatype":{"type":"string","enum":["BYTES","INT64","INT32","UINT32"]},
"shape":{"type":"array","minItems":1,"maxItems":2,"items":{"type":"integer","minimum":1,"maximum":65536}},
"data":{"type":"array","minItems":1}}}},
"outputs":{"type":"array","maxItems":16,"items":{"type":"object","required":["name"],
"properties":{"name":{"type":"string"},"parameters":{"type":"object","properties":{
"binary_data":{"type":"boolean"}}}}}}},
"example":{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["turn on the light"]}]}})";

inline constexpr std::string_view kInferAnswer = R"({"type":"object",
"required":["model_name","outputs"],"properties":{"model_name":{"type":"string"},
"model_version":{"type":"string"},"id":{"type":"string"},"parameters":{"type":"object",
"properties":{"hone_rung":{"type":"string"},"hone_queue_ms":{"type":"number"},
"hone_compute_ms":{"type":"number"}}},"outputs":{"type":"array",
"items":{"type":"object","required":["name","datatype","shape"],
"properties":{"name":{"type":"string"},"datatype":{"type":"string"},
"shape":{"type":"array","items":{"type":"integer"}},"data":{"type":"array"},
"parameters":{"type":"object","properties":{"binary_data_size":{"type":"integer"}}}}}}}})";

inline constexpr std::string_view kIndexSchema = R"({"type":"object","properties":{
"ready":{"type":"boolean","description":"only models that can answer"}}})";

inline constexpr std::string_view kIndexAnswer = R"({"type":"array","items":{"type":"object",
"required":["name","state"],"properties":{"name":{"type":"string"},"version":{"type":"string"},
"state":{"type":"string"},"reason":{"type":"string"}}}})";

}  // namespace hone::server
