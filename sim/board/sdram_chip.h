// An SDR SDRAM chip that refuses whatever its datasheet forbids, edge by edge of its clock.
//
// The rules are those of tests/sdram_model.py, which a test holds this to; times are instants of the edges, so that the
// clock need not be steady. Where the standard allows more than a controller should use (interrupted bursts, automatic
// precharge, power-down), it refuses.

#pragma once

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace celosia {

// What the controller did wrong: the parameter of the datasheet first.
struct SdramViolation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Geometry, and the times of the datasheet in nanoseconds. Mirrored by sim/board/library.py.
struct ChipSettings {
    uint64_t row_bits, column_bits;
    uint64_t cas_latency;  // cycles
    uint64_t clock_period, row_cycle, row_active, row_active_limit, row_to_column, precharge, row_to_row,
        write_recovery, refresh, load_mode, refresh_period;
    uint64_t refresh_commands;
    uint64_t power_up;
    uint64_t power_up_refreshes;
    uint64_t postponed_refreshes;  // how many the controller may be late
};

// What the chip sees at a rising edge; all active high. `driven` has a bit for every data pin that the controller drives.
struct ChipPins {
    unsigned command;  // we | cas << 1 | ras << 2
    unsigned bank, address, mask;
    uint16_t data, driven;
    bool clock_enable, chip_select;
};

// What the chip drives until the next edge: nothing if `driven` is 0; bits outside are undefined.
struct ChipWord {
    uint16_t data, driven;
};

struct ChipStatistics {
    uint64_t edges, refreshes, reads, writes, activates, precharges;
    uint64_t worst_refresh_debt;  // nanoseconds, the furthest that refreshing lagged behind its schedule
};

class SdramChip {
  public:
    // `bytes` is the content: row, bank, column, byte, from the top of the address. Time is in ticks.
    SdramChip(const ChipSettings& settings, uint64_t ticks_per_second, uint8_t* bytes)
        : settings_(settings), rate_(ticks_per_second), bytes_(bytes) {
        columns_ = 1u << settings.column_bits;
    }

    // One rising edge at `now`, later than the one before.
    ChipWord edge(const ChipPins& pins, uint64_t now) {
        if (edges_ == 0) first_ = now;
        period_ = edges_ == 0 ? 0 : now - now_;
        now_ = now;
        masks_ = {masks_[1], masks_[2], pins.mask};
        if (!pins.clock_enable) fail("CKE: low: power-down and self refresh are not modelled");
        if (!initialized_ && pins.mask != 3)
            fail("DQM: %u%u before the end of initialisation, must be 11", pins.mask >> 1, pins.mask & 1);
        unsigned command = pins.chip_select ? pins.command : kNop;
        if (command != kNop) {
            check_between_commands(command);
            execute(command, pins);
        }
        take_data(pins);
        check_refresh();
        ++edges_;
        return drive();
    }

    bool initialized() const { return initialized_; }
    const ChipStatistics& statistics() {
        statistics_.edges = edges_;
        if (worst_debt_ > interval())
            statistics_.worst_refresh_debt = static_cast<uint64_t>(debt_in_nanoseconds(worst_debt_ - interval()));
        return statistics_;
    }

  private:
    static constexpr unsigned kBanks = 4;
    static constexpr unsigned kAllBanks = 1 << 10;
    static constexpr unsigned kReadMaskLatency = 2;
    static constexpr uint64_t kNanoseconds = 1000000000;
    static constexpr unsigned kHorizon = 32;  // edges that data are planned ahead
    enum : unsigned {
        kNop = 0, kBurstTerminate = 1, kRead = 2, kWrite = 3, kActive = 4, kPrecharge = 5, kRefresh = 6, kLoadMode = 7
    };
    static constexpr const char* kNames[] = {"NOP",    "BURST_TERMINATE", "READ",    "WRITE",
                                             "ACTIVE", "PRECHARGE",       "REFRESH", "LOAD_MODE"};

    // An instant that may not have been yet.
    struct Instant {
        bool was = false;
        uint64_t at = 0;
    };

    struct Bank {
        bool open = false;
        unsigned row = 0;
        Instant activated, precharged, written;  // written: last data
    };

    // Where a word of data belongs, for an edge to come.
    struct Place {
        bool valid = false;
        uint64_t edge = 0;
        unsigned bank = 0, row = 0, column = 0;
    };

    [[noreturn]] __attribute__((format(printf, 2, 3))) void fail(const char* format, ...) const {
        char text[256];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        char when[96];
        std::snprintf(when, sizeof when, " (edge %llu, %.1f ns)", static_cast<unsigned long long>(edges_),
                      nanoseconds(now_ - first_));
        throw SdramViolation(std::string(text) + when);
    }

    static std::string binary(unsigned value, unsigned width) {
        std::string text;
        while (width--) text += value >> width & 1 ? '1' : '0';
        return text;
    }

    double nanoseconds(uint64_t ticks) const { return ticks * 1e9 / rate_; }

    // Comparisons of ticks with nanoseconds, exact.
    bool is_less(uint64_t ticks, uint64_t nanoseconds) const {
        return static_cast<unsigned __int128>(ticks) * kNanoseconds <
               static_cast<unsigned __int128>(nanoseconds) * rate_;
    }
    bool is_more(uint64_t ticks, uint64_t nanoseconds) const {
        return static_cast<unsigned __int128>(ticks) * kNanoseconds >
               static_cast<unsigned __int128>(nanoseconds) * rate_;
    }

    void at_least(const char* parameter, const Instant& since, uint64_t least, const char* from,
                  const char* to) const {
        if (since.was && is_less(now_ - since.at, least))
            fail("%s: %.1f ns from %s to %s, at least %llu ns", parameter, nanoseconds(now_ - since.at), from, to,
                 static_cast<unsigned long long>(least));
    }

    void check_between_commands(unsigned command) const {
        const char* name = kNames[command];
        if (is_less(now_ - first_, settings_.power_up))
            fail("power-up: %s after %.0f ns, at least %llu", name, nanoseconds(now_ - first_),
                 static_cast<unsigned long long>(settings_.power_up));
        at_least("tMRD", last_load_mode_, settings_.load_mode, "LOAD_MODE", name);
        if (last_load_mode_.was && edges_ - load_mode_edge_ < 2)
            fail("tMRD: one clock from LOAD_MODE to %s, at least 2", name);
        at_least("tRFC", last_refresh_, settings_.refresh, "REFRESH", name);
    }

    void execute(unsigned command, const ChipPins& pins) {
        switch (command) {
            case kBurstTerminate: fail("BURST_TERMINATE: bursts are not to be interrupted");
            case kRead: return read(pins);
            case kWrite: return write(pins);
            case kActive: return activate(pins);
            case kPrecharge: return precharge(pins);
            case kRefresh: return refresh();
            default: return load_mode(pins);
        }
    }

    void activate(const ChipPins& pins) {
        if (!initialized_) fail("initialisation: ACTIVE before PRECHARGE all, REFRESH and LOAD_MODE");
        Bank& bank = banks_[pins.bank];
        if (bank.open) fail("bank state: ACTIVE while row %u of bank %u is open", bank.row, pins.bank);
        at_least("tRP", bank.precharged, settings_.precharge, "PRECHARGE", "ACTIVE");
        at_least("tRC", bank.activated, settings_.row_cycle, "ACTIVE", "ACTIVE");
        at_least("tRRD", last_activated_, settings_.row_to_row, "ACTIVE", "ACTIVE of another bank");
        if (pins.address >> settings_.row_bits) fail("address: row %u does not exist", pins.address);
        bank.open = true;
        bank.row = pins.address;
        bank.activated = last_activated_ = {true, now_};
        ++statistics_.activates;
    }

    Bank& access(const ChipPins& pins, const char* name) {
        Bank& bank = banks_[pins.bank];
        if (!bank.open) fail("bank state: %s while no row of bank %u is open", name, pins.bank);
        at_least("tRCD", bank.activated, settings_.row_to_column, "ACTIVE", name);
        check_row_limit(bank);
        if (pins.address & kAllBanks) fail("A10: %s with automatic precharge is not modelled", name);
        if (pins.address >> settings_.column_bits) fail("address: column %u does not exist", pins.address);
        for (const Place& place : writes_)
            if (place.valid && place.edge >= edges_) fail("burst: %s interrupts a WRITE", name);
        return bank;
    }

    // A burst wraps within its own length.
    unsigned column(unsigned first, unsigned n) const {
        return (first & -burst_length_) | ((first + n) & (burst_length_ - 1));
    }

    void read(const ChipPins& pins) {
        Bank& bank = access(pins, "READ");
        for (unsigned n = 0; n < burst_length_; ++n) {
            uint64_t edge = edges_ + settings_.cas_latency + n;
            if (at(reads_, edge)) fail("burst: READ interrupts a READ");
            reads_[edge % kHorizon] = {true, edge, pins.bank, bank.row, column(pins.address, n)};
        }
        ++statistics_.reads;
    }

    void write(const ChipPins& pins) {
        Bank& bank = access(pins, "WRITE");
        // The chip lets go of the pins within a cycle after its last data: that cycle has to stay free.
        for (const Place& place : reads_)
            if (place.valid && place.edge + 1 >= edges_)
                fail("tHZ: WRITE before the data of a READ have left the pins");
        for (unsigned n = 0; n < burst_length_; ++n)
            writes_[(edges_ + n) % kHorizon] = {true, edges_ + n, pins.bank, bank.row, column(pins.address, n)};
        ++statistics_.writes;
    }

    void precharge(const ChipPins& pins) {
        bool every = pins.address & kAllBanks;
        for (unsigned number = 0; number < kBanks; ++number) {
            if (!every && number != pins.bank) continue;
            Bank& bank = banks_[number];
            if (bank.open) check_closing(number);
            bank.open = false;
            bank.precharged = {true, now_};
        }
        was_precharged_ = was_precharged_ || every;
        ++statistics_.precharges;
    }

    void check_closing(unsigned number) {
        Bank& bank = banks_[number];
        for (const Place& place : writes_)
            if (place.valid && place.bank == number && place.edge >= edges_)
                fail("burst: PRECHARGE interrupts a WRITE");
        at_least("tRAS", bank.activated, settings_.row_active, "ACTIVE", "PRECHARGE");
        check_row_limit(bank);
        at_least("tWR", bank.written, settings_.write_recovery, "the last data", "PRECHARGE");
        if (bank.written.was && edges_ - written_edge_[number] < 2)
            fail("tWR: one clock from the last data to PRECHARGE, at least 2");
        for (const Place& place : reads_)
            if (place.valid && place.bank == number && place.edge >= edges_ + settings_.cas_latency)
                fail("burst: PRECHARGE interrupts a READ");
    }

    void check_idle(const char* name) const {
        for (unsigned number = 0; number < kBanks; ++number) {
            const Bank& bank = banks_[number];
            if (bank.open) fail("bank state: %s while row %u of bank %u is open", name, bank.row, number);
            at_least("tRP", bank.precharged, settings_.precharge, "PRECHARGE", name);
        }
    }

    void refresh() {
        if (!was_precharged_) fail("initialisation: REFRESH before PRECHARGE of all banks");
        check_idle("REFRESH");
        at_least("tRC", last_activated_, settings_.row_cycle, "ACTIVE", "REFRESH");
        last_refresh_ = {true, now_};
        if (initialized_) {
            ++statistics_.refreshes;
            debt_ = debt_ > interval() ? debt_ - interval() : 0;
        } else {
            ++initial_refreshes_;
            complete_initialization();
        }
    }

    void load_mode(const ChipPins& pins) {
        if (!was_precharged_) fail("initialisation: LOAD_MODE before PRECHARGE of all banks");
        check_idle("LOAD_MODE");
        unsigned burst = pins.address & 0xF, latency = pins.address >> 4 & 7;
        if (burst > 3 || pins.address >> 7 || pins.bank)
            fail("mode: %s is reserved or not modelled", binary(pins.address, 13).c_str());
        if (latency != settings_.cas_latency)
            fail("mode: CAS latency %u, the datasheet's times are for %llu", latency,
                 static_cast<unsigned long long>(settings_.cas_latency));
        if (is_less(period_, settings_.clock_period))
            fail("tCK: %.2f ns, at least %llu ns", nanoseconds(period_),
                 static_cast<unsigned long long>(settings_.clock_period));
        burst_length_ = 1u << burst;
        last_load_mode_ = {true, now_};
        load_mode_edge_ = edges_;
        mode_is_loaded_ = true;
        complete_initialization();
    }

    void complete_initialization() {
        if (initial_refreshes_ >= settings_.power_up_refreshes && mode_is_loaded_) initialized_ = true;
    }

    void check_row_limit(const Bank& bank) const {
        if (is_more(now_ - bank.activated.at, settings_.row_active_limit))
            fail("tRAS: a row was open for %.0f ns, at most %llu ns", nanoseconds(now_ - bank.activated.at),
                 static_cast<unsigned long long>(settings_.row_active_limit));
    }

    // Debt grows with time, a REFRESH pays an average interval of it. In 1 / (refresh_commands * 10^9) ticks: exact.
    unsigned __int128 interval() const {
        return static_cast<unsigned __int128>(settings_.refresh_period) * rate_;
    }

    double debt_in_nanoseconds(unsigned __int128 debt) const {
        return static_cast<double>(debt) / static_cast<double>(settings_.refresh_commands) /
               static_cast<double>(rate_);
    }

    void check_refresh() {
        if (!initialized_) return;
        debt_ += static_cast<unsigned __int128>(period_) * settings_.refresh_commands * kNanoseconds;
        worst_debt_ = std::max(worst_debt_, debt_);
        if (debt_ > (1 + settings_.postponed_refreshes) * interval())
            fail("tREF: %.0f ns to be refreshed, %.1f ns each", debt_in_nanoseconds(debt_),
                 static_cast<double>(settings_.refresh_period) / settings_.refresh_commands);
    }

    // Data

    static bool at(const std::array<Place, kHorizon>& places, uint64_t edge) {
        const Place& place = places[edge % kHorizon];
        return place.valid && place.edge == edge;
    }

    uint8_t* word(const Place& place) const {
        uint64_t row = static_cast<uint64_t>(place.row) * kBanks + place.bank;
        return bytes_ + 2 * (row * columns_ + place.column);
    }

    void take_data(const ChipPins& pins) {
        if (pins.driven && at(reads_, edges_)) fail("data pins: driven by the controller and by the chip");
        if (!at(writes_, edges_)) return;
        if (pins.driven != 0xFFFF) fail("data pins: nobody drives the data of a WRITE");
        const Place& place = writes_[edges_ % kHorizon];
        banks_[place.bank].written = {true, now_};
        written_edge_[place.bank] = edges_;
        uint8_t* target = word(place);
        for (unsigned byte = 0; byte < 2; ++byte)
            if (!(pins.mask >> byte & 1)) target[byte] = static_cast<uint8_t>(pins.data >> 8 * byte);
    }

    // After `edges_` was advanced: the word that is sampled with the next edge.
    ChipWord drive() {
        if (!at(reads_, edges_)) return {0, 0};
        unsigned mask = masks_[kReadMaskLatency - 1];  // of the edge two before the one at which the word is sampled
        const uint8_t* source = word(reads_[edges_ % kHorizon]);
        uint16_t data = static_cast<uint16_t>(source[0] | source[1] << 8);
        uint16_t driven = static_cast<uint16_t>((mask & 1 ? 0 : 0x00FF) | (mask & 2 ? 0 : 0xFF00));
        return {data, driven};
    }

    ChipSettings settings_;
    uint64_t rate_;
    uint8_t* bytes_;
    unsigned columns_;
    uint64_t edges_ = 0, first_ = 0, now_ = 0, period_ = 0;
    std::array<Bank, kBanks> banks_;
    std::array<uint64_t, kBanks> written_edge_{};
    std::array<unsigned, 3> masks_{3, 3, 3};
    std::array<Place, kHorizon> reads_, writes_;
    unsigned burst_length_ = 1;
    bool was_precharged_ = false, mode_is_loaded_ = false, initialized_ = false;
    uint64_t initial_refreshes_ = 0, load_mode_edge_ = 0;
    Instant last_activated_, last_refresh_, last_load_mode_;
    unsigned __int128 debt_ = 0, worst_debt_ = 0;
    ChipStatistics statistics_{};
};

}  // namespace celosia
