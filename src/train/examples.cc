#include "train/examples.h"

#include <algorithm>
#include <map>
#include <set>

#include "eval/labels.h"
#include "eval/task_text.h"
#include "runtime/answer_question.h"

namespace hone::train {
namespace {

using base::Status;
using base::StatusOr;
using eval::Example;

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

void AddText(const text::Encoding& encoding, Dataset* data) {
  data->ids.insert(data->ids.end(), encoding.ids.begin(), encoding.ids.end());
  data->types.insert(data->types.end(), encoding.types.begin(), encoding.types.end());
  data->begins.push_back(data->ids.size());
}

class Builder {
 public:
  Builder(const eval::Task* task, Objective objective, const model::Head* head,
          const EncodeText& encode)
      : task_(task), head_(head), encode_(encode) {
    data_.objective = objective;
    data_.texts_per_item = objective == Objective::kSimilarity ? 2 : 1;
  }

  Status Prepare() {
    if (task_ == nullptr) return base::OkStatus();
    if (data_.objective == Objective::kLabel || data_.objective == Objective::kMultiLabel) {
      HONE_ASSIGN_OR_RETURN(const std::vector<int> meaning,
                            eval::MapModelLabels(task_->labels, head_->labels));
      class_of_.resize(task_->labels.size());
      for (std::size_t i = 0; i < meaning.size(); ++i) {
        class_of_[static_cast<std::size_t>(meaning[i])] = static_cast<int>(i);
      }
    }
    const bool joint = data_.objective == Objective::kJoint;
    const std::vector<std::string>& tags = joint ? head_->slot_labels : head_->labels;
    for (std::size_t i = 0; i < tags.size(); ++i) tags_[tags[i]] = static_cast<int>(i);
    if (joint) {
      for (std::size_t i = 0; i < head_->labels.size(); ++i) {
        intents_[head_->labels[i]] = static_cast<int>(i);
      }
    }
    return base::OkStatus();
  }

  Status Add(const Example& example) {
    const auto number = static_cast<std::uint32_t>(data_.examples++);
    const bool words = eval::TakesWords(*task_);
    const bool empty = words ? std::ranges::all_of(example.words, IsBlank) : IsBlank(example.text);
    if (empty || (example.second && IsBlank(*example.second))) {
      ++data_.empty;
      return base::OkStatus();
    }
    if (task_->output == eval::Output::kAnswer) return AddWindows(example, number);
    if (words) return AddWords(example, number);
    if (data_.texts_per_item == 2) {
      AddOne(example.text);
      AddOne(example.pair());
    } else if (example.second) {
      encode_.tokenizer.EncodePair(example.text, *example.second,
                                   {.max_tokens = encode_.max_tokens}, &encoding_);
      Take();
    } else {
      AddOne(example.text);
    }
    data_.example.push_back(number);
    if (example.label >= 0 && !class_of_.empty()) {
      data_.labels.push_back(class_of_[static_cast<std::size_t>(example.label)]);
    }
    data_.scores.push_back(static_cast<float>(example.score));
    return base::OkStatus();
  }

  void AddLine(const std::string& line) {
    const auto number = static_cast<std::uint32_t>(data_.examples++);
    if (IsBlank(line)) {
      ++data_.empty;
      return;
    }
    const std::size_t tab = line.find('\t');
    if (data_.objective == Objective::kMaskedWords) {
      AddPieces(line, number);
      return;
    }
    if (tab != std::string::npos) {
      const std::string_view view(line);
      encode_.tokenizer.EncodePair(view.substr(0, tab), view.substr(tab + 1),
                                   {.max_tokens = encode_.max_tokens}, &encoding_);
      Take();
    } else {
      AddOne(line);
    }
    data_.example.push_back(number);
  }

  StatusOr<Dataset> Finish() {
    if (data_.items() == 0) return base::BadInput("there is no text to train on");
    HONE_RETURN_IF_ERROR(CheckClasses());
    if (data_.objective == Objective::kSimilarity) {
      // STS-B goes from 0 to 5, other files from 0 to 1; a cosine knows 1 only.
      const float most = *std::ranges::max_element(data_.scores);
      if (most > 1) {
        for (float& score : data_.scores) score /= most;
      }
    }
    return std::move(data_);
  }

