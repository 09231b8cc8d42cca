#include "agent/base/digest.h"

#include <openssl/evp.h>
#include <string.h>
#include <uuid/uuid.h>

static const char hex[] = "0123456789abcdef";

int uw_sha256(const void *bytes, size_t n, uint8_t out[RCV_DIGEST_BYTES], struct uw_err *err) {
  unsigned int len = 0;
  memset(out, 0, RCV_DIGEST_BYTES);
  if (EVP_Digest(bytes, n, out, &len, EVP_sha256(), NULL) != 1 || len != RCV_DIGEST_BYTES) {
    memset(out, 0, RCV_DIGEST_BYTES);
    return uw_err_set(err, UW_EXIT_USAGE, "SHA-256 failed in libcrypto");
  }
  return 0;
}

void uw_digest_text(const uint8_t digest[RCV_DIGEST_BYTES], char out[UW_DIGEST_TEXT_BYTES]) {
  memcpy(out, "sha256:", 7);
  for (size_t i = 0; i < RCV_DIGEST_BYTES; i++) {
    out[7 + 2 * i] = hex[digest[i] >> 4];
    out[8 + 2 * i] = hex[digest[i] & 15];
  }
  out[7 + 2 * RCV_DIGEST_BYTES] = '\0';
}

static int hex_value(char c) {
  const char *at = c != '\0' ? strchr(hex, c) : NULL;
  return at != NULL ? (int)(at - hex) : -1;
}

int uw_digest_parse(const char *text, uint8_t out[RCV_DIGEST_BYTES]) {
  memset(out, 0, RCV_DIGEST_BYTES);
  if (strncmp(text, "sha256:", 7) != 0 || strlen(text) != 7 + 2 * (size_t)RCV_DIGEST_BYTES) {
    return -1;
  }
  for (size_t i = 0; i < RCV_DIGEST_BYTES; i++) {
    int high = hex_value(text[7 + 2 * i]);
    int low = hex_value(text[8 + 2 * i]);
    if (high < 0 || low < 0) {
      memset(out, 0, RCV_DIGEST_BYTES);
      return -1;
    }
    out[i] = (uint8_t)(high << 4 | low);
  }
  return 0;
}

int uw_uuid_parse(const char *text, uint8_t out[RCV_UUID_BYTES]) {
  uuid_t u;
  if (strlen(text) != 36 || uuid_parse(text, u) != 0) {
    return -1;
  }
  if (out != NULL) {
    memcpy(out, u, RCV_UUID_BYTES);
  }
  return 0;
}

void uw_uuid_text(const uint8_t uuid[RCV_UUID_BYTES], char out[UW_UUID_TEXT_BYTES]) {
  uuid_unparse_lower(uuid, out);
}

void uw_uuid_new(char out[UW_UUID_TEXT_BYTES]) {
  uuid_t u;
  uuid_generate_random(u);
  uuid_unparse_lower(u, out);
}
