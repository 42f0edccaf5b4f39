// A Verilated `celosia` with its memory, behind the C ABI that library.py binds.
//
// Outputs are sampled, then the registers take their next values. In between nothing has to settle: as AXI demands, no
// output of a memory port depends on an input of the same cycle. The registers' port may, so that it gets an evaluation
// more. `cycle.v` makes an edge of every change of the clock; for waveforms there is none, and a cycle is two evaluations.

#include "axi_memory.h"
#include "Vcelosia.h"
#if CELOSIA_WEIGHTS_BEAT_BYTES
#include "weights_port.h"
#endif
#include "verilated.h"
#if CELOSIA_TRACE_VCD
#include "verilated_vcd_c.h"
using TraceFile = VerilatedVcdC;
#elif CELOSIA_TRACE_FST
#include "verilated_fst_c.h"
using TraceFile = VerilatedFstC;
#endif
#define CELOSIA_TRACE (CELOSIA_TRACE_VCD || CELOSIA_TRACE_FST)

#include <memory>
#include <stdexcept>
#include <string>

// Verilator's own versions of these hooks end the process.
void vl_finish(const char*, int, const char*) { throw std::runtime_error("the design called $finish"); }
void vl_stop(const char* file, int line, const char*) {
    throw std::runtime_error("the design stopped at " + std::string(file) + ":" + std::to_string(line));
}
void vl_fatal(const char* file, int line, const char*, const char* message) {
    throw std::runtime_error(std::string(message) + " at " + file + ":" + std::to_string(line));
}

namespace celosia {

enum Status : int { kDone = 0, kTimeout = 1, kViolation = 2, kFailed = 3 };

constexpr unsigned kResetCycles = 8;
constexpr uint64_t kRegisterTimeout = 10000;  // cycles of an AXI4-Lite access

class Simulation {
  public:
    Simulation(const Settings& settings, const Settings& weights_settings, uint8_t* bytes)
        : top_(&context_),
          memory_(settings, bytes)
#if CELOSIA_WEIGHTS_BEAT_BYTES
          ,
          weights_(weights_settings, bytes)
#endif
    {
#if CELOSIA_TRACE
        context_.traceEverOn(true);
#endif
        reset();
    }

    ~Simulation() {
        close_trace();
        top_.final();
    }

    void reset() {
        top_.aresetn = 0;
        top_.s_axil_awvalid = top_.s_axil_wvalid = top_.s_axil_bready = 0;
        top_.s_axil_arvalid = top_.s_axil_rready = 0;
        top_.m_axi_arready = top_.m_axi_awready = top_.m_axi_wready = 0;
        top_.m_axi_rvalid = top_.m_axi_bvalid = 0;
        memory_.reset();
        memory_.clear_violation();
#if CELOSIA_WEIGHTS_BEAT_BYTES
        weights_pins_ = {};
        weights_pins_.drive(top_);
        weights_.reset();
        weights_.clear_violation();
#endif
        for (unsigned i = 0; i < kResetCycles; ++i) clock_edge();
        top_.aresetn = 1;
        now_ = 0;
        irq_ = false;
        run_ = Statistics{};
        started_ = counted();
        started_at_ = 0;
    }

    Status write_register(uint32_t offset, uint32_t value) {
        top_.s_axil_awaddr = offset;
        top_.s_axil_awvalid = 1;
        top_.s_axil_wdata = value;
        top_.s_axil_wstrb = 0xF;
        top_.s_axil_wvalid = 1;
        top_.s_axil_bready = 1;
        bool address_taken = false, data_taken = false, answered = false;
        for (uint64_t i = 0; i < kRegisterTimeout && !answered; ++i) {
            cycle([&] {
                top_.eval();
                address_taken = top_.s_axil_awvalid && top_.s_axil_awready;
                data_taken = top_.s_axil_wvalid && top_.s_axil_wready;
                answered = top_.s_axil_bvalid;
            });
            if (address_taken) top_.s_axil_awvalid = 0;
            if (data_taken) {
                top_.s_axil_wvalid = 0;
                started_at_ = now_ - 1;
                started_ = counted();
            }
        }
        top_.s_axil_awvalid = top_.s_axil_wvalid = top_.s_axil_bready = 0;
        return answered ? check_response(top_.s_axil_bresp, "write", offset) : kTimeout;
    }

    Status read_register(uint32_t offset, uint32_t* value) {
        top_.s_axil_araddr = offset;
        top_.s_axil_arvalid = 1;
        top_.s_axil_rready = 1;
        bool address_taken = false, answered = false;
        uint64_t response = kOkay;
        for (uint64_t i = 0; i < kRegisterTimeout && !answered; ++i) {
            cycle([&] {
                top_.eval();
                address_taken = top_.s_axil_arvalid && top_.s_axil_arready;
                answered = top_.s_axil_rvalid;
                *value = top_.s_axil_rdata;
                response = top_.s_axil_rresp;
            });
            if (address_taken) top_.s_axil_arvalid = 0;
        }
        top_.s_axil_arvalid = top_.s_axil_rready = 0;
        return answered ? check_response(response, "read", offset) : kTimeout;
    }

