// What /openapi.json says of the bodies of Hone's own routes.
#pragma once

#include <string_view>

namespace hone::server {

inline constexpr std::string_view kModelsAnswer = R"({"type":"object","required":["models"],
"properties":{"policy":{"type":"string"},"executors":{"type":"array","items":{"type":"integer"}},
"queued":{"type":"integer"},"resident_bytes":{"type":"integer"},"memory_bytes":{"type":"integer"},
"models":{"type":"array","items":{"type":"object","required":["name","task","ready","rungs"],
"properties":{"name":{"type":"string"},"task":{"type":["string","null"]},"ready":{"type":"boolean"},
"rungs":{"type":"array","items":{"type":"object","required":["name","state"],
"properties":{"name":{"type":"string"},"format":{"type":"string"},"state":{"type":"string"},
"p50_ms":{"type":"number"},"p95_ms":{"type":"number"},"bytes":{"type":"integer"}}}}}}}}})";

inline constexpr std::string_view kTagSchema = R"({"type":"object",
"description":"exactly one of text, texts and words","properties":{"model":{"type":"string"},
"text":{"type":"string"},"texts":{"type":"array","minItems":1,"items":{"type":"string"}},
"words":{"type":"array","minItems":1,"items":{"type":"string"}},
"aggregation":{"type":"string","enum":["none","simple","first","average","max"]},
"truncate":{"type":"boolean"}},
"oneOf":[{"required":["text"]},{"required":["texts"]},{"required":["words"]}],
"example":{"text":"make it two degrees warmer in the kids room"}})";

inline constexpr std::string_view kClassifySchema = R"({"type":"object",
"description":"exactly one of text and texts","properties":{"model":{"type":"string"},
"text":{"type":"string"},"pair":{"type":"string"},
"texts":{"type":"array","minItems":1,"items":{"type":"string"}},
"top":{"type":"integer","minimum":1,"maximum":1024},"truncate":{"type":"boolean"}},
"oneOf":[{"required":["text"]},{"required":["texts"]}],
"example":{"text":"make it two degrees warmer in the kids room","top":3}})";

inline constexpr std::string_view kFillSchema = R"({"type":"object",
"description":"exactly one of text and texts","properties":{"model":{"type":"string"},
"text":{"type":"string"},"texts":{"type":"array","minItems":1,"items":{"type":"string"}},
"top":{"type":"integer","minimum":1,"maximum":1024},"truncate":{"type":"boolean"}},
"oneOf":[{"required":["text"]},{"required":["texts"]}],
"example":{"text":"the light is [MASK]","top":5}})";

inline constexpr std::string_view kResultsAnswer = R"({"type":"object",
"required":["model","results"],"properties":{"model":{"type":"string"},
"results":{"type":"array","items":{"type":"object","required":["text"],
"properties":{"text":{"type":"string"}}}}}})";

inline constexpr std::string_view kAnswerSchema = R"({"type":"object",
"required":["question","context"],"properties":{"model":{"type":"string"},
"question":{"type":"string"},"context":{"type":"string"},
"top":{"type":"integer","minimum":1,"maximum":1024},"no_answer":{"type":"boolean"},
"stride":{"type":"integer","minimum":0,"maximum":65536},
"max_answer_tokens":{"type":"integer","minimum":1,"maximum":1024}},
"example":{"question":"Who baked the bread?","context":"Mara baked the bread on Tuesday."}})";

inline constexpr std::string_view kAnswerAnswer = R"({"type":"object",
"required":["model","answers"],"properties":{"model":{"type":"string"},"answers":{"type":"array",
"items":{"type":"object","required":["answer","score","start","end"],
"properties":{"answer":{"type":"string"},"score":{"type":"number"},"start":{"type":"integer"},
"end":{"type":"integer"}}}}}})";

}  // namespace hone::server
