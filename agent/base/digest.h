/* SHA-256 and UUIDs. */
#ifndef UW_DIGEST_H
#define UW_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "recovery/limits.h"

#define UW_DIGEST_TEXT_BYTES (sizeof "sha256:" + 2 * (size_t)RCV_DIGEST_BYTES) /* with NUL */
#define UW_UUID_TEXT_BYTES 37

/* SHA-256 of bytes. -1 when the library fails (err set, out zeroed). */
int uw_sha256(const void *bytes, size_t n, uint8_t out[RCV_DIGEST_BYTES],
              struct uw_err *err) UW_MUST_USE;
/* "sha256:<64 hex>" */
void uw_digest_text(const uint8_t digest[RCV_DIGEST_BYTES], char out[UW_DIGEST_TEXT_BYTES]);
/* The reverse; -1 (out zeroed) when text is not exactly that form. */
int uw_digest_parse(const char *text, uint8_t out[RCV_DIGEST_BYTES]) UW_MUST_USE;
/* 36 characters, any case; -1 when malformed. out may be NULL to check only. */
int uw_uuid_parse(const char *text, uint8_t out[RCV_UUID_BYTES]) UW_MUST_USE;
void uw_uuid_text(const uint8_t uuid[RCV_UUID_BYTES], char out[UW_UUID_TEXT_BYTES]);
/* A new random UUID, lower case. */
void uw_uuid_new(char out[UW_UUID_TEXT_BYTES]);

#endif
