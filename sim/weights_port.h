// The pins of a read-only AXI4 master `m_axi_weights_*`, under the names that `AxiMemory` knows.
#pragma once

#include <cstdint>
#include <cstring>

namespace celosia {

// Nothing is ever written through it, so that those pins stay as they are.
template <unsigned kBeatBytes>
struct WeightsPins {
    bool m_axi_arready = false, m_axi_rvalid = false, m_axi_rlast = false, m_axi_rid = false;
    bool m_axi_awready = false, m_axi_wready = false, m_axi_bvalid = false, m_axi_bid = false;
    uint8_t m_axi_rresp = 0, m_axi_bresp = 0;
    alignas(8) uint8_t m_axi_rdata[kBeatBytes] = {};
    bool m_axi_arvalid = false, m_axi_arid = false, m_axi_rready = false;
    uint64_t m_axi_araddr = 0, m_axi_arlen = 0, m_axi_arsize = 0, m_axi_arburst = 0;
    bool m_axi_awvalid = false, m_axi_awid = false, m_axi_wvalid = false, m_axi_wlast = false;
    bool m_axi_bready = false;
    uint64_t m_axi_awaddr = 0, m_axi_awlen = 0, m_axi_awsize = 0, m_axi_awburst = 0;
    uint64_t m_axi_wdata = 0, m_axi_wstrb = 0;

    template <class Top>
    void drive(Top& top) const {
        top.m_axi_weights_arready = m_axi_arready;
        top.m_axi_weights_rvalid = m_axi_rvalid;
        top.m_axi_weights_rlast = m_axi_rlast;
        top.m_axi_weights_rid = m_axi_rid;
        top.m_axi_weights_rresp = m_axi_rresp;
        std::memcpy(&top.m_axi_weights_rdata, m_axi_rdata, kBeatBytes);
    }

    template <class Top>
    void sample(const Top& top) {
        m_axi_arvalid = top.m_axi_weights_arvalid;
        m_axi_arid = top.m_axi_weights_arid;
        m_axi_araddr = top.m_axi_weights_araddr;
        m_axi_arlen = top.m_axi_weights_arlen;
        m_axi_arsize = top.m_axi_weights_arsize;
        m_axi_arburst = top.m_axi_weights_arburst;
        m_axi_rready = top.m_axi_weights_rready;
    }
};

}  // namespace celosia
