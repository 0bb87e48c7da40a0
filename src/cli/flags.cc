#include "cli/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <stdexcept>
#include <string>
#include <system_error>
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

// CLI11's own takes "nan", and writes its limits out in 300 digits.
std::string CheckReal(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0)) {
    return base::StrCat("expected a number of 0 or more, found \"", text, "\"");
  }
  if (value > kMostReal) {
    return base::StrCat("expected a number of at most ", kMostReal, ", found \"", text, "\"");
  }
  return "";
}

// Only a variable of the environment, or --switch=VALUE, can be anything else.
std::string CheckSwitch(const std::string& text) {
  try {
    CLI::detail::to_flag_value(text);
  } catch (const std::invalid_argument&) {
    return base::StrCat("expected true or false, found \"", text, "\"");
  }
  return "";
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
  Named(app_->add_option(names, *value, help), names)
      ->check(CLI::Validator(CheckReal, ""))
      ->capture_default_str();
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
  Named(app_->add_flag(names, *value, help), names)->check(CLI::Validator(CheckSwitch, ""));
  return *this;
}

Flags& Flags::Arguments(const std::string& name, std::vector<std::string>* values,
                        const std::string& help) {
  Unguarded(app_->add_option(name, *values, help));
  return *this;
}

}  // namespace hone::cli
