// Whether networks of every form answer alike on every target: each logit of many samples against
// the reference interpreter's.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/result.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/pack/weight_form.hpp"

namespace assay::test {

/// Where a network runs.
struct AgreementTarget {
  enum class Kind { host, board, qemu };
  Kind kind = Kind::host;
  std::string part;  ///< of a virtual board (under QEMU's user mode, where it runs Linux), or the
                     ///< one whose core QEMU emulates
  std::string name() const;  ///< "host", "stm32f405", "qemu stm32f405"
};

/// The host, every part, and QEMU for every core.
std::vector<AgreementTarget> agreement_targets();

/// A network that computes, or keeps its weights, in one of the ways there are.
struct AgreementForm {
  std::string name;  ///< "int4", "int16", "float16"
  IntegerGraph network;
  WeightForm weights = WeightForm::int8;  ///< what its layers are packed in, where kernels exist
};

/// The same network over int8 tensors with weights of every form, over int16 tensors, and in float
/// with weights of every kind.
const std::vector<AgreementForm>& agreement_forms();

struct FormAgreement {
  std::size_t samples = 0;
  std::size_t identical = 0;  ///< with every logit the same
  std::size_t layers = 0;     ///< packed in the form; the others of the network have no such kernel

  std::string text() const;  ///< "500/500, 4 of form"
};

/// Builds the form's network for the target in `folder`, runs `samples` of its inputs there.
/// Errors: those of building and of the link.
Result<FormAgreement> compare_form(const AgreementForm& form, const AgreementTarget& target,
                                   std::size_t samples, const std::filesystem::path& folder);

}  // namespace assay::test
