/* The fast path of the relay: datagrams in, those of established streams opened, renumbered and sealed where they
 * lie, and out again, many with one system call (recvmmsg, sendmmsg: Linux).
 *
 * Python decides everything.  It handles the first packet of each stream, and then lets the fast path have those that
 * follow, as Linux's flow tables do; what is not plain media of such a stream it is asked about: see wire_turn.
 * media.py and rewrite.py do the same for any packet on systems where this file was not compiled.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fastpath.h"

#define BATCH 64
#define BURST 256
#define DATAGRAM 2048
#define RTP_HEADER 12
#define MISORDER 1024 /* as in rewrite.py */
#define TRANSPORT_CC 4 /* as in slots.py */
#define FIRST_SIZE 64 /* of the table */
#define ALL_DONE (-1)
#define NOTHING (-2)

enum { DONE, ASK, SHOW };

struct headers {
    struct mmsghdr in[BATCH], out[BATCH];
    struct iovec into[BATCH], from[BATCH];
    struct sockaddr_in names[BATCH];
};

static int send_all(int descriptor, void *messages, unsigned int count, int flags)
{
    return sendmmsg(descriptor, messages, count, flags);
}

/* Make a zeroed wire ready for a socket; not 0 when there is no memory. */
int wire_start(struct wire *wire, int descriptor)
{
    struct headers *headers = calloc(1, sizeof *headers);
    wire->table = calloc(FIRST_SIZE, sizeof *wire->table);
    wire->headers = headers;
    if (headers == NULL || wire->table == NULL) {
        wire_stop(wire);
        return -1;
    }
    wire->size = FIRST_SIZE;
    wire->descriptor = descriptor;
    wire->send = send_all;
    for (int at = 0; at < BATCH; at++) {
        headers->into[at] = (struct iovec){wire->slots[at], DATAGRAM};
        headers->in[at].msg_hdr = (struct msghdr){
            .msg_name = &headers->names[at], .msg_namelen = sizeof headers->names[at],
            .msg_iov = &headers->into[at], .msg_iovlen = 1};
    }
    return 0;
}

void wire_stop(struct wire *wire)
{
    free(wire->headers);
    free(wire->table);
    wire->headers = NULL;
    wire->table = NULL;
    wire->size = wire->used = 0;
}

