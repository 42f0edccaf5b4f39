// The board simulation's SDRAM chip alone, behind a C ABI for tests.

#include "sdram_chip.h"

#include <cstring>

using celosia::ChipPins;
using celosia::ChipSettings;
using celosia::ChipStatistics;
using celosia::ChipWord;
using celosia::SdramChip;

extern "C" SdramChip* chip_create(const ChipSettings* settings, uint64_t ticks_per_second, uint8_t* bytes) {
    return new SdramChip(*settings, ticks_per_second, bytes);
}

extern "C" void chip_destroy(SdramChip* chip) { delete chip; }

// The word in bits 15:0 and the pins that carry it in bits 31:16; or -1, and `message`, of 256 bytes, says what is wrong.
extern "C" int64_t chip_edge(SdramChip* chip, uint64_t now, const uint32_t* pins, char* message) {
    try {
        ChipWord word = chip->edge({pins[0], pins[1], pins[2], pins[3], static_cast<uint16_t>(pins[4]),
                                    static_cast<uint16_t>(pins[5]), pins[6] != 0, pins[7] != 0},
                                   now);
        return word.data | static_cast<int64_t>(word.driven) << 16;
    } catch (const celosia::SdramViolation& violation) {
        std::strncpy(message, violation.what(), 255);
        return -1;
    }
}

extern "C" int chip_is_initialized(SdramChip* chip) { return chip->initialized(); }

extern "C" void chip_statistics(SdramChip* chip, ChipStatistics* out) { *out = chip->statistics(); }