    Status step_until_irq(uint64_t cycles) {
        for (uint64_t i = 0; i < cycles && !irq_ && !violation(); ++i) {
            cycle([] {});
        }
        if (violation()) {
            message_ = violation();
            return kViolation;
        }
        return irq_ ? kDone : kTimeout;
    }

    const char* describe() {
        char text[640];
        std::snprintf(
            text, sizeof text,
            "irq %d in cycle %llu; reads: %u outstanding, last burst at 0x%llx, arvalid %d arready %d rvalid %d "
            "rready %d; writes: %u outstanding, last burst at 0x%llx, awvalid %d awready %d wvalid %d wready %d "
            "bvalid %d bready %d%s",
            irq_, static_cast<unsigned long long>(now_), memory_.reads_outstanding(),
            static_cast<unsigned long long>(memory_.last_read_address()), top_.m_axi_arvalid,
            top_.m_axi_arready, top_.m_axi_rvalid, top_.m_axi_rready, memory_.writes_outstanding(),
            static_cast<unsigned long long>(memory_.last_write_address()), top_.m_axi_awvalid,
            top_.m_axi_awready, top_.m_axi_wvalid, top_.m_axi_wready, top_.m_axi_bvalid, top_.m_axi_bready,
            memory_.silent() ? "; the memory was told to stop answering" : "");
        message_ = text;
        return message_.c_str();
    }

    bool open_trace(const char* path, uint64_t first, uint64_t limit) {
#if CELOSIA_TRACE
        close_trace();
        trace_ = std::make_unique<TraceFile>();
        top_.trace(trace_.get(), 99);
        trace_->open(path);
        trace_first_ = first;
        trace_limit_ = limit;
        return trace_->isOpen();
#else
        return false;
#endif
    }

    void close_trace() {
#if CELOSIA_TRACE
        if (trace_) trace_->close();
        trace_.reset();
#endif
    }

    void flush_trace() {
#if CELOSIA_TRACE
        if (trace_) trace_->flush();
#endif
    }

    void configure(const Settings& settings, const Settings& weights_settings) {
        memory_.configure(settings);
#if CELOSIA_WEIGHTS_BEAT_BYTES
        weights_.configure(weights_settings);
#endif
    }

    // Faults by address show on both ports; those by number are of the port that `fault` names.
    bool add_fault(const Fault& fault) {
#if CELOSIA_WEIGHTS_BEAT_BYTES
        if (fault.kind == Fault::kWeightsBurst) {
            Fault burst = fault;
            burst.kind = Fault::kReadBurst;
            return weights_.add_fault(burst);
        }
        if (fault.kind == Fault::kReadRange && !weights_.add_fault(fault)) return false;
#endif
        return fault.kind != Fault::kWeightsBurst && memory_.add_fault(fault);
    }

    void clear_faults() {
        memory_.clear_faults();
#if CELOSIA_WEIGHTS_BEAT_BYTES
        weights_.clear_faults();
#endif
    }

    const Statistics& run() const { return run_; }
    uint64_t now() const { return now_; }
    const char* message() const { return message_.c_str(); }
    void set_message(const char* text) { message_ = text; }

  private:
    template <class Sample>
    void cycle(Sample sample) {
        memory_.drive(top_, now_);
#if CELOSIA_WEIGHTS_BEAT_BYTES
        if (memory_.silent()) weights_.silence();
        weights_.drive(weights_pins_, now_);
        weights_pins_.drive(top_);
#endif
        sample();
        memory_.sample(top_, now_);
#if CELOSIA_WEIGHTS_BEAT_BYTES
        weights_pins_.sample(top_);
        weights_.sample(weights_pins_, now_);
#endif
        if (top_.irq && !irq_) {
            const Statistics total = counted();
            run_ = Statistics{now_ - started_at_, total.read_bursts - started_.read_bursts,
                              total.read_beats - started_.read_beats,
                              total.write_bursts - started_.write_bursts,
                              total.write_beats - started_.write_beats,
                              total.weights_bursts - started_.weights_bursts,
                              total.weights_beats - started_.weights_beats};
        }
        irq_ = top_.irq;
        clock_edge();
        ++now_;
    }

    Statistics counted() const {
        Statistics total = memory_.statistics();
#if CELOSIA_WEIGHTS_BEAT_BYTES
        total.weights_bursts = weights_.statistics().read_bursts;
        total.weights_beats = weights_.statistics().read_beats;
#endif
        return total;
    }

