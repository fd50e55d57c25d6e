// Modules are written as their source, as Torch reads it, and saved: what is read from the file
// must compute what Torch computes.
#include "compress/train/torchscript.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <torch/csrc/jit/api/module.h>

#include <cmath>

#include "compress/models/foreign_network.hpp"
#include "compress/train/interpreter.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

namespace jit = torch::jit;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr ImageExtent image{2, 8, 8};

/// The same numbers at every run, small enough that sums stay near 1.
at::Tensor numbers(std::vector<std::int64_t> shape, double start) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape)
    count *= extent;
  return at::arange(count, at::kFloat).add(start).mul(1.7).sin().mul(0.4).reshape(shape);
}

jit::Module layer(const std::string& source, std::vector<std::int64_t> weight,
                  std::optional<std::int64_t> bias, double start) {
  jit::Module module("Layer");
  module.register_parameter("weight", numbers(std::move(weight), start), false);
  if (bias) module.register_parameter("bias", numbers({*bias}, start + 1), false);
  module.define(source);
  return module;
}

jit::Module norm(std::int64_t channels, double start) {
  jit::Module module("Norm");
  module.register_attribute("training", c10::BoolType::get(), true);
  module.register_parameter("weight", numbers({channels}, start), false);
  module.register_parameter("bias", numbers({channels}, start + 1), false);
  module.register_buffer("running_mean", numbers({channels}, start + 2));
  module.register_buffer("running_var", numbers({channels}, start + 3).abs() + 0.5);
  module.define(R"(
    def forward(self, x):
      return torch.batch_norm(x, self.weight, self.bias, self.running_mean, self.running_var,
                              self.training, 0.1, 1e-3, False)
  )");
  return module;
}

const char* const linear_source = R"(
    def forward(self, x):
      return torch.linear(x, self.weight, self.bias)
)";

/// conv -> norm -> relu -> (conv -> norm, added in place) -> relu in place -> pools -> flat ->
/// dense.
jit::Module residual() {
  jit::Module module("Residual");
  module.register_attribute("training", c10::BoolType::get(), true);
  const char* conv = R"(
    def forward(self, x):
      return torch.conv2d(x, self.weight, None, [1, 1], [1, 1], [1, 1], 1)
  )";
  module.register_module("conv1", layer(conv, {4, 2, 3, 3}, {}, 1));
  module.register_module("bn1", norm(4, 2));
  module.register_module("conv2", layer(conv, {4, 4, 3, 3}, {}, 3));
  module.register_module("bn2", norm(4, 4));
  module.register_module("fc", layer(linear_source, {3, 16}, 3, 5));
  module.define(R"(
    def forward(self, x):
      x = torch.relu(self.bn1.forward(self.conv1.forward(x)))
      y = self.bn2.forward(self.conv2.forward(x))
      y += x
      y = torch.relu_(y)
      y = torch.max_pool2d(y, [2, 2], [2, 2], [0, 0], [1, 1], False)
      y = torch.avg_pool2d(y, [2, 2])
      y = torch.dropout(y, 0.5, self.training)
      return self.fc.forward(y.view([y.size(0), -1]))
  )");
  return module;
}

/// A dilated convolution, a depthwise one, squeeze and excitation, hard-swish, silu, clipping,
/// channels joined, the mean over positions, and addmm.
jit::Module depthwise() {
  jit::Module module("Depthwise");
  module.register_module("stem", layer(R"(
    def forward(self, x):
      return torch.conv2d(x, self.weight, self.bias, [2, 2], [2, 2], [2, 2], 1)
  )",
                                       {6, 2, 3, 3}, 6, 1));
  module.register_module("dw", layer(R"(
    def forward(self, x):
      return torch.conv2d(x, self.weight, self.bias, [1, 1], [1, 1], [1, 1], 6)
  )",
                                     {6, 1, 3, 3}, 6, 2));
  module.register_module("squeeze", layer(R"(
    def forward(self, x):
      return torch.conv2d(x, self.weight, self.bias)
  )",
                                          {6, 6, 1, 1}, 6, 3));
  module.register_parameter("head_weight", numbers({12, 5}, 4), false);
  module.register_parameter("head_bias", numbers({5}, 5), false);
  module.define(R"(
    def forward(self, x):
      x = torch.hardswish(self.stem.forward(x))
      y = torch.clamp(self.dw.forward(x), -1.0, 6.0)
      gate = torch.hardsigmoid(self.squeeze.forward(torch.adaptive_avg_pool2d(y, [1, 1])))
      y = y * gate
      y = torch.cat([torch.silu(y), torch.sigmoid(x)], 1)
      y = torch.mean(y, [-2, -1])
      return torch.addmm(self.head_bias, y, self.head_weight)
  )");
  return module;
}

