// A Verilated board in its surroundings, behind the C ABI that library.py binds: oscillator and PLL, the serial line, the
// SDRAM chip.
//
// Time goes from clock edge to clock edge, in ticks that all of the board's clocks are multiples of. Edges that coincide
// are one evaluation. What comes in at a pin is set before the edge that samples it.

#include "Vbench.h"
#include "sdram_chip.h"
#include "serial_line.h"
#include "verilated.h"

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

// Verilator's own versions of these hooks end the process.
void vl_finish(const char*, int, const char*) { throw std::runtime_error("the design called $finish"); }
void vl_stop(const char* file, int line, const char*) {
    throw std::runtime_error("the design stopped at " + std::string(file) + ":" + std::to_string(line));
}
void vl_fatal(const char*, int, const char*, const char* message) { throw std::runtime_error(message); }

namespace celosia {

enum Status : int { kDone = 0, kViolation = 1, kFailed = 2 };

// Times between the pins of chip and FPGA, in picoseconds. Mirrored by library.py.
struct PinSettings {
    uint64_t set_up, hold;        // of the chip's inputs, around its clock
    uint64_t access, data_hold;   // of the chip's outputs, after its clock: data valid at the latest, at least kept
    uint64_t least_round_trip, greatest_round_trip;  // through pins and board, from the FPGA and back
};

struct BoardSettings {
    uint64_t oscillator;  // Hz
    uint64_t baud;        // of the host
    uint64_t noise;       // seed of what undriven pins carry
    ChipSettings chip;
    PinSettings pins;
};

struct BoardStatistics {
    uint64_t oscillator_cycles;
    uint64_t broken_bytes;  // from the board, without a stop bit
    ChipStatistics chip;
    uint64_t lights;
};

// The PLL as its cell in the netlist says.
struct Pll {
    static constexpr unsigned kOutputs = 3;
    struct Output {
        uint64_t divider = 0;  // 0: not enabled
        uint64_t coarse = 0, fine = 0;
    };
    bool is_there = false;
    uint64_t input_divider = 0, feedback_divider = 0;
    Output feedback;
    Output outputs[kOutputs];

    // Eighths of an oscillator's cycle by which an output lags: phase 0 has a coarse phase of divider - 1.
    static uint64_t lag(const Output& output) {
        return (output.coarse + 1) % output.divider * 8 + output.fine;
    }
};

// Initial blocks run in the first evaluation and say what PLL there is.
thread_local Pll* current_pll = nullptr;

struct Clock {
    uint64_t next, half_period;
    bool level;
};

class Board {
  public:
    Board(const BoardSettings& settings, uint8_t* bytes) : settings_(settings), top_(&context_) {
        noise_ = settings.noise * 2 + 1;
        top_.oscillator = 0;
        top_.pll_clocks = 0;
        top_.receive = 1;
        top_.chip_dq = 0;
        current_pll = &pll_;
        top_.eval();
        current_pll = nullptr;
        if (!pll_.is_there) throw std::runtime_error("the board has no PLL");
        const Pll::Output& feedback = pll_.feedback;
        if (Pll::lag(feedback)) throw std::runtime_error("the PLL's feedback output must have phase 0");
        uint64_t factor = pll_.feedback_divider * feedback.divider;
        rate_ = settings.oscillator * factor * kTicks;
        clocks_.push_back({kTicks / 2 * factor, kTicks / 2 * factor, false});
        set_up_ = ticks(settings.pins.set_up);
        hold_ = ticks(settings.pins.hold);
        access_ = ticks(settings.pins.access);
        data_hold_ = ticks(settings.pins.data_hold);
        least_round_trip_ = ticks(settings.pins.least_round_trip);
        greatest_round_trip_ = ticks(settings.pins.greatest_round_trip);
        line_ = std::make_unique<SerialLine>(rate_, settings.baud);
        chip_ = std::make_unique<SdramChip>(settings.chip, rate_, bytes);
        pins_ = chip_pins();
    }

    ~Board() { top_.final(); }

    Status run(uint64_t cycles) {
        uint64_t end = now_ + cycles * 2 * clocks_[0].half_period;
        while (now_ < end) step();
        return kDone;
    }

    SerialLine& line() { return *line_; }

    void statistics(BoardStatistics* out) {
        *out = BoardStatistics{cycles_, line_->broken(), chip_->statistics(), top_.leds};
    }

    uint64_t picoseconds() const {
        return static_cast<uint64_t>(static_cast<unsigned __int128>(now_) * kPicoseconds / rate_);
    }