    // The rule that was broken first, null if none was.
    const char* violation() const {
        if (memory_.violated()) return memory_.violation();
#if CELOSIA_WEIGHTS_BEAT_BYTES
        if (weights_.violated()) return weights_.violation();
#endif
        return nullptr;
    }

    void clock_edge() {
#if CELOSIA_TRACE
        top_.aclk = 0;
        top_.eval();
        dump(0);
        top_.aclk = 1;
        top_.eval();
        dump(1);
#else
        top_.aclk = !top_.aclk;
        top_.eval();
#endif
    }

    // Ten time units a cycle; the time goes on through resets.
#if CELOSIA_TRACE
    void dump(unsigned half) {
        if (trace_ && now_ >= trace_first_ && now_ < trace_limit_) trace_->dump(trace_time_ + 5 * half);
        if (half) trace_time_ += 10;
    }
#endif

    Status check_response(uint64_t response, const char* direction, uint32_t offset) {
        if (response == kOkay) return kDone;
        message_ = std::string("register ") + direction + " at offset " + std::to_string(offset) +
                   (response == kDecodeError ? " answered DECERR" : " answered SLVERR");
        return kFailed;
    }

    VerilatedContext context_;
    Vcelosia top_;
    AxiMemory<Vcelosia, CELOSIA_BEAT_BYTES> memory_;
#if CELOSIA_WEIGHTS_BEAT_BYTES
    WeightsPins<CELOSIA_WEIGHTS_BEAT_BYTES> weights_pins_;
    AxiMemory<WeightsPins<CELOSIA_WEIGHTS_BEAT_BYTES>, CELOSIA_WEIGHTS_BEAT_BYTES> weights_;
#endif
    uint64_t now_ = 0;
    bool irq_ = false;
    uint64_t started_at_ = 0;  // cycle of the last register write's data handshake
    Statistics started_{};
    Statistics run_{};
    std::string message_;
#if CELOSIA_TRACE
    std::unique_ptr<TraceFile> trace_;
    uint64_t trace_first_ = 0;
    uint64_t trace_limit_ = 0;
    uint64_t trace_time_ = 0;
#endif
};

// No exception crosses the C ABI.
template <class Action>
int guarded(Simulation* simulation, Action action) {
    try {
        return action();
    } catch (const std::exception& error) {
        simulation->set_message(error.what());
        return kFailed;
    }
}

}  // namespace celosia

using celosia::Fault;
using celosia::Settings;
using celosia::Simulation;
using celosia::Statistics;

#define CELOSIA_API extern "C" __attribute__((visibility("default")))

CELOSIA_API Simulation* celosia_create(const Settings* settings, const Settings* weights_settings,
                                        uint8_t* bytes) {
    try {
        return new Simulation(*settings, *weights_settings, bytes);
    } catch (const std::exception&) {
        return nullptr;
    }
}

CELOSIA_API void celosia_destroy(Simulation* simulation) { delete simulation; }

CELOSIA_API int celosia_reset(Simulation* simulation) {
    return celosia::guarded(simulation, [&] { return simulation->reset(), celosia::kDone; });
}

CELOSIA_API int celosia_write_register(Simulation* simulation, uint32_t offset, uint32_t value) {
    return celosia::guarded(simulation, [&] { return simulation->write_register(offset, value); });
}

CELOSIA_API int celosia_read_register(Simulation* simulation, uint32_t offset, uint32_t* value) {
    return celosia::guarded(simulation, [&] { return simulation->read_register(offset, value); });
}

CELOSIA_API int celosia_step_until_irq(Simulation* simulation, uint64_t cycles) {
    return celosia::guarded(simulation, [&] { return simulation->step_until_irq(cycles); });
}

CELOSIA_API void celosia_configure(Simulation* simulation, const Settings* settings,
                                   const Settings* weights_settings) {
    simulation->configure(*settings, *weights_settings);
}

CELOSIA_API int celosia_add_fault(Simulation* simulation, const Fault* fault) {
    return simulation->add_fault(*fault);
}

CELOSIA_API void celosia_clear_faults(Simulation* simulation) { simulation->clear_faults(); }

CELOSIA_API void celosia_run_statistics(const Simulation* simulation, Statistics* out) {
    *out = simulation->run();
}

CELOSIA_API uint64_t celosia_now(const Simulation* simulation) { return simulation->now(); }

CELOSIA_API const char* celosia_describe(Simulation* simulation) { return simulation->describe(); }

CELOSIA_API const char* celosia_message(const Simulation* simulation) { return simulation->message(); }

CELOSIA_API int celosia_open_trace(Simulation* simulation, const char* path, uint64_t first, uint64_t limit) {
    return simulation->open_trace(path, first, limit);
}

CELOSIA_API void celosia_flush_trace(Simulation* simulation) { simulation->flush_trace(); }
