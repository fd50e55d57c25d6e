// Expected failures as values: Result<T>, Status, Error, and the exit code of each kind of error.
//
// A function that can fail for a reason outside the program (a bad file, an absent board, a full
// disk) returns Result<T>. Broken invariants assert. Exceptions of third-party libraries are caught
// at the public face of the folder that uses the library.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace assay {

/// Why something failed, in the classes the command line tells apart. The value is the exit code.
enum class ErrorKind : int {
  regression = 1,      ///< a metric moved beyond its own noise
  bad_input = 2,       ///< usage, malformed or impossible input
  infrastructure = 3,  ///< cable, probe, power, missing tool, full disk
  not_comparable = 4,  ///< two results that must not be compared
  failed_verdict = 5,  ///< wrong logits, does not fit, misses a budget
  interrupted = 130,   ///< Ctrl-C or SIGTERM
};

/// One clear sentence: what was wrong, where, and what to do.
struct Error {
  ErrorKind kind = ErrorKind::bad_input;
  std::string message;
};

/// The process exit code documented for this kind of error.
constexpr int exit_code(ErrorKind kind) {
  return static_cast<int>(kind);
}

template <class T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

/// Shorthand for returning an error: `return fail(ErrorKind::bad_input, "...")`.
inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

}  // namespace assay

#define ASSAY_CONCAT_INNER(a, b) a##b
#define ASSAY_CONCAT(a, b) ASSAY_CONCAT_INNER(a, b)

/// Evaluates a Result; on failure returns its error from the enclosing function, otherwise moves
/// the value into `declaration`: `ASSAY_TRY(auto text, read_text(path));`
#define ASSAY_TRY(declaration, expression)                                           \
  auto ASSAY_CONCAT(assay_result_, __LINE__) = (expression);                         \
  if (!ASSAY_CONCAT(assay_result_, __LINE__))                                        \
    return tl::unexpected(std::move(ASSAY_CONCAT(assay_result_, __LINE__)).error()); \
  declaration = std::move(*ASSAY_CONCAT(assay_result_, __LINE__))

/// The same for a Status, or when the value is not wanted.
#define ASSAY_CHECK(expression)                                                \
  do {                                                                         \
    auto assay_status = (expression);                                          \
    if (!assay_status) return tl::unexpected(std::move(assay_status).error()); \
  } while (false)
