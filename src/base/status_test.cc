#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace hone::base {
namespace {

StatusOr<int> Positive(int x) {
  if (x <= 0) return BadInput("x is ", x, "; expected 1 or more");
  return x;
}

StatusOr<int> Sum(int a, int b) {
  HONE_ASSIGN_OR_RETURN(const int first, Positive(a));
  HONE_ASSIGN_OR_RETURN(const int second, Positive(b));
  return first + second;
}

StatusOr<std::unique_ptr<int>> Owned(int x) {
  HONE_ASSIGN_OR_RETURN(std::unique_ptr<int> owned,
                        StatusOr<std::unique_ptr<int>>(std::make_unique<int>(x)));
  HONE_RETURN_IF_ERROR(Positive(x).status());
  return owned;
}

TEST(Status, MacrosReturnTheFirstError) {
  EXPECT_EQ(*Sum(1, 2), 3);
  EXPECT_EQ(Sum(-1, 0).status().message(), "x is -1; expected 1 or more");
  EXPECT_EQ(Sum(1, 0).status().message(), "x is 0; expected 1 or more");
}

TEST(Status, MacrosMoveWhatCannotBeCopied) {
  EXPECT_EQ(**Owned(4), 4);
  EXPECT_FALSE(Owned(0).ok());
}

TEST(Status, KindsTellWhoseTurnItIs) {
  EXPECT_TRUE(absl::IsInvalidArgument(BadInput("a", 1)));
  EXPECT_TRUE(absl::IsUnimplemented(Unsupported("a")));
  EXPECT_TRUE(absl::IsNotFound(NotFound("a")));
  EXPECT_TRUE(absl::IsResourceExhausted(OutOfResource("a")));
}

TEST(Status, AnnotateKeepsTheKindAndLeavesOkAlone) {
  const Status status = Annotate(NotFound("no such row"), "table.csv");
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(), "table.csv: no such row");
  EXPECT_TRUE(Annotate(OkStatus(), "x").ok());
}

}  // namespace
}  // namespace hone::base
