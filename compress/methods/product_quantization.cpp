#include "compress/methods/product_quantization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "compress/methods/random.hpp"
#include "compress/methods/settings.hpp"

namespace assay {
namespace {

using Block = std::span<const float>;

double squared_distance(Block block, const double* codeword) {
  double sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i)
    sum += (double(block[i]) - codeword[i]) * (double(block[i]) - codeword[i]);
  return sum;
}

/// The matrix as blocks, in order.
class Blocks {
 public:
  Blocks(std::span<const float> matrix, std::size_t length) : matrix_(matrix), length_(length) {}

  std::size_t count() const { return matrix_.size() / length_; }
  std::size_t length() const { return length_; }
  Block operator[](std::size_t index) const { return matrix_.subspan(index * length_, length_); }
  /// The first block of each kind, ordered by content.
  std::vector<std::size_t> different() const {
    std::vector<std::size_t> order(count());
    std::iota(order.begin(), order.end(), 0);
    const auto less = [&](std::size_t a, std::size_t b) {
      return std::ranges::lexicographical_compare((*this)[a], (*this)[b]);
    };
    std::ranges::stable_sort(order, less);
    const auto same = [&](std::size_t a, std::size_t b) {
      return std::ranges::equal((*this)[a], (*this)[b]);
    };
    order.erase(std::unique(order.begin(), order.end(), same), order.end());
    return order;
  }

 private:
  std::span<const float> matrix_;
  std::size_t length_;
};

/// Codewords and the blocks of each, on their way to the end.
class Quantizer {
 public:
  Quantizer(const Blocks& blocks, std::size_t most, std::uint64_t seed)
      : blocks_(blocks), assignment_(blocks.count(), 0) {
    std::vector<std::size_t> different = blocks.different();
    Random random(seed);
    const std::size_t count = std::min(most, different.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(different[i], different[i + random.below(different.size() - i)]);
      codewords_.insert(codewords_.end(), blocks[different[i]].begin(), blocks[different[i]].end());
    }
    members_.resize(count);
  }

  ProductCodebook run(int iterations) {
    ProductCodebook result;
    for (int i = 0; i < iterations; ++i) {
      const auto before = assignment_;
      assign();
      for (std::size_t index = 0; index < members_.size(); ++index)
        if (members_[index] == 0) {
          refill(index);
          ++result.refilled;
        }
      maximize();
      result.squared_errors.push_back(error());
      if (i > 0 && assignment_ == before) break;
    }
    result.codewords.assign(codewords_.begin(), codewords_.end());
    result.assignment = std::move(assignment_);
    return result;
  }

 private:
  double* codeword(std::size_t index) { return codewords_.data() + index * blocks_.length(); }

  void assign() {
    std::ranges::fill(members_, 0);
    for (std::size_t i = 0; i < assignment_.size(); ++i) {
      std::size_t nearest = 0;
      double least = squared_distance(blocks_[i], codeword(0));
      for (std::size_t index = 1; index < members_.size(); ++index) {
        const double distance = squared_distance(blocks_[i], codeword(index));
        if (distance >= least) continue;
        least = distance;
        nearest = index;
      }
      assignment_[i] = std::uint32_t(nearest);
      ++members_[nearest];
    }
  }

  std::vector<double> mean_of(std::size_t index) const {
    std::vector<double> mean(blocks_.length(), 0);
    for (std::size_t i = 0; i < assignment_.size(); ++i)
      for (std::size_t d = 0; assignment_[i] == index && d < mean.size(); ++d)
        mean[d] += blocks_[i][d];
    for (double& value : mean)
      value /= double(members_[index]);
    return mean;
  }

  /// A block of `index` that differs from the first one there; nothing when all are alike.
  bool has_different_blocks(std::size_t index) const {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < assignment_.size(); ++i) {
      if (assignment_[i] != index) continue;
      if (!first) first = i;
      if (!std::ranges::equal(blocks_[i], blocks_[*first])) return true;
    }
    return false;
  }

