#include "eval/columns.h"

#include <array>
#include <utility>

namespace hone::eval {
namespace {

using Role = std::pair<std::string_view, std::string Columns::*>;

constexpr std::array<Role, 9> kRoles = {{
    {"text", &Columns::text},
    {"pair", &Columns::pair},
    {"label", &Columns::label},
    {"score", &Columns::score},
    {"id", &Columns::id},
    {"answers", &Columns::answers},
    {"words", &Columns::words},
    {"tags", &Columns::tags},
    {"intent", &Columns::intent},
}};

// Five digits: a column number is then always a small int.
bool IsNumber(std::string_view name) {
  return !name.empty() && name.size() <= 5 &&
         name.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

bool Columns::Numbered() const {
  for (const auto& [name, member] : kRoles) {
    if (const std::string& column = this->*member; !column.empty() && !IsNumber(column))
      return false;
  }
  return !empty;
}

base::StatusOr<Columns> Columns::Parse(std::string_view columns, std::string_view source) {
  Columns result;
  while (!columns.empty()) {
    const std::size_t comma = columns.find(',');
    const std::string_view part = columns.substr(0, comma);
    columns.remove_prefix(comma == std::string_view::npos ? columns.size() : comma + 1);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals + 1 == part.size()) {
      return base::BadInput(source, ": \"", part, "\" is not of the form role=column");
    }
    std::string Columns::*member = nullptr;
    for (const auto& [name, pointer] : kRoles) {
      if (part.substr(0, equals) == name) member = pointer;
    }
    if (member == nullptr) {
      return base::BadInput(
          source, ": unknown role \"", part.substr(0, equals),
          "\"; there are text, pair, label, score, id, answers, words, tags, intent");
    }
    if (!(result.*member).empty()) {
      return base::BadInput(source, ": \"", part.substr(0, equals), "\" is given twice");
    }
    result.*member = std::string(part.substr(equals + 1));
    result.empty = false;
  }
  return result;
}

}  // namespace hone::eval
