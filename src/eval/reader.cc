#include "eval/reader.h"

#include <utility>

namespace hone::eval {

bool IsTag(std::string_view tag) {
  if (tag == "O") return true;
  return tag.size() > 2 && tag[1] == '-' &&
         (tag[0] == 'B' || tag[0] == 'I' || tag[0] == 'E' || tag[0] == 'S');
}

std::string At(std::string_view path, int line) {
  return base::StrCat(path, ":", line);
}

base::Status Keep(base::StatusOr<Example> example, int line, const ReadSpec& spec,
                  Examples* examples) {
  if (example.ok()) {
    example->line = line;
    examples->items.push_back(*std::move(example));
    return base::OkStatus();
  }
  if (!spec.skip_bad_rows) return example.status();
  if (examples->skipped++ == 0) examples->first_skipped = example.status().message();
  return base::OkStatus();
}

base::StatusOr<Examples> NotEmpty(Examples examples, std::string_view path) {
  examples.path = path;
  if (!examples.items.empty()) return examples;
  if (examples.skipped > 0) {
    return base::BadInput(path, ": every row is bad; the first: ", examples.first_skipped);
  }
  return base::BadInput(path, ": there are no examples in it");
}

}  // namespace hone::eval
