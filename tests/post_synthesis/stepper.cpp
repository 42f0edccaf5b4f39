// A Verilated `bench` (see stepper.py), driven from arrays.
//
// A step is two evaluations: with the clock low the stimulus settles and the response is sampled, then the clock rises.

#include "Vbench.h"
#include "verilated.h"

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

void vl_finish(const char*, int, const char*) { throw std::runtime_error("the design called $finish"); }
void vl_stop(const char* file, int line, const char*) {
    throw std::runtime_error("the design stopped at " + std::string(file) + ":" + std::to_string(line));
}
void vl_fatal(const char*, int, const char*, const char* message) { throw std::runtime_error(message); }

// The number of steps that ran; fewer than asked for if the design ended the run.
extern "C" __attribute__((visibility("default"))) uint64_t bench_run(
    uint64_t steps, const uint32_t* stimulus, uint32_t* response
) {
    VerilatedContext context;
    Vbench top(&context);
    uint64_t step = 0;
    try {
        for (; step < steps; ++step) {
            for (unsigned word = 0; word < BENCH_STIMULUS_WORDS; ++word) top.stimulus[word] = *stimulus++;
            top.clk = 0;
            top.eval();
            for (unsigned word = 0; word < BENCH_RESPONSE_WORDS; ++word) *response++ = top.response[word];
            top.clk = 1;
            top.eval();
        }
    } catch (const std::runtime_error&) {
    }
    return step;
}
