// STAGE.json: what is written reads back the same, and every bad document is answered by its path.
#include "compress/train/stage_description.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::HasSubstr;

Json train_json() {
  return Json::parse(R"({"kind": "train", "data": "fashion-mnist", "threads": 1, "cpu": "baseline",
    "model": {"family": "conv5", "cut": 4, "fewer_filters_pct": 50},
    "train": {"epochs": 3, "batch": 64, "learning_rate": 0.01, "weight_decay": 0.1,
              "schedule": "linear", "images": 640},
    "distill": {"alpha": 0.25, "beta": 0.75, "T": 14, "t_squared": false}, "seed": 7,
    "inputs": {"teacher_logits": "teacher/logits.bin"}})");
}

TEST(StageDescription, ReadsEveryFieldOfATraining) {
  const auto stage = parse_stage(train_json(), "stage.json");
  ASSERT_TRUE(stage) << stage.error().message;
  EXPECT_EQ(kind_of(*stage), "train");
  EXPECT_EQ(stage->cpu, CpuLevel::baseline);
  const auto& work = std::get<TrainStage>(stage->work);
  EXPECT_EQ(work.model.family, "conv5");
  EXPECT_EQ(work.model.cut, 4);
  EXPECT_EQ(work.model.fewer_filters_pct, 50);
  EXPECT_EQ(work.settings.epochs, 3);
  EXPECT_EQ(work.settings.batch, 64);
  EXPECT_EQ(work.settings.learning_rate, 0.01);
  EXPECT_EQ(work.settings.weight_decay, 0.1);
  EXPECT_EQ(work.settings.schedule, Schedule::linear);
  EXPECT_EQ(work.settings.images, 640);
  ASSERT_TRUE(work.distill);
  EXPECT_EQ(work.distill->alpha, 0.25);
  EXPECT_EQ(work.distill->beta, 0.75);
  EXPECT_EQ(work.distill->temperature, 14);
  EXPECT_FALSE(work.distill->t_squared);
  EXPECT_EQ(work.teacher_logits, "teacher/logits.bin");
  EXPECT_EQ(work.seed, 7U);
}

TEST(StageDescription, WritesWhatItReads) {
  const char* documents[] = {
      R"({"kind": "logits", "data": "d", "threads": 2, "cpu": "avx2",
          "inputs": {"model": "m.onnx"}})",
      R"({"kind": "evaluate", "data": "d", "threads": 1, "cpu": "baseline",
          "inputs": {"model": "m.onnx"}})",
      R"({"kind": "quantize", "data": "d", "threads": 1, "cpu": "avx512",
          "quantize": {"scheme": "int8", "observer": "mse", "samples": 100, "weight_bits": 4,
                       "weight_observer": "auto", "weight_scales": "channel", "layer_bits": {}},
          "inputs": {"model": "m.onnx"}})",
  };
  std::vector<Json> stages{train_json()};
  for (const char* document : documents)
    stages.push_back(Json::parse(document));
  for (const Json& json : stages) {
    const auto stage = parse_stage(json, "stage.json");
    ASSERT_TRUE(stage) << stage.error().message;
    EXPECT_EQ(to_json(*stage), json);
  }
}

TEST(StageDescription, FillsDefaults) {
  const auto stage = parse_stage(
      Json::parse(R"({"kind": "train", "data": "d", "model": {"family": "conv5"}})"), "stage.json");
  ASSERT_TRUE(stage) << stage.error().message;
  EXPECT_EQ(stage->threads, 1);
  EXPECT_EQ(stage->cpu, best_cpu_level());
  const auto& work = std::get<TrainStage>(stage->work);
  EXPECT_EQ(to_json(work.settings), to_json(TrainSettings{}));
  EXPECT_FALSE(work.distill);
  EXPECT_FALSE(to_json(*stage).contains("inputs"));
}

struct BadStage {
  const char* name;
  const char* patch;  ///< merged into a good training (RFC 7396): null removes a field
  const char* expected;
};

class BadStages : public ::testing::TestWithParam<BadStage> {};

TEST_P(BadStages, AreAnsweredWithThePathOfTheField) {
  Json json = train_json();
  json.merge_patch(Json::parse(GetParam().patch));
  const auto stage = parse_stage(json, "stage.json");
  ASSERT_FALSE(stage);
  EXPECT_EQ(stage.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(stage.error().message, HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    StageDescription, BadStages,
    ::testing::Values(
        BadStage{"NoKind", R"({"kind": null})", "kind: "},
        BadStage{"UnknownKind", R"({"kind": "prune"})", "kind: expected one of train"},
        BadStage{"NoData", R"({"data": null})", "data: is missing"},
        BadStage{"UnknownField", R"({"colour": 1})", "colour: unknown field"},
        BadStage{"UnknownNestedField", R"({"train": {"epoch": 3}})", "train.epoch: unknown field"},
        BadStage{"FieldOfAnotherKind", R"({"quantize": {}})", "quantize: unknown field"},
        BadStage{"TextForNumber", R"({"train": {"epochs": "3"}})", "train.epochs: expected an int"},
        BadStage{"ZeroEpochs", R"({"train": {"epochs": 0}})", "train.epochs: expected 1 to"},
        BadStage{"ZeroThreads", R"({"threads": 0})", "threads: expected 1 to"},
        BadStage{"ZeroRate", R"({"train": {"learning_rate": 0}})", "train.learning_rate: "},
        BadStage{"NegativeDecay", R"({"train": {"weight_decay": -1}})", "train.weight_decay: "},
        BadStage{"Schedule", R"({"train": {"schedule": "cosine"}})", "one-cycle, linear, constant"},
        BadStage{"LessThanABatch", R"({"train": {"images": 63}})", "train.images: 63 images"},
        BadStage{"ZeroTemperature", R"({"distill": {"T": 0}})", "distill.T: "},
        BadStage{"NoLoss", R"({"distill": {"alpha": 0, "beta": 0}})", "distill: alpha and beta"},
        BadStage{"NoTeacher", R"({"inputs": {"teacher_logits": null}})", "inputs.teacher_logits: "},
        BadStage{"EmptyPath", R"({"inputs": {"teacher_logits": ""}})", "inputs.teacher_logits: "},
        BadStage{"TeacherWithoutDistillation", R"({"distill": null})", "inputs: unknown field"},
        BadStage{"NegativeSeed", R"({"seed": -1})", "seed: -1 is out of range"},
        BadStage{"Processor", R"({"cpu": "neon"})", "cpu: expected one of baseline, avx2"},
        BadStage{"NoFamily", R"({"model": {"family": null}})", "model.family: "}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay
