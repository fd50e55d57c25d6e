// boards.json: what it may say, and the sentence for everything it may not.
#include "boards/station/inventory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/file.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;

class Inventory : public ::testing::Test {
 protected:
  Result<std::vector<Board>> load(const std::string& text) {
    EXPECT_TRUE(write_atomically(file_, text));
    return load_inventory(file_);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "inventory");
  std::filesystem::path file_ = scratch_.path() / "boards.json";
};

TEST_F(Inventory, ReadsRealAndVirtualBoards) {
  const auto boards = load(R"({"boards": [
    // on the desk by the window
    {"name": "f405-a", "type": "olimex-stm32-h405", "probe_serial": "066DFF51", "uart": "/dev/ttyACM0",
     "unique_id": "3800250018504B4E"},
    {"name": "f405-v", "type": "olimex-stm32-h405", "virtual": true},
    {"name": "f030-v", "type": "generic-stm32f030cc", "virtual": true, "probe_serial": "VB7"}]})");
  ASSERT_TRUE(boards) << boards.error().message;
  ASSERT_EQ(boards->size(), 3u);
  const Board& real = boards->at(0);
  EXPECT_EQ(real.name, "f405-a");
  EXPECT_EQ(real.type.name, "olimex-stm32-h405");
  EXPECT_FALSE(real.virtual_board);
  EXPECT_EQ(real.probe_serial, "066DFF51");
  EXPECT_EQ(real.uart, "/dev/ttyACM0");
  EXPECT_EQ(real.unique_id, "3800250018504b4e") << "as the hello is written";
  EXPECT_TRUE(boards->at(1).virtual_board);
  EXPECT_EQ(boards->at(1).probe_serial, "VB-f405-v");
  EXPECT_EQ(boards->at(2).probe_serial, "VB7");
}

TEST_F(Inventory, TakesAPartOrItsOtherNameForItsDefaultBoard) {
  for (const char* type : {"stm32f405", "stm32f405rgtx", "STM32F405RG", "olimex-stm32-h405"}) {
    const auto boards = load(
        std::string(R"({"boards": [{"name": "a", "virtual": true, "type": ")") + type + "\"}]}");
    ASSERT_TRUE(boards) << boards.error().message;
    EXPECT_EQ(boards->front().type.name, "olimex-stm32-h405") << type;
  }
}

TEST_F(Inventory, IsEmptyWithoutAFile) {
  const auto boards = load_inventory(scratch_.path() / "none.json");
  ASSERT_TRUE(boards) << boards.error().message;
  EXPECT_TRUE(boards->empty());
  EXPECT_TRUE(load(R"({"boards": []})")->empty());
}

TEST_F(Inventory, ReachesBoardsUnderLinuxByACommand) {
  const auto boards =
      load(R"({"boards": [{"name": "a", "type": "raspberry-pi-zero", "command": ["ssh", "pi@a"],)"
           R"( "unique_id": "10000000f00d"},)"
           R"( {"name": "b", "type": "raspberry-pi-4", "virtual": true}]})");
  ASSERT_TRUE(boards) << boards.error().message;
  EXPECT_THAT(boards->at(0).command, ::testing::ElementsAre("ssh", "pi@a"));
  EXPECT_EQ(boards->at(0).unique_id, "10000000f00d");
  EXPECT_TRUE(boards->at(0).uart.empty());
  EXPECT_TRUE(boards->at(1).command.empty());
  EXPECT_TRUE(boards->at(1).virtual_board);
}

struct BadInventory {
  const char* name;
  const char* boards;  ///< what stands in the list, or the whole text when it begins with '='
  const char* field;
  const char* words;
};

class BadInventories : public Inventory, public ::testing::WithParamInterface<BadInventory> {};