class TorchScript : public ::testing::Test {
 protected:
  void SetUp() override {
    auto scratch = ScratchDirectory::create(::testing::TempDir(), "script");
    ASSERT_TRUE(scratch) << scratch.error().message;
    scratch_.emplace(std::move(*scratch));
  }

  std::filesystem::path saved(const jit::Module& module) const {
    const auto path = scratch_->path() / "net.pt";
    module.save(path.string());
    return path;
  }

  Result<onnx::Model> read(const jit::Module& module) const {
    return read_torchscript(saved(module), image);
  }

  /// The message of the refusal.
  std::string refusal(const Result<onnx::Model>& model) const {
    EXPECT_FALSE(model);
    if (model) return "";
    EXPECT_EQ(model.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(model.error().message, HasSubstr(scratch_->path().string()));
    return model.error().message;
  }

  std::optional<ScratchDirectory> scratch_;
};

/// On five images, which is no number of images that reading uses.
void expect_same(const onnx::Model& model, jit::Module module) {
  const c10::NoGradGuard no_gradients;
  module.eval();
  const at::Tensor input = numbers({5, image[0], image[1], image[2]}, 0.3).mul(5).contiguous();
  const at::Tensor expected = module.forward({input.clone()}).toTensor().contiguous();
  const auto interpreter = Interpreter::create(model, "net");
  ASSERT_TRUE(interpreter) << interpreter.error().message;
  const auto found = interpreter->run({input.data_ptr<float>(), std::size_t(input.numel())}, 5);
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), std::size_t(expected.numel()));
  const float largest = expected.abs().max().item<float>();
  ASSERT_GT(largest, 0.1F);
  for (std::size_t i = 0; i < found->size(); ++i)
    EXPECT_NEAR((*found)[i], expected.data_ptr<float>()[i], 1e-5 * largest) << i;
}

std::vector<std::string> node_names(const onnx::Model& model, const std::string& op_type) {
  std::vector<std::string> names;
  for (const onnx::Node& node : model.nodes)
    if (node.op_type == op_type) names.push_back(node.name);
  return names;
}

TEST_F(TorchScript, ResidualNetworkComputesTheSame) {
  const auto model = read(residual());
  ASSERT_TRUE(model) << model.error().message;
  expect_same(*model, residual());
  EXPECT_EQ(node_names(*model, "Conv"), (std::vector<std::string>{"conv1", "conv2"}));
  EXPECT_EQ(node_names(*model, "BatchNormalization"), (std::vector<std::string>{"bn1", "bn2"}));
  EXPECT_EQ(node_names(*model, "Gemm"), std::vector<std::string>{"fc"});
  EXPECT_EQ(model->inputs[0].shape, (std::vector<std::int64_t>{-1, 2, 8, 8}));
  EXPECT_EQ(model->outputs[0].shape, (std::vector<std::int64_t>{-1, 3}));
}

TEST_F(TorchScript, DepthwiseNetworkComputesTheSame) {
  const auto model = read(depthwise());
  ASSERT_TRUE(model) << model.error().message;
  expect_same(*model, depthwise());
}

TEST_F(TorchScript, IsAdoptedAndWrittenAsOnnx) {
  const auto model = read(depthwise());
  ASSERT_TRUE(model) << model.error().message;
  DatasetInfo data;
  data.name = "two-planes";
  data.channels = 2;
  data.height = data.width = 8;
  data.normalization = {{0.5F, 0.5F}, {0.25F, 0.25F}};
  const auto adopted = adopt_network(*model, data, "net.pt");
  ASSERT_TRUE(adopted) << adopted.error().message;
  const std::string bytes = onnx::serialize_model(*adopted);
  const auto again = onnx::parse_model(std::as_bytes(std::span(bytes)), "net.onnx");
  ASSERT_TRUE(again) << again.error().message;
  expect_same(*again, depthwise());
}

