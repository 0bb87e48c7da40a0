// What holds for the service's settings and between them, wherever each was said: in a file, by a flag, by a
// caller.
#pragma once

#include <optional>
#include <string>

#include "server/service.h"

namespace hone::server {

struct WrongSetting {
  std::string setting;  // as the configuration file calls it: "models: intent: limit_memory"
  std::string what;     // is wrong with it
};

// Cores for computing: as many as were asked for, or all that this process may use.
int CoresOf(const ServiceOptions& options);

// Nothing: all is well. What stands for itself, such as the name of a policy, is looked at where it is used.
std::optional<WrongSetting> CheckOptions(const ServiceOptions& options);

}  // namespace hone::server
