#include "formats/artefact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "env/faulty_files.h"
#include "formats/test_directory.h"

namespace hone::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ArtefactTest : public TestDirectory {
 protected:
  // Two files, one in a folder.
  base::Status WriteArtefact(env::FileSystem& files, bool replace, std::string_view text) {
    HONE_ASSIGN_OR_RETURN(const std::unique_ptr<ArtefactWriter> artefact,
                          ArtefactWriter::Begin(files, Path("out/"), replace));
    HONE_RETURN_IF_ERROR(artefact->Write("config.json", text));
    HONE_RETURN_IF_ERROR(artefact->Copy(Path("source"), "1_Pooling/config.json"));
    return artefact->Commit({"hone 0.1.0", "minilm", "int8", {}});
  }
  void SetUp() override { Put("source", "pooling"); }
};

TEST_F(ArtefactTest, WritesADirectoryThatVerifies) {
  ASSERT_TRUE(WriteArtefact(files_, false, "{}").ok());
  EXPECT_THAT(Names(), ElementsAre("out", "source"));
  const auto manifest = ReadManifest(files_, Path("out"));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->tool, "hone 0.1.0");
  EXPECT_EQ(manifest->format, "int8");
  ASSERT_EQ(manifest->files.size(), 2u);
  EXPECT_EQ(manifest->files[0].name, "1_Pooling/config.json");
  EXPECT_EQ(manifest->files[0].bytes, 7u);
  EXPECT_TRUE(VerifyManifest(files_, Path("out"), *manifest).ok());
  Put("out/config.json", "[]");
  EXPECT_THAT(VerifyManifest(files_, Path("out"), *manifest).message(),
              HasSubstr("config.json: has sha256"));
  Put("out/config.json", "{} ");
  EXPECT_THAT(VerifyManifest(files_, Path("out"), *manifest).message(),
              HasSubstr("config.json: has 3 bytes; hone.json says 2"));
}

TEST_F(ArtefactTest, AnExistingDirectoryIsReplacedOnlyWhenAsked) {
  ASSERT_TRUE(WriteArtefact(files_, false, "old").ok());
  EXPECT_EQ(WriteArtefact(files_, false, "new").code(), base::StatusCode::kAlreadyExists);
  EXPECT_EQ(*files_.Read(Path("out/config.json"), 10), "old");
  ASSERT_TRUE(WriteArtefact(files_, true, "new").ok());
  EXPECT_EQ(*files_.Read(Path("out/config.json"), 10), "new");
  EXPECT_THAT(Names(), ElementsAre("out", "source"));
  // A directory that is no model is somebody's work.
  ASSERT_TRUE(files_.RemoveTree(Path("out")).ok());
  ASSERT_TRUE(files_.MakeDirectory(Path("out")).ok());
  Put("out/thesis.tex", "work");
  EXPECT_THAT(WriteArtefact(files_, true, "new").message(), HasSubstr("is no model"));
  EXPECT_EQ(*files_.Read(Path("out/thesis.tex"), 10), "work");
  Put("out/config.json", "{}");  // many a project has one
  EXPECT_THAT(WriteArtefact(files_, true, "new").message(), HasSubstr("is no model"));
  ASSERT_TRUE(files_.RemoveTree(Path("out/thesis.tex")).ok());
  Put("out/model.safetensors", "weights");
  ASSERT_TRUE(WriteArtefact(files_, true, "new").ok()) << "another library's model";
  ASSERT_TRUE(files_.RemoveTree(Path("out")).ok());
  ASSERT_TRUE(files_.MakeDirectory(Path("out")).ok());
  EXPECT_TRUE(WriteArtefact(files_, true, "new").ok()) << "an empty one";
  Put("file", "");
  EXPECT_THAT(ArtefactWriter::Begin(files_, Path("file"), true).status().message(),
              HasSubstr("is a file"));
}

// Every operation that needs the disk fails once: an error, and the directory as it was.
TEST_F(ArtefactTest, NoFaultLeavesHalfAnArtefact) {
  for (const bool replace : {false, true}) {
    if (replace) {
      ASSERT_TRUE(WriteArtefact(files_, false, "old").ok());
    }
    int fail_at = 0;
    for (;; ++fail_at) {
      env::FaultyFiles faulty(files_, fail_at);
      const base::Status status = WriteArtefact(faulty, replace, "new");
      if (faulty.operations() <= fail_at) {
        EXPECT_TRUE(status.ok()) << status;
        break;
      }
      EXPECT_EQ(status.code(), base::StatusCode::kOutOfResource) << fail_at << " " << status;
      if (replace) {
        ASSERT_THAT(Names(), ElementsAre("out", "source")) << fail_at;
        ASSERT_EQ(*files_.Read(Path("out/config.json"), 10), "old") << fail_at;
      } else {
        ASSERT_THAT(Names(), ElementsAre("source")) << fail_at;
      }
    }
    EXPECT_GE(fail_at, 12);
    ASSERT_TRUE(files_.RemoveTree(Path("out")).ok());
  }
}

TEST_F(ArtefactTest, NamesStayInside) {
  const auto artefact = ArtefactWriter::Begin(files_, Path("out"), false);
  ASSERT_TRUE(artefact.ok());
  for (const char* name : {"../x", "/x", "a/../x", "", "a//b", "."}) {
    EXPECT_THAT((*artefact)->Write(name, "").message(), HasSubstr("inside the artefact")) << name;
  }
}

TEST_F(ArtefactTest, ManifestsThatLieAreErrors) {
  const auto error = [&](std::string_view text) {
    Put("hone.json", text);
    return ReadManifest(files_, directory_).status().message();
  };
  EXPECT_THAT(error("{}"), HasSubstr("lacks the field \"schema\""));
  EXPECT_THAT(error(R"({"schema":2})"), HasSubstr("version 2; this program reads 1"));
  constexpr std::string_view kStart =
      R"({"schema":1,"tool":"t","source":"s","format":"int8","files":)";
  EXPECT_THAT(error(base::StrCat(kStart, "[1]}")), HasSubstr("expected an object of files"));
  EXPECT_THAT(error(base::StrCat(kStart, R"({"../x":{}}})")), HasSubstr("inside the directory"));
  EXPECT_THAT(error(base::StrCat(kStart, R"({"x":{"bytes":"1"}}})")),
              HasSubstr("$.files.x.bytes: expected an integer"));
  ASSERT_TRUE(files_.RemoveTree(Path("hone.json")).ok());
  EXPECT_EQ(ReadManifest(files_, directory_).status().code(), base::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hone::formats
