// The policies' behaviour as text tables: every case of cases/<policy>.txt, in made-up time, batches
// exactly as predicted. A policy without such a file fails.
//
//   case a burst gives up accuracy                 begins a case
//   cores 2                                        executors of one thread; default 1
//   set overhead=0.3ms max_queued=2 max_batch=25ms of Setup
//   model intent accurate=0.95:1ms+3ms fast=0.9:1ms+1ms max_texts=8
//                                                  rungs: accuracy, time of a batch + of each 32 tokens
//   at 3ms submit b model=intent tokens=32 deadline=20ms tenant=1 priority=high texts=2
//   at 3ms submit 10 x model=…                     x1 to x10
//   at 4ms cancel b
//   at 5ms unload intent accurate                  no longer in memory; load: the reverse
//   expect b finishes by 18ms on rung fast with c  each part may be left out
//   expect b refused share                         deadline, queue_full, not_resident; or any
//   expect b after c                               begins later
//   expect b expired                               or cancelled
//   expect 7 x finish on rung fast                 at least 7 of x1, x2, …, and
//   expect 3 x refused                             exactly 3
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/strings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/scheduler.h"

namespace hone::scheduler {
namespace {

using Words = std::vector<std::string>;

TimeNs Ms(const std::string& text) {
  return std::llround(std::strtod(text.c_str(), nullptr) * base::kMillisecondNs);
}

// The value of the word "name=value"; `fallback` where there is none.
std::string Option(const Words& words, const std::string& name, const std::string& fallback) {
  for (const std::string& word : words) {
    if (word.starts_with(name + "=")) return word.substr(name.size() + 1);
  }
  return fallback;
}

// Of the words from `from` on each is NAME=VALUE with one of these names.
void ExpectOptions(const Words& words, std::size_t from, const std::set<std::string>& names) {
  for (std::size_t i = from; i < words.size(); ++i) {
    const std::string name = words[i].substr(0, words[i].find('='));
    EXPECT_TRUE(names.contains(name) && name != words[i]) << "\"" << words[i] << "\" says nothing";
  }
}

struct Outcome {
  Refusal refusal = Refusal::kNone;
  bool sent = false, expired = false, cancelled = false;
  TimeNs begin = -1, end = -1;
  std::string rung;
  Words with;
};

class Case {
 public:
  explicit Case(std::string name) : name_(std::move(name)) {}

  void Read(int line, const Words& words);
  void Run(std::string_view policy);

 private:
  struct Event {
    TimeNs at = 0;
    int line = 0;
    Words words;  // from the verb on
  };
  struct Expectation {
    int line = 0;
    Words words;
  };

  void ReadModel(const Words& words);
  void Act(Scheduler& scheduler, const Event& event);
  void Submit(Scheduler& scheduler, const Event& event);
  int ModelNamed(const std::string& name) const;
  void Check(const Expectation& expectation);
  bool Meets(const Outcome& outcome, const Words& claim, std::size_t from) const;
  std::string Describe(const Outcome& outcome) const;

  std::string name_;
  int cores_ = 1;
  Setup setup_{.widths = {1}};
  std::vector<Event> events_;
  std::vector<Expectation> expectations_;
  std::map<std::string, Outcome> outcomes_;
  std::vector<std::string> names_;  // by id
};

void Case::ReadModel(const Words& words) {
  Model model{.name = words[1], .rungs = {}};
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals), value = words[i].substr(equals + 1);
    if (name == "max_texts") {
      model.max_texts = std::atoi(value.c_str());
    } else if (name == "limit") {
      model.limit_cores = std::atof(value.c_str());
    } else if (name == "reserved") {
      model.reserved_cores = std::atof(value.c_str());
    } else if (name == "max_executors") {
      model.max_executors = std::atoi(value.c_str());
    } else {
      const double fixed = std::atof(value.substr(value.find(':') + 1).c_str());
      const double each = std::atof(value.substr(value.find('+') + 1).c_str());
      planner::LatencyGrid grid{.lengths = {32, 64}, .texts = {1, 64}, .ms = {}};
      for (const int length : grid.lengths) {
        for (const int texts : grid.texts) grid.ms.push_back(fixed + each * texts * length / 32);
      }
      model.rungs.push_back({.name = name,
                             .accuracy = std::atof(value.c_str()),
                             .tables = {*planner::LatencyTable::FromGrid(std::move(grid))}});
    }
  }
  setup_.models.push_back(std::move(model));
}

