#include "boards/station/desk.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <mutex>

#include "boards/link/uart_link.hpp"
#include "boards/probe/openocd.hpp"
#include "boards/station/linux_board.hpp"
#include "boards/station/lock.hpp"
#include "boards/virtual/client.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds lock_patience{std::chrono::minutes(10)};
constexpr milliseconds flash_deadline{std::chrono::seconds(60)};
constexpr milliseconds boot_deadline{std::chrono::seconds(5)};
// A virtual board shares its machine with compilers and trainers.
constexpr milliseconds emulator_boot_deadline{std::chrono::seconds(60)};
constexpr milliseconds emulator_silence{std::chrono::seconds(20)};

milliseconds since(Clock::TimePoint begin) {
  return std::chrono::duration_cast<milliseconds>(system_clock().now() - begin);
}

std::string hex(const std::vector<std::uint8_t>& bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

tl::unexpected<Error> wrong_identity(const Board& board, std::string_view what,
                                     const std::string& found, const std::string& wanted) {
  return fail(ErrorKind::infrastructure,
              fmt::format("{}: the board answers with {} {} instead of {}; nothing was recorded",
                          board.name, what, found, wanted));
}

Status check_unique_id(const Board& board, const std::vector<std::uint8_t>& bytes) {
  if (board.type.part.runs_linux()) return {};  // the computer was asked: identify_linux_board()
  const auto found = bytes.empty() ? "(none)" : hex(bytes);
  if (board.unique_id && found != *board.unique_id)
    return wrong_identity(board, "unique id", found, *board.unique_id);
  if (!board.type.part.unique_id) return {};
  // A part with a unique id tells a virtual board from silicon, in both directions.
  const bool says_virtual = std::string(bytes.begin(), bytes.end()).starts_with("VIRTUAL");
  if (bytes.empty() || says_virtual != board.virtual_board)
    return wrong_identity(board, "unique id", found,
                          board.virtual_board ? "a virtual board's" : "a real chip's");
  return {};
}

/// The board must be who the inventory says, and run what was just flashed.
Status check_identity(const Board& board, const MeasureRequest& request, const Hello& hello) {
  if (hello.part != board.type.part.name)
    return wrong_identity(board, "part", hello.part, board.type.part.name);
  if (hex(hello.build_id) != request.build_id)
    return wrong_identity(board, "build", hex(hello.build_id), request.build_id);
  if (hello.model_hash != request.model_hash)
    return wrong_identity(board, "model", hello.model_hash, request.model_hash);
  // Under Linux the clock is the operating system's.
  if (!board.type.part.runs_linux() && hello.core_clock != request.clock)
    return wrong_identity(board, "core clock (Hz)", std::to_string(hello.core_clock.count()),
                          std::to_string(request.clock.count()));
  return check_unique_id(board, hello.unique_id);
}

Status check_request(const MeasureRequest& request, const Hello& hello) {
  const std::size_t size = hello.input_bytes();
  if (size == 0 || request.inputs.empty() || request.inputs.size() % size != 0)
    return fail(ErrorKind::bad_input,
                fmt::format("{} bytes of input are no whole number of samples of {} bytes",
                            request.inputs.size(), size));
  const std::size_t logits = request.inputs.size() / size * hello.output_bytes();
  if (request.expected_logits.size() != logits)
    return fail(ErrorKind::bad_input,
                fmt::format("{} bytes of logits are expected of samples that have {}",
                            request.expected_logits.size(), logits));
  return {};
}

Status stream_samples(Session& session, const MeasureRequest& request, BoardMeasurement& found) {
  const Element element = session.hello().output_element;
  found.samples = request.inputs.size() / session.hello().input_bytes();
  return session.stream(request.inputs, [&](std::size_t sample, ElementBytes logits) {
    const auto expected =
        ElementBytes(request.expected_logits).subspan(sample * logits.size(), logits.size());
    const auto differs = std::ranges::mismatch(logits, expected).in1 - logits.begin();
    if (static_cast<std::size_t>(differs) == logits.size()) {
      ++found.identical_samples;
    } else if (!found.first_mismatch) {
      const std::size_t logit = static_cast<std::size_t>(differs) / size_of(element);
      found.first_mismatch = LogitMismatch{sample, logit, read_element(expected, logit, element),
                                           read_element(logits, logit, element)};
    }
  });
}

/// A program that was put on a board and runs.
struct Program {
  std::optional<ScratchDirectory> scratch;  ///< holds the counts of a virtual board under Linux
  std::unique_ptr<Link> link;

  std::filesystem::path counts_file() const {
    return scratch ? scratch->path() / "counts" : std::filesystem::path();
  }
};

Status check_windows(const Board& board, const MeasureRequest& request,
                     const BoardMeasurement& found) {
  if (found.instructions->size() != request.inferences)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} counted instructions of {} inferences, {} were asked for: rebuild "
                            "virtual-board and the firmware",
                            board.name, found.instructions->size(), request.inferences));
  return {};
}

}  // namespace

