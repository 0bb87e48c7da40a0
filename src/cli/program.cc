#include "cli/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <utility>

#include "base/closest.h"
#include "base/strings.h"
#include "base/version.h"
#include "cli/input.h"
#include "cli/isa.h"
#include "cli/table.h"
#include "env/exec.h"
#include "env/temporaries.h"

namespace hone::cli {
namespace {

constexpr char kHelp[] = "help";

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

// One line, and where to read on; `command` may be empty.
int PrintUsageError(const std::string& command, const std::string& message) {
  const std::string of = base::StrCat("hone", command.empty() ? "" : " ", command);
  std::fprintf(stderr, "%s: %s (see %s --help)\n", of.c_str(), message.c_str(), of.c_str());
  return kExitUsage;
}

// Returns only where the other program cannot be run.
int HandOver(const Delegate& delegate, const std::vector<std::string>& arguments) {
  const base::Status status = env::BecomeProgramBeside(delegate.program, arguments);
  return PrintError(delegate.name, base::NotFound(status.message(), "; ", delegate.without));
}

// `hone help run` is `hone run --help`.
std::vector<std::string> WithoutHelp(std::vector<std::string> arguments) {
  if (arguments.size() < 2 || arguments[1] != kHelp) return arguments;
  arguments.erase(arguments.begin() + 1);
  if (arguments.size() > 1) arguments.resize(2);
  arguments.emplace_back("--help");
  return arguments;
}

// The first argument that is no flag; empty where there is none.
std::string CommandIn(const std::vector<std::string>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].starts_with('-')) return arguments[i];
  }
  return "";
}

std::vector<std::string> CommandNames(const Program& program) {
  std::vector<std::string> names;
  for (const std::unique_ptr<Command>& command : program.commands) names.push_back(command->name());
  for (const Delegate& delegate : program.delegates) names.push_back(delegate.name);
  return names;
}

// "unknown flag "--modl"; did you mean "--model"?", or else what there is.
std::string Unknown(std::string_view what, std::string_view word,
                    const std::vector<std::string>& names) {
  const std::string_view closest = base::Closest(word, {names.begin(), names.end()});
  return base::StrCat("unknown ", what, " \"", word, "\"; ",
                      closest.empty() ? base::StrCat("there are ", base::Join(names, ", "))
                                      : base::StrCat("did you mean \"", closest, "\"?"));
}

// Whether the arguments have a value for the option, as "--seq 8", "--seq=8", "-s 8" or "-s8".
bool IsGiven(const CLI::Option& option, const std::vector<std::string>& arguments) {
  return std::ranges::any_of(arguments, [&](const std::string& argument) {
    return std::ranges::any_of(option.get_lnames(),
                               [&](const std::string& name) {
                                 return argument.substr(0, argument.find('=')) == "--" + name;
                               }) ||
           std::ranges::any_of(option.get_snames(), [&](const std::string& name) {
             return argument.starts_with("-" + name);
           });
  });
}

// An error of CLI11's begins with the flag. Where its value is the environment's, that is to be named.
std::string NameVariable(const CLI::App& sub, const std::vector<std::string>& arguments,
                         const std::string& message) {
  for (const CLI::Option* option : sub.get_options()) {
    const std::string flag = option->get_name();
    if (!message.starts_with(flag + ":") || IsGiven(*option, arguments)) continue;
    const std::string variable = option->get_envname();
    if (!variable.empty() && std::getenv(variable.c_str()) != nullptr) {
      return variable + message.substr(flag.size());
    }
  }
  return message;
}

// What is wrong with a command's arguments. A flag that it does not have comes before all else: what is
// missing is probably what it was to be.
std::string Explain(const CLI::App& app, const CLI::App& sub,
                    const std::vector<std::string>& arguments, const CLI::ParseError& error) {
  const std::vector<std::string> left = app.remaining(true);
  const auto flag = std::ranges::find_if(left, [](const std::string& argument) {
    return argument.starts_with('-') && argument.find_first_not_of('-') != std::string::npos;
  });
  if (flag != left.end()) {
    std::vector<std::string> names;
    for (const CLI::Option* option : sub.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return Unknown("flag", flag->substr(0, flag->find('=')), names);
  }
  const bool unexpected = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  if (!unexpected || left.empty()) return NameVariable(sub, arguments, error.what());
  return base::StrCat("unexpected argument \"", left.front(), "\"");
}

// The command that the arguments name, and where its flags are.
struct Chosen {
  CLI::App* app;
  Command* command = nullptr;
};

Chosen AddCommands(const Program& program, const std::string& name, CLI::App& app) {
  Chosen chosen{&app};
  for (const std::unique_ptr<Command>& command : program.commands) {
    CLI::App* sub = app.add_subcommand(command->name(), command->summary());
    // The others have no flags: CLI11 would take their values from the environment, and find them wrong.
    if (command->name() != name) continue;
    chosen = {sub, command.get()};
    sub->footer("\nExample:\n" + command->example());
    Flags flags(sub);
    command->AddFlags(flags);
  }
  for (const Delegate& delegate : program.delegates) {
    app.add_subcommand(delegate.name, delegate.summary);  // for --help
  }
  app.add_subcommand(kHelp, "say what a command does and which flags it has");  // for --help
  return chosen;
}

}  // namespace

int RunProgram(const Program& program, int argc, char** argv) {
  HoldStandardDescriptors();
  const std::vector<std::string> arguments = WithoutHelp({argv, argv + argc});
  const std::string name = CommandIn(arguments);
  for (const Delegate& delegate : program.delegates) {
    if (name == delegate.name) return HandOver(delegate, arguments);
  }
  if (const base::Status status = ReadIsaLimit(); !status.ok()) {
    std::fprintf(stderr, "hone: %s\n", status.message().c_str());
    return kExitUsage;
  }
  CLI::App app(program.summary, "hone");
  app.set_version_flag("--version", base::StrCat("hone ", base::kVersion));
  const auto [sub, command] = AddCommands(program, name, app);
  if (command == nullptr && !name.empty()) {
    return PrintUsageError("", Unknown("command", name, CommandNames(program)));
  }
  std::vector<std::string> guarded;
  std::vector<const char*> words;
  for (const std::string& argument : arguments) guarded.push_back(GuardBrackets(argument));
  for (const std::string& argument : guarded) words.push_back(argument.c_str());
  try {
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0)
      return PrintUsageError(name, WithoutGuards(Explain(app, *sub, arguments, error)));
    return app.exit(error);  // prints the help or the version
  }
  if (command == nullptr) {
    return PrintUsageError("", "expected a command: " + base::Join(CommandNames(program), ", "));
  }
  // A file that grows beyond a limit is that write's error, like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  if (!command->ends_itself()) env::RemoveTemporariesWhenStopped();
  const base::Status status = RunAndFlush(*command);
  return status.ok() ? kExitOk : PrintError(name, status);
}

}  // namespace hone::cli
