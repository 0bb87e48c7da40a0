// The program: parses the command line, runs one command, turns its status into an exit code.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "base/strings.h"
#include "base/version.h"
#include "cli/command.h"
#include "cli/isa.h"

namespace hone::cli {

#define HONE_COMMAND(make) std::unique_ptr<Command> make();
#include "cli/commands.inc"
#undef HONE_COMMAND

namespace {

std::vector<std::unique_ptr<Command>> MakeCommands() {
  std::vector<std::unique_ptr<Command>> commands;
#define HONE_COMMAND(make) commands.push_back(make());
#include "cli/commands.inc"
#undef HONE_COMMAND
  return commands;
}

// Runs a command; what it printed must also have arrived.
base::Status RunAndFlush(Command& command) {
  try {
    HONE_RETURN_IF_ERROR(command.Run());
  } catch (const std::bad_alloc&) {
    return base::OutOfResource("out of memory; smaller batches or shorter texts need less");
  }
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return base::OutOfResource("cannot write all of the output");
  }
  return base::OkStatus();
}

int Main(int argc, char** argv) {
  if (const base::Status status = ReadIsaLimit(); !status.ok()) {
    std::fprintf(stderr, "hone: %s\n", std::string(status.message()).c_str());
    return kExitUsage;
  }
  CLI::App app("Hone: the fastest answer a small device can give.", "hone");
  app.set_version_flag("--version", base::StrCat("hone ", base::kVersion));
  app.require_subcommand(1);
  const std::vector<std::unique_ptr<Command>> commands = MakeCommands();
  std::vector<CLI::App*> subcommands;
  for (const std::unique_ptr<Command>& command : commands) {
    CLI::App* sub = app.add_subcommand(command->name(), command->summary());
    sub->footer("\nExample:\n" + command->example());
    Flags flags(sub);
    command->AddFlags(flags);
    subcommands.push_back(sub);
  }
  std::vector<std::string> guarded;
  std::vector<const char*> arguments;
  for (int i = 0; i < argc; ++i) guarded.push_back(GuardBrackets(argv[i]));
  for (const std::string& argument : guarded) arguments.push_back(argument.c_str());
  try {
    app.parse(argc, arguments.data());
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!subcommands[i]->parsed()) continue;
    const base::Status status = RunAndFlush(*commands[i]);
    if (status.ok()) return kExitOk;
    std::fprintf(stderr, "hone %s: %s\n", commands[i]->name().c_str(),
                 std::string(status.message()).c_str());
    return IsInvalidUsage(status) ? kExitUsage : kExitFailed;
  }
  return kExitUsage;
}

}  // namespace
}  // namespace hone::cli

int main(int argc, char** argv) {
  return hone::cli::Main(argc, argv);
}