 private:
  void AddOne(std::string_view text) {
    encode_.tokenizer.Encode(text, {.max_tokens = encode_.max_tokens}, &encoding_);
    Take();
  }
  void Take() {
    data_.cut += encoding_.truncated ? 1 : 0;
    AddText(encoding_, &data_);
  }

  // Each window of a long context is an item.
  Status AddWindows(const Example& example, std::uint32_t number) {
    encode_.tokenizer.EncodePair(example.text, example.pair(), {}, &encoding_);
    const int stride = std::min(eval::kAnswerStride, encode_.max_tokens / 3);
    HONE_ASSIGN_OR_RETURN(const std::vector<text::Encoding> windows,
                          runtime::CutIntoWindows(encoding_, encode_.max_tokens, stride));
    std::size_t begin = std::string_view::npos, end = 0;
    if (!example.answers.empty()) {
      begin = example.answer_begin >= 0 ? static_cast<std::size_t>(example.answer_begin)
                                        : example.pair().find(example.answers[0]);
      end = begin + example.answers[0].size();
    }
    for (const text::Encoding& window : windows) {
      std::pair<int, int> answer = {0, 0};  // the first token: it is not here
      int first = -1, last = -1;
      bool starts = false, ends = false;
      for (std::size_t t = 0; t < window.ids.size() && begin != std::string_view::npos; ++t) {
        if (window.sequence[t] != 1) continue;
        const text::Span span = window.offsets[t];
        if (span.end <= begin || span.begin >= end) {
          starts |= span.end <= begin;
          ends |= span.begin >= end;
          continue;
        }
        if (first < 0) first = static_cast<int>(t);
        starts |= span.begin <= begin;
        ends |= span.end >= end;
        last = static_cast<int>(t);
      }
      // Both of its ends must be in this window.
      if (first >= 0 && starts && ends) answer = {first, last};
      AddText(window, &data_);
      data_.answers.push_back(answer);
      data_.example.push_back(number);
    }
    return base::OkStatus();
  }

  Status AddWords(const Example& example, std::uint32_t number) {
    std::vector<std::uint32_t> begins;
    const std::string text = eval::JoinWords(example.words, &begins);
    AddOne(text);
    std::vector<std::int32_t> labels(encoding_.ids.size(), kNoLabel);
    std::size_t word = 0;
    for (std::size_t t = 0; t < encoding_.ids.size() && word < begins.size(); ++t) {
      if (encoding_.sequence[t] != 0) continue;
      while (word + 1 < begins.size() && encoding_.offsets[t].begin >= begins[word + 1]) ++word;
      if (encoding_.offsets[t].end <= begins[word]) continue;
      const auto tag = tags_.find(example.tags[word]);
      if (tag == tags_.end()) {
        return base::BadInput("example ", number + 1, ": the model's head has no label \"",
                              example.tags[word], "\"");
      }
      labels[t] = tag->second;
      if (++word == begins.size()) break;
    }
    data_.token_labels.insert(data_.token_labels.end(), labels.begin(), labels.end());
    data_.example.push_back(number);
    if (data_.objective == Objective::kJoint) {
      const auto intent = intents_.find(example.intent);
      if (intent == intents_.end()) {
        return base::BadInput("example ", number + 1, ": the model's head has no intent \"",
                              example.intent, "\"");
      }
      data_.labels.push_back(intent->second);
    }
    return base::OkStatus();
  }

  void AddPieces(const std::string& line, std::uint32_t number) {
    encode_.tokenizer.Encode(line, {}, &encoding_);
    const std::size_t count = encoding_.ids.size();
    const auto most = static_cast<std::size_t>(encode_.max_tokens);
    if (count <= most) {
      AddText(encoding_, &data_);
      data_.example.push_back(number);
      return;
    }
    // Special tokens stand around every piece, as around the whole.
    std::size_t head = 0, tail = 0;
    while (head < count && encoding_.sequence[head] < 0) ++head;
    while (tail < count - head && encoding_.sequence[count - 1 - tail] < 0) ++tail;
    if (most <= head + tail) return;
    const std::size_t room = most - head - tail;
    for (std::size_t begin = head; begin < count - tail; begin += room) {
      const std::size_t end = std::min(begin + room, count - tail);
      const auto append = [&](std::size_t from, std::size_t to) {
        for (std::size_t t = from; t < to; ++t) {
          data_.ids.push_back(encoding_.ids[t]);
          data_.types.push_back(encoding_.types[t]);
        }
      };
      append(0, head);
      append(begin, end);
      append(count - tail, count);
      data_.begins.push_back(data_.ids.size());
      data_.example.push_back(number);
    }
  }

