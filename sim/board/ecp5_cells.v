// Behavioural twins of the ECP5 cells that a board's Verilog instantiates. Names, ports and parameters are Lattice's; the
// defaults of parameters too. Sources: Lattice FPGA-TN-02032, "ECP5 and ECP5-5G sysI/O Usage Guide", FPGA-TN-02200,
// "sysCLOCK PLL/DLL Design and Usage Guide", FPGA-TN-02205, "sysDSP Usage Guide". Registers are 0 after configuration.

module IB(input I, output O);
  assign O = I;
endmodule

module OB(input I, output O);
  assign O = I;
endmodule

module OBZ(input I, input T, output O);
  assign O = T ? 1'bz : I;
endmodule

module BB(input I, input T, output O, inout B);
  assign B = T ? 1'bz : I;
  assign O = B;
endmodule

module FD1S3AX(input D, input CK, output reg Q = 1'b0);
  parameter GSR = "ENABLED";
  always @(posedge CK) Q <= D;
endmodule

module IFS1P3DX(input D, input SP, input SCLK, input CD, output reg Q = 1'b0);
  parameter GSR = "ENABLED";
  always @(posedge SCLK, posedge CD)
    if (CD) Q <= 1'b0;
    else if (SP) Q <= D;
endmodule

module OFS1P3DX(input D, input SP, input SCLK, input CD, output reg Q = 1'b0);
  parameter GSR = "ENABLED";
  always @(posedge SCLK, posedge CD)
    if (CD) Q <= 1'b0;
    else if (SP) Q <= D;
endmodule

// Both bits are taken with a rising edge; D0 is on the pin in the half of the cycle that begins then, D1 in the other.
module ODDRX1F(input D0, input D1, input SCLK, input RST, output Q);
  parameter GSR = "ENABLED";
  reg high = 1'b0, low = 1'b0;
  always @(posedge SCLK, posedge RST)
    if (RST) {high, low} <= 2'b00;
    else {high, low} <= {D0, D1};
  assign Q = SCLK ? high : low;
endmodule

// The harness is the oscillator inside: it is told the dividers as they stand in the netlist and makes `bench.pll_clocks`
// of them, from the moment on in which the PLL is locked: when it has seen LOCK_EDGES of its input. What the harness
// cannot do ends the simulation.
module EHXPLLL(
  input CLKI, input CLKFB, input PHASESEL1, input PHASESEL0, input PHASEDIR, input PHASESTEP, input PHASELOADREG,
  input STDBY, input PLLWAKESYNC, input RST, input ENCLKOP, input ENCLKOS, input ENCLKOS2, input ENCLKOS3,
  output CLKOP, output CLKOS, output CLKOS2, output CLKOS3, output LOCK, output INTLOCK, output REFCLK, output CLKINTFB
);
  parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 8, CLKOS_DIV = 8, CLKOS2_DIV = 8, CLKOS3_DIV = 8;
  parameter CLKOP_ENABLE = "ENABLED", CLKOS_ENABLE = "DISABLED", CLKOS2_ENABLE = "DISABLED", CLKOS3_ENABLE = "DISABLED";
  parameter CLKOP_CPHASE = 0, CLKOS_CPHASE = 0, CLKOS2_CPHASE = 0, CLKOS3_CPHASE = 0;
  parameter CLKOP_FPHASE = 0, CLKOS_FPHASE = 0, CLKOS2_FPHASE = 0, CLKOS3_FPHASE = 0;
  parameter FEEDBK_PATH = "CLKOP", DPHASE_SOURCE = "DISABLED", INTFB_WAKE = "DISABLED";
  parameter PLLRST_ENA = "DISABLED", STDBY_ENABLE = "DISABLED";
  localparam LOCK_EDGES = 64;

  import "DPI-C" function void celosia_pll_loop(
    input int input_divider, input int feedback_divider, input int feedback_output_divider,
    input int feedback_coarse_phase, input int feedback_fine_phase, input bit is_supported);
  import "DPI-C" function void celosia_pll_output(
    input int number, input int divider, input int coarse_phase, input int fine_phase);

  initial begin
    celosia_pll_loop(CLKI_DIV, CLKFB_DIV, CLKOS3_DIV, CLKOS3_CPHASE, CLKOS3_FPHASE,
      FEEDBK_PATH == "INT_OS3" && CLKOS3_ENABLE == "ENABLED" && DPHASE_SOURCE == "DISABLED"
      && INTFB_WAKE == "DISABLED" && PLLRST_ENA == "DISABLED" && STDBY_ENABLE == "DISABLED");
    if (CLKOP_ENABLE == "ENABLED") celosia_pll_output(0, CLKOP_DIV, CLKOP_CPHASE, CLKOP_FPHASE);
    if (CLKOS_ENABLE == "ENABLED") celosia_pll_output(1, CLKOS_DIV, CLKOS_CPHASE, CLKOS_FPHASE);
    if (CLKOS2_ENABLE == "ENABLED") celosia_pll_output(2, CLKOS2_DIV, CLKOS2_CPHASE, CLKOS2_FPHASE);
  end

  reg [6:0] edges = 0;
  always @(posedge CLKI)
    if (edges != LOCK_EDGES) begin
      edges <= edges + 1'b1;
      if (edges == LOCK_EDGES - 1) bench.pll_locked <= 1'b1;
    end
  assign LOCK = bench.pll_locked;
  assign CLKOP = bench.pll_clocks[0];
  assign CLKOS = bench.pll_clocks[1];
  assign CLKOS2 = bench.pll_clocks[2];
endmodule

// A product with a register at each operand and one behind the product, all of one clock, enable and reset.
module MULT18X18D(
  input A17, input A16, input A15, input A14, input A13, input A12, input A11, input A10, input A9,
  input A8, input A7, input A6, input A5, input A4, input A3, input A2, input A1, input A0,
  input B17, input B16, input B15, input B14, input B13, input B12, input B11, input B10, input B9,
  input B8, input B7, input B6, input B5, input B4, input B3, input B2, input B1, input B0,
  input C17, input C16, input C15, input C14, input C13, input C12, input C11, input C10, input C9,
  input C8, input C7, input C6, input C5, input C4, input C3, input C2, input C1, input C0,
  input SIGNEDA, input SIGNEDB, input SOURCEA, input SOURCEB, input CLK0, input CE0, input RST0,
  output P35, output P34, output P33, output P32, output P31, output P30, output P29, output P28, output P27,
  output P26, output P25, output P24, output P23, output P22, output P21, output P20, output P19, output P18,
  output P17, output P16, output P15, output P14, output P13, output P12, output P11, output P10, output P9,
  output P8, output P7, output P6, output P5, output P4, output P3, output P2, output P1, output P0
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTB_CLK = "NONE", REG_OUTPUT_CLK = "NONE", GSR = "ENABLED";
  initial
    if (REG_INPUTA_CLK != "CLK0" || REG_INPUTB_CLK != "CLK0" || REG_OUTPUT_CLK != "CLK0")
      $fatal(1, "MULT18X18D is modelled with all of its registers only");
  reg signed [18:0] a = 0, b = 0;
  reg signed [35:0] product = 0;
  always @(posedge CLK0)
    if (RST0) begin
      a <= 0;
      b <= 0;
      product <= 0;
    end else if (CE0) begin
      a <= {SIGNEDA & A17, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
      b <= {SIGNEDB & B17, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
      product <= a * b;
    end
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
          P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product;
endmodule
