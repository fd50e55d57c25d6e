#include "boards/virtual/board.hpp"

#include <fmt/format.h>

#include <exception>

namespace assay::virtual_board {

std::vector<std::uint8_t> virtual_unique_id(const std::string& serial) {
  constexpr std::size_t tail = 5;
  std::string text = "VIRTUAL";
  text += serial.size() < tail ? std::string(tail - serial.size(), '-') + serial
                               : serial.substr(serial.size() - tail);
  return {text.begin(), text.end()};
}

Board::Board(BoardSpec spec) : spec_(std::move(spec)) {}

Result<std::unique_ptr<Board>> Board::create(BoardSpec spec) {
  std::unique_ptr<Board> board(new Board(std::move(spec)));
  try {
    ASSAY_CHECK(board->build());
  } catch (const std::exception& problem) {
    return fail(ErrorKind::infrastructure,
                fmt::format("virtual board {}: {}", board->spec_.name, problem.what()));
  }
  return board;
}

Status Board::build() {
  const Part& part = spec_.type.part;
  ASSAY_TRY(cycle_model_, make_cycle_model(part.core));
  memory_ = std::make_unique<MemoryMap>(part, virtual_unique_id(spec_.serial));
  flash_array_ = std::make_unique<FlashArray>(memory_->flash_bank().bytes);
  ASSAY_TRY(flash_, make_flash_controller(part.flash_controller, *flash_array_));
  ASSAY_TRY(rcc_, make_rcc(spec_.type));
  const auto input_or_space = [this] {
    attention_.fetch_or(attention_input);
    wake_.signal();
  };
  ASSAY_TRY(pty_, Pty::open(input_or_space, input_or_space));

  SystemSpace::Requests requests;
  requests.system_reset = [this] {
    reset_wanted_ = true;
    processor_->request_stop();
  };
  requests.interrupts_changed = [this] { processor_->look_at_events(); };
  requests.read_debug = [this](std::uint32_t offset) { return debug_->read_debug(offset); };
  requests.write_debug = [this](std::uint32_t offset, std::uint32_t value) {
    debug_->write_debug(offset, value);
  };
  processor_ = std::make_unique<Processor>(
      Processor::Surroundings{part, *memory_, *flash_array_, *rcc_, attention_}, *cycle_model_,
      std::move(requests));
  ASSAY_TRY(usart_, make_usart(spec_.type.uart_block(), *pty_, *processor_, *rcc_));
  debug_ = std::make_unique<DebugPort>(part, *memory_, *processor_, [this] { reset_if_wanted(); });

  constexpr std::uint32_t block_size = 0x400;
  attach_watched(flash_->register_base(), block_size, *flash_);
  attach_watched(rcc_->register_base(), block_size, *rcc_);
  for (const Rcc::Block& block : rcc_->other_blocks())
    attach_watched(block.base, block.size, *block.registers);
  memory_->attach(usart_->block().base, block_size, *usart_);
  memory_->attach_flash(*flash_);
  memory_->other_registers().fix(part.debug_idcode_address, part.debug_idcode);
  processor_->connect({usart_.get()});
  system_reset();
  thread_ = std::thread([this] { run(); });
  return {};
}

void Board::attach_watched(std::uint32_t base, std::uint32_t size, Peripheral& registers) {
  watched_.push_back(std::make_unique<Watched>(registers, [this] { look_for_failure(); }));
  memory_->attach(base, size, *watched_.back());
}

void Board::look_for_failure() {
  if (failure_) return;
  failure_ = rcc_->failure(flash_->wait_states());
  if (failure_) processor_->request_stop();
}

Board::~Board() {
  if (!thread_.joinable()) return;
  {
    const Access access(*this);
    quit_ = true;
  }
  wake_.signal();
  thread_.join();
}

Board::Access::Access(Board& board) : board_(board) {
  board_.attention_.fetch_add(attention_access);
  lock_ = std::unique_lock(board_.mutex_);
}

Board::Access::~Access() {
  board_.attention_.fetch_sub(attention_access);
  if (board_.processor_->state() != RunState::halted) board_.wake_.signal();
}

void Board::Access::hold_in_reset(bool held) {
  if (board_.held_in_reset_ && !held) board_.system_reset();
  board_.held_in_reset_ = held;
}

void Board::Access::set_power(bool on) {
  if (board_.powered_ == on) return;
  board_.powered_ = on;
  if (!on) return;
  board_.memory_->lose_power();
  if (board_.hang_ == Hang::until_power_cycle) board_.hang_ = Hang::no;
  board_.failure_.reset();
  board_.system_reset();
}

void Board::system_reset() {
  reset_wanted_ = false;
  if (hang_ == Hang::until_reset) hang_ = Hang::no;
  if (failure_ && !failure_->until_power_cycle) failure_.reset();
  memory_->reset_peripherals();
  pty_->discard();
  processor_->reset();
  if (debug_->note_reset()) processor_->halt(halt_vector_catch);
}

void Board::reset_if_wanted() {
  if (reset_wanted_) system_reset();
}

bool Board::runnable() const {
  return powered_ && !held_in_reset_ && hang_ == Hang::no && !failure_ &&
         processor_->state() == RunState::running;
}

std::optional<std::chrono::nanoseconds> Board::time_to_next_event() const {
  const auto event = processor_->next_event();
  if (!event) return std::nullopt;
  const std::uint64_t now = processor_->cycles();
  const double seconds = *event > now ? static_cast<double>(*event - now) /
                                            static_cast<double>(rcc_->core_clock().count())
                                      : 0;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

// Sleeps until another thread has something, or until the next event of a sleeping processor in
// real time.
void Board::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const bool asleep = powered_ && !held_in_reset_ && hang_ == Hang::no && !failure_ &&
                      processor_->state() == RunState::sleeping;
  const bool wanted = attention_.load() & attention_access_mask;
  const auto timeout = asleep && !wanted ? time_to_next_event() : std::nullopt;
  const Deadline event(timeout.value_or(std::chrono::nanoseconds(0)));
  lock.unlock();
  wake_.wait(timeout);
  lock.lock();
  if (!asleep || processor_->state() != RunState::sleeping) return;
  const bool due = timeout && event.passed();
  if (due || (attention_.load() & attention_input)) processor_->wake(due);
}

void Board::run() {
  std::unique_lock lock(mutex_);
  while (!quit_) {
    if ((attention_.load() & attention_access_mask) || !runnable()) {
      wait_for_work(lock);
      continue;
    }
    processor_->run();
    reset_if_wanted();
  }
}

}  // namespace assay::virtual_board
