// What /openapi.json says of TEI's bodies.
#pragma once

#include <string_view>

namespace hone::server {

inline constexpr std::string_view kTeiEmbedSchema = R"({"type":"object","required":["inputs"],
"properties":{"inputs":{"anyOf":[{"type":"string"},
{"type":"array","minItems":1,"items":{"type":"string"}},
{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}},
{"type":"array","minItems":1,"items":{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}}}]},
"model":{"type":"string"},"truncate":{"type":"boolean"},
"truncation_direction":{"type":"string","enum":["left","right"]},
"normalize":{"type":"boolean","description":"to unit length; a model that normalises by itself does so in any case"},
"dimensions":{"type":"integer","minimum":1,"maximum":65536}},
"example":{"inputs":["turn on the light","it is dark in here"]}})";

inline constexpr std::string_view kTeiVectorsAnswer =
    R"({"type":"array","items":{"type":"array","items":{"type":"number"}}})";
inline constexpr std::string_view kTeiAllVectorsAnswer =
    R"({"type":"array","items":{"type":"array","items":{"type":"array","items":{"type":"number"}}}})";
inline constexpr std::string_view kTeiNumbersAnswer =
    R"({"type":"array","items":{"type":"number"}})";
inline constexpr std::string_view kTeiStringsAnswer =
    R"({"type":"array","items":{"type":"string"}})";

inline constexpr std::string_view kTeiPredictSchema = R"({"type":"object","required":["inputs"],
"properties":{"inputs":{"anyOf":[{"type":"string"},
{"type":"array","minItems":1,"maxItems":2,"items":{"type":"string"}},
{"type":"array","minItems":1,"items":{"type":"array","minItems":1,"maxItems":2,"items":{"type":"string"}}}]},
"model":{"type":"string"},"truncate":{"type":"boolean"},
"truncation_direction":{"type":"string","enum":["left","right"]},"raw_scores":{"type":"boolean"}},
"example":{"inputs":"turn on the light"}})";

inline constexpr std::string_view kTeiPredictAnswer = R"({"type":"array","items":{"anyOf":[
{"type":"object","required":["score","label"],"properties":{"score":{"type":"number"},"label":{"type":"string"}}},
{"type":"array","items":{"type":"object","required":["score","label"],
"properties":{"score":{"type":"number"},"label":{"type":"string"}}}}]}})";

inline constexpr std::string_view kTeiRerankSchema =
    R"({"type":"object","required":["query","texts"],
"properties":{"query":{"type":"string"},"texts":{"type":"array","minItems":1,"items":{"type":"string"}},
"model":{"type":"string"},"truncate":{"type":"boolean"},
"truncation_direction":{"type":"string","enum":["left","right"]},
"raw_scores":{"type":"boolean"},"return_text":{"type":"boolean"}},
"example":{"query":"why is it dark","texts":["the light is off","bread rises slowly"]}})";

inline constexpr std::string_view kTeiRerankAnswer = R"({"type":"array","items":{"type":"object",
"required":["index","score"],"properties":{"index":{"type":"integer"},"score":{"type":"number"},
"text":{"type":"string"}}}})";

inline constexpr std::string_view kTeiSimilaritySchema = R"({"type":"object","required":["inputs"],
"properties":{"inputs":{"type":"object","required":["source_sentence","sentences"],
"properties":{"source_sentence":{"type":"string"},
"sentences":{"type":"array","minItems":1,"items":{"type":"string"}}}},"model":{"type":"string"},
"parameters":{"type":"object","properties":{"truncate":{"type":"boolean"},
"truncation_direction":{"type":"string","enum":["left","right"]}}}},
"example":{"inputs":{"source_sentence":"why is it dark","sentences":["the light is off","bread rises slowly"]}}})";

inline constexpr std::string_view kTeiTokenizeSchema = R"({"type":"object","required":["inputs"],
"properties":{"inputs":{"anyOf":[{"type":"string"},
{"type":"array","minItems":1,"items":{"type":"string"}}]},
"model":{"type":"string"},"add_special_tokens":{"type":"boolean"}},
"example":{"inputs":"turn on the light"}})";

inline constexpr std::string_view kTeiTokenizeAnswer = R"({"type":"array","items":{"type":"array",
"items":{"type":"object","required":["id","text","special"],"properties":{"id":{"type":"integer"},
"text":{"type":"string"},"special":{"type":"boolean"},"start":{"type":["integer","null"]},
"stop":{"type":["integer","null"]}}}}})";

inline constexpr std::string_view kTeiDecodeSchema = R"({"type":"object","required":["ids"],
"properties":{"ids":{"anyOf":[{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}},
{"type":"array","minItems":1,"items":{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}}}]},
"model":{"type":"string"},"skip_special_tokens":{"type":"boolean"}},"example":{"ids":[1,2,3]}})";

inline constexpr std::string_view kTeiInfoAnswer = R"({"type":"object",
"required":["model_id","model_type","max_input_length"],"properties":{"model_id":{"type":"string"},
"model_sha":{"type":"string"},"model_dtype":{"type":"string"},"model_type":{"type":"object"},
"max_input_length":{"type":"integer"},"max_client_batch_size":{"type":"integer"},
"version":{"type":"string"}}})";

}  // namespace hone::server
