/* The limit of a room, and its quickest readers: the same bytes to the same sockets with nothing around it.
   Compiled and called by bareloops.py, which says what each function does. */

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int send_whole(int fd, const char *frame, size_t length)
{
    size_t sent = 0;
    while (sent < length) {
        ssize_t count = send(fd, frame + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) {
            sent += (size_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd writable = {fd, POLLOUT, 0};
            poll(&writable, 1, 1000);
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

/* Number of deliveries; fewer than count * rounds when a connection is lost. */
long send_rounds(const int *fds, int count, const char *frame, long length, int rounds)
{
    long deliveries = 0;
    for (int round = 0; round < rounds; round++)
        for (int at = 0; at < count; at++)
            if (send_whole(fds[at], frame, (size_t)length) == 0)
                deliveries++;
    return deliveries;
}

/* Real watchers are on other machines, and waking them is no work of the sender's. A reader that sleeps in epoll_wait is
   woken by the sender, at a quarter of the cost of a send; one that looks every half millisecond is not. */
#define PAUSE_US 500

/* Read from whatever is readable until so many bytes have come; what is missing when nothing came for too long or a
   connection ended. */
long read_bytes(int poller, long missing, int stall_ms)
{
    static char room[1 << 18];
    static struct epoll_event ready[1024];
    while (missing > 0) {
        usleep(PAUSE_US);
        int count = epoll_wait(poller, ready, 1024, stall_ms);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        for (int at = 0; at < count; at++) {
            ssize_t got = read(ready[at].data.fd, room, sizeof room);
            if (got > 0)
                missing -= got;
            else if (got == 0 || errno != EAGAIN)
                return missing;
        }
    }
    return missing;
}

static int read_whole(int fd, char *message, size_t length)
{
    size_t have = 0;
    while (have < length) {
        ssize_t got = read(fd, message + have, length - have);
        if (got > 0) {
            have += (size_t)got;
        } else if (got < 0 && errno == EAGAIN) {
            struct pollfd readable = {fd, POLLIN, 0};
            poll(&readable, 1, 1000);
        } else if (got == 0 || errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

/* One message of every readable socket at a time; fills delays with nanoseconds, returns how many. */
long read_delays(int poller, long count, int stall_ms, long length, long stamp_at, int digits, double *delays)
{
    static struct epoll_event ready[1024];
    static char message[1 << 16];
    long found = 0;
    if (length > (long)sizeof message)
        return 0;
    while (found < count) {
        int some = epoll_wait(poller, ready, 1024, stall_ms);
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0)
            break;
        for (int at = 0; at < some && found < count; at++) {
            struct timespec now;
            long long stamp = 0;
            if (read_whole(ready[at].data.fd, message, (size_t)length))
                return found;
            clock_gettime(CLOCK_MONOTONIC, &now);
            for (int digit = 0; digit < digits; digit++)
                stamp = 10 * stamp + (message[stamp_at + digit] - '0');
            delays[found++] = (double)(now.tv_sec * 1000000000LL + now.tv_nsec - stamp);
        }
    }
    return found;
}
