// The host's end of a board's serial line: 8 data bits, no parity, one stop bit, at a rate of its own.

#pragma once

#include <cstdint>
#include <vector>

namespace celosia {

class SerialLine {
  public:
    // Time is in ticks.
    SerialLine(uint64_t ticks_per_second, uint64_t baud) : rate_(ticks_per_second), baud_(baud) {}

    void send(const uint8_t* bytes, uint64_t count) { waiting_.insert(waiting_.end(), bytes, bytes + count); }

    // The level towards the board at `now`, which never goes back.
    bool towards_board(uint64_t now) {
        if (sending_ && now >= started_ + bits(kFrameBits)) {
            sending_ = false;
            idle_since_ = started_ + bits(kFrameBits);
        }
        if (!sending_ && next_ < waiting_.size()) {
            // Without a gap if it waited already, else from now on.
            bool follows = now - idle_since_ < bits(1);
            started_ = follows ? idle_since_ : now;
            frame_ = 1u << (kFrameBits - 1) | static_cast<unsigned>(waiting_[next_++]) << 1;
            sending_ = true;
            if (next_ == waiting_.size()) {
                waiting_.clear();
                next_ = 0;
            }
        }
        if (!sending_) return true;
        uint64_t place = (now - started_) * baud_ / rate_;
        return frame_ >> (place < kFrameBits ? place : kFrameBits - 1) & 1;
    }

    // The level from the board was `before` until `now` and is `after` from then on.
    void from_board(bool before, bool after, uint64_t now) {
        while (listening_ && sample_at_ < now) take(before);
        if (!listening_ && before && !after) {
            listening_ = true;
            heard_ = 0;
            heard_bits_ = 0;
            start_bit_at_ = now;
            sample_at_ = now + bits(1) + bits(1) / 2;
        }
    }

    bool is_sending() const { return sending_ || next_ < waiting_.size(); }
    bool is_listening() const { return listening_; }
    std::vector<uint8_t>& received() { return received_; }
    uint64_t broken() const { return broken_; }

  private:
    static constexpr unsigned kDataBits = 8;
    static constexpr unsigned kFrameBits = 10;

    uint64_t bits(uint64_t count) const { return count * rate_ / baud_; }

    void take(bool level) {
        if (heard_bits_ < kDataBits) {
            heard_ |= static_cast<unsigned>(level) << heard_bits_++;
            sample_at_ = start_bit_at_ + bits(1 + heard_bits_) + bits(1) / 2;
            return;
        }
        listening_ = false;
        if (level)
            received_.push_back(static_cast<uint8_t>(heard_));
        else
            ++broken_;  // no stop bit
    }

    uint64_t rate_, baud_;
    std::vector<uint8_t> waiting_;
    size_t next_ = 0;
    bool sending_ = false;
    uint64_t started_ = 0, idle_since_ = 0;
    unsigned frame_ = 0;
    bool listening_ = false;
    uint64_t start_bit_at_ = 0, sample_at_ = 0;
    unsigned heard_ = 0, heard_bits_ = 0;
    std::vector<uint8_t> received_;
    uint64_t broken_ = 0;
};

}  // namespace celosia
