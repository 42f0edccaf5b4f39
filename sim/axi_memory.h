// The memory contract of celosia.generators.chassis.memory.MemoryModel, one clock cycle at a time.
// The numbered comments name the steps of that docstring.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace celosia {

constexpr uint64_t kOkay = 0;
constexpr uint64_t kDecodeError = 3;
constexpr unsigned kMaximumOutstanding = 64;  // a power of two: queues wrap by masking
constexpr unsigned kMaximumFaults = 16;
constexpr uint64_t kPageBytes = 4096;

// Mirrored field by field by `_Settings` in library.py. Credit is counted in units of 1/d byte.
struct Settings {
    uint64_t latency;
    uint64_t rate_units;  // added to the credit per cycle
    uint64_t beat_units;  // cost of a beat
    uint64_t outstanding_reads;
    uint64_t outstanding_writes;
    uint64_t seed;
    uint64_t pause_threshold;  // 0: no back-pressure
    uint64_t base;             // address of the first byte of memory
    uint64_t size;             // bytes
};

// Mirrored by `_Fault` in library.py.
struct Fault {
    enum Kind : uint64_t { kReadBurst, kWriteBurst, kReadRange, kWriteRange, kSilence, kWeightsBurst };
    uint64_t kind;
    uint64_t response;
    uint64_t first;  // number of the burst, or first address, or beats until silence
    uint64_t limit;  // one after the last address of a range
};

// Mirrored by `_Statistics` in library.py.
struct Statistics {
    uint64_t cycles;
    uint64_t read_bursts;
    uint64_t read_beats;
    uint64_t write_bursts;
    uint64_t write_beats;
    uint64_t weights_bursts;  // of the port for weights, if there is one
    uint64_t weights_beats;
};

struct Burst {
    uint64_t address = 0;   // of the next beat
    uint64_t ready_at = 0;  // first cycle of the first read beat, or of the response
    uint64_t response = kOkay;
    uint64_t id = 0;
    unsigned beats_left = 0;
};

class BurstQueue {
  public:
    unsigned size() const { return tail_ - head_; }
    bool empty() const { return tail_ == head_; }
    Burst& front() { return bursts_[head_ % kMaximumOutstanding]; }
    const Burst& front() const { return bursts_[head_ % kMaximumOutstanding]; }
    void push(const Burst& burst) { bursts_[tail_++ % kMaximumOutstanding] = burst; }
    void pop() { ++head_; }

  private:
    Burst bursts_[kMaximumOutstanding];
    unsigned head_ = 0;
    unsigned tail_ = 0;
};

// What the master drove on an address channel, to see that it keeps it until the handshake.
struct AddressChannel {
    bool waiting = false;
    uint64_t address = 0;
    uint64_t length = 0;
};

