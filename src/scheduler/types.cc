#include "scheduler/types.h"

namespace hone::scheduler {

const char* NameOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone: return "";
    case Refusal::kDeadline: return "deadline";
    case Refusal::kShare: return "share";
    case Refusal::kQueueFull: return "queue_full";
    case Refusal::kNotResident: return "not_resident";
  }
  return "";
}

}  // namespace hone::scheduler
