// HONE_ISA for tests: the level that kernels and engines are held to in this run.
#pragma once

#include <cstdlib>

#include "base/check.h"
#include "base/isa.h"

namespace hone::tests {

// The processor's best, or what HONE_ISA names; a name that is unknown is a CHECK.
inline base::Isa IsaLimit() {
  const char* name = std::getenv("HONE_ISA");
  if (name == nullptr || *name == '\0') return base::DetectIsa();
  const base::StatusOr<base::Isa> isa = base::ParseIsa(name);
  HONE_CHECK(isa.ok());
  return *isa;
}

}  // namespace hone::tests