struct Desk::State {
  std::vector<Board> boards;
  std::filesystem::path lock_folder;
  std::optional<VirtualBoards> virtual_boards;
  std::mutex control;  // VirtualBoards is for one thread at a time

  ProbeTarget probe_of(const Board& board) const {
    ProbeTarget target{board.probe_serial, std::nullopt, board.type.part.openocd_target};
    if (board.virtual_board) target.tcp_port = virtual_boards->probe_port();
    return target;
  }

  Result<std::unique_ptr<Link>> link_to(const Board& board) const {
    std::filesystem::path uart = board.uart;
    if (board.virtual_board) {
      const auto* there = virtual_boards ? virtual_boards->find(board.name) : nullptr;
      if (!there)
        return fail(ErrorKind::bad_input,
                    fmt::format("board {} does not stand on this desk", board.name));
      uart = there->uart;
    }
    return open_uart(uart, board.type.baud, board.name);
  }

  /// Programs the board; messages begin with its name.
  Status flash(const Board& board, const std::filesystem::path& elf, std::stop_token stop) const {
    auto status = program_and_verify(probe_of(board), elf, flash_deadline, std::move(stop));
    if (status) return status;
    return fail(status.error().kind, fmt::format("{}: {}", board.name, status.error().message));
  }

  /// Puts the program on the board and starts it. The link is open before the reset, so that
  /// nothing the board says is lost.
  Result<Program> load(const Board& board, const std::filesystem::path& elf,
                       BoardMeasurement& found, std::stop_token stop) const {
    const auto begin = system_clock().now();
    Program program;
    if (board.type.part.runs_linux()) {
      if (board.virtual_board) {
        ASSAY_TRY(found.emulator, emulator_version(board));
        ASSAY_TRY(program.scratch, ScratchDirectory::create(std::filesystem::temp_directory_path(),
                                                            "assay-counts-"));
        ASSAY_CHECK(write_atomically(program.counts_file(), std::string_view()));
      } else {
        ASSAY_TRY(found.computer, identify_linux_board(board, stop));
      }
      ASSAY_TRY(program.link, start_linux_program(board, elf, program.counts_file()));
    } else {
      ASSAY_TRY(program.link, link_to(board));
      ASSAY_CHECK(check_supply(board.type));
      ASSAY_CHECK(flash(board, elf, std::move(stop)));
    }
    found.flash_time = since(begin);
    return program;
  }

  /// The windows that closed since the last call.
  Result<std::vector<ExecutionWindow>> counts(const Board& board) {
    const std::lock_guard lock(control);
    return virtual_boards->counts(board.name);
  }

  /// What the windows cost that closed since the last call; under Linux since the program began.
  Result<std::vector<SampleCost>> costs(const Board& board, const Program& program) {
    std::vector<SampleCost> costs;
    if (board.type.part.runs_linux()) {
      ASSAY_TRY(const auto windows, read_window_counts(program.counts_file()));
      for (const Instructions executed : windows)
        costs.push_back({executed, std::nullopt});
      return costs;
    }
    ASSAY_TRY(const auto windows, counts(board));
    for (const auto& window : windows)
      costs.push_back({Instructions(window.instructions), Cycles(window.cycles)});
    return costs;
  }

  /// Opens a session with what must be the firmware of the request.
  Result<Session> boot(const Board& board, const MeasureRequest& request, Link& link,
                       std::stop_token stop, BoardMeasurement& found) const {
    const auto begin = system_clock().now();
    LinkOptions options;
    options.stop = stop;
    if (board.virtual_board) {
      options.silence = emulator_silence;
      options.on_silence = "the program hangs, or this machine is very busy; run again";
    }
    const auto deadline = board.virtual_board ? emulator_boot_deadline : boot_deadline;
    ASSAY_TRY(auto session, Session::open(link, deadline, options));
    found.boot_time = since(begin);
    found.hello = session.hello();
    ASSAY_CHECK(check_identity(board, request, found.hello));
    ASSAY_CHECK(check_request(request, found.hello));
    return session;
  }

