// A command of the program: `hone NAME …`. One file each, one line each in commands.inc.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "cli/flags.h"

namespace hone::cli {

// Exit codes: fine, failed, wrong usage.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

class Command {
 public:
  virtual ~Command() = default;
  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;  // one line
  virtual std::string example() const = 0;  // shown below the flags
  virtual void AddFlags(Flags& flags) = 0;
  // Whether Run waits for SIGTERM and its like itself; else they end it, and what it was writing is removed.
  virtual bool ends_itself() const { return false; }
  // An error is printed as one line, "hone NAME: …", and exits with 1; InvalidUsage exits with 2.
  virtual base::Status Run() = 0;
};

// Flags that contradict each other, or values that no command takes.
base::Status InvalidUsage(const std::string& message);
bool IsInvalidUsage(const base::Status& status);

// Prints "hone NAME: …", and gives the exit code.
int PrintError(const std::string& command, const base::Status& status);

}  // namespace hone::cli
