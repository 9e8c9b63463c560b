/* Loaded before libc: the machine has been suspended for as many seconds as the file says that
   $FAKETIME_TIMESTAMP_FILE names. Wall clock and boot time go on meanwhile, and nothing else does. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long suspended(void)
{
    long seconds = 0;
    FILE *file = fopen(getenv("FAKETIME_TIMESTAMP_FILE"), "r");
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1)
            seconds = 0;
        fclose(file);
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME))
        time->tv_sec += suspended();
    return result;
}
