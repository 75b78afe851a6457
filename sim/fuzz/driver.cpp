// Sends beats through a Verilated core as a script says, and tells what came out.
//
//     driver SCRIPT RESULT PATIENCE [COVERAGE]
//
// A script is a list of segments: numbers of four bytes (`Segment`), then beats (`Beat`).  The
// result has an `Outcome` for each, and the beats that the core gave meanwhile.  What a core is, and
// what must come out, is known to lutgen.sim.fuzz; `ports.h`, which it writes, has the ports.
// A core with Verilator's counters writes them to a fourth file.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "Vcore.h"
#include "ports.h"
#include "verilated.h"
#ifdef COUNTED
#include "verilated_cov.h"
#endif

namespace {

constexpr uint32_t SETTINGS_AT_MOST = 5, ERRORS_AT_MOST = 4;
constexpr uint32_t ALWAYS = 256;    // share of stalled clocks, in parts of this
constexpr uint32_t IDLE_CLOCKS = 64;  // the output drops for a moment between small files
constexpr uint32_t SETTLE_CLOCKS = 8;  // for which settings must be stable before a file
constexpr uint32_t LONGEST = 16;  // patiences that a segment may last

struct Segment {
    uint32_t fresh;                   // a new core, in any state, from this seed; 0 for the old one
    uint32_t reset;                   // clocks of a reset before anything else
    uint32_t seed;                    // of the stalls
    uint32_t stall_in, stall_out;     // share of stalled clocks
    uint32_t burst;                   // mean length of a stall; 0: each clock for itself
    uint32_t count;                   // whether errors are cleared at once, and counted
    uint32_t limit;                   // clocks after which it ends; 0: when nothing is inside
    uint32_t settings[SETTINGS_AT_MOST];
    uint32_t beats;
};

struct Beat {
    uint64_t data;
    uint32_t side, last;  // TKEEP of files, TUSER of pixels
};

// Bits of Outcome::wrong.
enum { HANGS = 1, UNSTABLE = 2, IDLE_AT_WORK = 4, ERROR_STAYS = 8, READY_IN_RESET = 16 };

struct Outcome {
    uint32_t wrong;
    uint32_t error;   // error bits at the end, or of all clocks if they are counted
    uint32_t clocks;  // of the segment
    uint32_t taken;   // beats
    uint32_t given;   // beats, which follow
    uint32_t pulses[ERRORS_AT_MOST];  // how often each error came, if they are counted
};

class Stall {
  public:
    Stall(uint32_t share, uint32_t burst, uint64_t seed)
        : share_(share), burst_(burst), state_(seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du) {}

    bool next() {
        if (share_ == 0 || share_ >= ALWAYS) return share_ != 0;
        if (burst_ == 0) return random() % ALWAYS < share_;
        // Runs of geometric lengths, which give the share together.
        const uint64_t one = 1 << 16;
        const uint64_t change =
            now_ ? one / burst_ : one * share_ / (uint64_t(burst_) * (ALWAYS - share_));
        if (random() % one < (change ? change : 1)) now_ = !now_;
        return now_;
    }

  private:
    uint64_t random() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_ >> 11;
    }

    uint32_t share_, burst_;
    uint64_t state_;
    bool now_ = false;
};

class Bench {
  public:
    explicit Bench(uint32_t patience) : patience_(patience) {}

    Outcome run(const Segment &segment, const std::vector<Beat> &beats, std::vector<Beat> &given) {
        Outcome outcome{};
        [[maybe_unused]] const bool first = !core_;
        if (segment.fresh || !core_) renew(segment.fresh);
        SET_PORTS(core_, segment.settings);
        if (segment.reset) reset(segment.reset, outcome);
        for (uint32_t k = 0; k < SETTLE_CLOCKS; k++) edge();
#ifdef COUNTED
        if (first) context_.coveragep()->zero();  // what was random has become what a reset says
#endif
        core_->clear_error = segment.count;
        Stall in(segment.stall_in, segment.burst, 2 * uint64_t(segment.seed));
        Stall out(segment.stall_out, segment.burst, 2 * uint64_t(segment.seed) + 1);
        uint32_t quiet = 0, idle = 0;
        for (;;) {
            if (segment.limit && outcome.clocks == segment.limit) break;
            if (!offered_ && outcome.taken < beats.size() && !in.next())
                offer(beats[outcome.taken]);
            core_->PORT(SOURCE, tready) = !out.next();
            if (clock(outcome, given)) quiet = 0;
            outcome.clocks++;
            if (segment.count) count_errors(outcome);
            const bool all = outcome.taken == beats.size();
            idle = all && core_->idle && !core_->PORT(SOURCE, tvalid) ? idle + 1 : 0;
            if (!segment.limit && idle == IDLE_CLOCKS) break;
            // A core that gives without end hangs, too.
            if (++quiet == patience_ || outcome.clocks == LONGEST * patience_) {
                outcome.wrong |= HANGS;
                break;
            }
        }
        outcome.error |= core_->error;
        if (!segment.limit && !(outcome.wrong & HANGS)) clear_error(outcome, given);
        if (outcome.wrong & HANGS) core_.reset();
        outcome.given = uint32_t(given.size());
        return outcome;
    }

#ifdef COUNTED
    void write_counters(const char *path) { context_.coveragep()->write(path); }
#endif