  std::size_t largest_divisible() const {
    std::vector<std::size_t> order(members_.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return members_[i]; });
    // There is one: the different blocks are more than the codewords that have any.
    return *std::ranges::find_if(order, [&](std::size_t i) { return has_different_blocks(i); });
  }

  void refill(std::size_t empty) {
    const std::size_t donor = largest_divisible();
    const std::vector<double> mean = mean_of(donor);
    std::size_t farthest = 0;
    double distance = -1;
    for (std::size_t i = 0; i < assignment_.size(); ++i) {
      if (assignment_[i] != donor || squared_distance(blocks_[i], mean.data()) <= distance)
        continue;
      distance = squared_distance(blocks_[i], mean.data());
      farthest = i;
    }
    for (std::size_t i = 0; i < assignment_.size(); ++i) {
      if (assignment_[i] != donor) continue;
      double along = 0;
      for (std::size_t d = 0; d < mean.size(); ++d)
        along += (double(blocks_[i][d]) - mean[d]) * (double(blocks_[farthest][d]) - mean[d]);
      if (along <= 0) continue;
      assignment_[i] = std::uint32_t(empty);
      --members_[donor];
      ++members_[empty];
    }
  }

  void maximize() {
    std::ranges::fill(codewords_, 0);
    for (std::size_t i = 0; i < assignment_.size(); ++i)
      for (std::size_t d = 0; d < blocks_.length(); ++d)
        codeword(assignment_[i])[d] += blocks_[i][d];
    for (std::size_t index = 0; index < members_.size(); ++index)
      for (std::size_t d = 0; d < blocks_.length(); ++d)
        codeword(index)[d] /= double(members_[index]);
  }

  double error() {
    double sum = 0;
    for (std::size_t i = 0; i < assignment_.size(); ++i)
      sum += squared_distance(blocks_[i], codeword(assignment_[i]));
    return sum;
  }

  const Blocks& blocks_;
  std::vector<double> codewords_;
  std::vector<std::uint32_t> assignment_;
  std::vector<std::size_t> members_;  // blocks of each codeword
};

Status check(std::span<const float> matrix, std::int64_t rows, std::int64_t cols,
             const ProductQuantization& settings) {
  const auto refuse = [](const std::string& why) {
    return fail(ErrorKind::bad_input, "product quantization: " + why);
  };
  if (settings.block < 1 || settings.centroids < 1 || settings.iterations < 1)
    return refuse(
        fmt::format("block, centroids and iterations must be at least 1, found {}, {} "
                    "and {}",
                    settings.block, settings.centroids, settings.iterations));
  if (rows < 1 || cols < 1 || matrix.size() != std::size_t(rows) * std::size_t(cols))
    return refuse(fmt::format("{} weights are not {} rows of {}", matrix.size(), rows, cols));
  if (cols % settings.block != 0)
    return refuse(
        fmt::format("{} columns are not whole blocks of {}; choose a block that divides "
                    "them or leave the layer out",
                    cols, settings.block));
  for (std::size_t i = 0; i < matrix.size(); ++i)
    if (!std::isfinite(matrix[i])) return refuse(fmt::format("weight {} is {}", i, matrix[i]));
  return {};
}

}  // namespace

Json to_json(const ProductQuantization& settings) {
  return {{"block", settings.block},
          {"centroids", settings.centroids},
          {"iterations", settings.iterations}};
}

ProductQuantization read_product_quantization(JsonObject& object) {
  ProductQuantization settings;
  settings.block = read_count(object, "block", settings.block, 1024);
  settings.centroids = read_count(object, "centroids", settings.centroids, 65'536);
  settings.iterations = read_count(object, "iterations", settings.iterations, 10'000);
  return settings;
}

std::vector<float> ProductCodebook::reconstruction(int block) const {
  std::vector<float> matrix;
  matrix.reserve(assignment.size() * std::size_t(block));
  for (const std::uint32_t index : assignment) {
    const auto codeword = codewords.begin() + std::ptrdiff_t(index) * block;
    matrix.insert(matrix.end(), codeword, codeword + block);
  }
  return matrix;
}

Result<ProductCodebook> product_quantize(std::span<const float> matrix, std::int64_t rows,
                                         std::int64_t cols, const ProductQuantization& settings,
                                         std::uint64_t seed) {
  ASSAY_CHECK(check(matrix, rows, cols, settings));
  const Blocks blocks(matrix, std::size_t(settings.block));
  return Quantizer(blocks, std::size_t(settings.centroids), seed).run(settings.iterations);
}

}  // namespace assay
