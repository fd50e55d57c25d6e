#include "harness/core/hash.hpp"

#include <gtest/gtest.h>

#include "harness/core/file.hpp"

namespace assay {
namespace {

// Test vectors of FIPS 180-4 (NIST's examples for SHA-256).
constexpr const char* empty_hash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* abc_hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesThePublishedVectors) {
  EXPECT_EQ(sha256_hex(""), empty_hash);
  EXPECT_EQ(sha256_hex("abc"), abc_hash);
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsTheSameInPieces) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.hex(), abc_hash);
}

TEST(Sha256, HashesFiles) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "hash_test.bin";
  ASSERT_TRUE(write_atomically(path, std::string_view("abc")));
  EXPECT_EQ(sha256_file(path).value(), abc_hash);
  const auto absent = sha256_file(path.string() + ".absent");
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().message.find("hash_test.bin.absent"), std::string::npos);
}

}  // namespace
}  // namespace assay
