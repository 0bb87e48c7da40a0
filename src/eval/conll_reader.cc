#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "eval/lines.h"
#include "eval/reader.h"

namespace hone::eval {
namespace {

constexpr std::string_view kBlanks = " \t";

void SplitBlanks(std::string_view line, std::vector<std::string_view>* fields) {
  fields->clear();
  while (true) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    fields->push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

int Position(const std::string& number, int fallback) {
  int position = fallback;
  std::from_chars(number.data(), number.data() + number.size(), position);
  return position;
}

base::Status AddWord(const std::vector<std::string_view>& fields, const ReadSpec& spec,
                     std::string_view where, Example* sentence) {
  const int count = static_cast<int>(fields.size());
  const int word = Position(spec.numbered.words, 0);
  const int tag = Position(spec.numbered.tags, count - 1);
  if (count < 2 || word >= count || tag >= count) {
    return base::BadInput(where, ": ", count, " columns, expected at least ",
                          std::max({2, word + 1, tag + 1}), ": a word … and its tag");
  }
  const std::string_view text = fields[static_cast<std::size_t>(tag)];
  if (!IsTag(text)) {
    return base::BadInput(where, ": unknown label \"", text.substr(0, 40),
                          "\"; expected O, or B-, I-, E- or S- and a type");
  }
  sentence->words.emplace_back(fields[static_cast<std::size_t>(word)]);
  sentence->tags.emplace_back(text);
  return base::OkStatus();
}

}  // namespace

base::StatusOr<Examples> ReadConll(std::string_view bytes, std::string_view path,
                                   const ReadSpec& spec) {
  if (bytes.empty()) return base::BadInput(path, ": the file is empty");
  Lines lines(bytes);
  Examples examples;
  Example sentence;
  int first_line = 0;  // of the sentence
  base::Status bad;    // the first error of this sentence: it is kept or left out as a whole
  auto finish = [&]() -> base::Status {
    if (sentence.words.empty() && bad.ok()) return base::OkStatus();
    base::Status status = bad.ok() ? Keep(std::move(sentence), first_line, spec, &examples)
                                   : Keep(bad, first_line, spec, &examples);
    sentence = Example();
    bad = base::OkStatus();
    return status;
  };
  std::vector<std::string_view> fields;
  for (std::string_view line; lines.Next(&line);) {
    SplitBlanks(line, &fields);
    if (fields.empty() || fields[0] == "-DOCSTART-") {
      HONE_RETURN_IF_ERROR(finish());
    } else if (bad.ok()) {
      if (sentence.words.empty()) first_line = lines.number();
      bad = AddWord(fields, spec, At(path, lines.number()), &sentence);
      if (!bad.ok() && !spec.skip_bad_rows) return bad;
    }
  }
  HONE_RETURN_IF_ERROR(finish());
  return NotEmpty(std::move(examples), path);
}

}  // namespace hone::eval
