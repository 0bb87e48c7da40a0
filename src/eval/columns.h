// Which column of a file holds what: "text=sentence1,pair=sentence2,label=label".
//
// Roles   text, pair, label, score, id, answers, words, tags, intent
// Column  a name (of the header, or a JSON member) or, in a file without a header, a number from 0
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace hone::eval {

struct Columns {
  std::string text, pair, label, score, id, answers, words, tags, intent;  // empty: not in the file
  bool empty = true;

  // True when every column is a number: the file has no header.
  bool Numbered() const;

  // `columns` as on the command line; `source` names it in errors. Empty text gives an empty
  // mapping.
  static base::StatusOr<Columns> Parse(std::string_view columns, std::string_view source);
};

}  // namespace hone::eval
