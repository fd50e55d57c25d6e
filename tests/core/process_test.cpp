#include "harness/core/process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace assay {
namespace {

using std::chrono::milliseconds;

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.arguments = {"/bin/sh", "-c", script};
  return spec;
}

TEST(RunProcess, CollectsOutputErrorsAndExitCode) {
  const auto outcome = run_process(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->output, "out\n");
  EXPECT_EQ(outcome->errors, "err\n");
  EXPECT_EQ(outcome->exit_code, 3);
  EXPECT_FALSE(outcome->timed_out);
}

TEST(RunProcess, PassesArgumentsUntouched) {
  ProcessSpec spec;
  spec.arguments = {"printf", "%s|", "a b", "$HOME", "`id`", "\"", ""};
  EXPECT_EQ(run_process(spec)->output, "a b|$HOME|`id`|\"||");
}

TEST(RunProcess, FeedsMoreInputThanAPipeHolds) {
  auto spec = shell("wc -c");
  spec.input.assign(1 << 20, 'x');
  EXPECT_EQ(run_process(spec)->output, "1048576\n");
}

TEST(RunProcess, SurvivesAChildThatReadsNothing) {
  auto spec = shell("exit 0");
  spec.input.assign(1 << 20, 'x');
  std::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(run_process(spec)->exit_code, 0);
}

TEST(RunProcess, GivesLinesAsTheyCome) {
  auto spec = shell("echo one; echo two; printf three");
  std::vector<std::string> lines;
  spec.on_output_line = [&](std::string_view line) { lines.emplace_back(line); };
  ASSERT_TRUE(run_process(spec));
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"}));
}

TEST(RunProcess, SetsEnvironmentAndFolder) {
  auto spec = shell("echo $ASSAY_X; pwd");
  spec.environment["ASSAY_X"] = "a=b c";
  spec.working_directory = "/";
  EXPECT_EQ(run_process(spec)->output, "a=b c\n/\n");
}

TEST(RunProcess, NamesAProgramThatIsMissing) {
  ProcessSpec spec;
  spec.arguments = {"assay-no-such-program"};
  const auto outcome = run_process(spec);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::infrastructure);
  EXPECT_NE(outcome.error().message.find("assay-no-such-program is not installed"),
            std::string::npos);
}

TEST(RunProcess, StopsAtTheDeadline) {
  // The shell ignores SIGTERM, so only SIGKILL ends it and its child.
  auto spec = shell("trap '' TERM; while true; do sleep 1; done");
  spec.deadline = milliseconds(100);
  const auto outcome = run_process(spec);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->timed_out);
  EXPECT_EQ(outcome->exit_code, 128 + SIGKILL);
}

TEST(RunProcess, StopsWhenAsked) {
  std::stop_source source;
  std::jthread asker([&] {
    std::this_thread::sleep_for(milliseconds(50));
    source.request_stop();
  });
  const auto outcome = run_process(shell("sleep 60"), source.get_token());
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->cancelled);
  EXPECT_EQ(outcome->exit_code, 128 + SIGTERM);
}

TEST(RunProcess, DoesNotWaitForAGrandchildThatHoldsThePipe) {
  auto spec = shell("sleep 30 & echo started");
  spec.deadline = std::chrono::seconds(20);
  const auto outcome = run_process(spec);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->timed_out);
  EXPECT_EQ(outcome->output, "started\n");
}

TEST(ChildProcess, TalksOverPipesAndIsReaped) {
  auto child = ChildProcess::start(shell("read line; echo got $line; sleep 60"));
  ASSERT_TRUE(child);
  ASSERT_EQ(::write(child->input(), "ping\n", 5), 5);
  char reply[16] = {};
  ASSERT_EQ(::read(child->output(), reply, sizeof reply), 9);
  EXPECT_STREQ(reply, "got ping\n");
  EXPECT_TRUE(child->running());
  const pid_t pid = child->pid();
  EXPECT_EQ(child->stop(), 128 + SIGTERM);
  EXPECT_FALSE(child->running());
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ChildProcess, EndsWhenTheObjectDies) {
  pid_t pid = -1;
  {
    auto child = ChildProcess::start(shell("sleep 60"));
    ASSERT_TRUE(child);
    pid = child->pid();
  }
  EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace assay