  // Nothing can be learnt from one class.
  Status CheckClasses() const {
    if (task_ == nullptr) return base::OkStatus();
    const bool tags = data_.objective == Objective::kTags;
    if (data_.labels.empty() && !tags) return base::OkStatus();
    std::set<std::int32_t> present(data_.labels.begin(), data_.labels.end());
    if (tags) present.insert(data_.token_labels.begin(), data_.token_labels.end());
    present.erase(kNoLabel);
    if (present.size() > 1) return base::OkStatus();
    const std::string name =
        present.empty() ? std::string() : head_->labels[static_cast<std::size_t>(*present.begin())];
    return base::BadInput("all examples are of one class, \"", name,
                          "\"; a classifier needs at least two");
  }

  const eval::Task* task_;
  const model::Head* head_;
  const EncodeText& encode_;
  Dataset data_;
  text::Encoding encoding_;
  std::vector<int> class_of_;  // the task's label → the model's class
  std::map<std::string, int, std::less<>> tags_, intents_;
};

}  // namespace

StatusOr<Objective> ObjectiveOf(const eval::Task& task, const model::Head& head) {
  switch (task.output) {
    case eval::Output::kLabel:
      return head.problem == model::ProblemType::kMultiLabel ? Objective::kMultiLabel
                                                             : Objective::kLabel;
    case eval::Output::kScore:
      return head.task == model::Task::kEmbedding ? Objective::kSimilarity : Objective::kRegression;
    case eval::Output::kTags: return Objective::kTags;
    case eval::Output::kAnswer: return Objective::kAnswer;
    case eval::Output::kJoint: return Objective::kJoint;
  }
  return base::Unsupported("task ", task.name, " cannot be trained for");
}

StatusOr<Dataset> MakeDataset(std::span<const Example> examples, const eval::Task& task,
                              Objective objective, const model::Head& head,
                              const EncodeText& encode) {
  Builder builder(&task, objective, &head, encode);
  HONE_RETURN_IF_ERROR(builder.Prepare());
  for (const Example& example : examples) HONE_RETURN_IF_ERROR(builder.Add(example));
  return builder.Finish();
}

std::size_t LeaveOutShort(int min_tokens, Dataset* data) {
  const auto texts = static_cast<std::size_t>(data->texts_per_item);
  std::size_t kept = 0;
  const auto move = [&kept](std::size_t item, auto* values) {
    if (!values->empty()) (*values)[kept] = (*values)[item];
  };
  for (std::size_t item = 0; item < data->items(); ++item) {
    if (data->Tokens(item) < min_tokens) continue;
    for (std::size_t text = 0; text < texts; ++text) {
      const std::size_t begin = data->begins[item * texts + text];
      const std::size_t end = data->begins[item * texts + text + 1];
      const std::size_t to = data->begins[kept * texts + text];
      for (std::size_t t = begin; t < end; ++t) {
        data->ids[to + t - begin] = data->ids[t];
        data->types[to + t - begin] = data->types[t];
        if (!data->token_labels.empty()) data->token_labels[to + t - begin] = data->token_labels[t];
      }
      data->begins[kept * texts + text + 1] = to + end - begin;
    }
    move(item, &data->labels);
    move(item, &data->scores);
    move(item, &data->answers);
    move(item, &data->example);
    ++kept;
  }
  const std::size_t gone = data->items() - kept;
  const std::size_t tokens = data->begins[kept * texts];
  data->ids.resize(tokens);
  data->types.resize(tokens);
  data->begins.resize(kept * texts + 1);
  data->example.resize(kept);
  for (auto* values : {&data->labels, &data->token_labels}) {
    if (!values->empty()) values->resize(values == &data->labels ? kept : tokens);
  }
  if (!data->scores.empty()) data->scores.resize(kept);
  if (!data->answers.empty()) data->answers.resize(kept);
  return gone;
}

StatusOr<Dataset> MakeTextDataset(std::span<const std::string> lines, Objective objective,
                                  const EncodeText& encode) {
  Builder builder(nullptr, objective, nullptr, encode);
  for (const std::string& line : lines) builder.AddLine(line);
  return builder.Finish();
}

}  // namespace hone::train
