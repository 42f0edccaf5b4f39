/* Run a Celosia program from bare-metal C. docs/programming.md explains each step.
 *
 * Compile it with the celosia.h that was generated with the accelerator. It allocates nothing and calls no
 * library; registers are reached through two functions, so that the same code runs on a board (mmio_read and
 * mmio_write below, with the slave's base address as context) and against the simulator.
 */
#include <stdint.h>

#include "celosia.h"

struct celosia_registers {
    uint32_t (*read)(void *context, uint32_t offset);
    void (*write)(void *context, uint32_t offset, uint32_t value);
    void *context;
};

struct celosia_region {
    uint64_t base;  /* bus address, a multiple of 8 (of region PROGRAM: of 64) */
    uint32_t limit; /* bytes */
};

struct celosia_program {
    struct celosia_region regions[4]; /* indexed by CELOSIA_REGION_PROGRAM .. CELOSIA_REGION_OUTPUT */
    uint32_t queue_offset;            /* of the first command in region PROGRAM */
    uint32_t queue_count;             /* commands */
};

struct celosia_result {
    uint32_t error;   /* enum celosia_error */
    uint32_t index;   /* of the faulting command */
    uint64_t address; /* bus address of the error, where there is one */
    uint32_t cycles;
};

/* On a board: `context` is the base address of the AXI4-Lite slave. */
uint32_t mmio_read(void *context, uint32_t offset)
{
    return *(volatile uint32_t *)((uintptr_t)context + offset);
}

void mmio_write(void *context, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)((uintptr_t)context + offset) = value;
}

static uint32_t get(const struct celosia_registers *registers, uint32_t offset)
{
    return registers->read(registers->context, offset);
}

static void set(const struct celosia_registers *registers, uint32_t offset, uint32_t value)
{
    registers->write(registers->context, offset, value);
}

/* 1 if this is the accelerator that celosia.h was generated for. */
int celosia_is_present(const struct celosia_registers *registers)
{
    return get(registers, CELOSIA_MAGIC) == CELOSIA_MAGIC_VALUE &&
           get(registers, CELOSIA_VERSION) == CELOSIA_VERSION_VALUE &&
           get(registers, CELOSIA_CONFIG_HASH_LO) == CELOSIA_HASH_LO &&
           get(registers, CELOSIA_CONFIG_HASH_HI) == CELOSIA_HASH_HI;
}

/* End whatever runs. The wait is bounded by WATCHDOG_CYCLES. */
void celosia_reset(const struct celosia_registers *registers)
{
    set(registers, CELOSIA_CONTROL, CELOSIA_CONTROL_RESET);
    while (get(registers, CELOSIA_STATUS) & CELOSIA_STATUS_RESETTING)
        ;
}

/* Run a program whose commands, weights and inputs are in memory already (and flushed from the caches). */
struct celosia_result celosia_run(const struct celosia_registers *registers, const struct celosia_program *program)
{
    struct celosia_result result = {0, 0, 0, 0};
    uint32_t status;

    for (uint32_t region = 0; region < 4; region++) {
        uint32_t stride = region * (CELOSIA_REGION1_BASE_LO - CELOSIA_REGION0_BASE_LO);
        set(registers, CELOSIA_REGION0_BASE_LO + stride, (uint32_t)program->regions[region].base);
        set(registers, CELOSIA_REGION0_BASE_HI + stride, (uint32_t)(program->regions[region].base >> 32));
        set(registers, CELOSIA_REGION0_LIMIT + stride, program->regions[region].limit);
    }
    set(registers, CELOSIA_QUEUE_OFFSET, program->queue_offset);
    set(registers, CELOSIA_QUEUE_COUNT, program->queue_count);
    set(registers, CELOSIA_CONTROL, CELOSIA_CONTROL_START);

