#include "cli/isa.h"

#include <cstdlib>

#include "kernels/isa_limit.h"

namespace hone::cli {
namespace {

base::Isa limit = base::DetectIsa();

}  // namespace

base::Status ReadIsaLimit() {
  const char* name = std::getenv("HONE_ISA");
  if (name == nullptr || *name == '\0') return base::OkStatus();
  const base::StatusOr<base::Isa> isa = base::ParseIsa(name);
  if (!isa.ok()) return base::Annotate(isa.status(), "HONE_ISA");
  if (!base::IsaUsable(base::DetectIsa(), *isa)) {
    return base::BadInput("HONE_ISA: this processor does not run ", name);
  }
  limit = *isa;
  kernels::LimitIsa(limit);
  return base::OkStatus();
}

base::Isa IsaLimit() {
  return limit;
}

}  // namespace hone::cli