inline uint64_t split_mix64(uint64_t counter) {
    uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

template <class Top, unsigned kBeatBytes>
class AxiMemory {
  public:
    AxiMemory(const Settings& settings, uint8_t* bytes) : settings_(settings), bytes_(bytes) {}

    void reset() {
        reads_ = writes_ = responses_ = BurstQueue{};
        read_waits_ = response_waits_ = false;
        read_channel_ = write_channel_ = AddressChannel{};
        write_data_waits_ = false;
        credit_ = 0;
    }

    void configure(const Settings& settings) { settings_ = settings; }
    const Settings& settings() const { return settings_; }
    const Statistics& statistics() const { return statistics_; }
    bool violated() const { return violation_[0] != 0; }
    const char* violation() const { return violation_; }
    void clear_violation() { violation_[0] = 0; }
    uint64_t last_read_address() const { return last_read_address_; }
    uint64_t last_write_address() const { return last_write_address_; }
    unsigned reads_outstanding() const { return reads_.size(); }
    unsigned writes_outstanding() const { return writes_.size() + responses_.size(); }
    bool silent() const { return silent_; }
    void silence() { silent_ = true; }

    void clear_faults() {
        fault_count_ = 0;
        silence_at_ = UINT64_MAX;
        silent_ = false;
    }

    // Numbers of bursts and beats in `fault` count from now.
    bool add_fault(Fault fault) {
        if (fault_count_ == kMaximumFaults) return false;
        if (fault.kind == Fault::kReadBurst) fault.first += statistics_.read_bursts;
        if (fault.kind == Fault::kWriteBurst) fault.first += statistics_.write_bursts;
        if (fault.kind == Fault::kSilence) {
            silence_at_ = beats() + fault.first;
            silent_ = fault.first == 0;
        }
        faults_[fault_count_++] = fault;
        return true;
    }

    // Set the inputs of `top` for cycle `now`.
    void drive(Top& top, uint64_t now) {
        const uint64_t pauses = settings_.pause_threshold ? split_mix64(settings_.seed + now) : ~0ull;
        if (reads_.empty() && writes_.empty() && responses_.empty()) {
            credit_ = 0;
        } else {
            const uint64_t carried = settings_.beat_units - 1;
            credit_ = (credit_ < carried ? credit_ : carried) + settings_.rate_units;
        }
        drive_read_beat(top, now, pauses);    // 1.
        top.m_axi_wready = !silent_ && !writes_.empty() && credit_ >= settings_.beat_units &&
                           !paused(pauses, 3);  // 2.
        drive_response(top, now, pauses);     // 3.
        top.m_axi_arready =
            !silent_ && reads_.size() < settings_.outstanding_reads && !paused(pauses, 0);
        top.m_axi_awready =
            !silent_ && writes_outstanding() < settings_.outstanding_writes && !paused(pauses, 2);
    }

    // Take the handshakes of cycle `now` from the settled outputs of `top`.
    void sample(Top& top, uint64_t now) {
        if (top.m_axi_rvalid && top.m_axi_rready) take_read_beat();
        if (top.m_axi_wvalid) {
            if (top.m_axi_wready) take_write_beat(top, now);
            else write_data_waits_ = true;
        } else if (write_data_waits_) {
            violate("wvalid fell before wready", last_write_address_, now);
        }
        if (top.m_axi_bvalid && top.m_axi_bready) {
            responses_.pop();
            response_waits_ = false;
        }
        if (top.m_axi_arvalid || read_channel_.waiting) {
            follow(read_channel_, top.m_axi_arvalid, top.m_axi_arready, top.m_axi_araddr,
                   top.m_axi_arlen, "ar", now);
            if (top.m_axi_arvalid && top.m_axi_arready) {
                last_read_address_ = top.m_axi_araddr;
                check_burst(top.m_axi_araddr, top.m_axi_arlen, top.m_axi_arsize, top.m_axi_arburst,
                            "read", now);
                reads_.push(accept(top.m_axi_araddr, top.m_axi_arlen, top.m_axi_arid, now,
                                   Fault::kReadBurst, Fault::kReadRange, statistics_.read_bursts));
                ++statistics_.read_bursts;
            }
        }
        if (top.m_axi_awvalid || write_channel_.waiting) {
            follow(write_channel_, top.m_axi_awvalid, top.m_axi_awready, top.m_axi_awaddr,
                   top.m_axi_awlen, "aw", now);
            if (top.m_axi_awvalid && top.m_axi_awready) {
                last_write_address_ = top.m_axi_awaddr;
                check_burst(top.m_axi_awaddr, top.m_axi_awlen, top.m_axi_awsize, top.m_axi_awburst,
                            "write", now);
                writes_.push(accept(top.m_axi_awaddr, top.m_axi_awlen, top.m_axi_awid, now,
                                    Fault::kWriteBurst, Fault::kWriteRange,
                                    statistics_.write_bursts));
                ++statistics_.write_bursts;
            }
        }
    }

  private:
    bool paused(uint64_t pauses, unsigned channel) const {
        return ((pauses >> (12 * channel)) & 0xFFF) < settings_.pause_threshold;
    }

    uint64_t beats() const { return statistics_.read_beats + statistics_.write_beats; }

    uint8_t* at(uint64_t address) { return bytes_ + (address - settings_.base); }

    void drive_read_beat(Top& top, uint64_t now, uint64_t pauses) {
        if (read_waits_) return;
        if (!reads_.empty() && !silent_) {
            const Burst& burst = reads_.front();
            if (burst.ready_at <= now && credit_ >= settings_.beat_units && !paused(pauses, 1)) {
                credit_ -= settings_.beat_units;
                if (burst.response == kOkay) std::memcpy(&top.m_axi_rdata, at(burst.address), kBeatBytes);
                else std::memset(&top.m_axi_rdata, 0, kBeatBytes);
                top.m_axi_rresp = burst.response;
                top.m_axi_rlast = burst.beats_left == 1;
                top.m_axi_rid = burst.id;
                top.m_axi_rvalid = 1;
                read_waits_ = true;
                return;
            }
        }
        top.m_axi_rvalid = 0;
    }

    void drive_response(Top& top, uint64_t now, uint64_t pauses) {
        if (response_waits_) return;
        if (!responses_.empty() && !silent_ && responses_.front().ready_at <= now && !paused(pauses, 4)) {
            top.m_axi_bresp = responses_.front().response;
            top.m_axi_bid = responses_.front().id;
            top.m_axi_bvalid = 1;
            response_waits_ = true;
            return;
        }
        top.m_axi_bvalid = 0;
    }

    void take_read_beat() {
        read_waits_ = false;
        ++statistics_.read_beats;
        Burst& burst = reads_.front();
        burst.address += kBeatBytes;
        if (--burst.beats_left == 0) reads_.pop();
        count_to_silence();
    }

    void take_write_beat(Top& top, uint64_t now) {
        credit_ -= settings_.beat_units;
        write_data_waits_ = false;
        ++statistics_.write_beats;
        Burst& burst = writes_.front();
        if (burst.response == kOkay) store(burst.address, &top.m_axi_wdata, top.m_axi_wstrb);
        burst.address += kBeatBytes;
        --burst.beats_left;
        if ((burst.beats_left == 0) != static_cast<bool>(top.m_axi_wlast)) {
            violate("wlast does not mark the last beat of its burst", burst.address - kBeatBytes, now);
        }
        if (burst.beats_left == 0) {
            burst.ready_at = now + settings_.latency;
            responses_.push(burst);
            writes_.pop();
        }
        count_to_silence();
    }

    void store(uint64_t address, const void* data, uint64_t strobes) {
        constexpr uint64_t kAll = ~0ull >> (64 - kBeatBytes);
        if ((strobes & kAll) == kAll) {
            std::memcpy(at(address), data, kBeatBytes);
            return;
        }
        const uint8_t* source = static_cast<const uint8_t*>(data);
        for (unsigned i = 0; i < kBeatBytes; ++i) {
            if (strobes >> i & 1) at(address)[i] = source[i];
        }
    }

    void count_to_silence() { silent_ = beats() >= silence_at_; }

    Burst accept(uint64_t address, uint64_t length, uint64_t id, uint64_t now, uint64_t burst_kind,
                 uint64_t range_kind, uint64_t number) const {
        const uint64_t first = address & ~static_cast<uint64_t>(kBeatBytes - 1);
        const uint64_t bytes = (length + 1) * kBeatBytes;
        uint64_t response = kOkay;
        for (unsigned i = 0; i < fault_count_; ++i) {
            const Fault& fault = faults_[i];
            const bool hit = (fault.kind == burst_kind && fault.first == number) ||
                             (fault.kind == range_kind && first < fault.limit && fault.first < first + bytes);
            if (hit) response = fault.response;
        }
        const uint64_t offset = first - settings_.base;  // wraps below the base, to a large number
        if (offset >= settings_.size || bytes > settings_.size - offset) response = kDecodeError;
        return Burst{first, now + settings_.latency, response, id, static_cast<unsigned>(length) + 1};
    }

    void follow(AddressChannel& channel, bool valid, bool ready, uint64_t address, uint64_t length,
                const char* name, uint64_t now) {
        if (channel.waiting && (!valid || channel.address != address || channel.length != length)) {
            char text[64];
            std::snprintf(text, sizeof text, "%svalid, %saddr or %slen changed before %sready", name, name,
                          name, name);
            violate(text, channel.address, now);
        }
        channel = AddressChannel{valid && !ready, address, length};
    }

    void check_burst(uint64_t address, uint64_t length, uint64_t size, uint64_t kind, const char* name,
                     uint64_t now) {
        const uint64_t first = address & ~static_cast<uint64_t>(kBeatBytes - 1);
        const char* rule = nullptr;
        if ((1ull << size) != kBeatBytes) rule = "burst is narrower than the port";
        else if (kind != 1) rule = "burst is not INCR";
        else if (first / kPageBytes != (first + (length + 1) * kBeatBytes - 1) / kPageBytes) {
            rule = "burst crosses a 4 KiB boundary";
        }
        if (rule == nullptr) return;
        char text[64];
        std::snprintf(text, sizeof text, "%s %s", name, rule);
        violate(text, address, now);
    }

    void violate(const char* rule, uint64_t address, uint64_t now) {
        if (violated()) return;  // the first one is the cause
        std::snprintf(violation_, sizeof violation_, "%s (address 0x%llx, cycle %llu)", rule,
                      static_cast<unsigned long long>(address), static_cast<unsigned long long>(now));
    }

    Settings settings_;
    uint8_t* bytes_;
    BurstQueue reads_;
    BurstQueue writes_;     // lacking data
    BurstQueue responses_;  // lacking their response
    bool read_waits_ = false;
    bool response_waits_ = false;
    bool write_data_waits_ = false;
    AddressChannel read_channel_;
    AddressChannel write_channel_;
    uint64_t credit_ = 0;
    uint64_t last_read_address_ = 0;
    uint64_t last_write_address_ = 0;
    Statistics statistics_{};
    Fault faults_[kMaximumFaults];
    unsigned fault_count_ = 0;
    uint64_t silence_at_ = UINT64_MAX;
    bool silent_ = false;
    char violation_[160] = "";
};

}  // namespace celosia