    const char* message() const { return message_.c_str(); }
    void set_message(const char* text) { message_ = text; }

  private:
    static constexpr uint64_t kPicoseconds = 1000000000000;
    static constexpr uint64_t kTicks = 16;  // in a cycle of the PLL's oscillator over its input's divider: half an eighth
    static constexpr unsigned kDrives = 4;

    // What the chip drives after one of its edges.
    struct Drive {
        uint64_t since = 0;
        ChipWord word{0, 0};
    };

    uint64_t ticks(uint64_t picoseconds) const {
        return static_cast<uint64_t>(static_cast<unsigned __int128>(picoseconds) * rate_ / kPicoseconds);
    }

    void step() {
        uint64_t now = clocks_[0].next;
        for (const Clock& clock : clocks_) now = std::min(now, clock.next);
        now_ = now;
        bool rises = false;
        for (size_t i = 0; i < clocks_.size(); ++i) {
            Clock& clock = clocks_[i];
            if (clock.next != now) continue;
            clock.next += clock.half_period;
            clock.level = !clock.level;
            if (i == 0) {
                top_.oscillator = clock.level;
                cycles_ += clock.level;
            } else {
                unsigned bit = 1u << outputs_[i - 1];
                top_.pll_clocks = clock.level ? top_.pll_clocks | bit : top_.pll_clocks & ~bit;
                rises |= clock.level;
            }
        }
        bool transmitted = top_.transmit;
        top_.receive = line_->towards_board(now);
        if (rises) top_.chip_dq = data_at_fpga();
        top_.eval();
        line_->from_board(transmitted, top_.transmit, now);
        if (!is_locked_ && top_.pll_locked) lock();
        watch_chip();
    }

    // From now on the PLL's clocks run, the first cycles of all outputs of phase 0 beginning together.
    void lock() {
        is_locked_ = true;
        for (unsigned i = 0; i < Pll::kOutputs; ++i) {
            const Pll::Output& output = pll_.outputs[i];
            if (!output.divider) continue;
            uint64_t unit = pll_.input_divider * kTicks;
            uint64_t lag = Pll::lag(output) * unit / 8;
            // The first edge is one cycle from now, so that it is later than whatever is evaluated now.
            clocks_.push_back({now_ + output.divider * unit + lag, output.divider * unit / 2, false});
            outputs_.push_back(i);
        }
    }

    // All pins of the chip but its clock, as one value.
    uint64_t chip_pins() const {
        uint64_t pins = top_.chip_cke | top_.chip_cs_n << 1 | top_.chip_ras_n << 2 | top_.chip_cas_n << 3 |
                        top_.chip_we_n << 4 | top_.chip_ba << 5 | top_.chip_dqm << 7;
        return pins | static_cast<uint64_t>(top_.chip_a) << 9 |
               static_cast<uint64_t>(top_.chip_dq__en & top_.chip_dq__out) << 32 |
               static_cast<uint64_t>(top_.chip_dq__en) << 48;
    }

    // The clock and the other pins reach the chip equally late, so that all of them may be looked at here.
    void watch_chip() {
        uint64_t pins = chip_pins();
        if (pins != pins_) {
            pins_ = pins;
            changed_at_ = now_;
            if (has_edge_ && now_ - drives_[0].since < hold_) violate("tIH: a pin changes too soon after the clock");
        }
        bool level = top_.chip_clk;
        if (level && !chip_clock_) {
            if (now_ - changed_at_ < set_up_) violate("tIS: a pin changed too shortly before the clock");
            ChipPins state{
                static_cast<unsigned>(!top_.chip_we_n | !top_.chip_cas_n << 1 | !top_.chip_ras_n << 2),
                top_.chip_ba, top_.chip_a, top_.chip_dqm,
                static_cast<uint16_t>(top_.chip_dq__out), static_cast<uint16_t>(top_.chip_dq__en),
                static_cast<bool>(top_.chip_cke), !top_.chip_cs_n,
            };
            std::copy_backward(drives_, drives_ + kDrives - 1, drives_ + kDrives);
            drives_[0] = {now_, chip_->edge(state, now_)};
            has_edge_ = true;
        }
        chip_clock_ = level;
    }

    [[noreturn]] void violate(const char* what) const {
        throw SdramViolation(std::string(what) + ", " + std::to_string(picoseconds()) + " ps");
    }