/* Where a route is in the table, or would be: linear probing, never full. */
static unsigned int place_of(const struct wire *wire, uint64_t route)
{
    unsigned int at = (unsigned int)((route * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (wire->size - 1);
    while (wire->table[at].route != 0 && wire->table[at].route != route)
        at = (at + 1) & (wire->size - 1);
    return at;
}

static void fill(struct wire *wire, const struct entry *entries, unsigned int count)
{
    for (unsigned int at = 0; at < count; at++)
        if (entries[at].route != 0)
            wire->table[place_of(wire, entries[at].route)] = entries[at];
}

/* What comes from this route is the flow's; not 0 when there is no memory. */
int wire_learn(struct wire *wire, uint64_t route, struct flow *flow)
{
    unsigned int at = place_of(wire, route);
    if (wire->table[at].route == 0) {
        if (2 * (wire->used + 1) > wire->size) {
            struct entry *earlier = wire->table, *larger = calloc(2 * (size_t)wire->size, sizeof *larger);
            if (larger == NULL)
                return -1;
            wire->table = larger;
            wire->size *= 2;
            fill(wire, earlier, wire->size / 2);
            free(earlier);
            at = place_of(wire, route);
        }
        wire->used++;
    }
    wire->table[at] = (struct entry){route, flow};
    return 0;
}

/* Take a route out, and put those behind it where they are found again. */
void wire_forget(struct wire *wire, uint64_t route)
{
    unsigned int at = place_of(wire, route);
    if (wire->table[at].route == 0)
        return;
    wire->table[at].route = 0;
    wire->used--;
    for (at = (at + 1) & (wire->size - 1); wire->table[at].route != 0; at = (at + 1) & (wire->size - 1)) {
        struct entry entry = wire->table[at];
        wire->table[at].route = 0;
        fill(wire, &entry, 1);
    }
}

static uint32_t word(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_word(unsigned char *at, uint32_t value)
{
    for (int byte = 0; byte < 4; byte++)
        at[byte] = (unsigned char)(value >> (24 - 8 * byte));
}

/* Where the transport-wide number stands; null when there is none: congestion.sequence_position (RFC 8285 4.2). */
static unsigned char *transport_number(unsigned char *packet, int length)
{
    int at = RTP_HEADER + 4 * (packet[0] & 0x0F);
    if (!(packet[0] & 0x10) || length < at + 4 || packet[at] != 0xBE || packet[at + 1] != 0xDE)
        return NULL;
    int end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3]);
    if (end > length)
        return NULL;
    for (at += 4; at < end && packet[at] >> 4 != 15;) {
        int size = (packet[at] & 0x0F) + 1;
        if (packet[at] >> 4 == TRANSPORT_CC)
            return size == 2 && at + 3 <= end ? packet + at + 1 : NULL;
        at += packet[at] == 0 ? 1 : 1 + size;
    }
    return NULL;
}

/* Where a packet of an established stream belongs: as rewrite.Outgoing.rewrite. */
struct place {
    struct flow *flow;
    struct stream *stream;
    int step;
    long long number;
};

static int find(struct wire *wire, int slot, struct place *place)
{
    const unsigned char *packet = wire->slots[slot];
    int payload = packet[1] & 0x7F;
    if (wire->lengths[slot] < RTP_HEADER || (packet[0] & 0xC0) != 0x80)
        return 0;
    const struct entry *entry = &wire->table[place_of(wire, wire->routes[slot])];
    if (entry->route == 0 || !entry->flow->open)
        return 0;
    /* RTCP has none: 64 to 95 are no payload types beside it (RFC 5761 section 4). */
    struct stream *stream = entry->flow->streams[payload];
    if (stream == NULL || stream->payload != payload || stream->source != word(packet + 8))
        return 0;
    place->flow = entry->flow;
    place->stream = stream;
    place->step = (int16_t)(uint16_t)((packet[2] << 8 | packet[3]) - stream->source_highest);
    place->number = stream->source_highest + place->step + stream->shift;
    return place->step >= -MISORDER && place->number >= stream->base;
}

/* Renumber what is open in a slot, and close it for the other leg. */
static void seal(struct wire *wire, int slot, const struct place *place, double now)
{
    unsigned char *packet = wire->slots[slot];
    struct flow *flow = place->flow;
    struct stream *stream = place->stream;
    uint32_t timestamp = word(packet + 4) + stream->timestamp_shift;
    if (place->number > stream->highest) {
        stream->highest = place->number;
        stream->source_highest += place->step;
        stream->timestamp = timestamp;
        stream->time = now;
    }
    packet[2] = (unsigned char)(place->number >> 8);
    packet[3] = (unsigned char)place->number;
    put_word(packet + 4, timestamp);
    put_word(packet + 8, stream->ssrc);
    unsigned char *number = flow->transport_shift ? transport_number(packet, wire->lengths[slot]) : NULL;
    if (number != NULL) {
        int shifted = (number[0] << 8 | number[1]) + flow->transport_shift;
        number[0] = (unsigned char)(shifted >> 8);
        number[1] = (unsigned char)shifted;
    }
    wire->routes[slot] = flow->route;
    if (wire->protect(flow->sealing, packet, &wire->lengths[slot]) != 0) {
        wire->totals.dropped_srtp++;
        wire->routes[slot] = 0;
    }
}

/* Take one packet.  When the answer is ASK, nothing has been changed and Python is to have it; when it is SHOW, Python
 * is to see it, open as it is now, before it goes on. */
static int pass(struct wire *wire, int slot, double now)
{
    struct place place;
    if (!find(wire, slot, &place) || place.flow->allowance < 1)
        return ASK;
    place.flow->allowance--;
    if (wire->unprotect(place.flow->opening, wire->slots[slot], &wire->lengths[slot]) != 0) {
        wire->totals.dropped_srtp++;
        wire->routes[slot] = 0;
        return DONE;
    }
    if (place.flow->shown)
        return SHOW;
    seal(wire, slot, &place, now);
    return DONE;
}

static void go_on(struct wire *wire, int slot, double now)
{
    struct place place;
    if (find(wire, slot, &place))
        seal(wire, slot, &place, now);
    else
        wire->routes[slot] = 0; /* the leg was closed meanwhile */
}

static int receive(struct wire *wire)
{
    struct headers *headers = wire->headers;
    int count = recvmmsg(wire->descriptor, headers->in, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0 && errno != EAGAIN)
        wire->totals.dropped_receive++;
    wire->at = 0;
    wire->count = count < 0 ? 0 : count;
    for (int at = 0; at < wire->count; at++) {
        wire->lengths[at] = (int)headers->in[at].msg_len;
        memcpy(&wire->routes[at], &headers->names[at], sizeof wire->routes[at]);
        headers->in[at].msg_hdr.msg_namelen = sizeof headers->names[at];
        wire->totals.bytes_in += headers->in[at].msg_len;
    }
    wire->totals.packets_in += (unsigned int)wire->count;
    wire->read += wire->count;
    return wire->count;
}

/* Send what has somewhere to go; what the kernel does not take is dropped: late is no use. */
static void flush(struct wire *wire)
{
    struct headers *headers = wire->headers;
    unsigned int count = 0, at = 0;
    for (int number = 0; number < wire->count; number++) {
        if (wire->routes[number] == 0)
            continue;
        memcpy(&headers->names[number], &wire->routes[number], sizeof wire->routes[number]);
        headers->from[count] = (struct iovec){wire->slots[number], (size_t)wire->lengths[number]};
        headers->out[count].msg_hdr = (struct msghdr){
            .msg_name = &headers->names[number], .msg_namelen = sizeof headers->names[number],
            .msg_iov = &headers->from[count], .msg_iovlen = 1};
        count++;
    }
    while (at < count) {
        int sent = wire->send(wire->descriptor, headers->out + at, count - at, MSG_DONTWAIT);
        if (sent <= 0) {
            /* The first of the rest cannot be sent: only this one, or, when the buffer is full, none of them. */
            unsigned int refused = errno == EAGAIN ? count - at : 1;
            wire->totals.dropped_send += refused;
            at += refused;
            continue;
        }
        wire->totals.packets_out += (unsigned int)sent;
        for (; sent > 0; sent--)
            wire->totals.bytes_out += headers->from[at++].iov_len;
    }
}

/* Read, pass on and send, up to BURST datagrams.  The answer is the number of a slot that Python is to be asked
 * about: it puts into routes[number] where what is in the slot then goes to, and calls again; or BATCH and that number,
 * when it is to be shown the slot and to call again.  ALL_DONE when all is done, NOTHING when there was nothing to do. */
int wire_turn(struct wire *wire, double now)
{
    if (wire->asked == DONE) {
        wire->read = 0;
        if (receive(wire) == 0)
            return NOTHING;
    } else {
        if (wire->asked == SHOW)
            go_on(wire, wire->at, now);
        wire->asked = DONE;
        wire->at++;
    }
    while (wire->count > 0) {
        for (; wire->at < wire->count; wire->at++) {
            wire->asked = pass(wire, wire->at, now);
            if (wire->asked != DONE)
                return wire->asked == ASK ? wire->at : BATCH + wire->at;
        }
        flush(wire);
        if (wire->count < BATCH || wire->read >= BURST)
            break;
        receive(wire);
    }
    return ALL_DONE;
}
