#include <memory>
#include <utility>

#include "base/json.h"
#include "eval/reader.h"

namespace hone::eval {
namespace {

// The byte of a text's code point `index`, where `answer` stands there; -1 where it does not.
std::int64_t ByteOf(std::string_view text, std::int64_t index, std::string_view answer) {
  std::size_t byte = 0;
  for (; index > 0 && byte < text.size(); --index) {
    do {
      ++byte;
    } while (byte < text.size() && (static_cast<unsigned char>(text[byte]) & 0xC0) == 0x80);
  }
  const bool there = index == 0 && text.substr(byte).starts_with(answer);
  return there ? static_cast<std::int64_t>(byte) : -1;
}

base::StatusOr<Example> ParseQuestion(const base::JsonValue& question,
                                      std::shared_ptr<const std::string> context) {
  Example example;
  example.second = std::move(context);
  HONE_ASSIGN_OR_RETURN(const base::JsonValue text_value, question.Get("question"));
  HONE_ASSIGN_OR_RETURN(const std::string_view text, text_value.String());
  example.text = std::string(text);
  HONE_ASSIGN_OR_RETURN(const std::string_view id, question.StringOr("id", ""));
  example.id = std::string(id);
  HONE_ASSIGN_OR_RETURN(const bool impossible, question.BoolOr("is_impossible", false));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue answers, question.Get("answers"));
  if (!answers.IsArray()) return answers.Error("expected an array of answers");
  if (impossible) return example;
  for (const base::JsonValue answer : answers) {
    if (!answer.IsObject()) return answer.Error("expected an object with \"text\"");
    HONE_ASSIGN_OR_RETURN(const base::JsonValue answer_value, answer.Get("text"));
    HONE_ASSIGN_OR_RETURN(const std::string_view answer_text, answer_value.String());
    if (example.answers.empty()) {
      HONE_ASSIGN_OR_RETURN(const std::int64_t start, answer.IntOr("answer_start", -1));
      example.answer_begin = ByteOf(*example.second, start, answer_text);
    }
    example.answers.emplace_back(answer_text);
  }
  return example;
}

// The array `name` of an object, or where it went wrong.
base::StatusOr<base::JsonValue> List(const base::JsonValue& object, std::string_view name) {
  if (!object.IsObject()) return object.Error("expected an object");
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, object.Get(name));
  if (!list.IsArray()) return list.Error("expected an array");
  return list;
}

}  // namespace

base::StatusOr<Examples> ReadSquad(std::string_view bytes, std::string_view path,
                                   const ReadSpec& spec) {
  if (bytes.empty()) return base::BadInput(path, ": the file is empty");
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(bytes, path));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue articles, List(document.root(), "data"));
  Examples examples;
  for (const base::JsonValue article : articles) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue paragraphs, List(article, "paragraphs"));
    for (const base::JsonValue paragraph : paragraphs) {
      HONE_ASSIGN_OR_RETURN(const base::JsonValue questions, List(paragraph, "qas"));
      HONE_ASSIGN_OR_RETURN(const base::JsonValue context_value, paragraph.Get("context"));
      HONE_ASSIGN_OR_RETURN(const std::string_view text, context_value.String());
      const auto context = std::make_shared<std::string>(text);
      for (const base::JsonValue question : questions) {
        if (!question.IsObject()) return question.Error("expected an object");
        HONE_RETURN_IF_ERROR(Keep(ParseQuestion(question, context), 0, spec, &examples));
      }
    }
  }
  return NotEmpty(std::move(examples), path);
}

}  // namespace hone::eval
