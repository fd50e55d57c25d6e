#include "compress/data/ordered_split.hpp"

namespace assay {

std::vector<int> choose_by_order(std::span<const std::uint8_t> labels, const OrderedSplit& rule,
                                 Split split) {
  const auto calibration_quota = [&](int label) {
    return rule.calibration_images / rule.classes +
           (label < rule.calibration_images % rule.classes ? 1 : 0);
  };
  std::vector<int> seen(std::size_t(rule.classes), 0);
  std::vector<int> chosen;
  for (int i = 0; i < int(labels.size()); ++i) {
    const int label = labels[std::size_t(i)];
    const int rank = seen[std::size_t(label)]++;  // of this image within its class
    const int training_rank = rank - rule.validation_per_class;
    const bool wanted = split == Split::test || (split == Split::validation && training_rank < 0) ||
                        (split == Split::train && training_rank >= 0) ||
                        (split == Split::calibration && training_rank >= 0 &&
                         training_rank < calibration_quota(label));
    if (wanted) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace assay