void Case::Read(int line, const Words& words) {
  if (words[0] == "cores") {
    cores_ = std::atoi(words[1].c_str());
  } else if (words[0] == "set") {
    ExpectOptions(words, 1, {"overhead", "max_batch", "max_queued"});
    setup_.overhead_ns = Ms(Option(words, "overhead", "0.3ms"));
    setup_.max_batch_ns = Ms(Option(words, "max_batch", "25ms"));
    setup_.max_queued = std::atoi(Option(words, "max_queued", "4096").c_str());
  } else if (words[0] == "model") {
    ReadModel(words);
  } else if (words[0] == "at" && words.size() > 3) {
    events_.push_back({Ms(words[1]), line, Words(words.begin() + 2, words.end())});
  } else if (words[0] == "expect" && words.size() > 2) {
    expectations_.push_back({line, Words(words.begin() + 1, words.end())});
  } else {
    ADD_FAILURE() << "line " << line << ": not understood";
  }
}

int Case::ModelNamed(const std::string& name) const {
  for (std::size_t m = 0; m < setup_.models.size(); ++m) {
    if (setup_.models[m].name == name) return static_cast<int>(m);
  }
  ADD_FAILURE() << "case " << name_ << ": no model " << name;
  return 0;
}

void Case::Submit(Scheduler& scheduler, const Event& event) {
  const Words& words = event.words;
  const int count = std::atoi(words[1].c_str());
  ExpectOptions(words, count > 0 ? 3 : 2,
                {"model", "tokens", "deadline", "tenant", "priority", "texts"});
  for (int i = 1; i <= std::max(count, 1); ++i) {
    const std::string name = count > 0 ? base::StrCat(words[2], i) : words[1];
    const std::string priority = Option(words, "priority", "normal");
    Item item{.id = names_.size(),
              .model = ModelNamed(Option(words, "model", setup_.models[0].name)),
              .tenant = std::atoi(Option(words, "tenant", "0").c_str()),
              .priority = priority == "high"  ? Priority::kHigh
                          : priority == "low" ? Priority::kLow
                                              : Priority::kNormal,
              .arrival = event.at,
              .deadline = event.at + Ms(Option(words, "deadline", "100ms")),
              .texts = std::atoi(Option(words, "texts", "1").c_str()),
              .tokens = std::atoi(Option(words, "tokens", "32").c_str())};
    names_.push_back(name);
    outcomes_[name].sent = true;
    outcomes_[name].refusal = scheduler.Submit(item, event.at).refusal;
  }
}

void Case::Act(Scheduler& scheduler, const Event& event) {
  const Words& words = event.words;
  if (words[0] == "submit") {
    Submit(scheduler, event);
  } else if (words[0] == "cancel") {
    const auto found = std::find(names_.begin(), names_.end(), words[1]);
    outcomes_[words[1]].cancelled =
        scheduler.Cancel(static_cast<std::uint64_t>(found - names_.begin()));
  } else if (words[0] == "load" || words[0] == "unload") {
    const int model = ModelNamed(words[1]);
    const auto& rungs = setup_.models[static_cast<std::size_t>(model)].rungs;
    for (std::size_t r = 0; r < rungs.size(); ++r) {
      if (words.size() > 2 && rungs[r].name != words[2]) continue;
      scheduler.SetResident(model, static_cast<int>(r), words[0] == "load");
    }
  } else {
    ADD_FAILURE() << "line " << event.line << ": not understood";
  }
}

void Case::Run(std::string_view policy) {
  for (int i = 0; i < cores_; ++i) setup_.executors.push_back({});
  std::stable_sort(events_.begin(), events_.end(),
                   [](const Event& a, const Event& b) { return a.at < b.at; });
  Scheduler scheduler(setup_, *MakePolicy(policy));
  std::vector<TimeNs> busy_until(setup_.executors.size(), -1);
  for (std::size_t next = 0;;) {
    TimeNs now = next < events_.size() ? events_[next].at : base::kNeverNs;
    for (const TimeNs until : busy_until) now = until >= 0 ? std::min(now, until) : now;
    if (now == base::kNeverNs) break;
    for (std::size_t e = 0; e < busy_until.size(); ++e) {
      if (busy_until[e] != now) continue;
      scheduler.Finished(static_cast<int>(e), now);
      busy_until[e] = -1;
    }
    for (; next < events_.size() && events_[next].at == now; ++next) Act(scheduler, events_[next]);
    for (const Item& item : scheduler.TakeExpired(now)) outcomes_[names_[item.id]].expired = true;
    for (std::size_t e = 0; e < busy_until.size(); ++e) {
      const auto batch = scheduler.Next(static_cast<int>(e), now);
      if (!batch) continue;
      busy_until[e] = now + batch->expected_ns;
      const Model& model = setup_.models[static_cast<std::size_t>(batch->model)];
      for (const Item& item : batch->items) {
        Outcome& outcome = outcomes_[names_[item.id]];
        outcome.begin = now;
        outcome.end = busy_until[e];
        outcome.rung = model.rungs[static_cast<std::size_t>(batch->rung)].name;
        for (const Item& other : batch->items) outcome.with.push_back(names_[other.id]);
      }
    }
  }
  EXPECT_FALSE(expectations_.empty()) << "case " << name_ << " expects nothing";
  for (const Expectation& expectation : expectations_) Check(expectation);
}

