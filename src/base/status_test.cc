#include "base/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <sstream>
#include <string>
#include <vector>

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
  EXPECT_EQ(OkStatus().code(), StatusCode::kOk);
  EXPECT_EQ(BadInput("a", 1).code(), StatusCode::kBadInput);
  EXPECT_EQ(Unsupported("a").code(), StatusCode::kUnsupported);
  EXPECT_EQ(NotFound("a").code(), StatusCode::kNotFound);
  EXPECT_EQ(AlreadyExists("a").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(OutOfResource("a").code(), StatusCode::kOutOfResource);
  EXPECT_EQ(Unavailable("a").code(), StatusCode::kUnavailable);
}

TEST(Status, AnnotateKeepsTheKindAndLeavesOkAlone) {
  const Status status = Annotate(NotFound("no such row"), "table.csv");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "table.csv: no such row");
  EXPECT_TRUE(Annotate(OkStatus(), "x").ok());
}

TEST(Status, PrintsItsMessage) {
  std::ostringstream out;
  out << OkStatus() << " | " << BadInput("byte ", 7);
  EXPECT_EQ(out.str(), "ok | byte 7");
  EXPECT_EQ(OkStatus().message(), "");
}

TEST(StatusOr, HoldsAValueOrAnError) {
  StatusOr<std::string> text = "good";
  ASSERT_TRUE(text.ok());
  EXPECT_TRUE(text.status().ok());
  EXPECT_EQ(text->size(), 4U);
  *text += "!";
  EXPECT_EQ(text.value(), "good!");
  const StatusOr<std::string> copy = text;
  const std::string taken = *std::move(text);
  EXPECT_EQ(taken, *copy);
  text = NotFound("gone");
  EXPECT_FALSE(text.ok());
  EXPECT_EQ(text.value_or("instead"), "instead");
  EXPECT_EQ(copy.value_or("instead"), "good!");
}

struct Base {
  virtual ~Base() = default;
};
struct Derived : Base {};

TEST(StatusOr, ConvertsAsItsValueDoes) {
  StatusOr<std::unique_ptr<Derived>> derived = std::make_unique<Derived>();
  const Derived* const address = derived->get();
  const StatusOr<std::unique_ptr<Base>> base = std::move(derived);
  EXPECT_EQ(base->get(), address);
  const StatusOr<std::unique_ptr<Base>> error =
      StatusOr<std::unique_ptr<Derived>>(Unavailable("later"));
  EXPECT_EQ(error.status().code(), StatusCode::kUnavailable);
}

TEST(StatusOrDeathTest, AValueThatIsNotThereIsABug) {
  const StatusOr<std::vector<int>> absent = NotFound("row 7 is absent");
  EXPECT_DEATH((void)absent->size(), "row 7 is absent");
  EXPECT_DEATH((void)absent.value(), "row 7 is absent");
  EXPECT_DEATH((void)StatusOr<int>(OkStatus()), "no error says why");
  EXPECT_DEATH((void)Status(StatusCode::kOk, "x"), "check failed");
}

}  // namespace
}  // namespace hone::base
