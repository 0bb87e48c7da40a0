// The flags of one command. Each is also an environment variable: --max-tokens is HONE_MAX_TOKENS.
//
// A thin face over CLI11, so that its header is compiled once.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hone::cli {

// CLI11 reads an argument such as "[MASK]" as a list in brackets and drops them. Arguments in brackets
// go through this before they are parsed; Flags takes the mark off again, and a message needs the other.
std::string GuardBrackets(const std::string& argument);
std::string WithoutGuards(std::string message);

// As seconds 31 years; more is a mistake, and no sum of nanoseconds.
inline constexpr double kMostReal = 1e9;

class Flags {
 public:
  explicit Flags(CLI::App* app) : app_(app) {}

  // `names` as "-m,--model". The variable's value is the default shown in --help.
  Flags& Text(const std::string& names, std::string* value, const std::string& help);
  Flags& Required(const std::string& names, std::string* value, const std::string& help);
  Flags& Choice(const std::string& names, std::string* value, std::vector<std::string> choices,
                const std::string& help);
  Flags& Int(const std::string& names, int* value, int low, int high, const std::string& help);
  // From 0 to kMostReal.
  Flags& Real(const std::string& names, double* value, const std::string& help);
  Flags& IntList(const std::string& names, std::vector<int>* values, int low, int high,
                 const std::string& help);
  // May be given several times.
  Flags& TextList(const std::string& names, std::vector<std::string>* values,
                  const std::string& help);
  Flags& Switch(const std::string& names, bool* value, const std::string& help);
  Flags& Arguments(const std::string& name, std::vector<std::string>* values,
                   const std::string& help);

 private:
  CLI::App* app_;
};

}  // namespace hone::cli
