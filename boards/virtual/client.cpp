#include "boards/virtual/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"

namespace assay {
namespace {

constexpr std::chrono::seconds start_limit{10};
constexpr std::chrono::seconds answer_limit{10};

/// Takes one line out of `received`, reading more as needed.
Result<std::string> next_line(int descriptor, std::string& received, Deadline deadline) {
  for (;;) {
    if (const std::size_t end = received.find('\n'); end != std::string::npos) {
      std::string line = received.substr(0, end);
      received.erase(0, end + 1);
      return line;
    }
    pollfd waiting{descriptor, POLLIN, 0};
    // Rounded up: what is left is cut to whole milliseconds, and read() has no limit of its own.
    if (poll(&waiting, 1, static_cast<int>(deadline.remaining().count()) + 1) <= 0) {
      if (deadline.passed())
        return fail(ErrorKind::infrastructure, "virtual-board did not answer in time");
      continue;
    }
    std::array<char, 4096> buffer{};
    const ssize_t count = read(descriptor, buffer.data(), buffer.size());
    if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN))
      return fail(ErrorKind::infrastructure, "virtual-board ended unexpectedly");
    if (count > 0) received.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

VirtualBoard read_board(JsonObject& object) {
  return {object.required<std::string>("name"), object.required<std::string>("type"),
          object.required<std::string>("part"), object.required<std::string>("serial"),
          object.required<std::string>("uart")};
}

ExecutionWindow read_window(JsonObject& object) {
  const auto count = [&](const char* key) { return object.required<std::uint64_t>(key); };
  return {count("instructions"), count("alu"),          count("load"),
          count("store"),        count("multiply"),     count("branch"),
          count("other"),        count("words_loaded"), count("cycles")};
}

}  // namespace

Result<VirtualBoards> VirtualBoards::start(const std::vector<VirtualBoardSpec>& boards) {
  ASSAY_TRY(auto scratch,
            ScratchDirectory::create(std::filesystem::temp_directory_path(), "virtual-board-"));
  ProcessSpec spec;
  spec.arguments = {own_program("virtual-board").string(), "--control",
                    (scratch.path() / "control").string()};
  for (const VirtualBoardSpec& board : boards) {
    spec.arguments.push_back("--board");
    spec.arguments.push_back(
        fmt::format("name={},type={},serial={}", board.name, board.type, board.serial));
  }
  const std::filesystem::path errors = scratch.path() / "errors";
  ASSAY_TRY(ChildProcess process, ChildProcess::start(spec, errors));
  VirtualBoards started(std::move(process));
  ASSAY_CHECK(started.read_ready_line(errors));
  return started;
}

// When it does not come up, its standard error says why.
Status VirtualBoards::read_ready_line(const std::filesystem::path& errors_path) {
  std::string received;
  const auto line = next_line(process_.output(), received, Deadline(start_limit));
  if (!line) {
    const int code = process_.stop();
    const std::string words = read_text(errors_path).value_or("");
    if (words.empty()) return tl::unexpected(line.error());
    const bool input = code == exit_code(ErrorKind::bad_input);
    return fail(input ? ErrorKind::bad_input : ErrorKind::infrastructure,
                words.substr(0, words.find('\n')));
  }
  ASSAY_TRY(const Json json, parse_json(*line, "virtual-board"));
  JsonErrors errors("virtual-board");
  std::string control;
  {
    JsonObject ready(json, "", errors);
    ready.choice("event", {"ready"});
    probe_port_ = ready.required<std::uint16_t>("probe_port");
    control = ready.required<std::string>("control");
    ready.for_each_object("boards",
                          [&](JsonObject& object) { boards_.push_back(read_board(object)); });
  }
  ASSAY_CHECK(errors.status());
  return connect_control(control);
}

Status VirtualBoards::connect_control(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return fail(ErrorKind::infrastructure,
                fmt::format("the path {} is too long for a socket; set TMPDIR to a shorter folder",
                            path.native()));
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  control_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (control_ < 0 ||
      connect(control_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(ErrorKind::infrastructure, fmt::format("cannot connect to virtual-board at {}: {}",
                                                       path.native(), std::strerror(errno)));
  return {};
}

VirtualBoards::VirtualBoards(VirtualBoards&& other) noexcept
    : process_(std::move(other.process_)),
      probe_port_(other.probe_port_),
      boards_(std::move(other.boards_)),
      control_(std::exchange(other.control_, -1)),
      received_(std::move(other.received_)) {}

VirtualBoards& VirtualBoards::operator=(VirtualBoards&& other) noexcept {
  if (this == &other) return *this;
  if (control_ >= 0) close(control_);
  process_ = std::move(other.process_);
  probe_port_ = other.probe_port_;
  boards_ = std::move(other.boards_);
  control_ = std::exchange(other.control_, -1);
  received_ = std::move(other.received_);
  return *this;
}

VirtualBoards::~VirtualBoards() {
  if (control_ >= 0) close(control_);
}

const VirtualBoard* VirtualBoards::find(const std::string& name) const {
  for (const VirtualBoard& board : boards_)
    if (board.name == name) return &board;
  return nullptr;
}

Result<Json> VirtualBoards::request(const Json& request) {
  const std::string line = request.dump() + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t count = send(control_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(ErrorKind::infrastructure, "virtual-board ended unexpectedly");
    sent += static_cast<std::size_t>(count);
  }
  ASSAY_TRY(const std::string reply, next_line(control_, received_, Deadline(answer_limit)));
  ASSAY_TRY(Json json, parse_json(reply, "virtual-board"));
  if (!json.value("ok", false))
    return fail(ErrorKind::bad_input, fmt::format("virtual-board: {}", json.value("error", "")));
  json.erase("ok");
  return json;
}

Result<std::vector<ExecutionWindow>> VirtualBoards::counts(const std::string& board, bool all) {
  ASSAY_TRY(const Json json, request({{"request", "counts"}, {"board", board}, {"all", all}}));
  std::vector<ExecutionWindow> windows;
  JsonErrors errors("virtual-board");
  {
    JsonObject answer(json, "", errors);
    answer.for_each_object("windows",
                           [&](JsonObject& window) { windows.push_back(read_window(window)); });
  }
  ASSAY_CHECK(errors.status());
  return windows;
}

Result<Json> VirtualBoards::status(const std::string& board) {
  return request({{"request", "status"}, {"board", board}});
}

Status VirtualBoards::inject(const std::string& board, Json fault) {
  fault["request"] = "fault";
  fault["board"] = board;
  ASSAY_CHECK(request(fault));
  return {};
}

Status VirtualBoards::reset(const std::string& board) {
  ASSAY_CHECK(request({{"request", "reset"}, {"board", board}}));
  return {};
}

Status VirtualBoards::set_power(const std::string& board, bool on) {
  ASSAY_CHECK(request({{"request", "power"}, {"board", board}, {"on", on}}));
  return {};
}

}  // namespace assay
