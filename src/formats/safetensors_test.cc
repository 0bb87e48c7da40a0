#include "formats/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "env/faulty_files.h"
#include "formats/safetensors_writer.h"
#include "formats/sha256.h"
#include "formats/test_directory.h"

namespace hone::formats {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SafetensorsTest : public TestDirectory {
 protected:
  static base::StatusOr<SafetensorsHeader> Parse(const std::string& file) {
    return ParseSafetensors(std::as_bytes(std::span(file)), "m.safetensors");
  }
  static std::string ErrorOf(std::string_view header, std::size_t data) {
    const auto parsed = Parse(Safetensors(header, data));
    return parsed.ok() ? "accepted" : parsed.status().message();
  }
};
using SafetensorsReader = SafetensorsTest;
using SafetensorsWriter = SafetensorsTest;

TEST_F(SafetensorsReader, FindsEveryTensorInTheOrderOfItsBytes) {
  const auto header = Parse(Safetensors(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},)"
      R"("a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},)"
      R"("none":{"dtype":"I64","shape":[0,7],"data_offsets":[10,10]}}   )",
      10));
  ASSERT_TRUE(header.ok()) << header.status();
  ASSERT_EQ(header->tensors.size(), 3u);
  EXPECT_EQ(header->tensors[0].name, "a");
  EXPECT_EQ(header->tensors[0].shape.rank(), 0);
  EXPECT_EQ(header->tensors[1].name, "b");
  EXPECT_EQ(header->tensors[1].end - header->tensors[1].begin, 8u);
  EXPECT_EQ(header->tensors[2].shape, (tensor::Shape{0, 7}));
  EXPECT_EQ(header->metadata.front(), (std::pair<std::string, std::string>{"format", "pt"}));
}

TEST_F(SafetensorsReader, AFileWithoutTensorsIsEmpty) {
  const auto header = Parse(Safetensors("{}", 0));
  ASSERT_TRUE(header.ok());
  EXPECT_TRUE(header->tensors.empty());
}

TEST_F(SafetensorsReader, EveryTruncationIsAnError) {
  const std::string whole =
      Safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})", 12);
  ASSERT_TRUE(Parse(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(Parse(whole.substr(0, size)).ok()) << size;
  }
  EXPECT_THAT(Parse(whole.substr(0, whole.size() - 5)).status().message(),
              HasSubstr("m.safetensors: header says tensor \"a\" ends at byte 75, but the file has "
                        "70; the download may be incomplete"));
  EXPECT_THAT(Parse(whole + "x").status().message(),
              HasSubstr("the tensors end at byte 75, but the file has 76"));
}

TEST_F(SafetensorsReader, LyingLengthsAreErrors) {
  std::string file = Safetensors("{}", 0);
  file[7] = '\x7f';
  EXPECT_THAT(Parse(file).status().message(), HasSubstr("the format allows 100,000,000"));
  file = Safetensors("{}", 0);
  file[0] = 3;
  EXPECT_THAT(Parse(file).status().message(),
              HasSubstr("header says it ends at byte 11, but the file has 10"));
  EXPECT_THAT(Parse("PK").status().message(), HasSubstr("has 2 bytes"));
}

TEST_F(SafetensorsReader, LyingHeadersAreErrors) {
  EXPECT_THAT(ErrorOf("[]", 0), HasSubstr("byte 8: the header must begin with \"{\""));
  EXPECT_THAT(ErrorOf("", 0), HasSubstr("byte 8"));
  EXPECT_THAT(ErrorOf("{\"a\":", 0), HasSubstr("header: not valid JSON at byte 5"));
  EXPECT_THAT(ErrorOf("{\"\xff\":1}", 0), HasSubstr("invalid UTF-8"));
  EXPECT_THAT(ErrorOf(R"({"a":3})", 0), HasSubstr("$.a: expected an object"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[1]}})", 4),
              HasSubstr("$.a: lacks the field \"data_offsets\""));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", 1),
              HasSubstr("$.a.dtype: element type \"F8_E4M3\" is unknown to Hone"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4),
              HasSubstr("tensor \"a\" has 4 bytes at byte 62; F32 [2] needs 8"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", 4),
              HasSubstr("begins at 4, after its end at 0"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[-4,0]}})", 4),
              HasSubstr("data_offsets[0]: expected 0 or more, found -4"));
  EXPECT_THAT(ErrorOf(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,8]}})", 4),
              HasSubstr("expected [begin, end]"));
  EXPECT_THAT(ErrorOf(R"({"__metadata__":{"a":1}})", 0),
              HasSubstr("__metadata__.a: expected a string"));
}

