#include "runtime/profile.h"

#include "base/check.h"

namespace hone::runtime {

std::string_view NameOf(Op op) {
  switch (op) {
    case Op::kEmbed: return "embed";
    case Op::kQkv: return "qkv";
    case Op::kAttention: return "attention";
    case Op::kOutput: return "output";
    case Op::kUp: return "up";
    case Op::kDown: return "down";
    case Op::kNorm: return "norm";
    case Op::kEncode: return "encode";
    case Op::kOther: return "other";
    case Op::kWait: return "wait";
  }
  HONE_CHECK(false);
}

}  // namespace hone::runtime
