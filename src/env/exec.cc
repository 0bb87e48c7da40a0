#include "env/exec.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace hone::env {

base::Status BecomeProgramBeside(const std::string& name,
                                 const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string folder = error ? "." : self.parent_path().string();
  const std::string beside = folder + "/" + name;
  execv(beside.c_str(), argv.data());
  int why = errno;
  if (why == ENOENT) {
    execvp(name.c_str(), argv.data());
    why = errno;
  }
  if (why == ENOENT) {
    return base::NotFound("the program ", name, " is neither in ", folder, " nor on the PATH");
  }
  return base::OutOfResource(beside, ": cannot be run: ", std::strerror(why));
}

void RestartWith(const char* variable, const char* value, char** argv) {
  if (std::getenv(variable) != nullptr || setenv(variable, value, 0) != 0) return;
  execv("/proc/self/exe", argv);
}

}  // namespace hone::env
