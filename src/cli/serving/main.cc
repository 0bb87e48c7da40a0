// hone-serve: the server, and so the one program that is linked to gRPC. `hone` hands over to it.
#include "cli/program.h"

namespace hone::cli {

#define HONE_COMMAND(make) std::unique_ptr<Command> make();
#include "cli/serving/commands.inc"
#undef HONE_COMMAND

namespace {

Program MakeProgram() {
  Program program;
  program.summary = "Hone: many models in one process, every accepted deadline kept.";
#define HONE_COMMAND(make) program.commands.push_back(make());
#include "cli/serving/commands.inc"
#undef HONE_COMMAND
  return program;
}

}  // namespace
}  // namespace hone::cli

int main(int argc, char** argv) {
  return hone::cli::RunProgram(hone::cli::MakeProgram(), argc, argv);
}
