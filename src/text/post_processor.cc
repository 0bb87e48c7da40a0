#include "text/post_processor.h"

#include <algorithm>
#include <limits>

#include "text/json_fields.h"

namespace hone::text {
namespace {

using Kind = TemplatePiece::Kind;
constexpr Kind kFirst = TemplatePiece::kFirst;
constexpr Kind kSecond = TemplatePiece::kSecond;
constexpr Kind kSpecial = TemplatePiece::kSpecial;

base::StatusOr<std::int32_t> Int32(const base::JsonValue& json) {
  return json.IntIn(0, std::numeric_limits<std::int32_t>::max());
}

// "cls": ["[CLS]", 101]
base::StatusOr<std::int32_t> NamedId(const base::JsonValue& json, std::string_view field) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue pair, json.Get(field));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue id, pair.At(1));
  return Int32(id);
}

base::StatusOr<TemplatePiece> PieceFromJson(const base::JsonValue& json,
                                            const base::JsonValue& special_tokens) {
  const auto sequence = json.Find("Sequence");
  const auto special = json.Find("SpecialToken");
  if (!sequence && !special) return json.Error("expected a Sequence or a SpecialToken");
  const base::JsonValue body = sequence ? *sequence : *special;
  HONE_ASSIGN_OR_RETURN(const base::JsonValue id_value, body.Get("id"));
  HONE_ASSIGN_OR_RETURN(const std::string_view id, id_value.String());
  HONE_ASSIGN_OR_RETURN(const base::JsonValue type_value, body.Get("type_id"));
  TemplatePiece piece = {};
  HONE_ASSIGN_OR_RETURN(piece.type, Int32(type_value));
  if (sequence) {
    if (id != "A" && id != "B") return id_value.Error("expected \"A\" or \"B\"");
    piece.kind = id == "A" ? kFirst : kSecond;
    return piece;
  }
  piece.kind = kSpecial;
  HONE_ASSIGN_OR_RETURN(const base::JsonValue token, special_tokens.Get(id));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue ids, token.Get("ids"));
  for (const base::JsonValue item : ids) {
    HONE_ASSIGN_OR_RETURN(const std::int32_t value, Int32(item));
    piece.ids.push_back(value);
  }
  return piece;
}

base::StatusOr<std::vector<TemplatePiece>> PiecesFromJson(const base::JsonValue& json,
                                                          std::string_view field) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, json.Get(field));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue special_tokens, json.Get("special_tokens"));
  std::vector<TemplatePiece> pieces;
  for (const base::JsonValue item : list) {
    HONE_ASSIGN_OR_RETURN(TemplatePiece piece, PieceFromJson(item, special_tokens));
    if (piece.kind == kSecond && field == "single") {
      return item.Error("the template of a single text uses a second one");
    }
    pieces.push_back(std::move(piece));
  }
  return pieces;
}

base::Status ApplyByteLevel(const base::JsonValue& json, PostProcessor* result) {
  HONE_ASSIGN_OR_RETURN(result->trim_offsets, json.BoolOr("trim_offsets", true));
  HONE_ASSIGN_OR_RETURN(result->add_prefix_space, json.BoolOr("add_prefix_space", true));
  return base::OkStatus();
}

base::Status Apply(const base::JsonValue& json, bool* has_template, PostProcessor* result) {
  HONE_ASSIGN_OR_RETURN(const std::string_view type, ComponentType(json));
  if (type == "ByteLevel") return ApplyByteLevel(json, result);
  if (type == "Sequence") {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue list, json.Get("processors"));
    for (const base::JsonValue item : list) {
      HONE_RETURN_IF_ERROR(Apply(item, has_template, result));
    }
    return base::OkStatus();
  }
  if (*has_template) {
    return base::Unsupported(json.Where(), ": a second post-processor that adds tokens, \"", type,
                             "\", is not supported");
  }
  *has_template = true;
  if (type == "TemplateProcessing") {
    HONE_ASSIGN_OR_RETURN(result->single, PiecesFromJson(json, "single"));
    HONE_ASSIGN_OR_RETURN(result->pair, PiecesFromJson(json, "pair"));
    return base::OkStatus();
  }
  if (type != "BertProcessing" && type != "RobertaProcessing") {
    return UnsupportedComponent(json, "post-processor", type);
  }
  HONE_ASSIGN_OR_RETURN(const std::int32_t cls, NamedId(json, "cls"));
  HONE_ASSIGN_OR_RETURN(const std::int32_t sep, NamedId(json, "sep"));
  if (type == "BertProcessing") {
    const PostProcessor bert = BertTemplate(cls, sep);
    result->single = bert.single;
    result->pair = bert.pair;
    return base::OkStatus();
  }
  result->single = {{kSpecial, {cls}, 0}, {kFirst, {}, 0}, {kSpecial, {sep}, 0}};
  result->pair = result->single;
  result->pair.insert(result->pair.end(),
                      {{kSpecial, {sep}, 0}, {kSecond, {}, 0}, {kSpecial, {sep}, 0}});
  return ApplyByteLevel(json, result);
}

}  // namespace

int PostProcessor::Added(bool is_pair) const {
  std::size_t count = 0;
  for (const TemplatePiece& piece : is_pair ? pair : single) count += piece.ids.size();
  return static_cast<int>(count);
}

std::int32_t PostProcessor::id_limit() const {
  std::int32_t limit = 0;
  for (const std::vector<TemplatePiece>* pieces : {&single, &pair}) {
    for (const TemplatePiece& piece : *pieces) {
      for (const std::int32_t id : piece.ids) limit = std::max(limit, id + 1);
    }
  }
  return limit;
}

base::StatusOr<PostProcessor> PostProcessorFromJson(const base::JsonValue& json) {
  PostProcessor result;
  bool has_template = false;
  HONE_RETURN_IF_ERROR(Apply(json, &has_template, &result));
  return result;
}

PostProcessor BertTemplate(std::int32_t cls, std::int32_t sep) {
  PostProcessor result;
  result.single = {{kSpecial, {cls}, 0}, {kFirst, {}, 0}, {kSpecial, {sep}, 0}};
  result.pair = result.single;
  result.pair.insert(result.pair.end(), {{kSecond, {}, 1}, {kSpecial, {sep}, 1}});
  return result;
}

PostProcessor RobertaTemplate(std::int32_t cls, std::int32_t sep) {
  PostProcessor result = BertTemplate(cls, sep);
  result.pair = result.single;
  result.pair.insert(result.pair.end(),
                     {{kSpecial, {sep}, 0}, {kSecond, {}, 0}, {kSpecial, {sep}, 0}});
  return result;
}

}  // namespace hone::text
