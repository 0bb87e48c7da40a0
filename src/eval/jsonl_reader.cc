#include <cmath>
#include <memory>
#include <utility>

#include "base/json.h"
#include "eval/labels.h"
#include "eval/lines.h"
#include "eval/reader.h"

namespace hone::eval {
namespace {

base::StatusOr<std::string> Text(const base::JsonValue& row, const std::string& column) {
  if (column.empty()) return std::string();
  HONE_ASSIGN_OR_RETURN(const base::JsonValue value, row.Get(column));
  HONE_ASSIGN_OR_RETURN(const std::string_view text, value.String());
  return std::string(text);
}

base::StatusOr<std::vector<std::string>> Texts(const base::JsonValue& value) {
  if (!value.IsArray()) return value.Error("expected an array of strings");
  std::vector<std::string> texts;
  texts.reserve(static_cast<std::size_t>(value.size()));
  for (const base::JsonValue item : value) {
    HONE_ASSIGN_OR_RETURN(const std::string_view text, item.String());
    texts.emplace_back(text);
  }
  return texts;
}

base::StatusOr<int> Label(const base::JsonValue& value, const ReadSpec& spec) {
  if (value.IsString()) {
    HONE_ASSIGN_OR_RETURN(const std::string_view text, value.String());
    return ParseLabel(spec.labels, text, value.Where());
  }
  HONE_ASSIGN_OR_RETURN(const std::int64_t index, value.Int());
  return ParseLabel(spec.labels, base::StrCat(index), value.Where());
}

base::Status ReadTags(const base::JsonValue& row, const Columns& columns, Example* example) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue words, row.Get(columns.words));
  HONE_ASSIGN_OR_RETURN(example->words, Texts(words));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue tags, row.Get(columns.tags));
  HONE_ASSIGN_OR_RETURN(example->tags, Texts(tags));
  if (example->tags.size() != example->words.size()) {
    return tags.Error(
        base::StrCat(example->tags.size(), " tags for ", example->words.size(), " words"));
  }
  for (const std::string& tag : example->tags) {
    if (!IsTag(tag)) return tags.Error("a tag is O, or B-, I-, E- or S- and a type");
  }
  return base::OkStatus();
}

base::StatusOr<Example> ParseRow(std::string_view line, const ReadSpec& spec,
                                 std::string_view where) {
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(line, where));
  const base::JsonValue row = document.root();
  if (!row.IsObject()) return row.Error("expected an object");
  const Columns& columns = spec.columns;
  Example example;
  // Ids are numbers in some data sets and text in others; nothing depends on them.
  if (const auto id = columns.id.empty() ? std::nullopt : row.Find(columns.id);
      id && id->IsString()) {
    HONE_ASSIGN_OR_RETURN(const std::string_view text, id->String());
    example.id = std::string(text);
  }
  HONE_ASSIGN_OR_RETURN(example.text, Text(row, columns.text));
  if (!columns.pair.empty()) {
    HONE_ASSIGN_OR_RETURN(std::string pair, Text(row, columns.pair));
    example.second = std::make_shared<std::string>(std::move(pair));
  }
  if (!columns.label.empty()) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue label, row.Get(columns.label));
    HONE_ASSIGN_OR_RETURN(example.label, Label(label, spec));
  }
  if (!columns.score.empty()) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue score, row.Get(columns.score));
    HONE_ASSIGN_OR_RETURN(example.score, score.Double());
    if (!std::isfinite(example.score)) return score.Error("the score is not a finite number");
  }
  if (!columns.answers.empty()) {
    HONE_ASSIGN_OR_RETURN(base::JsonValue answers, row.Get(columns.answers));
    if (answers.IsObject()) {
      HONE_ASSIGN_OR_RETURN(answers, answers.Get("text"));
    }
    HONE_ASSIGN_OR_RETURN(example.answers, Texts(answers));
  }
  if (!columns.words.empty() || !columns.tags.empty()) {
    HONE_RETURN_IF_ERROR(ReadTags(row, columns, &example));
  }
  if (!columns.intent.empty()) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue intent, row.Get(columns.intent));
    HONE_ASSIGN_OR_RETURN(const std::string_view name, intent.String());
    if (name.empty()) return intent.Error("the intent is empty");
    example.intent = std::string(name);
  }
  return example;
}

}  // namespace

base::StatusOr<Examples> ReadJsonLines(std::string_view bytes, std::string_view path,
                                       const ReadSpec& spec) {
  if (bytes.empty()) return base::BadInput(path, ": the file is empty");
  Lines lines(bytes);
  Examples examples;
  for (std::string_view line; lines.Next(&line);) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    HONE_RETURN_IF_ERROR(
        Keep(ParseRow(line, spec, At(path, lines.number())), lines.number(), spec, &examples));
  }
  return NotEmpty(std::move(examples), path);
}

}  // namespace hone::eval
