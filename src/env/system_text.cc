#include "env/system_text.h"

#include <fstream>
#include <sstream>

namespace hone::env {

std::string ReadSystemText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace hone::env
