/*
 * Every bound of the decision library, with its unit. Pure numbers: no includes.
 *
 * A bound that is exceeded never cuts anything off: the observation is then marked
 * (rcv_evidence.too_many) and the verdict is UNKNOWN (TOO_MANY_CANDIDATES).
 */
#ifndef RCV_LIMITS_H
#define RCV_LIMITS_H

#define RCV_MAX_CANDIDATES 64 /* hosts one instance may have to be looked for on */
#define RCV_MAX_RECORDS 256   /* migration records of one instance */
#define RCV_MAX_REASONS 32    /* reasons one verdict carries */
#define RCV_MAX_STEPS 16      /* steps of one plan */
#define RCV_MAX_LINES 48      /* lines of one section of an explanation */
#define RCV_LINE_BYTES 2560   /* a line of an explanation: a repair with the longest names */
#define RCV_TEXT_BYTES 256    /* a name, a host, an error text, with its NUL */
#define RCV_ID_BYTES 65       /* a UUID, a project id, a request id, with its NUL */
#define RCV_UUID_BYTES 16     /* a UUID, binary */
#define RCV_DIGEST_BYTES 32   /* SHA-256 */

/* Integers travel through JSON, so they stay below 2^53 (RFC 7493, section 2.2). */
#define RCV_INT_MAX ((int64_t)9007199254740991)

#endif
