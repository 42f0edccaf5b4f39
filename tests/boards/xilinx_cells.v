// What a linter must know of the 7-series cells in a board's Verilog; ports and parameters by Xilinx UG953, "7 Series
// Libraries Guide". The MMCM is but its ports.

module BUFG(input I, output O);
  assign O = I;
endmodule

module IBUF(input I, output O);
  assign O = I;
endmodule

module IBUFDS(input I, input IB, output O);
  assign O = I & ~IB;
endmodule

module OBUFT(input I, input T, output O);
  assign O = T ? 1'bz : I;
endmodule

module FDCE(input C, input CE, input CLR, input D, output reg Q);
  parameter [0:0] INIT = 1'b0;
  initial Q = INIT;
  always @(posedge C, posedge CLR)
    if (CLR) Q <= 1'b0;
    else if (CE) Q <= D;
endmodule

module FDPE(input C, input CE, input PRE, input D, output reg Q);
  parameter [0:0] INIT = 1'b1;
  initial Q = INIT;
  always @(posedge C, posedge PRE)
    if (PRE) Q <= 1'b1;
    else if (CE) Q <= D;
endmodule

/* verilator lint_off UNUSEDPARAM */
module MMCME2_ADV(
  input CLKIN1, input CLKIN2, input CLKINSEL, input CLKFBIN, input RST, input PWRDWN,
  input [6:0] DADDR, input DCLK, input DEN, input [15:0] DI, input DWE,
  input PSCLK, input PSEN, input PSINCDEC,
  output CLKFBOUT, output CLKOUT0, output CLKOUT1, output CLKOUT2, output LOCKED
);
  parameter BANDWIDTH = "OPTIMIZED";
  parameter real CLKIN1_PERIOD = 0.0;
  parameter real CLKFBOUT_MULT_F = 5.0;
  parameter integer DIVCLK_DIVIDE = 1;
  parameter real CLKOUT0_DIVIDE_F = 1.0;
  parameter integer CLKOUT1_DIVIDE = 1;
  parameter integer CLKOUT2_DIVIDE = 1;
  assign CLKFBOUT = CLKIN1;
  assign {CLKOUT0, CLKOUT1, CLKOUT2} = {3{CLKIN1}};
  assign LOCKED = ~RST;
endmodule
