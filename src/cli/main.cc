// hone: everything that needs neither training nor a server. Never linked to libtorch or gRPC.
#include "cli/program.h"

namespace hone::cli {

#define HONE_COMMAND(make) std::unique_ptr<Command> make();
#include "cli/commands.inc"
#undef HONE_COMMAND

namespace {

constexpr char kWithoutTraining[] =
    "it is built where libtorch is: ./dev build installs it (or cmake -DHONE_TRAIN=ON)";
constexpr char kWithoutServing[] =
    "it is built where gRPC is: ./dev build installs it (or cmake -DHONE_SERVE=ON)";

Program MakeProgram() {
  Program program;
  program.summary = "Hone: the fastest answer a small device can give.";
#define HONE_COMMAND(make) program.commands.push_back(make());
#include "cli/commands.inc"
#undef HONE_COMMAND
  program.delegates = {
      {"train", "fine-tune a model for a task, or distil it from another", "hone-train",
       kWithoutTraining},
      {"compress", "make a ladder of smaller, faster models for latency targets on this device",
       "hone-train", kWithoutTraining},
      {"serve", "serve models over HTTP and gRPC, every accepted deadline kept", "hone-serve",
       kWithoutServing},
  };
  return program;
}

}  // namespace
}  // namespace hone::cli

int main(int argc, char** argv) {
  return hone::cli::RunProgram(hone::cli::MakeProgram(), argc, argv);
}