TEST_F(SafetensorsReader, AbsurdShapesAreErrors) {
  const auto with_shape = [](std::string_view shape) {
    return ErrorOf(
        base::StrCat(R"({"a":{"dtype":"F64","shape":)", shape, R"(,"data_offsets":[0,8]}})"), 8);
  };
  EXPECT_THAT(with_shape("[-1]"), HasSubstr("shape[0]: expected a size of 0 or more, found -1"));
  EXPECT_THAT(with_shape("[4294967296,4294967296]"),
              HasSubstr("product of the dimensions overflows"));
  EXPECT_THAT(with_shape("[9223372036854775807,3]"), HasSubstr("overflows"));
  EXPECT_THAT(with_shape("[0,9223372036854775807,3]"), HasSubstr("overflows"));
  EXPECT_THAT(with_shape("[1,1,1,1,1,1,1]"), HasSubstr("7 dimensions; Hone reads at most 6"));
  EXPECT_THAT(with_shape("[1e300]"), HasSubstr("expected an integer"));
  EXPECT_THAT(with_shape("\"1\""), HasSubstr("expected a list of dimensions"));
}

TEST_F(SafetensorsReader, OverlapsHolesAndDuplicatesAreErrors) {
  const auto two = [](std::string_view a, std::string_view b, std::string_view second_name) {
    return ErrorOf(
        base::StrCat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", a, R"(},")", second_name,
                     R"(":{"dtype":"U8","shape":[4],"data_offsets":)", b, "}}"),
        8);
  };
  EXPECT_EQ(two("[0,4]", "[4,8]", "b"), "accepted");
  EXPECT_EQ(two("[4,8]", "[0,4]", "b"), "accepted");
  EXPECT_THAT(two("[0,4]", "[2,6]", "b"), HasSubstr("inside \"a\""));
  EXPECT_THAT(two("[4,8]", "[4,8]", "b"), HasSubstr("belong to no tensor"));
  EXPECT_THAT(two("[0,4]", "[4,8]", "a"), HasSubstr("names the tensor \"a\" twice"));
}

TensorToWrite Bytes(std::string name, tensor::DType dtype, tensor::Shape shape,
                    const std::string& bytes) {
  return {std::move(name), dtype, shape, [bytes](const ByteSink& sink) {
            // In two pieces.
            HONE_RETURN_IF_ERROR(sink(std::as_bytes(std::span(bytes).first(1))));
            return sink(std::as_bytes(std::span(bytes).subspan(1)));
          }};
}

std::vector<TensorToWrite> ThreeTensors() {
  return {Bytes("odd", tensor::DType::kI8, {3}, "abc"),
          Bytes("z", tensor::DType::kF32, {1, 2}, "12345678"),
          Bytes("long", tensor::DType::kI64, {1}, "87654321")};
}

TEST_F(SafetensorsWriter, WritesAlignedTensorsThatReadBack) {
  ASSERT_TRUE(WriteSafetensors(files_, Path("m"), ThreeTensors(), {{{"format", "pt"}}}).ok());
  const auto file = files_.Map(Path("m"));
  const auto header = ParseSafetensors((*file)->bytes(), "m");
  ASSERT_TRUE(header.ok()) << header.status();
  ASSERT_EQ(header->tensors.size(), 3u);
  EXPECT_EQ(header->tensors[0].name, "long");
  EXPECT_EQ(header->tensors[1].name, "z");
  EXPECT_EQ(header->tensors[2].name, "odd");
  EXPECT_EQ(header->tensors[0].begin % kSafetensorsAlignment, 0u);
  EXPECT_EQ((*file)->bytes()[header->tensors[2].begin], std::byte{'a'});
  EXPECT_EQ(header->metadata.size(), 1u);
}

TEST_F(SafetensorsWriter, TheOrderOfTheArgumentsDoesNotMatter) {
  std::vector<TensorToWrite> reversed = ThreeTensors();
  std::ranges::reverse(reversed);
  ASSERT_TRUE(WriteSafetensors(files_, Path("a"), ThreeTensors(), {}).ok());
  ASSERT_TRUE(WriteSafetensors(files_, Path("b"), reversed, {}).ok());
  EXPECT_EQ(*files_.Read(Path("a"), 4096), *files_.Read(Path("b"), 4096));
}

TEST_F(SafetensorsWriter, AFullDiskLeavesNothing) {
  for (int fail_at = 0;; ++fail_at) {
    env::FaultyFiles faulty(files_, fail_at);
    const base::Status status = WriteSafetensors(faulty, Path("m"), ThreeTensors(), {});
    if (faulty.operations() <= fail_at) {
      ASSERT_TRUE(status.ok());
      EXPECT_GE(fail_at, 5);
      break;
    }
    EXPECT_EQ(status.code(), base::StatusCode::kOutOfResource);
    EXPECT_THAT(Names(), IsEmpty());
  }
}

TEST_F(SafetensorsWriter, AFailingProducerLeavesNothing) {
  std::vector<TensorToWrite> tensors = ThreeTensors();
  tensors[0].produce = [](const ByteSink&) { return base::BadInput("a NaN"); };
  EXPECT_EQ(WriteSafetensors(files_, Path("m"), tensors, {}).message(), "a NaN");
  EXPECT_THAT(Names(), IsEmpty());
}

// FIPS 180-4's own examples, and the empty text.
TEST(Sha256, PublishedVectors) {
  const auto hash = [](std::string_view text) { return Sha256Hex(std::as_bytes(std::span(text))); };
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace hone::formats
