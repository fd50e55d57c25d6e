// STAGE.json: what is written reads back the same, and every bad document is answered by its path.
#include "compress/train/stage_description.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Json train_json() {
  return Json::parse(R"({"kind": "train", "data": "fashion-mnist", "fingerprint": "1a2b",
    "threads": 1, "cpu": "baseline", "device": "cpu", "model": {"family": "conv5", "cut": 4, "fewer_filters_pct": 50},
    "train": {"epochs": 3, "batch": 64, "learning_rate": 0.01, "weight_decay": 0.1,
              "schedule": "linear", "images": 640},
    "distill": {"alpha": 0.25, "beta": 0.75, "T": 14, "t_squared": false,
                "teacher": "fixed"}, "seed": 7,
    "inputs": {"teacher_logits": "teacher/logits.bin"}})");
}

/// Two teachers whose networks are looked into.
Json ensemble_json() {
  Json json = train_json();
  json["inputs"] = {{"teacher_model", "a.onnx"}, {"teacher_model_2", "b.onnx"}};
  json["distill"]["hint_weight"] = 0.5;
  json["distill"]["hints"] = {{"relu1", "relu2"}, {"relu3", "relu5"}};
  return json;
}

Json joint_json() {
  Json json = train_json();
  json.erase("inputs");
  json["distill"]["teacher"] = "joint";
  json["teacher"] = {{"model", {{"family", "conv5"}, {"cut", 5}, {"fewer_filters_pct", 10}}},
                     {"seed", 11}};
  return json;
}

/// From an imported network, without a teacher.
Json transfer_json() {
  Json json = train_json();
  json.erase("model");
  json.erase("distill");
  json["transfer"] = {{"head", "keep"}, {"freeze", {"conv1", "conv2"}}};
  json["inputs"] = {{"source_model", "import/model.onnx"}};
  return json;
}

TEST(StageDescription, ReadsEveryFieldOfATraining) {
  const auto stage = parse_stage(train_json(), "stage.json");
  ASSERT_TRUE(stage) << stage.error().message;
  EXPECT_EQ(kind_of(*stage), "train");
  EXPECT_EQ(stage->cpu, CpuLevel::baseline);
  EXPECT_EQ(stage->device, "cpu");
  EXPECT_EQ(stage->fingerprint, "1a2b");
  const auto& work = std::get<TrainStage>(stage->work);
  const auto& model = std::get<ModelChoice>(work.start);
  EXPECT_EQ(model.family, "conv5");
  EXPECT_EQ(model.cut, 4);
  EXPECT_EQ(model.fewer_filters_pct, 50);
  EXPECT_EQ(work.learning.settings.epochs, 3);
  EXPECT_EQ(work.learning.settings.batch, 64);
  EXPECT_EQ(work.learning.settings.learning_rate, 0.01);
  EXPECT_EQ(work.learning.settings.weight_decay, 0.1);
  EXPECT_EQ(work.learning.settings.schedule, Schedule::linear);
  EXPECT_EQ(work.learning.settings.images, 640);
  ASSERT_TRUE(work.learning.distill);
  EXPECT_EQ(work.learning.distill->alpha, 0.25);
  EXPECT_EQ(work.learning.distill->beta, 0.75);
  EXPECT_EQ(work.learning.distill->temperature, 14);
  EXPECT_FALSE(work.learning.distill->t_squared);
  EXPECT_EQ(work.learning.distill->teacher, TeacherTraining::fixed);
  EXPECT_TRUE(work.learning.distill->hints.empty());
  EXPECT_THAT(work.learning.teacher_logits, ElementsAre("teacher/logits.bin"));
  EXPECT_TRUE(work.learning.teacher_models.empty());
  EXPECT_FALSE(work.joint_teacher);
  EXPECT_EQ(work.learning.seed, 7U);
}

TEST(StageDescription, ReadsSeveralTeachersInTheirOrder) {
  for (const std::string key : {"teacher_logits", "teacher_model"}) {
    Json json = train_json();
    json["inputs"] = {{key + "_2", "second"}, {key, "first"}, {key + "_3", "third"}};
    const auto stage = parse_stage(json, "stage.json");
    ASSERT_TRUE(stage) << stage.error().message;
    const Learning& learning = std::get<TrainStage>(stage->work).learning;
    const bool logits = key == "teacher_logits";
    EXPECT_THAT(logits ? learning.teacher_logits : learning.teacher_models,
                ElementsAre("first", "second", "third"));
    EXPECT_TRUE((logits ? learning.teacher_models : learning.teacher_logits).empty());
    EXPECT_EQ(to_json(*stage), json);
  }
}

TEST(StageDescription, ReadsHints) {
  const auto stage = parse_stage(ensemble_json(), "stage.json");
  ASSERT_TRUE(stage) << stage.error().message;
  const auto& distill = std::get<TrainStage>(stage->work).learning.distill;
  EXPECT_EQ(distill->hint_weight, 0.5);
  EXPECT_THAT(distill->hints, ElementsAre(Pair("relu1", "relu2"), Pair("relu3", "relu5")));
}