    /* Or sleep until the interrupt. It ends in any case: WATCHDOG_CYCLES bounds a hang. */
    do
        status = get(registers, CELOSIA_STATUS);
    while (status & CELOSIA_STATUS_RUNNING);
    set(registers, CELOSIA_CONTROL, CELOSIA_CONTROL_INTERRUPT_CLEAR);

    result.cycles = get(registers, CELOSIA_CYCLES);
    if (status & CELOSIA_STATUS_ERROR) {
        result.error = get(registers, CELOSIA_ERROR_CODE);
        result.index = get(registers, CELOSIA_ERROR_INDEX);
        result.address = get(registers, CELOSIA_ERROR_ADDRESS_LO);
        result.address |= (uint64_t)get(registers, CELOSIA_ERROR_ADDRESS_HI) << 32;
    }
    return result;
}

/* A first sign of life on a new board: a program that copies `bricks` * 8 bytes from the start of region INPUT
 * to the start of region OUTPUT. Fills 4 * CELOSIA_COMMAND_BYTES bytes at `commands`, returns the number of
 * commands. LOAD gives STORE a token when the bytes are in the buffer; STORE waits for it. */
uint32_t celosia_copy_program(uint8_t *commands, uint32_t bricks)
{
    const uint32_t ring_never_wraps = 0x1FFFF;
    uint8_t *begin = commands;
    uint8_t *load = begin + CELOSIA_COMMAND_BYTES;
    uint8_t *store = load + CELOSIA_COMMAND_BYTES;
    uint8_t *halt = store + CELOSIA_COMMAND_BYTES;
    uint64_t hash = (uint64_t)CELOSIA_HASH_HI << 32 | CELOSIA_HASH_LO;

    /* volatile: a compiler must not turn this into a call of memset */
    for (uint32_t byte = 0; byte < 4 * CELOSIA_COMMAND_BYTES; byte++)
        ((volatile uint8_t *)commands)[byte] = 0;

    celosia_set_field(begin, CELOSIA_BEGIN_OPCODE_FIELD, CELOSIA_BEGIN_OPCODE);
    celosia_set_field(begin, CELOSIA_BEGIN_CONFIGURATION_HASH, hash);

    celosia_set_field(load, CELOSIA_LOAD_OPCODE_FIELD, CELOSIA_LOAD_OPCODE);
    celosia_set_field(load, CELOSIA_LOAD_SIGNAL, 1u << CELOSIA_VERB_STORE);
    celosia_set_field(load, CELOSIA_LOAD_REGION, CELOSIA_REGION_INPUT);
    celosia_set_field(load, CELOSIA_LOAD_ROWS, 1);
    celosia_set_field(load, CELOSIA_LOAD_WIDTH, bricks);
    celosia_set_field(load, CELOSIA_LOAD_CHANNELS, 8);
    celosia_set_field(load, CELOSIA_LOAD_ROW_PITCH, bricks);
    celosia_set_field(load, CELOSIA_LOAD_CHANNEL_PITCH, bricks);
    celosia_set_field(load, CELOSIA_LOAD_RING_END, ring_never_wraps);

    celosia_set_field(store, CELOSIA_STORE_OPCODE_FIELD, CELOSIA_STORE_OPCODE);
    celosia_set_field(store, CELOSIA_STORE_WAIT_LOAD, 1);
    celosia_set_field(store, CELOSIA_STORE_REGION, CELOSIA_REGION_OUTPUT);
    celosia_set_field(store, CELOSIA_STORE_ROWS, 1);
    celosia_set_field(store, CELOSIA_STORE_WIDTH, bricks);
    celosia_set_field(store, CELOSIA_STORE_CHANNELS, 8);
    celosia_set_field(store, CELOSIA_STORE_ROW_PITCH, bricks);
    celosia_set_field(store, CELOSIA_STORE_CHANNEL_PITCH, bricks);
    celosia_set_field(store, CELOSIA_STORE_RING_END, ring_never_wraps);

    celosia_set_field(halt, CELOSIA_HALT_OPCODE_FIELD, CELOSIA_HALT_OPCODE);
    return 4;
}
