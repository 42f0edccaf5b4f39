// Behavioural twin of Lattice ECP5's block RAM DP16KD, which Yosys knows as a black box only.
//
// After Lattice TN1264, "ECP5 and ECP5-5G Memory Usage Guide": 18 kbit, two ports of 1, 2, 4, 9 or 18 bits; with port A 36
// wide it is PDPW16KD, port A writes and port B reads. The primitive's pins DO0..DO17 are DOB, DO18..DO35 are DOA, and
// Lattice's own generator connects DO18 to bit 0 of a word: of 36 bits, the low half leaves at DOA. A port narrower
// than that reads at its own pins.
//
// What is not documented, is not silently something: parameters that are not known here end the elaboration, and in simulation
//  * bits that one port reads at the edge at which the other writes them read as the opposite of what they were;
//  * two ports that write the same byte at one edge, and a reset at the edge of a write, end the run.
// Global set/reset is not simulated: nothing uses it after power-up.

// Some tools only warn at elaboration: then the run ends before its first step.
`define TWIN_REFUSES(message) begin $fatal(1, message); initial $fatal(1, message); end

module DP16KD #(
  parameter DATA_WIDTH_A = 18, parameter DATA_WIDTH_B = 18,
  parameter REGMODE_A = "NOREG", parameter REGMODE_B = "NOREG",
  parameter RESETMODE = "SYNC", parameter ASYNC_RESET_RELEASE = "SYNC",
  parameter CSDECODE_A = "0b000", parameter CSDECODE_B = "0b000",
  parameter WRITEMODE_A = "NORMAL", parameter WRITEMODE_B = "NORMAL",
  parameter CLKAMUX = "CLKA", parameter CLKBMUX = "CLKB",
  parameter GSR = "ENABLED", parameter INIT_DATA = "STATIC",
  parameter [319:0] INITVAL_00 = 0, parameter [319:0] INITVAL_01 = 0, parameter [319:0] INITVAL_02 = 0, parameter [319:0] INITVAL_03 = 0,
  parameter [319:0] INITVAL_04 = 0, parameter [319:0] INITVAL_05 = 0, parameter [319:0] INITVAL_06 = 0, parameter [319:0] INITVAL_07 = 0,
  parameter [319:0] INITVAL_08 = 0, parameter [319:0] INITVAL_09 = 0, parameter [319:0] INITVAL_0A = 0, parameter [319:0] INITVAL_0B = 0,
  parameter [319:0] INITVAL_0C = 0, parameter [319:0] INITVAL_0D = 0, parameter [319:0] INITVAL_0E = 0, parameter [319:0] INITVAL_0F = 0,
  parameter [319:0] INITVAL_10 = 0, parameter [319:0] INITVAL_11 = 0, parameter [319:0] INITVAL_12 = 0, parameter [319:0] INITVAL_13 = 0,
  parameter [319:0] INITVAL_14 = 0, parameter [319:0] INITVAL_15 = 0, parameter [319:0] INITVAL_16 = 0, parameter [319:0] INITVAL_17 = 0,
  parameter [319:0] INITVAL_18 = 0, parameter [319:0] INITVAL_19 = 0, parameter [319:0] INITVAL_1A = 0, parameter [319:0] INITVAL_1B = 0,
  parameter [319:0] INITVAL_1C = 0, parameter [319:0] INITVAL_1D = 0, parameter [319:0] INITVAL_1E = 0, parameter [319:0] INITVAL_1F = 0,
  parameter [319:0] INITVAL_20 = 0, parameter [319:0] INITVAL_21 = 0, parameter [319:0] INITVAL_22 = 0, parameter [319:0] INITVAL_23 = 0,
  parameter [319:0] INITVAL_24 = 0, parameter [319:0] INITVAL_25 = 0, parameter [319:0] INITVAL_26 = 0, parameter [319:0] INITVAL_27 = 0,
  parameter [319:0] INITVAL_28 = 0, parameter [319:0] INITVAL_29 = 0, parameter [319:0] INITVAL_2A = 0, parameter [319:0] INITVAL_2B = 0,
  parameter [319:0] INITVAL_2C = 0, parameter [319:0] INITVAL_2D = 0, parameter [319:0] INITVAL_2E = 0, parameter [319:0] INITVAL_2F = 0,
  parameter [319:0] INITVAL_30 = 0, parameter [319:0] INITVAL_31 = 0, parameter [319:0] INITVAL_32 = 0, parameter [319:0] INITVAL_33 = 0,
  parameter [319:0] INITVAL_34 = 0, parameter [319:0] INITVAL_35 = 0, parameter [319:0] INITVAL_36 = 0, parameter [319:0] INITVAL_37 = 0,
  parameter [319:0] INITVAL_38 = 0, parameter [319:0] INITVAL_39 = 0, parameter [319:0] INITVAL_3A = 0, parameter [319:0] INITVAL_3B = 0,
  parameter [319:0] INITVAL_3C = 0, parameter [319:0] INITVAL_3D = 0, parameter [319:0] INITVAL_3E = 0, parameter [319:0] INITVAL_3F = 0
) (
  input  DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
  input  ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input  CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,

  input  DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
  input  ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input  CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  wire [17:0] write_data_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] write_data_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire [13:0] address_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [13:0] address_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire clock_a = CLKA ^ (CLKAMUX == "INV");
  wire clock_b = CLKB ^ (CLKBMUX == "INV");

  // What each port does at its next edge. A byte is 9 bits; a row is the four bytes of a 36-bit word.
  wire active_a = CEA & ({CSA2, CSA1, CSA0} == DP16KD_decode(CSDECODE_A));
  wire active_b = CEB & ({CSB2, CSB1, CSB0} == DP16KD_decode(CSDECODE_B));
  wire [35:0] written_a, written_b, data_a, data_b;
  wire [8:0] row_a = address_a[13:5];
  wire [8:0] row_b = address_b[13:5];
  DP16KD_access #(DATA_WIDTH_A) access_a(address_a[4:0], {write_data_b, write_data_a}, written_a, data_a);
  DP16KD_access #(DATA_WIDTH_B) access_b(address_b[4:0], {18'd0, write_data_b}, written_b, data_b);
  wire writes_a = active_a & WEA;
  wire writes_b = active_b & WEB;
  wire [35:0] write_a = writes_a ? written_a : 36'd0;
  wire [35:0] write_b = writes_b ? written_b : 36'd0;

  // Both ports at one edge?
  reg clock_a_before = 1'b0, clock_b_before = 1'b0;
  always @(posedge clock_a or negedge clock_a or posedge clock_b or negedge clock_b) begin
    clock_a_before <= clock_a;
    clock_b_before <= clock_b;
  end
  wire both = clock_a & ~clock_a_before & clock_b & ~clock_b_before & (row_a == row_b);
  wire [35:0] lost_a = both ? write_b : 36'd0;
  wire [35:0] lost_b = both ? write_a : 36'd0;

  reg [8:0] byte_0 [0:511], byte_1 [0:511], byte_2 [0:511], byte_3 [0:511];
  wire [35:0] held_a = {byte_3[row_a], byte_2[row_a], byte_1[row_a], byte_0[row_a]};
  wire [35:0] held_b = {byte_3[row_b], byte_2[row_b], byte_1[row_b], byte_0[row_b]};
  wire [35:0] next_a = (held_a & ~write_a) | (data_a & write_a);
  wire [35:0] next_b = (held_b & ~write_b) | (data_b & write_b);
  always @(posedge clock_a) begin
    if (|write_a[8:0]) byte_0[row_a] <= next_a[8:0];
    if (|write_a[17:9]) byte_1[row_a] <= next_a[17:9];
    if (|write_a[26:18]) byte_2[row_a] <= next_a[26:18];
    if (|write_a[35:27]) byte_3[row_a] <= next_a[35:27];
    if (writes_a & RSTA) $fatal(1, "DP16KD: reset of port A at a write");
    if (|write_a[8:0] & |lost_a[8:0] | |write_a[17:9] & |lost_a[17:9]
        | |write_a[26:18] & |lost_a[26:18] | |write_a[35:27] & |lost_a[35:27])
      $fatal(1, "DP16KD: both ports write the same byte");
  end
  always @(posedge clock_b) begin
    if (|write_b[8:0]) byte_0[row_b] <= next_b[8:0];
    if (|write_b[17:9]) byte_1[row_b] <= next_b[17:9];
    if (|write_b[26:18]) byte_2[row_b] <= next_b[26:18];
    if (|write_b[35:27]) byte_3[row_b] <= next_b[35:27];
    if (writes_b & RSTB) $fatal(1, "DP16KD: reset of port B at a write");
    if (writes_b && DATA_WIDTH_A == 36) $fatal(1, "DP16KD: port B only reads what port A writes 36 bits wide");
  end

  wire [35:0] read_a, read_b;
  DP16KD_output #(DATA_WIDTH_A, REGMODE_A, RESETMODE, WRITEMODE_A) output_a(
    clock_a, active_a, OCEA, RSTA, writes_a, address_a[4:0], held_a, next_a, lost_a, read_a
  );
  DP16KD_output #(DATA_WIDTH_B, REGMODE_B, RESETMODE, WRITEMODE_B) output_b(
    clock_b, active_b, OCEB, RSTB, writes_b, address_b[4:0], held_b, next_b, lost_b, read_b
  );
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} =
    DATA_WIDTH_B == 36 ? read_b[17:0] : DATA_WIDTH_A == 36 ? 18'd0 : read_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? read_b[35:18] : read_b[17:0];

  // Each INITVAL holds 16 words of 18 bits in slots of 20.
  localparam [20479:0] INITIAL = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
  };
  integer row;
  initial
    for (row = 0; row < 512; row = row + 1) begin
      byte_0[row] = INITIAL[row * 40 +: 9];
      byte_1[row] = INITIAL[row * 40 + 9 +: 9];
      byte_2[row] = INITIAL[row * 40 + 20 +: 9];
      byte_3[row] = INITIAL[row * 40 + 29 +: 9];
    end

  function automatic [2:0] DP16KD_decode(input [39:0] text); // "0b101"
    DP16KD_decode = {text[16], text[8], text[0]};
  endfunction

  generate
    if (!(DATA_WIDTH_A == 36 && DATA_WIDTH_B <= 36 || DATA_WIDTH_A <= 18 && DATA_WIDTH_B <= 18))
      `TWIN_REFUSES("DP16KD: only port A may write 36 bits and only port B may then read them")
    if (RESETMODE != "SYNC" && RESETMODE != "ASYNC") `TWIN_REFUSES("DP16KD: RESETMODE")
    if (ASYNC_RESET_RELEASE != "SYNC" && ASYNC_RESET_RELEASE != "ASYNC") `TWIN_REFUSES("DP16KD: ASYNC_RESET_RELEASE")
    if (CLKAMUX != "CLKA" && CLKAMUX != "INV" || CLKBMUX != "CLKB" && CLKBMUX != "INV") `TWIN_REFUSES("DP16KD: CLKAMUX, CLKBMUX")
    if (CSDECODE_A >> 24 != "0b" || CSDECODE_B >> 24 != "0b") `TWIN_REFUSES("DP16KD: CSDECODE")
    if (GSR != "ENABLED" && GSR != "DISABLED" && GSR != "AUTO") `TWIN_REFUSES("DP16KD: GSR")
    if (INIT_DATA != "STATIC") `TWIN_REFUSES("DP16KD: INIT_DATA")
  endgenerate