TEST(StageDescription, HintsAloneAreALoss) {
  Json json = ensemble_json();
  json["distill"]["alpha"] = json["distill"]["beta"] = 0;
  EXPECT_TRUE(parse_stage(json, "stage.json"));
  json["distill"]["hint_weight"] = 0;
  EXPECT_FALSE(parse_stage(json, "stage.json"));
}

TEST(StageDescription, ReadsAJointTeacher) {
  const auto stage = parse_stage(joint_json(), "stage.json");
  ASSERT_TRUE(stage) << stage.error().message;
  const auto& work = std::get<TrainStage>(stage->work);
  EXPECT_EQ(work.learning.distill->teacher, TeacherTraining::joint);
  ASSERT_TRUE(work.joint_teacher);
  EXPECT_EQ(work.joint_teacher->model.cut, 5);
  EXPECT_EQ(work.joint_teacher->model.fewer_filters_pct, 10);
  EXPECT_EQ(work.joint_teacher->seed, 11U);
  Json json = joint_json();
  json["teacher"].erase("seed");
  const auto without = parse_stage(json, "stage.json");
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_EQ(std::get<TrainStage>(without->work).joint_teacher->seed, 1U);
}

TEST(StageDescription, ReadsATransfer) {
  const auto stage = parse_stage(transfer_json(), "stage.json");
  ASSERT_TRUE(stage) << stage.error().message;
  const auto& start = std::get<TransferStart>(std::get<TrainStage>(stage->work).start);
  EXPECT_EQ(start.model, "import/model.onnx");
  EXPECT_EQ(start.head, TransferStart::Head::keep);
  EXPECT_EQ(start.freeze, TransferStart::Freeze::named);
  EXPECT_THAT(start.frozen, ElementsAre("conv1", "conv2"));
  Json json = transfer_json();
  json["transfer"] = Json::object();
  const auto usual = parse_stage(json, "stage.json");
  ASSERT_TRUE(usual) << usual.error().message;
  const auto& defaults = std::get<TransferStart>(std::get<TrainStage>(usual->work).start);
  EXPECT_EQ(defaults.head, TransferStart::Head::replace);
  EXPECT_EQ(defaults.freeze, TransferStart::Freeze::none);
}

struct BadTransfer {
  const char* patch;
  const char* expected;
};

TEST(StageDescription, BadTransfersAreAnsweredWithThePathOfTheField) {
  const BadTransfer cases[] = {
      {R"({"inputs": null})", "inputs: is missing"},
      {R"({"inputs": {"source_model": ""}})", "inputs.source_model: expected a path"},
      {R"({"inputs": {"teacher_logits": "l.bin"}})", "inputs.teacher_logits: unknown field"},
      {R"({"model": {"family": "conv5"}})", "model: unknown field"},
      {R"({"transfer": {"head": "new"}})", "transfer.head: expected one of replace, keep"},
      {R"({"transfer": {"freeze": "body"}})",
       "transfer.freeze: expected one of none, all-but-head"},
      {R"({"transfer": {"freeze": []}})", "transfer.freeze: the list is empty"},
      {R"({"transfer": {"freeze": [1]}})", "transfer.freeze[0]: expected text"},
      {R"({"transfer": {"layers": []}})", "transfer.layers: unknown field"},
      {R"({"kind": "import"})", "inputs.file: is missing"},
  };
  for (const BadTransfer& bad : cases) {
    Json json = transfer_json();
    json.merge_patch(Json::parse(bad.patch));
    const auto stage = parse_stage(json, "stage.json");
    ASSERT_FALSE(stage) << bad.patch;
    EXPECT_THAT(stage.error().message, HasSubstr(bad.expected)) << bad.patch;
  }
}

