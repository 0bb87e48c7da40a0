#include "server/service.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "env/clock.h"
#include "env/cpus.h"
#include "planner/layouts.h"
#include "planner/model_state.h"
#include "scheduler/policy.h"
#include "server/config/check_options.h"
#include "server/dispatch/background.h"
#include "server/dispatch/dispatcher.h"
#include "server/dispatch/resources.h"
#include "server/models/kept_tables.h"
#include "server/models/open_model.h"

namespace hone::server {
namespace {

// For all models together: what a start may cost where nothing was kept.
constexpr double kMeasureMs = 1000;

class ServiceImpl : public Service {
 public:
  ServiceImpl(env::FileSystem& files, const ServiceOptions& options, int cores)
      : files_(files),
        options_(options),
        kept_(files, options.table_cache, DeviceName(options.isa, cores), options.warn) {}
  ~ServiceImpl() override {
    if (dispatcher_) dispatcher_->Stop();
    if (background_) background_->Stop();
    if (dispatcher_) KeepLearnt();
  }

  base::Status Open(planner::Layouts layouts);

  std::shared_ptr<const Endpoint> Find(const std::string& name) const override {
    const std::lock_guard lock(mutex_);
    const auto found = endpoints_.find(name);
    return found == endpoints_.end() ? nullptr : found->second;
  }
  std::shared_ptr<const Endpoint> Only() const override {
    const std::lock_guard lock(mutex_);
    // Of those configured: a model that failed to load is still one that a client may have meant.
    if (options_.models.size() != 1 || endpoints_.empty()) return nullptr;
    return endpoints_.begin()->second;
  }
  std::vector<std::shared_ptr<const Endpoint>> Endpoints() const override {
    const std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<const Endpoint>> result;
    for (const ModelOptions& model : options_.models) {
      const auto found = endpoints_.find(model.name);
      if (found != endpoints_.end()) result.push_back(found->second);
    }
    return result;
  }

  std::optional<std::string> WhyAbsent(const std::string& name) const override {
    const std::lock_guard lock(mutex_);
    if (name.empty() && options_.models.size() != 1) return std::nullopt;
    const auto found = errors_.find(name.empty() ? options_.models.front().name : name);
    if (found == errors_.end()) return std::nullopt;
    return found->second;
  }

  Ticket Submit(Query query, Done done) override {
    return dispatcher_->Submit(std::move(query), std::move(done));
  }
  void Cancel(Ticket ticket) override { dispatcher_->Cancel(ticket); }
  void Sent(base::TimeNs after) override { dispatcher_->Sent(after); }

  base::Status Load(const std::string& name) override;
  base::Status Unload(const std::string& name) override;
  ServiceStatus Status() const override;
  const ServiceOptions& options() const override { return options_; }
  bool Drain(double seconds) override {
    draining_ = true;
    return dispatcher_->Drain(seconds);
  }
  int GiveUp() override { return dispatcher_->GiveUpAll(); }

 private:
  OpenContext Context(std::vector<std::shared_ptr<base::ThreadPool>> pools) {
    return {.files = files_,
            .isa = options_.isa,
            .kept = kept_,
            .widths = dispatcher_->layouts().widths,
            .pools = std::move(pools)};
  }
  // Which rungs of the models begin in memory.
  base::StatusOr<std::vector<std::vector<bool>>> FirstResidents(
      const std::vector<const ModelFiles*>& models, const std::vector<const ModelOptions*>& options,
      std::uint64_t budget_bytes) const;
  base::Status LoadNow(const ModelOptions& options);
  std::uint64_t BytesOfOthers(const std::string& name) const;
  void KeepLearnt();
  base::Status Change(const std::function<base::Status()>& change);
  base::StatusOr<const ModelOptions*> Configured(const std::string& name) const;

  env::FileSystem& files_;
  const ServiceOptions options_;
  KeptTables kept_;  // of Open, then of the background thread, then of the destructor
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<ResourceKeeper> keeper_;
  std::unique_ptr<BackgroundThread> background_;
  std::atomic<bool> draining_ = false;

