#include "load/load.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include "env/thread.h"
#include "load/generator.h"

namespace hone::load {
namespace {

constexpr int kSpareDescriptors = 32;  // of the program itself

double ThreadSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

base::StatusOr<LoadResult> RunLoad(const LoadRequest& request, const LoadProgress& progress) {
  HONE_ASSIGN_OR_RETURN(const std::vector<Planned> plan, MakePlan(request));
  HONE_ASSIGN_OR_RETURN(const Url url, ParseUrl(request.url));
  HONE_RETURN_IF_ERROR(AllowDescriptors(request.max_connections + kSpareDescriptors));
  HONE_ASSIGN_OR_RETURN(const Address address, FindServer(url));
  const int steps = std::max(1, static_cast<int>(request.ramp.size()));
  const auto generator = std::make_unique<Generator>(request, url, address, steps);
  // Real clients are elsewhere: the generator's own turn must not wait for the server's batches.
  env::RunPromptly();
  const double before_s = ThreadSeconds();
  HONE_RETURN_IF_ERROR(generator->Run(plan, progress));
  LoadResult result;
  result.processor_s = ThreadSeconds() - before_s;
  generator->Finish(&result);
  return result;
}

}  // namespace hone::load
