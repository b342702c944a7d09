/* What Python and fastpath.c share.  cffi reads this file as it is: nothing for the preprocessor in here. */

/* An outgoing RTP stream: rewrite.py says what its numbers mean, and adopts its sources. */
struct stream {
    long long base, highest, source_highest, shift;
    double time;
    uint32_t ssrc, source, timestamp, timestamp_shift;
    int payload; /* the type that the fast path may take, or -1 */
};

/* One way of a call: what comes from a leg goes to its peer. */
struct flow {
    int open;      /* whether the fast path may take packets; lending.py opens and closes it */
    int allowance; /* packets that are still taken before the next sweep */
    uint64_t route;
    void *opening, *sealing; /* srtp_t of the leg, and of its peer */
    int transport_shift; /* of transport-wide numbers: congestion.py */
    int shown;           /* whether Python sees each packet once it is opened: the call is recorded */
    struct stream *streams[128]; /* by payload type; null where Python is to be asked */
};

struct totals {
    unsigned long long packets_in, bytes_in, packets_out, bytes_out, dropped_receive, dropped_send, dropped_srtp;
};

struct entry {
    uint64_t route; /* 0: free */
    struct flow *flow;
};

struct wire {
    int descriptor;
    int (*unprotect)(void *context, void *packet, int *length);
    int (*protect)(void *context, void *packet, int *length);
    int (*send)(int descriptor, void *messages, unsigned int count, int flags);
    struct totals totals;
    int asked, at, count, read; /* what Python was asked for; about which slot; of how many; in this turn */
    struct entry *table;
    unsigned int used, size; /* of the table; the size is a power of two */
    void *headers;
    uint64_t routes[64]; /* where each came from, then where it goes to; 0: nowhere */
    int lengths[64];
    unsigned char slots[64][2304];
};

int wire_start(struct wire *wire, int descriptor);
void wire_stop(struct wire *wire);
int wire_turn(struct wire *wire, double now);
int wire_learn(struct wire *wire, uint64_t route, struct flow *flow);
void wire_forget(struct wire *wire, uint64_t route);