  Status take_quiet_window(const Board& board, const MeasureRequest& request,
                           const Program& program, Session& session, BoardMeasurement& found) {
    const auto sample = ElementBytes(request.inputs).first(session.hello().input_bytes());
    const bool under_linux = board.type.part.runs_linux();
    if (board.virtual_board && !under_linux) ASSAY_CHECK(counts(board));  // of earlier firmware
    ASSAY_TRY(found.timing, session.measure(sample, request.inferences));
    if (!board.virtual_board) return {};
    if (under_linux) {
      ASSAY_TRY(found.instructions, read_window_counts(program.counts_file()));
      return check_windows(board, request, found);
    }
    ASSAY_TRY(const auto windows, counts(board));
    found.instructions.emplace();
    found.words_loaded.emplace();
    for (const auto& window : windows) {
      found.instructions->emplace_back(window.instructions);
      found.words_loaded->push_back(window.words_loaded);
    }
    return check_windows(board, request, found);
  }
};

Desk::Desk(std::unique_ptr<State> state) : state_(std::move(state)) {}
Desk::Desk(Desk&&) noexcept = default;
Desk& Desk::operator=(Desk&&) noexcept = default;
Desk::~Desk() = default;

Result<Desk> Desk::open(std::vector<Board> boards, std::filesystem::path lock_folder) {
  auto state = std::make_unique<State>();
  std::vector<VirtualBoardSpec> specs;
  for (const auto& board : boards)
    if (board.virtual_board && !board.type.part.runs_linux())
      specs.push_back({board.name, board.type.name, board.probe_serial});
  if (!specs.empty()) {
    ASSAY_TRY(auto started, VirtualBoards::start(specs));
    state->virtual_boards = std::move(started);
  }
  state->boards = std::move(boards);
  state->lock_folder = std::move(lock_folder);
  return Desk(std::move(state));
}

const std::vector<Board>& Desk::boards() const {
  return state_->boards;
}

Result<BoardMeasurement> Desk::measure(const Board& board, const MeasureRequest& request,
                                       std::stop_token stop) {
  BoardMeasurement found;
  // A real board may be wanted by other processes; a virtual one belongs to this desk alone.
  std::optional<BoardLock> lock;
  if (!board.virtual_board) {
    ASSAY_TRY(auto taken, BoardLock::acquire(state_->lock_folder, board, lock_patience, stop));
    lock.emplace(std::move(taken));
  }
  ASSAY_TRY(const auto program, state_->load(board, request.elf, found, stop));
  ASSAY_TRY(auto session, state_->boot(board, request, *program.link, stop, found));
  ASSAY_CHECK(stream_samples(session, request, found));
  ASSAY_CHECK(state_->take_quiet_window(board, request, program, session, found));
  found.link = session.counters();
  return found;
}

Result<TrialCounts> Desk::count_samples(const Board& board, const MeasureRequest& request,
                                        std::stop_token stop) {
  if (!board.virtual_board)
    return fail(ErrorKind::bad_input,
                fmt::format("{} cannot count what a kernel executes: only a virtual board can",
                            board.name));
  BoardMeasurement found;
  ASSAY_TRY(const auto program, state_->load(board, request.elf, found, stop));
  ASSAY_TRY(auto session, state_->boot(board, request, *program.link, stop, found));
  ASSAY_CHECK(state_->costs(board, program));  // of earlier firmware
  TrialCounts counts;
  ASSAY_CHECK(session.stream(request.inputs, [&](std::size_t sample, ElementBytes logits) {
    const auto expected =
        ElementBytes(request.expected_logits).subspan(sample * logits.size(), logits.size());
    if (!std::ranges::equal(logits, expected)) counts.wrong.push_back(sample);
  }));
  ASSAY_TRY(counts.costs, state_->costs(board, program));
  const std::size_t samples = request.inputs.size() / session.hello().input_bytes();
  if (counts.costs.size() == samples) return counts;
  return fail(ErrorKind::infrastructure, fmt::format("{} counted {} runs of {} samples: run again",
                                                     board.name, counts.costs.size(), samples));
}

Status Desk::with_virtual_boards(const std::function<Status(VirtualBoards&)>& use) {
  if (!state_->virtual_boards)
    return fail(ErrorKind::bad_input, "no virtual board stands on this desk");
  const std::lock_guard lock(state_->control);
  return use(*state_->virtual_boards);
}

}  // namespace assay