TEST_P(BadInventories, AreRefusedWithFileAndField) {
  const std::string list = GetParam().boards;
  const auto boards = load(list[0] == '=' ? list.substr(1) : "{\"boards\": [" + list + "]}");
  ASSERT_FALSE(boards);
  EXPECT_EQ(boards.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(boards.error().message, HasSubstr(file_.string()));
  EXPECT_THAT(boards.error().message, HasSubstr(GetParam().field));
  EXPECT_THAT(boards.error().message, HasSubstr(GetParam().words));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadInventories,
    ::testing::Values(
        BadInventory{"Malformed", "={\"boards\": [", "line 1", ""},
        BadInventory{"NotAnObject", "=[]", "expected an object", ""},
        BadInventory{"NotAList", "={\"boards\": 3}", "boards", "expected an array"},
        BadInventory{"UnknownKeyAbove", "={\"bords\": []}", "bords", ""},
        BadInventory{"UnknownKey",
                     R"({"name": "a", "type": "stm32f405", "virtual": true, "usb": 1})",
                     "boards[0].usb", ""},
        BadInventory{"DuplicateKey", R"({"name": "a", "name": "b"})", "name", ""},
        BadInventory{"NoName", R"({"type": "stm32f405", "virtual": true})", "boards[0].name", ""},
        BadInventory{"EmptyName", R"({"name": "", "type": "stm32f405", "virtual": true})",
                     "boards[0].name", "expected letters"},
        BadInventory{"PathAsName", R"({"name": "../a", "type": "stm32f405", "virtual": true})",
                     "boards[0].name", "\"../a\": expected letters"},
        BadInventory{"ListAsName",
                     R"({"name": "a,serial=B", "type": "stm32f405", "virtual": true})",
                     "boards[0].name", "expected letters"},
        BadInventory{"ReservedName",
                     R"({"name": "virtual:a", "type": "stm32f405", "virtual": true})",
                     "boards[0].name", "expected letters"},
        BadInventory{"LongSerial",
                     R"({"name": "a", "type": "stm32f405", "virtual": true,)"
                     R"( "probe_serial": "a-serial-that-no-probe-has-room-for"})",
                     "boards[0].probe_serial", "longer than 32 characters"},
        BadInventory{"NoType", R"({"name": "a", "virtual": true})", "boards[0].type", ""},
        BadInventory{"UnknownType", R"({"name": "a", "type": "stm32z9", "virtual": true})",
                     "boards[0].type", "known types are generic-stm32f030cc, "},
        BadInventory{"TypeOfNumber", R"({"name": "a", "type": 405, "virtual": true})",
                     "boards[0].type", "expected text, found number 405"},
        BadInventory{"VirtualOfText", R"({"name": "a", "type": "stm32f405", "virtual": "yes"})",
                     "boards[0].virtual", ""},
        BadInventory{"RealWithoutProbe", R"({"name": "a", "type": "stm32f405", "uart": "/dev/x"})",
                     "boards[0].probe_serial", ""},
        BadInventory{"RealWithoutUart",
                     R"({"name": "a", "type": "stm32f405", "probe_serial": "P"})", "boards[0].uart",
                     ""},
        BadInventory{
            "SerialWithBraces",
            R"({"name": "a", "type": "stm32f405", "probe_serial": "{P}", "uart": "/dev/x"})",
            "boards[0].probe_serial", "expected letters"},
        BadInventory{"VirtualWithUart",
                     R"({"name": "a", "type": "stm32f405", "virtual": true, "uart": "/dev/x"})",
                     "boards[0].uart", "brings its own"},
        BadInventory{"IdOfWords",
                     R"({"name": "a", "type": "stm32f405", "virtual": true, "unique_id": "mine"})",
                     "boards[0].unique_id", "hexadecimal"},
        BadInventory{"HalfAByte",
                     R"({"name": "a", "type": "stm32f405", "virtual": true, "unique_id": "123"})",
                     "boards[0].unique_id", "hexadecimal"},
        BadInventory{"LinuxWithoutCommand", R"({"name": "a", "type": "raspberry-pi-4"})",
                     "boards[0].command", "what runs a shell line on the board"},
        BadInventory{"LinuxWithUart",
                     R"({"name": "a", "type": "jetson-nano", "virtual": true, "uart": "/dev/x"})",
                     "boards[0].uart", ""},
        BadInventory{"EmulatedWithCommand",
                     R"({"name": "a", "type": "jetson-nano", "virtual": true, "command": ["ssh"]})",
                     "boards[0].command", ""},
        BadInventory{"MicrocontrollerWithCommand",
                     R"({"name": "a", "type": "stm32f405", "virtual": true, "command": ["ssh"]})",
                     "boards[0].command", ""},
        BadInventory{"OneCommandForTwo",
                     R"({"name": "a", "type": "raspberry-pi-4", "command": ["ssh", "pi"]},)"
                     R"( {"name": "b", "type": "raspberry-pi-4", "command": ["ssh", "pi"]})",
                     "boards[1].command", "is given to two boards"}),
    [](const auto& param) { return param.param.name; });

TEST_F(Inventory, GivesEverythingToOneBoardOnly) {
  struct Twice {
    const char* rest;
    const char* field;
  };
  for (const auto& [rest, field] :
       {Twice{R"("name": "a", "probe_serial": "Q", "uart": "/dev/ttyACM1")", "boards[1].name"},
        Twice{R"("name": "b", "probe_serial": "P", "uart": "/dev/ttyACM1")",
              "boards[1].probe_serial"},
        Twice{R"("name": "b", "probe_serial": "Q", "uart": "/dev/ttyACM0")", "boards[1].uart"}}) {
    const auto boards =
        load(R"({"boards": [{"name": "a", "type": "stm32f405", "probe_serial": "P",)"
             R"( "uart": "/dev/ttyACM0"}, {"type": "stm32f405", )" +
             std::string(rest) + "}]}");
    ASSERT_FALSE(boards) << rest;
    EXPECT_THAT(boards.error().message, HasSubstr(file_.string()));
    EXPECT_THAT(boards.error().message, HasSubstr(field));
    EXPECT_THAT(boards.error().message, HasSubstr("is given to two boards"));
  }
}

TEST(ImplicitBoard, SaysThatItIsVirtual) {
  const Board board = implicit_virtual_board(*find_board_type("stm32f030cc"));
  EXPECT_EQ(board.name, "virtual:generic-stm32f030cc");
  EXPECT_TRUE(board.virtual_board);
  EXPECT_EQ(board.type.part.name, "stm32f030cc");
  EXPECT_EQ(board.probe_serial, "VB-virtual:generic-stm32f030cc");
}

TEST(ImplicitBoard, HasASerialThatAnStLinkCanSayWhateverItsName) {
  BoardType type = *find_board_type("stm32f030cc");
  type.name = "my-own-laboratory-stm32f030-board";
  const std::string first = implicit_virtual_board(type).probe_serial;
  type.name = "my-own-laboratory-stm32f030-other";
  const std::string second = implicit_virtual_board(type).probe_serial;
  EXPECT_LE(first.size(), 32u);
  EXPECT_LE(second.size(), 32u);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace assay
