#include "cli/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <utility>

#include "base/strings.h"

namespace hone::cli {
namespace {

constexpr char kGuard = '\x01';

CLI::Option* Named(CLI::Option* option, const std::string& names) {
  const std::size_t dashes = names.find("--");
  if (dashes == std::string::npos) return option;
  std::string variable = "HONE_" + names.substr(dashes + 2);
  std::ranges::transform(variable, variable.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return option->envname(variable);
}

// Takes GuardBrackets' mark off.
CLI::Option* Unguarded(CLI::Option* option) {
  return option->transform(
      [](const std::string& value) { return value.starts_with(kGuard) ? value.substr(1) : value; },
      "");
}

// Not a number, negative or endless: what is wrong; CLI11's own check lets NaN through, and says three hundred digits.
std::string AmountError(const std::string& text) {
  constexpr double kMost = 1e12;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && rest == end && value >= 0 && value <= kMost) return {};
  return base::StrCat("\"", text, "\" is no number of 0 or more");
}

}  // namespace

std::string GuardBrackets(const std::string& argument) {
  const bool in_brackets = argument.starts_with('[') && argument.ends_with(']');
  return in_brackets ? kGuard + argument : argument;
}

std::string WithoutGuards(std::string message) {
  std::erase(message, kGuard);
  return message;
}

Flags& Flags::Text(const std::string& names, std::string* value, const std::string& help) {
  CLI::Option* option = Unguarded(Named(app_->add_option(names, *value, help), names));
  if (!value->empty()) option->capture_default_str();
  return *this;
}

Flags& Flags::Required(const std::string& names, std::string* value, const std::string& help) {
  Unguarded(Named(app_->add_option(names, *value, help), names))->required();
  return *this;
}

Flags& Flags::Choice(const std::string& names, std::string* value, std::vector<std::string> choices,
                     const std::string& help) {
  CLI::Option* option = Named(app_->add_option(names, *value, help), names);
  option->check(CLI::IsMember(std::move(choices)));
  if (!value->empty()) option->capture_default_str();
  return *this;
}

Flags& Flags::Int(const std::string& names, int* value, int low, int high,
                  const std::string& help) {
  Named(app_->add_option(names, *value, help), names)
      ->check(CLI::Range(low, high))
      ->capture_default_str();
  return *this;
}

Flags& Flags::Real(const std::string& names, double* value, const std::string& help) {
  Named(app_->add_option(names, *value, help), names)->check(AmountError)->capture_default_str();
  return *this;
}

Flags& Flags::IntList(const std::string& names, std::vector<int>* values, int low, int high,
                      const std::string& help) {
  Named(app_->add_option(names, *values, help), names)
      ->check(CLI::Range(low, high))
      ->delimiter(',')
      ->capture_default_str();
  return *this;
}

Flags& Flags::TextList(const std::string& names, std::vector<std::string>* values,
                       const std::string& help) {
  Unguarded(Named(app_->add_option(names, *values, help), names))->allow_extra_args(false);
  return *this;
}

Flags& Flags::Switch(const std::string& names, bool* value, const std::string& help) {
  Named(app_->add_flag(names, *value, help), names);
  return *this;
}

Flags& Flags::Arguments(const std::string& name, std::vector<std::string>* values,
                        const std::string& help) {
  Unguarded(app_->add_option(name, *values, help));
  return *this;
}

}  // namespace hone::cli
