// A full disk while an artifact is written: one sentence, the documented exit code, nothing half
// written. The disk is a small tmpfs that exists for one command only.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

/// Mounts a tmpfs of $1 bytes on $2, runs the rest, and lists the files it left there into $3.
constexpr const char* script = R"(
mount -t tmpfs -o "size=$1" none "$2" || exit 99
folder=$2 listing=$3
shift 3
"$@"
code=$?
find "$folder" -type f -printf '%P\n%s\n' > "$listing"
umount "$folder"
exit $code)";

/// How this machine lets us mount: as root of a user namespace of our own, or, where those are not
/// allowed (a chroot), as root.
std::vector<std::string> way_to_mount() {
  const std::vector<std::vector<std::string>> ways{
      {"unshare", "--map-root-user", "--mount"},
      {"unshare", "--mount", "--propagation", "unchanged"}};
  for (const auto& way : ways) {
    ProcessSpec trial;
    trial.arguments = way;
    trial.arguments.emplace_back("true");
    const auto outcome = run_process(trial);
    if (outcome && outcome->exit_code == 0) return way;
  }
  ADD_FAILURE() << "a small disk cannot be mounted here: it takes user namespaces or root";
  return {};
}

struct SmallDisk {
  Answer answer;
  std::map<std::string, std::string> left;  ///< files on the disk afterwards, with their sizes
};

/// `assay <arguments>` with a disk of `size` bytes in the place of `folder`.
SmallDisk run_on_small_disk(const User& user, const fs::path& folder, std::size_t size,
                            const std::vector<std::string>& arguments) {
  fs::create_directories(folder);
  const User listings;
  const auto listing = listings.project() / "left";
  auto spec = user.command(arguments);
  auto whole = way_to_mount();
  whole.insert(whole.end(),
               {"sh", "-c", script, "sh", std::to_string(size), folder.string(), listing.string()});
  whole.insert(whole.end(), spec.arguments.begin(), spec.arguments.end());
  spec.arguments = whole;
  const auto outcome = run_process(spec);
  EXPECT_TRUE(outcome) << outcome.error().message;
  EXPECT_TRUE(fs::exists(listing)) << outcome->errors;
  SmallDisk result{{outcome->exit_code, outcome->output, outcome->errors}, {}};
  std::istringstream lines(read_text(listing).value_or(""));
  for (std::string path, bytes; std::getline(lines, path) && std::getline(lines, bytes);)
    if (!path.starts_with("assay/locks/")) result.left[path] = bytes;
  return result;
}

TEST(FullCache, IsNamedAndHoldsWholeStagesOnly) {
  const User user;
  user.write("model.onnx", small_model());
  auto files = user.project_files();
  files.insert("assay.db");  // on another disk, and made first
  const auto measure = [&](std::size_t size) {
    return run_on_small_disk(
        user, user.cache().parent_path(), size,
        {"measure", "model.onnx", "--on", "virtual:stm32f405", "--samples", "8"});
  };
  // The disk ends in another place each time: the generated source, the compiler's output, the
  // image, its map, the host program, the logits of all test images (100 KB by themselves).
  std::vector<SmallDisk> full;
  for (std::size_t kibibytes : {8, 24, 32, 48, 64, 80, 96, 128, 176}) {
    SCOPED_TRACE(fmt::format("a disk of {} KB", kibibytes));
    full.push_back(measure(kibibytes * 1024));
    EXPECT_EQ(full.back().answer.exit_code, 3);
    EXPECT_THAT(full.back().answer.errors, IsOneSentence(std::string("No space left on device")));
    EXPECT_EQ(user.project_files(), files);
    EXPECT_TRUE(fs::is_empty(user.temporary()));
  }
  // What a full disk holds is part of what a large one holds, byte for byte.
  const auto large = measure(1 << 30);
  EXPECT_EQ(large.answer.exit_code, 0) << large.answer.errors;
  for (const auto& disk : full)
    EXPECT_TRUE(std::ranges::includes(large.left, disk.left))
        << ::testing::PrintToString(disk.left) << "\n"
        << ::testing::PrintToString(large.left);
}

struct SmallStore {
  std::size_t bytes;
  std::size_t stages;  ///< computed, and kept, before the store was found to be full
};

class FullStore : public ::testing::TestWithParam<SmallStore> {};

TEST_P(FullStore, IsNamed) {
  const User user;
  user.write("model.onnx", small_model());
  const auto disk = run_on_small_disk(user, user.project() / "disk", GetParam().bytes,
                                      {"measure", "model.onnx", "--on", "virtual:stm32f405",
                                       "--samples", "8", "--store", "disk/assay.db"});
  EXPECT_EQ(disk.answer.exit_code, 3) << disk.answer.errors;
  EXPECT_THAT(disk.answer.errors, IsOneSentence(std::string("disk/assay.db")));
  EXPECT_THAT(disk.answer.errors, ::testing::HasSubstr("full"));
  EXPECT_EQ(user.stages().size(), GetParam().stages);
}

// The smaller two have no room for the empty tables, the last none for a record.
INSTANTIATE_TEST_SUITE_P(Cli, FullStore,
                         ::testing::Values(SmallStore{4 << 10, 0}, SmallStore{16 << 10, 0},
                                           SmallStore{40 << 10, 3}));

}  // namespace
}  // namespace assay::test