TEST_F(TorchScript, ValueThatIsChangedInPlaceIsChangedForAll) {
  jit::Module module("InPlace");
  module.define(R"(
    def forward(self, x):
      x = torch.flatten(x, 1)
      y = x
      torch.relu_(y)
      return x * 2.0 + y
  )");
  const auto model = read(module);
  ASSERT_TRUE(model) << model.error().message;
  expect_same(*model, module);
}

TEST_F(TorchScript, TrainingModeInTheFileIsLeft) {
  jit::Module module = residual();
  module.train();
  const auto model = read(module);
  ASSERT_TRUE(model) << model.error().message;
  expect_same(*model, residual());
}

struct Refused {
  const char* name;
  const char* forward;
  std::vector<const char*> expected;
};

class TorchScriptRefuses : public TorchScript, public ::testing::WithParamInterface<Refused> {};

TEST_P(TorchScriptRefuses, SayingWhatAndWhere) {
  jit::Module inner("Inner");
  inner.define(GetParam().forward);
  jit::Module module("Outer");
  module.register_module("block", inner);
  module.define(R"(
    def forward(self, x):
      return self.block.forward(x)
  )");
  const std::string message = refusal(read(module));
  for (const char* part : GetParam().expected)
    EXPECT_THAT(message, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(
    Methods, TorchScriptRefuses,
    ::testing::Values(
        Refused{"Operator",
                "def forward(self, x):\n  return torch.gelu(x)\n",
                {"operator aten::gelu in ", "block", "is not supported"}},
        Refused{"Scaled",
                "def forward(self, x):\n  return torch.add(x, x, alpha=2)\n",
                {"aten::add", "is scaled"}},
        Refused{"PoolToAnotherSize",
                "def forward(self, x):\n  return torch.adaptive_avg_pool2d(x, [2, 2])\n",
                {"adaptive_avg_pool2d", "1 x 1"}},
        Refused{"CeilMode",
                "def forward(self, x):\n"
                "  return torch.max_pool2d(x, [3, 3], [2, 2], [0, 0], [1, 1], True)\n",
                {"max_pool2d", "ceil_mode"}},
        Refused{"Constant",
                "def forward(self, x):\n  return torch.ones([1])\n",
                {"computed from the image"}},
        Refused{"NumberOfImages",
                "def forward(self, x):\n  return x * float(x.size(0))\n",
                {"computes other numbers than the file"}},
        Refused{"MovesBetweenImages",
                "def forward(self, x):\n  return x.view([-1, 16])\n",
                {"aten::view", "another shape than [N, rest]"}},
        Refused{"TwoTensors",
                "def forward(self, x):\n  return torch.relu(x), x\n",
                {"computed from the image"}}),
    [](const auto& test) { return test.param.name; });

TEST_F(TorchScript, SharedWeightsAreRefused) {
  jit::Module module("Shared");
  module.register_module("conv", layer(R"(
    def forward(self, x):
      return torch.conv2d(x, self.weight, self.bias)
  )",
                                       {2, 2, 1, 1}, 2, 1));
  module.define(R"(
    def forward(self, x):
      return self.conv.forward(self.conv.forward(x))
  )");
  EXPECT_THAT(refusal(read(module)), HasSubstr("shares its weights"));
}

TEST_F(TorchScript, ImagesThatDoNotFitAreRefusedWithTheirSize) {
  const auto path = saved(residual());
  const std::string message = refusal(read_torchscript(path, {1, 28, 28}));
  EXPECT_THAT(message, HasSubstr("images of 1 x 28 x 28"));
}

TEST_F(TorchScript, OtherFilesAreRefused) {
  const auto path = saved(residual());
  const auto whole = read_bytes(path).value();
  const struct {
    const char* what;
    std::vector<std::byte> bytes;
  } files[] = {{"empty", {}},
               {"no zip archive", std::vector<std::byte>(4096, std::byte{'x'})},
               {"half", {whole.begin(), whole.begin() + std::ptrdiff_t(whole.size() / 2)}}};
  for (const auto& file : files) {
    ASSERT_TRUE(write_atomically(path, std::span(file.bytes)));
    EXPECT_THAT(refusal(read_torchscript(path, image)), HasSubstr("no TorchScript file"))
        << file.what;
  }
  EXPECT_THAT(refusal(read_torchscript(scratch_->path() / "absent.pt", image)),
              HasSubstr("no such file"));
}

}  // namespace
}  // namespace assay
