// Hands this process over to another program.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace hone::env {

// Runs the program `name` in place of this one, with `arguments` (the first is what it calls
// itself): the one that lies beside this program's own file, or else the one on the PATH. Returns only
// where there is none, or it cannot be run.
base::Status BecomeProgramBeside(const std::string& name,
                                 const std::vector<std::string>& arguments);

// Begins this program anew with the variable set, for libraries that read it before main; does nothing
// where it is set already, or where the system cannot.
void RestartWith(const char* variable, const char* value, char** argv);

}  // namespace hone::env
