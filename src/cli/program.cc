#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>

#include "base/strings.h"
#include "base/version.h"
#include "cli/input.h"
#include "cli/isa.h"
#include "cli/table.h"
#include "env/exec.h"
#include "env/temporaries.h"

namespace hone::cli {
namespace {

// Runs a command; what it printed must also have arrived.
base::Status RunAndFlush(Command& command) {
  try {
    HONE_RETURN_IF_ERROR(command.Run());
  } catch (const std::bad_alloc&) {
    return base::OutOfResource("out of memory; smaller batches or shorter texts need less");
  }
  std::fflush(stdout);
  return OutputStatus();
}

// Returns only where the other program cannot be run.
int HandOver(const Delegate& delegate, int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  const base::Status status = env::BecomeProgramBeside(delegate.program, arguments);
  return PrintError(delegate.name, base::NotFound(status.message(), "; ", delegate.without));
}

}  // namespace

int RunProgram(const Program& program, int argc, char** argv) {
  HoldStandardDescriptors();
  for (const Delegate& delegate : program.delegates) {
    if (argc > 1 && argv[1] == delegate.name) return HandOver(delegate, argc, argv);
  }
  if (const base::Status status = ReadIsaLimit(); !status.ok()) {
    std::fprintf(stderr, "hone: %s\n", status.message().c_str());
    return kExitUsage;
  }
  CLI::App app(program.summary, "hone");
  app.set_version_flag("--version", base::StrCat("hone ", base::kVersion));
  app.require_subcommand(1);
  std::vector<CLI::App*> subcommands;
  for (const std::unique_ptr<Command>& command : program.commands) {
    CLI::App* sub = app.add_subcommand(command->name(), command->summary());
    sub->footer("\nExample:\n" + command->example());
    Flags flags(sub);
    command->AddFlags(flags);
    subcommands.push_back(sub);
  }
  for (const Delegate& delegate : program.delegates) {
    app.add_subcommand(delegate.name, delegate.summary);  // for --help
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
  for (std::size_t i = 0; i < program.commands.size(); ++i) {
    if (!subcommands[i]->parsed()) continue;
    // A file that grows beyond a limit is that write's error, like a full disk.
    std::signal(SIGXFSZ, SIG_IGN);
    if (!program.commands[i]->ends_itself()) env::RemoveTemporariesWhenStopped();
    const base::Status status = RunAndFlush(*program.commands[i]);
    return status.ok() ? kExitOk : PrintError(program.commands[i]->name(), status);
  }
  return kExitUsage;
}

}  // namespace hone::cli