    // What the FPGA's pins carry: the chip's word if that is there however long the way is, else noise.
    uint16_t data_at_fpga() {
        noise_ = noise_ * 6364136223846793005u + 1442695040888963407u;
        uint16_t noise = static_cast<uint16_t>(noise_ >> 40);
        for (unsigned i = 0; i < kDrives; ++i) {
            const Drive& drive = drives_[i];
            if (!drive.word.driven) continue;
            bool has_come = now_ >= drive.since + access_ + greatest_round_trip_;
            bool is_gone = i > 0 && now_ >= drives_[i - 1].since + data_hold_ + least_round_trip_;
            if (has_come && !is_gone)
                return static_cast<uint16_t>((drive.word.data & drive.word.driven) | (noise & ~drive.word.driven));
        }
        return noise;
    }

    BoardSettings settings_;
    VerilatedContext context_;
    Vbench top_;
    Pll pll_;
    uint64_t rate_ = 0;  // ticks a second
    std::vector<Clock> clocks_;  // the oscillator first
    std::vector<unsigned> outputs_;  // of the PLL, for the clocks after the first
    std::unique_ptr<SerialLine> line_;
    std::unique_ptr<SdramChip> chip_;
    uint64_t set_up_, hold_, access_, data_hold_, least_round_trip_, greatest_round_trip_;  // ticks
    uint64_t now_ = 0;
    uint64_t cycles_ = 0;
    bool is_locked_ = false;
    uint64_t pins_ = 0, changed_at_ = 0;
    bool chip_clock_ = false, has_edge_ = false;
    Drive drives_[kDrives];  // the latest first
    uint64_t noise_;
    std::string message_;
};

// No exception crosses the C ABI.
template <class Action>
int guarded(Board* board, Action action) {
    try {
        return action();
    } catch (const SdramViolation& error) {
        board->set_message(error.what());
        return kViolation;
    } catch (const std::exception& error) {
        board->set_message(error.what());
        return kFailed;
    }
}

}  // namespace celosia

using celosia::Board;
using celosia::BoardSettings;
using celosia::BoardStatistics;

#define CELOSIA_API extern "C" __attribute__((visibility("default")))

extern "C" void celosia_pll_loop(int input_divider, int feedback_divider, int feedback_output_divider, int coarse,
                                 int fine, svBit is_supported) {
    celosia::Pll* pll = celosia::current_pll;
    if (!is_supported) throw std::runtime_error("EHXPLLL has settings that its twin does not model");
    if (pll->is_there) throw std::runtime_error("the board has more than one PLL");
    pll->is_there = true;
    pll->input_divider = input_divider;
    pll->feedback_divider = feedback_divider;
    pll->feedback = {static_cast<uint64_t>(feedback_output_divider), static_cast<uint64_t>(coarse),
                     static_cast<uint64_t>(fine)};
}

extern "C" void celosia_pll_output(int number, int divider, int coarse, int fine) {
    celosia::current_pll->outputs[number] = {static_cast<uint64_t>(divider), static_cast<uint64_t>(coarse),
                                             static_cast<uint64_t>(fine)};
}

// Null if the design cannot be simulated; `message`, of `size` bytes, then says why.
CELOSIA_API Board* celosia_board_create(const BoardSettings* settings, uint8_t* bytes, char* message, uint64_t size) {
    try {
        return new Board(*settings, bytes);
    } catch (const std::exception& error) {
        std::snprintf(message, size, "%s", error.what());
        return nullptr;
    }
}

CELOSIA_API void celosia_board_destroy(Board* board) { delete board; }

// Hands `count` bytes to the line and lets `cycles` of the oscillator pass.
CELOSIA_API int celosia_board_run(Board* board, const uint8_t* line, uint64_t count, uint64_t cycles) {
    board->line().send(line, count);
    return celosia::guarded(board, [&] { return board->run(cycles); });
}

// Takes up to `size` of the bytes that came from the board; how many.
CELOSIA_API uint64_t celosia_board_take(Board* board, uint8_t* line, uint64_t size) {
    std::vector<uint8_t>& received = board->line().received();
    uint64_t count = std::min<uint64_t>(size, received.size());
    std::copy_n(received.begin(), count, line);
    received.erase(received.begin(), received.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
}

// Whether bytes are on the line, or wait for it.
CELOSIA_API int celosia_board_is_talking(Board* board) {
    return board->line().is_sending() || board->line().is_listening();
}

CELOSIA_API uint64_t celosia_board_picoseconds(const Board* board) { return board->picoseconds(); }

CELOSIA_API void celosia_board_statistics(Board* board, BoardStatistics* out) { board->statistics(out); }

CELOSIA_API const char* celosia_board_message(const Board* board) { return board->message(); }
