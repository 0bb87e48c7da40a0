#include "scheduler/policy.h"

namespace hone::scheduler {

#define HONE_POLICY(name, text) std::unique_ptr<Policy> Make##name##Policy();
#include "scheduler/policies/list.inc"
#undef HONE_POLICY

namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<Policy> (*make)();
};

constexpr Entry kPolicies[] = {
#define HONE_POLICY(name, text) {text, &Make##name##Policy},
#include "scheduler/policies/list.inc"
#undef HONE_POLICY
};

}  // namespace

base::StatusOr<std::unique_ptr<Policy>> MakePolicy(std::string_view name) {
  for (const Entry& entry : kPolicies) {
    if (entry.name == name) return entry.make();
  }
  return base::NotFound("\"", name, "\" is no policy; there are ", base::Join(PolicyNames(), ", "));
}

std::vector<std::string_view> PolicyNames() {
  std::vector<std::string_view> names;
  for (const Entry& entry : kPolicies) names.push_back(entry.name);
  return names;
}

}  // namespace hone::scheduler
