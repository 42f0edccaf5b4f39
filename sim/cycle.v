// One evaluation a cycle: `celosia` gets a rising edge whenever `aclk` changes, in either direction, so that the
// simulator evaluates what hangs on inputs once a cycle and not twice.

module cycle #(
  parameter ADDRESS_BITS = 32,
  parameter DATA_BITS = 64,
  parameter WEIGHTS_BITS = 64
) (
  input aclk, input aresetn, output irq,
  input [11:0] s_axil_awaddr, input [2:0] s_axil_awprot, input s_axil_awvalid, output s_axil_awready,
  input [31:0] s_axil_wdata, input [3:0] s_axil_wstrb, input s_axil_wvalid, output s_axil_wready,
  output [1:0] s_axil_bresp, output s_axil_bvalid, input s_axil_bready,
  input [11:0] s_axil_araddr, input [2:0] s_axil_arprot, input s_axil_arvalid, output s_axil_arready,
  output [31:0] s_axil_rdata, output [1:0] s_axil_rresp, output s_axil_rvalid, input s_axil_rready,
  output m_axi_awid, output [ADDRESS_BITS-1:0] m_axi_awaddr, output [7:0] m_axi_awlen, output [2:0] m_axi_awsize,
  output [1:0] m_axi_awburst, output m_axi_awlock, output [3:0] m_axi_awcache, output [2:0] m_axi_awprot,
  output m_axi_awvalid, input m_axi_awready,
  output [DATA_BITS-1:0] m_axi_wdata, output [DATA_BITS/8-1:0] m_axi_wstrb, output m_axi_wlast,
  output m_axi_wvalid, input m_axi_wready,
  input m_axi_bid, input [1:0] m_axi_bresp, input m_axi_bvalid, output m_axi_bready,
  output m_axi_arid, output [ADDRESS_BITS-1:0] m_axi_araddr, output [7:0] m_axi_arlen, output [2:0] m_axi_arsize,
  output [1:0] m_axi_arburst, output m_axi_arlock, output [3:0] m_axi_arcache, output [2:0] m_axi_arprot,
  output m_axi_arvalid, input m_axi_arready,
  input m_axi_rid, input [DATA_BITS-1:0] m_axi_rdata, input [1:0] m_axi_rresp, input m_axi_rlast,
  input m_axi_rvalid, output m_axi_rready,
  output m_axi_weights_arid, output [ADDRESS_BITS-1:0] m_axi_weights_araddr, output [7:0] m_axi_weights_arlen,
  output [2:0] m_axi_weights_arsize, output [1:0] m_axi_weights_arburst, output m_axi_weights_arlock,
  output [3:0] m_axi_weights_arcache, output [2:0] m_axi_weights_arprot,
  output m_axi_weights_arvalid, input m_axi_weights_arready,
  input m_axi_weights_rid, input [WEIGHTS_BITS-1:0] m_axi_weights_rdata, input [1:0] m_axi_weights_rresp,
  input m_axi_weights_rlast, input m_axi_weights_rvalid, output m_axi_weights_rready
);
  reg seen = 1'b0;
  wire clock = aclk ^ seen;  // rises when aclk changes, falls once that was seen

  always @(posedge clock) seen <= aclk;

  celosia celosia(
    .aclk(clock),
    .aresetn, .irq, .s_axil_awaddr, .s_axil_awprot, .s_axil_awvalid, .s_axil_awready, .s_axil_wdata, .s_axil_wstrb,
    .s_axil_wvalid, .s_axil_wready, .s_axil_bresp, .s_axil_bvalid, .s_axil_bready, .s_axil_araddr, .s_axil_arprot,
    .s_axil_arvalid, .s_axil_arready, .s_axil_rdata, .s_axil_rresp, .s_axil_rvalid, .s_axil_rready, .m_axi_awid,
    .m_axi_awaddr, .m_axi_awlen, .m_axi_awsize, .m_axi_awburst, .m_axi_awlock, .m_axi_awcache, .m_axi_awprot,
    .m_axi_awvalid, .m_axi_awready, .m_axi_wdata, .m_axi_wstrb, .m_axi_wlast, .m_axi_wvalid, .m_axi_wready,
    .m_axi_bid, .m_axi_bresp, .m_axi_bvalid, .m_axi_bready, .m_axi_arid, .m_axi_araddr, .m_axi_arlen, .m_axi_arsize,
    .m_axi_arburst, .m_axi_arlock, .m_axi_arcache, .m_axi_arprot, .m_axi_arvalid, .m_axi_arready, .m_axi_rid,
    .m_axi_rdata, .m_axi_rresp, .m_axi_rlast, .m_axi_rvalid, .m_axi_rready,
    .*  // those for weights, if there are any
  );
endmodule
