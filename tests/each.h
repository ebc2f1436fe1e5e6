/* SPDX-License-Identifier: MIT */
#ifndef UR_TESTS_EACH_H
#define UR_TESTS_EACH_H

/* Of many cases of one kind: all, or each so-manieth under sanitizers, which make them slow and
 * look at memory, not at numbers. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EACH 6
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EACH 6
#endif
#endif
#ifndef EACH
#define EACH 1
#endif

#endif