  private:
    void renew(uint32_t seed) {
#ifdef COUNTED
        if (core_) return;  // counters are a core's own, and end with it
#endif
        context_.randReset(2);
        context_.randSeed(int(seed ? seed : 1));
        core_ = std::make_unique<Vcore>(&context_);
        offered_ = false;
        held_ = false;
    }

    void reset(uint32_t clocks, Outcome &outcome) {
        offered_ = held_ = false;
        core_->PORT(SINK, tvalid) = 0;
        core_->PORT(SOURCE, tready) = 0;
        core_->clear_error = 0;
        core_->rst = 1;
        for (uint32_t k = 0; k < clocks; k++) edge();
        core_->rst = 0;
        if (core_->PORT(SOURCE, tvalid) || core_->error) outcome.wrong |= READY_IN_RESET;
    }

    void offer(const Beat &beat) {
        offered_ = true;
        core_->PORT(SINK, tvalid) = 1;
        core_->PORT(SINK, tdata) = beat.data;
        core_->PORT(SINK, SINK_SIDE) = beat.side;
        core_->PORT(SINK, tlast) = beat.last;
    }

    void edge() {
        core_->clk = 0;
        core_->eval();
        core_->clk = 1;
        core_->eval();
    }

    // One clock; whether a beat was taken or given.
    bool clock(Outcome &outcome, std::vector<Beat> &given) {
        core_->clk = 0;
        core_->eval();
        const bool valid = core_->PORT(SOURCE, tvalid);
        const Beat beat{core_->PORT(SOURCE, tdata), core_->PORT(SOURCE, SOURCE_SIDE),
                        core_->PORT(SOURCE, tlast)};
        if (held_ && (!valid || beat.data != was_.data || beat.side != was_.side ||
                      beat.last != was_.last))
            outcome.wrong |= UNSTABLE;
        if (valid && core_->idle) outcome.wrong |= IDLE_AT_WORK;
        const bool gives = valid && core_->PORT(SOURCE, tready);
        const bool takes = offered_ && core_->PORT(SINK, tready);
        held_ = valid && !gives;
        was_ = beat;
        if (gives) given.push_back(beat);
        core_->clk = 1;
        core_->eval();
        if (takes) {
            outcome.taken++;
            offered_ = false;
            core_->PORT(SINK, tvalid) = 0;
        }
        return gives || takes;
    }

    // An error that is cleared at once is high for the clock of its pulse.
    void count_errors(Outcome &outcome) {
        outcome.error |= core_->error;
        for (uint32_t bit = 0; bit < ERRORS_AT_MOST; bit++)
            outcome.pulses[bit] += core_->error >> bit & 1;
    }

    // Errors stay until they are cleared, and do not come back.
    void clear_error(Outcome &outcome, std::vector<Beat> &given) {
        core_->clear_error = 1;
        clock(outcome, given);
        core_->clear_error = 0;
        clock(outcome, given);
        if (core_->error) outcome.wrong |= ERROR_STAYS;
    }

    uint32_t patience_;
    VerilatedContext context_;
    std::unique_ptr<Vcore> core_;
    bool offered_ = false;  // a beat stands at the input
    bool held_ = false;     // one stands at the output since the clock before
    Beat was_{};
};

template <typename T> bool get(T *to, size_t count, FILE *file) {
    return fread(to, sizeof(T), count, file) == count;
}

}  // namespace

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    FILE *script = fopen(argv[1], "rb"), *result = fopen(argv[2], "wb");
    if (!script || !result) return 2;
    Bench bench{uint32_t(atoi(argv[3]))};
    Segment segment;
    std::vector<Beat> beats, given;
    while (get(&segment, 1, script)) {
        beats.resize(segment.beats);
        given.clear();
        if (!get(beats.data(), beats.size(), script)) return 3;
        const Outcome outcome = bench.run(segment, beats, given);
        fwrite(&outcome, sizeof outcome, 1, result);
        fwrite(given.data(), sizeof(Beat), given.size(), result);
    }
#ifdef COUNTED
    if (argc > 4) bench.write_counters(argv[4]);
#endif
    return fclose(result) ? 4 : 0;
}