TEST(StageDescription, WritesWhatItReads) {
  const char* documents[] = {
      R"({"kind": "logits", "data": "d", "threads": 2, "cpu": "avx2", "device": "cuda",
          "inputs": {"model": "m.onnx"}})",
      R"({"kind": "import", "data": "d", "threads": 1, "cpu": "baseline", "device": "cpu",
          "sha256": "ab", "inputs": {"file": "net.pt"}})",
      R"({"kind": "evaluate", "data": "d", "threads": 1, "cpu": "baseline", "device": "cpu",
          "inputs": {"model": "m.onnx"}})",
      R"({"kind": "quantize", "data": "d", "threads": 1, "cpu": "avx512", "device": "cpu",
          "quantize": {"scheme": "int8", "observer": "mse", "samples": 100, "weight_bits": 4,
                       "weight_observer": "auto", "weight_scales": "channel", "layer_bits": {},
                       "training": "none"},
          "inputs": {"model": "m.onnx"}})",
  };
  std::vector<Json> stages{train_json(), ensemble_json(), joint_json(), transfer_json()};
  // A student from a file may have a teacher too.
  stages.push_back(ensemble_json());
  stages.back().erase("model");
  stages.back()["transfer"] = {{"head", "replace"}, {"freeze", "all-but-head"}};
  stages.back()["inputs"]["source_model"] = "import/model.onnx";
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
  EXPECT_EQ(to_json(work.learning.settings), to_json(TrainSettings{}));
  EXPECT_FALSE(work.learning.distill);
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
        BadStage{"UnknownKind", R"({"kind": "shrink"})", "kind: expected one of train"},
        BadStage{"NoData", R"({"data": null})", "data: is missing"},
        BadStage{"UnknownField", R"({"colour": 1})", "colour: unknown field"},
        BadStage{"UnknownNestedField", R"({"train": {"epoch": 3}})", "train.epoch: unknown field"},
        BadStage{"FieldOfAnotherKind", R"({"quantize": {}})", "quantize: unknown field"},
        BadStage{"TextForNumber", R"({"train": {"epochs": "3"}})", "train.epochs: expected an int"},
        BadStage{"NegativeEpochs", R"({"train": {"epochs": -1}})", "train.epochs: expected 1 to"},
        BadStage{"ZeroEpochs", R"({"train": {"epochs": 0}})", "train.epochs: expected 1 to"},
        BadStage{"ZeroThreads", R"({"threads": 0})", "threads: expected 1 to"},
        BadStage{"ZeroRate", R"({"train": {"learning_rate": 0}})", "train.learning_rate: "},
        BadStage{"NegativeDecay", R"({"train": {"weight_decay": -1}})", "train.weight_decay: "},
        BadStage{"Schedule", R"({"train": {"schedule": "cosine"}})", "one-cycle, linear, constant"},
        BadStage{"LessThanABatch", R"({"train": {"images": 63}})", "train.images: 63 images"},
        BadStage{"ZeroTemperature", R"({"distill": {"T": 0}})", "distill.T: "},
        BadStage{"NoLoss", R"({"distill": {"alpha": 0, "beta": 0}})", "distill: alpha and beta"},
        BadStage{"NoTeacher", R"({"inputs": {"teacher_logits": null}})",
                 "inputs: distillation needs teacher_logits or teacher_model"},
        BadStage{"LogitsAndModels", R"({"inputs": {"teacher_model": "m.onnx"}})",
                 "inputs: distillation needs teacher_logits or teacher_model"},
        BadStage{"NoInputs", R"({"inputs": null})", "inputs"},
        BadStage{"GapInTheTeachers", R"({"inputs": {"teacher_logits_3": "l.bin"}})",
                 "inputs.teacher_logits_3: unknown field"},
        BadStage{"EmptySecondPath", R"({"inputs": {"teacher_logits_2": ""}})",
                 "inputs.teacher_logits_2: expected a path"},
        BadStage{"TeacherTraining", R"({"distill": {"teacher": "later"}})",
                 "distill.teacher: expected one of fixed, joint, found \"later\""},
        BadStage{"JointWithoutATeacher", R"({"distill": {"teacher": "joint"}, "inputs": null})",
                 "teacher: is missing"},
        BadStage{"JointWithInputs",
                 R"({"distill": {"teacher": "joint"}, "teacher": {"model": {"family": "conv5"}}})",
                 "inputs: unknown field"},
        BadStage{"FixedWithATeacher", R"({"teacher": {"model": {"family": "conv5"}}})",
                 "teacher: unknown field"},
        BadStage{"JointTeacherSeed", R"({"distill": {"teacher": "joint"}, "inputs": null,
                 "teacher": {"model": {"family": "conv5"}, "seed": "x"}})",
                 "teacher.seed: "},
        BadStage{"HintsAsAList", R"({"distill": {"hints": ["relu1"]}})", "distill.hints: expected"},
        BadStage{"HintToANumber", R"({"distill": {"hints": {"relu1": 3}}})",
                 "distill.hints: expected the name of a teacher layer for \"relu1\""},
        BadStage{"NegativeHintWeight", R"({"distill": {"hint_weight": -1}})",
                 "distill.hint_weight: "},
        BadStage{"Device", R"({"device": "tpu"})", "device: expected one of cpu, cuda"},
        BadStage{"EmptyPath", R"({"inputs": {"teacher_logits": ""}})", "inputs.teacher_logits: "},
        BadStage{"TeacherWithoutDistillation", R"({"distill": null})", "inputs: unknown field"},
        BadStage{"NegativeSeed", R"({"seed": -1})", "seed: -1 is out of range"},
        BadStage{"Processor", R"({"cpu": "neon"})", "cpu: expected one of baseline, avx2"},
        BadStage{"NoFamily", R"({"model": {"family": null}})", "model.family: "}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay
