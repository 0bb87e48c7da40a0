// hone-train: the commands that train, and so need libtorch. `hone` hands over to it.
#include "cli/program.h"
#include "env/exec.h"

namespace hone::cli {

#define HONE_COMMAND(make) std::unique_ptr<Command> make();
#include "cli/training/commands.inc"
#undef HONE_COMMAND

namespace {

Program MakeProgram() {
  Program program;
  program.summary = "Hone: training, and compression with training.";
#define HONE_COMMAND(make) program.commands.push_back(make());
#include "cli/training/commands.inc"
#undef HONE_COMMAND
  return program;
}

}  // namespace
}  // namespace hone::cli

int main(int argc, char** argv) {
  // OpenMP's threads wait for each other by spinning, for milliseconds, on a processor that another
  // program may need: with seven programs on two cores, steps took 4 times as long and 7 times the
  // processor time as with waits cut to some 50 µs. Its library reads this before main.
  hone::env::RestartWith("GOMP_SPINCOUNT", "1000", argv);
  return hone::cli::RunProgram(hone::cli::MakeProgram(), argc, argv);
}
