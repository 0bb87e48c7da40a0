// What every program of Hone does: parses the command line, runs one command, turns its status into
// an exit code.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace hone::cli {

// A command that another program runs: `hone train` is `hone-train train`.
struct Delegate {
  std::string name, summary;
  std::string program;  // beside this one, or on the PATH
  std::string without;  // what to tell a user who lacks it
};

struct Program {
  std::string summary;
  std::vector<std::unique_ptr<Command>> commands;
  std::vector<Delegate> delegates = {};
};

int RunProgram(const Program& program, int argc, char** argv);

}  // namespace hone::cli