endmodule

// Where a port of WIDTH bits lies in its row: the bits it may write, and the data shifted there.
module DP16KD_access #(parameter WIDTH = 18) (
  input  [4:0] address,
  input  [35:0] data,
  output [35:0] written,
  output [35:0] shifted
);
  // Narrow words lie in the 8 low bits of a byte. Of wide ones, the low bits of the address are byte enables.
  wire [35:0] written_first =
    WIDTH == 36 ? {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}} :
    WIDTH == 18 ? {18'd0, {9{address[1]}}, {9{address[0]}}} : (36'd1 << WIDTH) - 36'd1;
  wire [5:0] offset;
  DP16KD_offset #(WIDTH) place(address, offset);
  assign written = written_first << offset;
  assign shifted = data << offset;
  generate
    if (WIDTH != 1 && WIDTH != 2 && WIDTH != 4 && WIDTH != 9 && WIDTH != 18 && WIDTH != 36)
      `TWIN_REFUSES("DP16KD: DATA_WIDTH must be 1, 2, 4, 9, 18 or 36")
  endgenerate
endmodule

module DP16KD_offset #(parameter WIDTH = 18) (input [4:0] address, output [5:0] offset);
  wire [5:0] byte_offset = {4'd0, address[4:3]} * 6'd9;
  assign offset =
    WIDTH == 36 ? 6'd0 :
    WIDTH == 18 ? (address[4] ? 6'd18 : 6'd0) :
    WIDTH == 9 ? byte_offset :
    WIDTH == 4 ? byte_offset + {3'd0, address[2], 2'd0} :
    WIDTH == 2 ? byte_offset + {3'd0, address[2:1], 1'd0} : byte_offset + {3'd0, address[2:0]};
endmodule

// What a port shows: its output latch, and with OUTREG one register more.
module DP16KD_output #(
  parameter WIDTH = 18, parameter REGMODE = "NOREG", parameter RESETMODE = "SYNC", parameter WRITEMODE = "NORMAL"
) (
  input  clock, active, output_enable, reset, writes,
  input  [4:0] address,
  input  [35:0] held, next, lost,
  output [35:0] shown
);
  wire [5:0] offset;
  DP16KD_offset #(WIDTH) place(address, offset);
  wire reads = active & (!writes | WRITEMODE != "NORMAL");
  wire [35:0] row = (WRITEMODE == "WRITETHROUGH" ? next : held) ^ lost;
  wire [35:0] mask = WIDTH == 36 ? {36{1'b1}} : (36'd1 << WIDTH) - 36'd1;
  wire [35:0] fetched = (row >> offset) & mask;
  reg [35:0] latch = 36'd0, register = 36'd0;
  generate
    if (RESETMODE == "ASYNC") begin
      always @(posedge clock or posedge reset)
        if (reset) begin
          latch <= 36'd0;
          register <= 36'd0;
        end else begin
          if (reads) latch <= fetched;
          if (output_enable) register <= latch;
        end
    end else begin
      always @(posedge clock)
        if (reset) begin
          latch <= 36'd0;
          register <= 36'd0;
        end else begin
          if (reads) latch <= fetched;
          if (output_enable) register <= latch;
        end
    end
    if (REGMODE != "NOREG" && REGMODE != "OUTREG") `TWIN_REFUSES("DP16KD: REGMODE must be NOREG or OUTREG")
    if (WRITEMODE != "NORMAL" && WRITEMODE != "WRITETHROUGH" && WRITEMODE != "READBEFOREWRITE")
      `TWIN_REFUSES("DP16KD: WRITEMODE must be NORMAL, WRITETHROUGH or READBEFOREWRITE")
    if (WRITEMODE == "READBEFOREWRITE" && WIDTH < 9)
      `TWIN_REFUSES("DP16KD: READBEFOREWRITE is for 9 bits and more")
  endgenerate
  assign shown = REGMODE == "OUTREG" ? register : latch;
endmodule
