// Behavioural twin of Lattice ECP5's multiplier MULT18X18D, which Yosys knows as a black box only.
//
// After Lattice TN1267, "LatticeECP5 sysDSP usage guide": operands, product in the middle (pipeline) and product each have a
// register that takes one of four clocks, clock enables and resets, or none. Cascades (SRIA, SRIB, SOURCEA, SOURCEB, C and what comes out of them)
// are not here: a netlist that connects their pins does not elaborate, one that switches to them ends the run. Signs must be constant.

// Some tools only warn at elaboration: then the run ends before its first step.
`define TWIN_REFUSES(message) begin $fatal(1, message); initial $fatal(1, message); end

module MULT18X18D #(
  parameter REG_INPUTA_CLK = "NONE", parameter REG_INPUTA_CE = "CE0", parameter REG_INPUTA_RST = "RST0",
  parameter REG_INPUTB_CLK = "NONE", parameter REG_INPUTB_CE = "CE0", parameter REG_INPUTB_RST = "RST0",
  parameter REG_INPUTC_CLK = "NONE", parameter REG_INPUTC_CE = "CE0", parameter REG_INPUTC_RST = "RST0",
  parameter REG_PIPELINE_CLK = "NONE", parameter REG_PIPELINE_CE = "CE0", parameter REG_PIPELINE_RST = "RST0",
  parameter REG_OUTPUT_CLK = "NONE", parameter REG_OUTPUT_CE = "CE0", parameter REG_OUTPUT_RST = "RST0",
  parameter GSR = "ENABLED", parameter MULT_BYPASS = "DISABLED", parameter RESETMODE = "SYNC"
) (
  input  A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
  input  B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
  input  C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
  input  SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  input  CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0,
  output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
  output P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  wire [3:0] clocks = {CLK3, CLK2, CLK1, CLK0};
  wire [3:0] enables = {CE3, CE2, CE1, CE0};
  wire [3:0] resets = {RST3, RST2, RST1, RST0};
  wire [17:0] a, b;
  wire [35:0] middle, p;
  MULT18X18D_register #(18, REG_INPUTA_CLK, REG_INPUTA_CE, REG_INPUTA_RST, RESETMODE) register_a(
    clocks, enables, resets, {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0}, a
  );
  MULT18X18D_register #(18, REG_INPUTB_CLK, REG_INPUTB_CE, REG_INPUTB_RST, RESETMODE) register_b(
    clocks, enables, resets, {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0}, b
  );
  wire [35:0] extended_a = {{18{SIGNEDA & a[17]}}, a};
  wire [35:0] extended_b = {{18{SIGNEDB & b[17]}}, b};
  MULT18X18D_register #(36, REG_PIPELINE_CLK, REG_PIPELINE_CE, REG_PIPELINE_RST, RESETMODE) register_middle(
    clocks, enables, resets, extended_a * extended_b, middle
  );
  MULT18X18D_register #(36, REG_OUTPUT_CLK, REG_OUTPUT_CE, REG_OUTPUT_RST, RESETMODE) register_p(
    clocks, enables, resets, middle, p
  );
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = p;

  reg signed_a, signed_b, signs_known = 1'b0;
  always @(posedge CLK0 or posedge CLK1 or posedge CLK2 or posedge CLK3) begin
    if (SOURCEA | SOURCEB) $fatal(1, "MULT18X18D: cascades are not simulated");
    if (signs_known & (SIGNEDA != signed_a | SIGNEDB != signed_b)) $fatal(1, "MULT18X18D: SIGNEDA and SIGNEDB must be constant");
    signed_a <= SIGNEDA;
    signed_b <= SIGNEDB;
    signs_known <= 1'b1;
  end
  generate
    if (MULT_BYPASS != "DISABLED") `TWIN_REFUSES("MULT18X18D: MULT_BYPASS")
    if (GSR != "ENABLED" && GSR != "DISABLED" && GSR != "AUTO") `TWIN_REFUSES("MULT18X18D: GSR")
    if (RESETMODE != "SYNC" && RESETMODE != "ASYNC") `TWIN_REFUSES("MULT18X18D: RESETMODE must be SYNC or ASYNC")
  endgenerate
endmodule

// A register, or with CLOCK "NONE" a wire. Reset goes before enable.
module MULT18X18D_register #(
  parameter WIDTH = 18, parameter CLOCK = "NONE", parameter ENABLE = "CE0", parameter RESET = "RST0",
  parameter RESETMODE = "SYNC"
) (
  input  [3:0] clocks, enables, resets,
  input  [WIDTH-1:0] d,
  output [WIDTH-1:0] q
);
  localparam NUMBER = CLOCK == "CLK1" ? 1 : CLOCK == "CLK2" ? 2 : CLOCK == "CLK3" ? 3 : 0;
  wire clock = clocks[NUMBER];
  wire enable = enables[ENABLE == "CE1" ? 1 : ENABLE == "CE2" ? 2 : ENABLE == "CE3" ? 3 : 0];
  wire reset = resets[RESET == "RST1" ? 1 : RESET == "RST2" ? 2 : RESET == "RST3" ? 3 : 0];
  reg [WIDTH-1:0] register = 0;
  generate
    if (RESETMODE == "ASYNC") begin
      always @(posedge clock or posedge reset)
        if (reset) register <= 0;
        else if (enable) register <= d;
    end else begin
      always @(posedge clock)
        if (reset) register <= 0;
        else if (enable) register <= d;
    end
    if (CLOCK != "NONE" && CLOCK != "CLK0" && CLOCK != "CLK1" && CLOCK != "CLK2" && CLOCK != "CLK3")
      `TWIN_REFUSES("MULT18X18D: a register's clock must be NONE or CLK0..CLK3")
    if (ENABLE != "CE0" && ENABLE != "CE1" && ENABLE != "CE2" && ENABLE != "CE3")
      `TWIN_REFUSES("MULT18X18D: a register's enable must be CE0..CE3")
    if (RESET != "RST0" && RESET != "RST1" && RESET != "RST2" && RESET != "RST3")
      `TWIN_REFUSES("MULT18X18D: a register's reset must be RST0..RST3")
  endgenerate
  assign q = CLOCK == "NONE" ? d : register;
endmodule