// "finishes by 18ms on rung fast with c", "refused share", "expired", "cancelled", "after c".
bool Case::Meets(const Outcome& outcome, const Words& claim, std::size_t from) const {
  if (claim[from] == "refused") {
    return outcome.refusal != Refusal::kNone &&
           (claim.size() == from + 1 || claim[from + 1] == NameOf(outcome.refusal));
  }
  if (claim[from] == "expired") return outcome.expired;
  if (claim[from] == "cancelled") return outcome.cancelled && outcome.end < 0;
  if (outcome.end < 0) return false;
  if (claim[from] == "after") {
    const auto other = outcomes_.find(claim[from + 1]);
    return other != outcomes_.end() && other->second.begin >= 0 &&
           outcome.begin > other->second.begin;
  }
  if (claim[from] != "finishes" && claim[from] != "finish") return false;
  for (std::size_t i = from + 1; i < claim.size();) {
    if (claim[i] == "by" && outcome.end > Ms(claim[i + 1])) return false;
    if (claim[i] == "alone" && outcome.with.size() != 1) return false;
    if (claim[i] == "on" && outcome.rung != claim[i + 2]) return false;
    if (claim[i] == "with" &&
        std::find(outcome.with.begin(), outcome.with.end(), claim[i + 1]) == outcome.with.end()) {
      return false;
    }
    const bool known =
        claim[i] == "by" || claim[i] == "with" || claim[i] == "on" || claim[i] == "alone";
    EXPECT_TRUE(known) << "case " << name_ << ": \"" << claim[i] << "\" claims nothing";
    i += claim[i] == "on" ? 3 : claim[i] == "alone" ? 1 : 2;
  }
  return true;
}

std::string Case::Describe(const Outcome& outcome) const {
  if (!outcome.sent) return "never submitted";
  if (outcome.refusal != Refusal::kNone) return base::StrCat("refused ", NameOf(outcome.refusal));
  if (outcome.expired) return "expired";
  if (outcome.cancelled) return "cancelled";
  return base::StrCat("began ", base::Fixed(double(outcome.begin) / 1e6, 3), "ms, finished by ",
                      base::Fixed(double(outcome.end) / 1e6, 3), "ms on rung ", outcome.rung,
                      " with ", base::Join(outcome.with, ","));
}

void Case::Check(const Expectation& expectation) {
  const Words& words = expectation.words;
  const int count = std::atoi(words[0].c_str());
  if (count == 0 && words[0] != "0") {
    const Outcome& outcome = outcomes_[words[0]];
    EXPECT_TRUE(Meets(outcome, words, 1)) << "case " << name_ << ", line " << expectation.line
                                          << ": " << words[0] << " " << Describe(outcome);
    return;
  }
  int met = 0, of = 0;
  std::string others;
  for (const auto& [name, outcome] : outcomes_) {
    const bool numbered = name.starts_with(words[1]) && name.size() > words[1].size() &&
                          std::isdigit(name[words[1].size()]);
    if (!numbered) continue;
    ++of;
    met += Meets(outcome, words, 2);
    base::StrAppend(&others, "  ", name, ": ", Describe(outcome), "\n");
  }
  EXPECT_GT(of, 0) << "case " << name_ << ", line " << expectation.line << ": there are no "
                   << words[1] << "1, " << words[1] << "2, …";
  const bool exact = words[2] == "refused";
  EXPECT_TRUE(exact ? met == count : met >= count)
      << "case " << name_ << ", line " << expectation.line << ": it was " << met << "\n"
      << others;
}

class Cases : public testing::TestWithParam<std::string_view> {};

TEST_P(Cases, Hold) {
  const std::string path =
      base::StrCat(HONE_SOURCE_DIR, "/src/scheduler/cases/", GetParam(), ".txt");
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::vector<Case> cases;
  std::string text;
  for (int line = 1; std::getline(file, text); ++line) {
    std::istringstream stream(text.substr(0, text.find('#')));
    Words words;
    for (std::string word; stream >> word;) words.push_back(word);
    if (words.empty()) continue;
    if (words[0] == "case") {
      cases.emplace_back(text.substr(5));
      continue;
    }
    ASSERT_FALSE(cases.empty() || words.size() < 2) << path << ":" << line;
    cases.back().Read(line, words);
  }
  EXPECT_GE(cases.size(), 3u);
  for (Case& one : cases) one.Run(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Policies, Cases, testing::ValuesIn(PolicyNames()),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace hone::scheduler