  mutable std::mutex mutex_;                                          // of what follows
  std::map<std::string, std::shared_ptr<const Endpoint>> endpoints_;  // that can be asked
  std::map<std::string, std::string> errors_;                         // why the others cannot
};

base::Status ServiceImpl::Open(planner::Layouts layouts) {
  HONE_ASSIGN_OR_RETURN(auto policy, scheduler::MakePolicy(options_.policy));
  dispatcher_ = std::make_unique<Dispatcher>(options_, std::move(layouts), std::move(policy),
                                             [this] { background_->Wake(); });
  keeper_ = std::make_unique<ResourceKeeper>(files_, options_, *dispatcher_);
  std::vector<std::shared_ptr<base::ThreadPool>> pools;
  for (const std::vector<int>& split : dispatcher_->layouts().splits) {
    pools.push_back(dispatcher_->pool(split.front()));
  }
  OpenContext context = Context(std::move(pools));

  struct Opening {
    const ModelOptions* options;
    std::unique_ptr<TokenizerLoad> tokenizer;
    base::StatusOr<ModelFiles> files;
  };
  std::vector<Opening> opening;
  std::size_t to_measure = 0;
  for (const ModelOptions& model : options_.models) {
    opening.push_back({&model, nullptr, ReadModelFiles(files_, model)});
    base::StatusOr<ModelFiles>& read = opening.back().files;
    if (!read.ok()) continue;
    opening.back().tokenizer = std::make_unique<TokenizerLoad>(files_, read->common_directory);
    if (!kept_.Read(*read, context.widths)) {
      to_measure += read->rungs.size() * context.widths.size();
    }
  }
  context.measure_ms = kMeasureMs / static_cast<double>(std::max<std::size_t>(to_measure, 1));
  std::vector<const ModelFiles*> read;
  std::vector<const ModelOptions*> read_options;
  for (const Opening& model : opening) {
    if (!model.files.ok()) continue;
    read.push_back(&*model.files);
    read_options.push_back(model.options);
  }
  std::vector<std::vector<bool>> residents;
  if (options_.memory_bytes > 0) {
    HONE_ASSIGN_OR_RETURN(residents, FirstResidents(read, read_options, options_.memory_bytes));
  } else {
    for (const ModelFiles* model : read) residents.emplace_back(model->rungs.size(), true);
  }
  auto resident = residents.begin();
  for (Opening& model : opening) {
    const auto open = [&]() -> base::StatusOr<NewModel> {
      HONE_RETURN_IF_ERROR(model.files.status());
      return OpenModel(context, *model.options, *std::move(model.files), *model.tokenizer,
                       *resident++);
    };
    base::StatusOr<NewModel> opened = open();
    const std::string& name = model.options->name;
    if (opened.ok()) {
      endpoints_[name] = dispatcher_->AddModel(*std::move(opened));
    } else {
      errors_[name] = opened.status().message();
    }
  }
  if (endpoints_.empty()) {
    std::string errors;
    for (const auto& [name, error] : errors_) {
      base::StrAppend(&errors, errors.empty() ? "" : "\n", name, ": ", error);
    }
    return base::BadInput(errors);
  }
  background_ = std::make_unique<BackgroundThread>([this](double seconds) {
    dispatcher_->RemoveClosed();
    keeper_->Look(seconds);
  });
  dispatcher_->Start();
  return base::OkStatus();
}

base::StatusOr<std::vector<std::vector<bool>>> ServiceImpl::FirstResidents(
    const std::vector<const ModelFiles*>& models, const std::vector<const ModelOptions*>& options,
    std::uint64_t budget_bytes) const {
  std::vector<planner::ModelState> states;
  for (std::size_t m = 0; m < models.size(); ++m) {
    planner::ModelState& state = states.emplace_back();
    state.pinned = options[m]->pinned;
    state.reserved_bytes = options[m]->reserved_bytes;
    state.limit_bytes = options[m]->limit_bytes;
    for (const RungFiles& rung : models[m]->rungs) {
      const base::StatusOr<std::uint64_t> bytes = PredictPackedBytes(files_, rung);
      // One that cannot be opened fails when it is loaded, and takes nothing until then.
      state.rungs.push_back({.bytes = bytes.ok() ? *bytes : 0, .accuracy = rung.accuracy});
      const std::optional<std::string> never =
          WhyNever(state.rungs.back().bytes, options_.memory_bytes, state.limit_bytes);
      if (never && !state.pinned && options_.warn) {
        options_.warn(base::StrCat("the rung \"", rung.name, "\" of \"", options[m]->name,
                                   "\" will never be used: it ", *never));
      }
    }
  }
  return planner::FirstResident(states, budget_bytes);
}

base::StatusOr<const ModelOptions*> ServiceImpl::Configured(const std::string& name) const {
  for (const ModelOptions& model : options_.models) {
    if (model.name == name) return &model;
  }
  std::vector<std::string> names;
  for (const ModelOptions& model : options_.models) names.push_back(model.name);
  return base::NotFound("there is no model \"", name, "\"; the configuration has ",
                        base::Join(names, ", "));
}

// The next start begins with what this one has learnt. Nothing depends on it.
void ServiceImpl::KeepLearnt() {
  dispatcher_->VisitModels([&](int, ServedModel& model, const scheduler::Model&) {
    std::optional<planner::TableFile> learnt = model.Learnt();
    if (learnt) kept_.Write(model.content, *std::move(learnt));
  });
}

// What the other models hold, or have reserved.
std::uint64_t ServiceImpl::BytesOfOthers(const std::string& name) const {
  ServiceStatus status;
  dispatcher_->AddStatus(&status);
  std::uint64_t sum = 0;
  for (const ModelOptions& model : options_.models) {
    if (model.name == name) continue;
    std::uint64_t bytes = 0;
    for (const ModelStatus& there : status.models) {
      if (there.endpoint->name == model.name) bytes += there.resident_bytes;
    }
    sum += std::max(bytes, model.reserved_bytes);
  }
  return sum;
}

base::Status ServiceImpl::LoadNow(const ModelOptions& options) {
  OpenContext context = Context({std::make_shared<base::ThreadPool>(1)});
  context.measure_ms = kMeasureMs / 4;
  const auto open = [&]() -> base::StatusOr<NewModel> {
    HONE_ASSIGN_OR_RETURN(ModelFiles files, ReadModelFiles(files_, options));
    TokenizerLoad tokenizer(files_, files.common_directory);
    std::vector<bool> resident(files.rungs.size(), true);
    if (options_.memory_bytes > 0) {
      // What does not fit beside the others comes when it is asked for. The one it replaces leaves in a moment.
      const std::uint64_t others = BytesOfOthers(options.name);
      const std::uint64_t free_bytes =
          options_.memory_bytes - std::min(options_.memory_bytes, others);
      HONE_ASSIGN_OR_RETURN(
          const auto chosen,
          FirstResidents({&files}, {&options}, std::max<std::uint64_t>(free_bytes, 1)));
      resident = chosen.front();
    }
    HONE_ASSIGN_OR_RETURN(NewModel opened,
                          OpenModel(context, options, std::move(files), tokenizer, resident));
    std::string failed;
    for (const RungInfo& rung : opened.infos) {
      if (rung.state == RungState::kFailed) {
        base::StrAppend(&failed, failed.empty() ? "" : "; ", "rung ", rung.name, ": ", rung.error);
      }
    }
    if (failed.empty()) return opened;
    // What is there serves on rather than less; what is not is better than nothing.
    if (Find(options.name) != nullptr) return base::BadInput(failed);
    if (options_.warn) options_.warn(base::StrCat(options.name, ", ", failed));
    return opened;
  };
  base::StatusOr<NewModel> opened = open();
  if (!opened.ok()) {
    const std::lock_guard lock(mutex_);
    if (!endpoints_.contains(options.name)) {
      errors_[options.name] = opened.status().message();
    }
    return opened.status();
  }
  std::shared_ptr<const Endpoint> endpoint = dispatcher_->AddModel(*std::move(opened));
  {
    const std::lock_guard lock(mutex_);
    std::swap(endpoints_[options.name], endpoint);
    errors_.erase(options.name);
  }
  if (endpoint) dispatcher_->CloseModel(endpoint->number);
  return base::OkStatus();
}

// In the background, where it keeps nobody waiting; not any more once the server shuts down. Models that were
// closed and are quiet go first, since a new one takes their place, and behind it the one it closed.
base::Status ServiceImpl::Change(const std::function<base::Status()>& change) {
  base::Status status = base::Unavailable("the server is shutting down");
  background_->Run([&] {
    if (draining_) return;
    dispatcher_->RemoveClosed();
    try {
      status = change();
    } catch (const std::bad_alloc&) {  // of a tokenizer, say; the others serve on
      status = base::OutOfResource("there is not memory enough for the model");
    }
    dispatcher_->RemoveClosed();
  });
  return status;
}

base::Status ServiceImpl::Load(const std::string& name) {
  HONE_ASSIGN_OR_RETURN(const ModelOptions* options, Configured(name));
  return Change([&]() -> base::Status {
    const base::Status loaded = LoadNow(*options);
    // Whatever it is that is not there: the model is known.
    return loaded.ok() ? loaded : base::Unavailable(loaded.message());
  });
}

base::Status ServiceImpl::Unload(const std::string& name) {
  HONE_RETURN_IF_ERROR(Configured(name).status());
  return Change([&]() -> base::Status {
    std::shared_ptr<const Endpoint> endpoint;
    {
      const std::lock_guard lock(mutex_);
      const auto found = endpoints_.find(name);
      if (found == endpoints_.end()) return base::OkStatus();
      endpoint = std::move(found->second);
      endpoints_.erase(found);
      errors_[name] = "unloaded";
    }
    dispatcher_->CloseModel(endpoint->number);
    return base::OkStatus();
  });
}

ServiceStatus ServiceImpl::Status() const {
  ServiceStatus status;
  status.memory_bytes = options_.memory_bytes;
  dispatcher_->AddStatus(&status);
  const std::lock_guard lock(mutex_);
  for (const auto& [name, error] : errors_) {
    ModelStatus& model = status.models.emplace_back();
    Endpoint endpoint;
    endpoint.name = name;
    for (const ModelOptions& options : options_.models) {
      if (options.name == name) endpoint.directory = options.directory;
    }
    model.endpoint = std::make_shared<const Endpoint>(std::move(endpoint));
    model.error = error;
  }
  return status;
}

}  // namespace

const char* NameOf(RungState state) {
  switch (state) {
    case RungState::kOnDisk: return "on_disk";
    case RungState::kLoading: return "loading";
    case RungState::kReady: return "ready";
    case RungState::kFailed: return "failed";
  }
  return "";
}

base::StatusOr<std::unique_ptr<Service>> Service::Start(env::FileSystem& files,
                                                        const ServiceOptions& options) {
  if (const std::optional<WrongSetting> wrong = CheckOptions(options)) {
    return base::BadInput(wrong->setting, ": ", wrong->what);
  }
  const int cores = CoresOf(options);
  HONE_ASSIGN_OR_RETURN(planner::Layouts layouts, planner::MakeLayouts(cores, options.split));
  // A quota or fewer threads than processors: others are on them too, and the system moves threads better.
  layouts.pinned = cores == env::UsableCpus() && cores == env::AffinityCpus();
  auto service = std::make_unique<ServiceImpl>(files, options, cores);
  HONE_RETURN_IF_ERROR(service->Open(std::move(layouts)));
  return service;
}

}  // namespace hone::server
